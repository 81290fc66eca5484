from datetime import UTC, datetime, timedelta

import pytest

from index.chunk import split
from index.query import Query
from index.store import candidates, generations
from index.store.lance import Store
from index.store.schema import IndexedEpisode
from index.text.terms import stems
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords

MODEL = BagOfWords()


def put(store, guid, *said, podcast="selling", title="", published=None, content="1", language="en"):
    episode = Episode(podcast, guid, title or guid)
    turns = tuple(Turn(text, name) for name, text in said)
    transcript = Transcript(episode, turns, provenance={"language": language})
    chunks = split(transcript, MODEL.count, size=12, overlap=0, window=12)
    row = IndexedEpisode(
        episode.key,
        podcast,
        guid,
        title or guid,
        published,
        "",
        "",
        f"{podcast}/{guid}.md",
        "",
        content,
        language=language,
    )
    store.replace(row, chunks, [MODEL.embed_passages(chunk.window_texts()) for chunk in chunks])
    return episode.key


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "index")
    store.create(MODEL.name, MODEL.dimension)
    return store


def texts(store, text, *, vector=True, words=True, depth=10, **filters):
    query = Query(text, mode="hybrid" if words else "vector", **filters)
    found = store.candidates(query, MODEL.embed_query(text) if vector else None, store.ask(text), depth)
    return [row["text"] for row in rows_of(found)]


def rows_of(found):
    return found.rows(range(len(found.arrays.episode))) if found.arrays else []


def frequencies(store, *words):
    wanted = [*stems(" ".join(words)), " passages", " length"]
    return generations.run(store.storage, store._tables().terms.lookup(wanted))


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
    monkeypatch.setattr("index.store.generations.LAYOUT", "0.0")
    with pytest.raises(IndexMismatchError, match="soundbite index --rebuild") as caught:
        Store(store.root).counts()
    assert "\n" not in str(caught.value)


def test_both_searches_find_the_chunk(store):
    put(store, "a", ("Ann", "Prices rise in spring."))
    put(store, "b", ("Ben", "Dogs bark at night."))
    for search in ({"words": False}, {"vector": False}):
        assert ["Ann: Prices rise in spring."] == texts(store, "rising prices rise", depth=1, **search)
    assert ["Ben: Dogs bark at night."] == texts(store, "dog", vector=False)


def test_a_candidate_of_both_searches_comes_once_with_its_own_vectors(store):
    put(store, "a", ("", "Prices rise."), ("", "Nobody sells in the rain, not even cars, boats, lifts or houses."))
    found = store.candidates(Query("x"), MODEL.embed_query("Prices rise."), store.ask("price"), 10)
    assert 2 == len({row["text"] for row in rows_of(found)}) == len(rows_of(found))
    best = int((found.arrays.vectors @ MODEL.embed_query("Prices rise.")).argmax())
    assert "Prices rise." in found.rows([best])[0]["text"]
    assert [2, 12] == sorted(found.arrays.words)
    assert 1 == found.indexed


def meanwhile(monkeypatch, change):
    """Let something happen to the table each time its searches have ended and their rows are not read yet."""
    search = candidates.nearest

    async def and_change(chunks, *given):
        rows = await search(chunks, *given)
        await change(chunks)
        return rows

    monkeypatch.setattr(candidates, "nearest", and_change)


@pytest.mark.parametrize("kept", [timedelta(milliseconds=1), timedelta(days=1)])
def test_a_candidate_that_compaction_moves_is_read_where_it_went(store, monkeypatch, kept):
    for guid in "abc":
        put(store, guid, ("Ann", f"Prices rise, says {guid}."))
    meanwhile(monkeypatch, lambda chunks: chunks.optimize(cleanup_older_than=kept))
    assert [f"Ann: Prices rise, says {guid}." for guid in "abc"] == sorted(texts(store, "prices"))


@pytest.mark.parametrize("gone", ["abc", "b", ""])
def test_a_candidate_that_is_deleted_meanwhile_is_left_out(store, monkeypatch, gone):
    keys = {guid: put(store, guid, ("Ann", f"Prices rise, says {guid}.")) for guid in "abc"}
    where = " OR ".join(["false", *(f"key = '{keys[guid]}'" for guid in gone)])
    meanwhile(monkeypatch, lambda chunks: chunks.delete(where))
    left = [f"Ann: Prices rise, says {guid}." for guid in "abc" if guid not in gone]
    assert left == sorted(texts(store, "prices"))


@pytest.mark.parametrize("again", ["a", "ab", "abc"])
def test_what_was_read_before_an_episode_changed_is_not_shown_after(store, again):
    reader = Store(store.root)
    for guid in "abc":
        put(store, guid, ("Ann", f"Prices rise, says {guid}."))
    assert 3 == len(texts(reader, "prices"))
    for guid in again:
        put(store, guid, ("Ann", f"Prices fall, says {guid}."), content="2")
    new = [f"Ann: Prices {'fall' if guid in again else 'rise'}, says {guid}." for guid in "abc"]
    assert new == sorted(texts(reader, "prices"), key=lambda text: text[-2])
    store.maintain(force=True, keep=timedelta(milliseconds=1))
    assert new == sorted(texts(reader, "prices"), key=lambda text: text[-2])


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


