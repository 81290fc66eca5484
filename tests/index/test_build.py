import os
from dataclasses import replace
from itertools import pairwise

import pytest

from index.build import BuildReport, update
from index.catalogue import episodes
from index.search import Searcher
from index.store.lance import Store
from ingest.errors import IndexMismatchError
from ingest.ledger import EpisodeRecord
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from tests.fakes import BagOfWords


def told(guid, *said, **fields):
    return Transcript(Episode("selling", guid, f"Episode {guid}", **fields), tuple(Turn(text, "Ann") for text in said))


class Home:
    def __init__(self, path):
        self.library, self.store, self.model = Library(path / "library"), Store(path / "index"), BagOfWords()

    def update(self, **options):
        return update(self.library, self.store, self.model, **options)

    def write(self, *transcripts):
        return [self.library.write(transcript) for transcript in transcripts]

    def guids(self):
        return [episode.guid for episode in self.store.episodes()]

    def best(self, query):
        return Searcher(self.store, self.model).search(query, limit=1).hits[0].text


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def long(topic, turns=30):
    return [f"Turn {n} is about {topic}. {f'It says {topic} once more in part {n}. ' * 20}" for n in range(turns)]


def test_an_empty_library_makes_an_empty_index(home):
    assert BuildReport() == home.update()
    assert [] == home.guids()


def test_what_is_new_goes_in_and_what_is_unchanged_asks_no_model(home):
    home.write(told("a", "Prices rise."), told("b", "Dogs bark."))
    assert BuildReport(added=2, chunks_embedded=2) == home.update()
    assert "Ann: Dogs bark." == home.best("dogs bark")
    home.model.embedded.clear()
    assert BuildReport(unchanged=2) == home.update()
    assert [] == home.model.embedded


def test_a_touched_file_is_compared_by_content_once(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.update()
    os.utime(path, (1, 1))
    assert BuildReport(unchanged=1) == home.update()
    assert any("1000000000" in episode.files for episode in home.store.episodes())


def test_only_the_chunks_that_changed_are_embedded_again(home):
    (path,) = home.write(told("a", *long("prices")))
    first = home.update()
    assert first.chunks_embedded > 3
    path.write_text(path.read_text("utf-8").replace("Turn 2 is about prices.", "Turn 2 is about parrots."), "utf-8")
    second = home.update()
    assert (1, 0, 1) == (second.changed, second.added, second.chunks_embedded)
    assert "parrots" in home.best("parrots")


def test_new_times_move_hits_without_embedding(home):
    said = replace(told("a", "Prices rise."), segments=(Segment(1.0, 3.0, "Prices rise.", "Ann"),))
    home.write(said)
    home.update()
    home.write(replace(said, segments=(Segment(2.0, 5.0, "Prices rise.", "Ann"),)))
    assert BuildReport(changed=1) == home.update()
    (hit,) = Searcher(home.store, home.model).search("prices").hits
    assert (2.0, 5.0) == (hit.start, hit.end)


def test_an_episode_whose_file_is_gone_leaves_the_index(home):
    path, _ = home.write(told("a", "Prices rise."), told("b", "Dogs bark."))
    home.update()
    path.unlink()
    assert BuildReport(unchanged=1, removed=1) == home.update()
    assert ["b"] == home.guids()


def test_a_renamed_file_is_the_same_episode(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.update()
    path.rename(path.with_name("another-name.md"))
    path.with_suffix(".json").rename(path.with_name("another-name.json"))
    assert BuildReport(changed=1) == home.update()
    assert ["selling/another-name.md"] == [episode.path for episode in home.store.episodes()]


def test_an_unreadable_transcript_is_reported_and_keeps_what_it_had(home):
    path, _ = home.write(told("a", "Prices rise."), told("b", "Dogs bark."))
    home.update()
    path.write_bytes(b"\xff\xfe\x00 not text")
    report = home.update()
    assert (1, 0, [path.name]) == (report.unchanged, report.removed, [name.split("/")[1] for name, _ in report.failed])
    assert "Ann: Prices rise." == home.best("prices rise")
    path.write_text(path.with_suffix(".json").read_text("utf-8"), "utf-8")
    assert ["b"] == home.guids()[1:]


def test_two_files_of_one_episode_are_not_indexed_twice(home):
    (path,) = home.write(told("a", "Prices rise."))
    path.with_name("copy.md").write_bytes(path.read_bytes())
    for _ in range(2):
        report = home.update()
        assert 1 == len(report.failed)
        assert "remove one of them" in report.failed[0][1]
    assert 1 == home.store.counts()["chunks"]


def test_another_model_is_refused_until_rebuilt(home):
    home.write(told("a", "Prices rise."))
    home.update()
    home.model = BagOfWords("another")
    with pytest.raises(IndexMismatchError, match="soundbite index --rebuild"):
        home.update()
    assert BuildReport(added=1, chunks_embedded=1) == home.update(rebuild=True)
    assert "Ann: Prices rise." == home.best("prices rise")


class Dying(BagOfWords):
    """Dies on the n-th request for passages, as a killed process would."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def embed_passages(self, texts):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def test_a_rebuild_that_dies_leaves_the_old_index_working(home):
    home.write(told("a", "Prices rise."), told("b", "Dogs bark."))
    home.update()
    home.model = Dying(1)
    with pytest.raises(KeyboardInterrupt):
        home.update(rebuild=True)
    home.model = BagOfWords()
    assert "Ann: Dogs bark." == home.best("dogs bark")
    assert BuildReport(unchanged=2) == home.update()
    assert BuildReport(added=2, chunks_embedded=2) == home.update(rebuild=True)
    assert 1 == sum(1 for _ in home.store.root.glob("index-*"))


def test_a_run_that_dies_goes_on_where_it_was(home):
    home.write(*(told(guid, f"Prices of {guid} rise.") for guid in "abcd"))
    home.model = Dying(2)
    with pytest.raises(KeyboardInterrupt):
        home.update()
    home.model = BagOfWords()
    assert BuildReport(added=2, unchanged=2, chunks_embedded=2) == home.update()
    assert 4 == home.store.counts()["chunks"]


def test_progress_is_told_for_every_episode(home):
    home.write(*(told(guid, "Prices rise.") for guid in "abc"))
    seen = []
    update(home.library, home.store, home.model, seen.append)
    assert [(1, 3), (2, 3), (3, 3)] == [(step.done, step.total) for step in seen]
    assert all(step.chunks_per_second > 0 for step in seen)
