from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from index import scoring as rank
from index.chunk import split
from index.store import term_counts as terms
from index.store.lance import Store
from index.store.loop import wait
from index.store.schema import Filters, IndexedEpisode
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords

MODEL = BagOfWords()
NOBODY = Filters()


def put(store, guid, *said, podcast="selling", title="", published=None, content="1"):
    episode = Episode(podcast, guid, title or guid)
    turns = tuple(Turn(text, name) for name, text in said)
    chunks = split(Transcript(episode, turns), MODEL.count, size=12, overlap=0, window=12)
    row = IndexedEpisode(
        episode.key, podcast, guid, title or guid, published, "", "", f"{podcast}/{guid}.md", "", content
    )
    store.replace(row, chunks, [MODEL.embed_passages(chunk.embedded()) for chunk in chunks])
    return episode.key


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "index")
    store.create(MODEL.name, MODEL.dimension)
    return store


def texts(store, query, filters=NOBODY, *, vector=True, words=True, depth=10):
    found = store.candidates(
        MODEL.embed_query(query) if vector else None, rank.stems(query) if words else [], filters, depth
    )
    return [row["text"] for row in found.show(range(len(found.places)), [()] * len(found.places))]


def frequencies(store, *words):
    wanted = [*rank.stems(" ".join(words)), " passages", " length"]
    return wait(store.root, terms.lookup(store._table("terms"), wanted))


def test_nothing_built_is_said_so_and_lists_nothing(tmp_path):
    store = Store(tmp_path / "index")
    assert [] == store.episodes()
    with pytest.raises(IndexNotBuiltError, match="soundbite run"):
        store.counts()


def test_an_empty_index_has_nothing_to_find(store):
    assert {"episodes": 0, "chunks": 0, "unindexed": 0} == store.counts()
    assert [] == texts(store, "rain", words=False)


def test_another_model_is_refused_with_the_way_out(store):
    store.require(MODEL.name, MODEL.dimension)
    for model, dimension in (("other", MODEL.dimension), (MODEL.name, 8)):
        with pytest.raises(IndexMismatchError, match="soundbite index --rebuild"):
            store.require(model, dimension)


def test_another_layout_is_refused_with_the_way_out(store, monkeypatch):
    monkeypatch.setattr("index.store.lance.LAYOUT", "0.0")
    with pytest.raises(IndexMismatchError, match="soundbite index --rebuild"):
        Store(store.root).counts()


def test_both_legs_find_the_passage(store):
    put(store, "a", ("Ann", "Prices rise in spring."))
    put(store, "b", ("Ben", "Dogs bark at night."))
    for legs in ({"words": False}, {"vector": False}):
        assert ["Ann: Prices rise in spring."] == texts(store, "rising prices rise", depth=1, **legs)
    assert ["Ben: Dogs bark at night."] == texts(store, "dog", vector=False)


def test_a_candidate_of_both_legs_comes_once_with_its_own_vectors(store):
    put(store, "a", ("", "Prices rise."), ("", "Nobody sells in the rain, not even cars, boats, lifts or houses."))
    near = store.candidates(MODEL.embed_query("Prices rise."), ["price"], NOBODY, 10)
    assert 2 == len(near.places) == len({row["text"] for row in near.show([0, 1], [(), ()])})
    arrays = near.found
    best = int((arrays.vectors @ MODEL.embed_query("Prices rise.")).argmax())
    assert "Prices rise." in near.show([best], [()])[0]["text"]
    assert [2, 12] == sorted(arrays.words)


def test_the_title_is_found_as_words_but_labels_are_not(store):
    put(store, "a", ("Ann", "Prices rise."), title="Zebra talk")
    assert [] == texts(store, "ann", vector=False)
    assert ["Ann: Prices rise."] == texts(store, "zebras", vector=False)


def test_replacing_an_episode_leaves_only_its_new_chunks_and_all_others(store):
    key = put(store, "a", ("Ann", "Old words here."), ("Ann", "These stay as they were, every single one of them."))
    put(store, "b", ("Ben", "Untouched."))
    kept = set(store.vectors(key))
    put(store, "a", ("Ann", "New words here."), ("Ann", "These stay as they were, every single one of them."))
    assert 1 == len(kept & set(store.vectors(key)))
    assert [] == texts(store, "old", vector=False)
    assert {"episodes": 2, "chunks": 3} == {name: store.counts()[name] for name in ("episodes", "chunks")}


def test_a_removed_episode_is_gone_with_its_terms(store):
    put(store, "b", ("Ben", "Dogs bark."))
    before = frequencies(store, "dog bark rise")
    store.remove(put(store, "a", ("Ann", "Prices rise.")))
    assert ["b"] == [episode.guid for episode in store.episodes()]
    assert before | {"rise": 0} == frequencies(store, "dog bark rise")


def test_document_frequencies_follow_every_change(store):
    put(store, "a", ("Ann", "Prices rise."))
    put(store, "b", ("Ben", "Prices fall, prices fall."))
    assert {"price": 2, "rise": 1, "fall": 1, " passages": 2, " length": 7} == frequencies(store, "price rise fall")
    put(store, "b", ("Ben", "Dogs bark."), content="2")
    assert {"price": 1, "fall": 0, "dog": 1, " passages": 2, " length": 5} == frequencies(store, "price fall dog")