def test_speakers_are_counted_by_episodes(store, tmp_path):
    put(store, "a", ("Ann", "Prices rise."), ("Ben", "They fall."), ("Ann", "Both."))
    put(store, "b", ("Ann", "Again."))
    put(store, "c", ("", "Nobody is named."))
    assert store.speakers() == {"Ann": 2, "Ben": 1}
    assert Store(tmp_path / "none").speakers() == {}


def test_document_frequencies_follow_every_change(store):
    put(store, "a", ("Ann", "Prices rise."))
    put(store, "b", ("Ben", "Prices fall, prices fall."))
    assert {"price": 2, "rise": 1, "fall": 1, " passages": 2, " length": 7} == frequencies(store, "price rise fall")
    put(store, "b", ("Ben", "Dogs bark."), content="2")
    assert {"price": 1, "fall": 0, "dog": 1, " passages": 2, " length": 5} == frequencies(store, "price fall dog")


@pytest.mark.parametrize(
    "hostile", ["' OR '1'='1", "x'; DROP TABLE chunks; --", "\\'", "%", "\0'", 'O"Neil', "a\nb", "é'"]
)
def test_values_are_data_whatever_they_hold(store, hostile):
    put(store, "a'b; --", (f"Eve {hostile}".replace("\0", ""), "Prices rise."))
    assert [] == texts(store, "prices", podcast=f"x{hostile}")
    assert [] == texts(store, "prices", speaker=f"Adam {hostile}")
    assert 1 == len(texts(store, "prices", speaker=f"Eve {hostile}"))
    assert 1 == store.counts()["chunks"]


def test_both_searches_are_restricted(store):
    day = datetime(2025, 2, 20, 9, tzinfo=UTC)
    put(store, "a", ("Ann", "Prices rise."), podcast="one", published=day)
    put(store, "b", ("Ben", "Prices fall."), podcast="two", published=day + timedelta(days=1))
    for search in ({"words": False}, {"vector": False}):
        assert ["Ben: Prices fall."] == texts(store, "prices", speaker="bEN", **search)
        assert ["Ann: Prices rise."] == texts(store, "prices", until=day + timedelta(hours=1), **search)


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


def test_a_reader_sees_what_another_writes(store):
    reader = Store(store.root)
    put(store, "a", ("Ann", "Prices rise."))
    assert ["Ann: Prices rise."] == texts(reader, "prices")
    put(store, "a", ("Ann", "Prices fall."))
    assert ["Ann: Prices fall."] == texts(reader, "prices")


def test_a_reader_counts_what_another_writes(store):
    reader = Store(store.root)
    for number, said in enumerate(("Prices rise.", "Prices fall.", "Dogs bark.", "Prices stay."), 1):
        put(store, f"e{number}", ("Ann", said))
        assert number == reader.ask("prices").episodes
        assert frequencies(store, "price") == frequencies(reader, "price")


def test_broken_files_are_named_with_the_way_out(store):
    put(store, "a", ("Ann", "Prices rise."))
    for file in store.root.rglob("*.lance"):
        if file.is_file():
            file.write_bytes(b"not a table")
    with pytest.raises(IndexingError, match="soundbite index --rebuild"):
        texts(Store(store.root), "prices")


@pytest.mark.parametrize(
    "said", [("Rain.",), ("Rain fell.", "Snow fell."), tuple(f"Rain on day {n}." for n in range(9))]
)
def test_an_episode_that_is_replaced_is_never_missing(store, said):
    put(store, "other", ("Ann", "Hail fell."))
    key = put(store, "a", ("Ann", "Rain fell on hills."), ("Ben", "And wind blew on the very same hills all night."))
    table = store._tables().chunks
    before = generations.run(store.storage, table.version())

    put(store, "a", *(("Ann", text) for text in said), content="2")

    counts = []
    for version in range(before, generations.run(store.storage, table.version()) + 1):
        generations.run(store.storage, table.checkout(version))
        counts.append(generations.run(store.storage, table.count_rows(f"key = '{key}'")))
    generations.run(store.storage, table.checkout_latest())
    assert 0 not in counts
    assert store.episode(key).chunks == counts[-1]
    assert 1 == len(texts(store, "hail", vector=False))


def test_what_killed_writers_left_is_removed_by_the_next(store):
    put(store, "a", ("Ann", "Rain fell."))
    left = [
        store.root / store.folder / "chunks.lance" / folder / f".tmp{folder}"
        for folder in ("data", "_indices", "_versions")
    ]
    for file in left:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"half")

    store.heal()

    assert [False] * 3 == [file.exists() for file in left]
    assert 1 == len(texts(store, "rain", vector=False))