def test_frequencies_of_a_run_that_was_cut_off_are_counted_anew(store):
    put(store, "a", ("Ann", "Prices rise."))
    right = frequencies(store, "price rise")
    entry = {"key": "x", "content_hash": "9", "chunks": 5, "length": 50, "terms": ["price"], "term_chunks": [5]}
    wait(store.root, terms.shift(store._table("terms"), store._table("episodes"), "x", entry))  # its episode never came
    assert right != frequencies(store, "price rise")
    assert set() == store.heal()
    assert right == frequencies(store, "price rise")


def test_an_episode_that_lost_chunks_is_told(store):
    key = put(store, "a", ("Ann", "Prices rise."))
    put(store, "b", ("Ben", "Dogs bark."))
    wait(store.root, store._table("chunks").delete(f"key = '{key}'"))
    assert {key} == store.heal()


def test_filters_restrict_both_legs(store):
    day = datetime(2025, 2, 20, 9, tzinfo=UTC)
    put(store, "a", ("Ann", "Prices rise."), podcast="one", published=day)
    put(store, "b", ("Ben", "Prices fall."), podcast="two", published=day + timedelta(days=1))
    put(store, "c", ("Eve", "Prices stay."), podcast="two")
    cases = [
        (Filters(podcast="one"), {"Ann: Prices rise."}),
        (Filters(speaker="bEN"), {"Ben: Prices fall."}),
        (Filters(since=day + timedelta(hours=1)), {"Ben: Prices fall."}),
        (Filters(until=day + timedelta(hours=1)), {"Ann: Prices rise."}),
        (Filters(podcast="two", speaker="eve"), {"Eve: Prices stay."}),
        (Filters(podcast="nobody"), set()),
    ]
    for filters, expected in cases:
        for legs in ({"words": False}, {"vector": False}):
            assert expected == set(texts(store, "prices", filters, **legs)), filters


@pytest.mark.parametrize(
    "hostile", ["' OR '1'='1", "x'; DROP TABLE chunks; --", "\\'", "%", "\0'", 'O"Neil', "a\nb", "é'"]
)
def test_values_are_data_whatever_they_hold(store, hostile):
    put(store, "a'b; --", (f"Eve {hostile}".replace("\0", ""), "Prices rise."))
    assert [] == texts(store, "prices", Filters(podcast=hostile))
    assert [] == texts(store, "prices", Filters(speaker=hostile))
    assert 1 == len(texts(store, "prices", Filters(speaker=f"Eve {hostile}")))
    assert 1 == store.counts()["chunks"]


@pytest.mark.parametrize(
    "hostile", ["'", '"rise', "rise AND", "rise*~^2", "(rise", "+rise -price", "title:rise", "\\rise"]
)
def test_a_query_is_words_not_a_language(store, hostile):
    put(store, "a", ("Ann", "Prices rise."))
    assert ["Ann: Prices rise."] == texts(store, f"{hostile} prices", vector=False)


def test_rows_not_yet_indexed_are_found_and_counted_until_maintained(store):
    for n in range(4):
        put(store, f"e{n}", ("Ann", f"Word{n} is said."))
    assert 3 == store.counts()["unindexed"]
    assert ["Ann: Word3 is said."] == texts(store, "word3", vector=False)
    store.maintain()
    assert 0 == store.counts()["unindexed"]
    assert ["Ann: Word3 is said."] == texts(store, "word3", vector=False)


def test_maintenance_leaves_few_files_and_all_rows(store):
    for n in range(25):
        put(store, f"e{n}", ("Ann", f"Word{n} is said."))
    before = sum(1 for _ in store.root.rglob("*.lance"))
    store.maintain(keep=timedelta(milliseconds=1))
    assert sum(1 for _ in store.root.rglob("*.lance")) < before / 4
    assert {"episodes": 25, "chunks": 25, "unindexed": 0} == store.counts()


def test_a_store_built_beside_is_searched_only_once_published(store):
    put(store, "a", ("Ann", "Old words."))
    reader, new = Store(store.root), store.beside()
    assert ["Ann: Old words."] == texts(reader, "words")
    new.create("other", MODEL.dimension)
    put(new, "b", ("Ann", "New words."))
    assert ["Ann: Old words."] == texts(reader, "words")
    new.publish()
    assert ["Ann: New words."] == texts(reader, "words")
    reader.require("other", MODEL.dimension)
    assert 1 == sum(1 for _ in store.root.glob("index-*"))


def test_a_reader_sees_what_another_writes(store):
    reader = Store(store.root)
    put(store, "a", ("Ann", "Prices rise."))
    assert ["Ann: Prices rise."] == texts(reader, "prices")
    put(store, "a", ("Ann", "Prices fall."))
    assert ["Ann: Prices fall."] == texts(reader, "prices")


def test_many_threads_may_read_at_once(store):
    put(store, "a", ("Ann", "Prices rise."))
    with ThreadPoolExecutor(8) as pool:
        assert {("Ann: Prices rise.",)} == {
            tuple(found) for found in pool.map(lambda _: texts(store, "prices"), range(40))
        }


async def _inside_a_loop(store):
    return store.counts()["chunks"]


def test_it_works_inside_an_event_loop_too(store):
    put(store, "a", ("Ann", "Prices rise."))
    assert 1 == wait(store.root, _inside_a_loop(store))


def test_broken_files_are_named_with_the_way_out(store):
    put(store, "a", ("Ann", "Prices rise."))
    for file in store.root.rglob("*.lance"):
        if file.is_file():
            file.write_bytes(b"not a table")
    with pytest.raises(IndexingError, match="soundbite index --rebuild"):
        texts(Store(store.root), "prices")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "index").write_text("a file")
    with pytest.raises(IndexingError, match="cannot be"):
        Store(tmp_path / "index").create(MODEL.name, MODEL.dimension)
