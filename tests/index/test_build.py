"""The index follows the library, one document at a time or all at once, and survives being killed anywhere."""

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from index.build import BuildReport, index_document, update
from index.query import Query
from index.search import Searcher
from index.store import lance
from index.store.lance import Store
from ingest.errors import IndexMismatchError, TranscriptError
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

    def index(self, name):
        return index_document(self.library, self.store, self.model, name)

    def write(self, *transcripts):
        return [self.library.root / self.library.write(transcript).name for transcript in transcripts]

    def name(self, path):
        return path.relative_to(self.library.root).as_posix()

    def guids(self):
        return [episode.guid for episode in self.store.episodes()]

    def best(self, text):
        return Searcher(self.store, self.model).search(Query(text, limit=1)).hits[0].passage.text


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def long(topic, turns=30):
    return [f"Turn {n} is about {topic}. {f'It says {topic} once more in part {n}. ' * 20}" for n in range(turns)]


def rename(path, name):
    path.with_suffix(".json").rename(path.with_name(f"{name}.json"))
    return path.rename(path.with_name(f"{name}.md"))


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
    assert any("1000000000" in episode.version for episode in home.store.episodes())


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
    (hit,) = Searcher(home.store, home.model).search(Query("prices")).hits
    assert (2.0, 5.0) == (hit.passage.start, hit.passage.end)


def test_an_episode_whose_file_is_gone_leaves_the_index(home):
    path, _ = home.write(told("a", "Prices rise."), told("b", "Dogs bark."))
    home.update()
    path.unlink()
    assert BuildReport(unchanged=1, removed=1) == home.update()
    assert ["b"] == home.guids()


def test_a_renamed_file_is_the_same_episode(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.update()
    rename(path, "another-name")
    assert BuildReport(changed=1) == home.update()
    assert BuildReport(unchanged=1) == home.update()
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


def test_of_two_files_of_one_episode_the_indexed_one_wins(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.update()
    path.with_name("0-copy.md").write_bytes(path.read_bytes())
    for _ in range(2):
        report = home.update()
        assert [("selling/0-copy.md", f"holds the same episode as {home.name(path)}; remove one of them")] == [
            *report.failed
        ]
        assert (1, 0) == (report.unchanged, report.removed)
    path.unlink()
    assert () == home.update().failed
    assert ["selling/0-copy.md"] == [episode.path for episode in home.store.episodes()]
    assert 1 == home.store.counts()["chunks"]


def test_a_file_that_turns_into_another_episode_takes_the_old_one_out(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.update()
    path.write_text(path.read_text("utf-8").replace("- Episode ID: a", "- Episode ID: b"), "utf-8")
    path.with_suffix(".json").unlink()
    assert (1, 1) == (home.update().added, home.store.counts()["chunks"])
    assert ["b"] == home.guids()


def test_an_unexpected_error_ends_one_document_only(home, monkeypatch, caplog):
    home.write(told("a", "Prices rise."), told("b", "Dogs bark."))
    read = Library.read

    def broken(library, name):
        transcript = read(library, name)
        return transcript if transcript.episode.guid == "b" else replace(transcript, segments=None)

    monkeypatch.setattr(Library, "read", broken)
    report = home.update()
    ((_, reason),) = report.failed
    assert (1, True) == (report.added, reason.startswith("cannot be indexed (TypeError"))
    assert "Traceback" in caplog.text
    assert ["b"] == home.guids()


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


def test_progress_is_told_for_every_document_from_the_first_on(home):
    home.write(*(told(guid, "Prices rise.") for guid in "abc"))
    seen = []
    update(home.library, home.store, home.model, seen.append)
    assert [(1, 3), (2, 3), (3, 3)] == [(step.done, step.total) for step in seen]
    assert all(step.chunks_per_second > 0 for step in seen)
    seen.clear()
    update(home.library, home.store, home.model, seen.append)
    assert [(1, 3), (2, 3), (3, 3)] == [(step.done, step.total) for step in seen]


class Counted(Transcript):
    """Counts how many of its kind are alive at once."""

    alive = most = 0

    def __init__(self, *fields):
        super().__init__(*fields)
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)

    def __del__(self):
        Counted.alive -= 1


class CountingLibrary(Library):
    def read(self, name):
        read = super().read(name)
        return Counted(read.episode, read.turns, read.segments, read.transcribed_at, read.provenance)


@pytest.mark.parametrize("rebuild", [False, True])
def test_one_transcript_is_in_memory_at_a_time(home, rebuild):
    home.write(*(told(guid, "Prices rise.") for guid in "abcdefgh"))
    gc.collect()
    Counted.alive = Counted.most = 0
    library = CountingLibrary(home.library.root)
    assert 8 == update(library, home.store, home.model, rebuild=rebuild).added
    assert (0, 1) == (Counted.alive, Counted.most)


# -- one document


def test_one_document_is_searchable_at_once_and_another_process_sees_it(home):
    reader = Searcher(Store(home.store.root), home.model)
    for guid, text in (("a", "Prices rise."), ("b", "Dogs bark."), ("c", "Frogs croak.")):
        (path,) = home.write(told(guid, text))
        assert 1 == home.index(home.name(path))
        assert f"Ann: {text}" == reader.search(Query(text, limit=1)).hits[0].passage.text
    assert BuildReport(unchanged=3) == home.update()


def test_a_document_that_is_unchanged_is_not_embedded_again(home):
    (path,) = home.write(told("a", "Prices rise."))
    assert [1, 0, 0] == [home.index(home.name(path)) for _ in range(3)]
    assert ["Prices rise."] == home.model.embedded


def test_a_document_that_changed_replaces_its_episode(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.index(home.name(path))
    home.write(told("a", "Prices fall."))
    assert 1 == home.index(home.name(path))
    assert ("Ann: Prices fall.", 1) == (home.best("prices"), home.store.counts()["chunks"])


def test_a_document_that_was_renamed_is_not_doubled(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.index(home.name(path))
    path = rename(path, "another-name")
    assert 0 == home.index(home.name(path))
    assert [home.name(path)] == [episode.path for episode in home.store.episodes()]
    assert BuildReport(unchanged=1) == home.update()


def test_a_second_document_of_an_episode_is_refused_while_the_first_is_there(home):
    (path,) = home.write(told("a", "Prices rise."))
    home.index(home.name(path))
    path.with_name("0-copy.md").write_bytes(path.read_bytes())
    with pytest.raises(TranscriptError, match="remove one of them"):
        home.index("selling/0-copy.md")
    path.unlink()
    home.index("selling/0-copy.md")
    assert (["a"], 1) == (home.guids(), home.store.counts()["chunks"])


def test_a_document_that_cannot_be_read_is_an_error(home):
    with pytest.raises(TranscriptError):
        home.index("selling/nowhere.md")


def test_one_document_reads_no_other(home, monkeypatch):
    paths = home.write(*(told(guid, "Prices rise.") for guid in "abc"))
    home.update()
    home.write(told("a", "Prices fall."))
    monkeypatch.setattr(Store, "episodes", None)
    monkeypatch.setattr(Library, "documents", None)
    read, names = Library.read, []
    monkeypatch.setattr(Library, "read", lambda library, name: names.append(name) or read(library, name))
    home.index(home.name(paths[0]))
    assert {home.name(paths[0])} == set(names)


def test_the_index_is_maintained_while_documents_come_one_by_one(home):
    for path in home.write(*(told(f"e{n}", f"Word{n} rises.") for n in range(25))):
        home.index(home.name(path))
    assert home.store.counts()["unindexed"] < 5


# -- killed anywhere


class Killed(BaseException):
    """What ends a process, which nobody catches."""


@pytest.mark.parametrize("nth", range(4))
@pytest.mark.parametrize("earlier", [True, False])
def test_a_write_that_was_cut_off_is_made_good_by_the_next_run(home, monkeypatch, nth, earlier):
    home.write(told("b", "Dogs bark."))
    if earlier:
        home.write(told("a", "Prices fall."))
    home.update()
    home.write(told("a", "Prices rise."))
    left = iter(range(nth))

    def killed(call):
        async def step(*arguments, **options):
            if next(left, None) is None:
                raise Killed
            return await call(*arguments, **options)

        return step

    with monkeypatch.context() as patch:
        for module, name in (
            (lance.maintenance, "create_text_index"),
            (lance.term_counts, "shift"),
            (lance.term_counts, "upsert"),
        ):
            patch.setattr(module, name, killed(getattr(module, name)))
        with pytest.raises(Killed):
            home.update()
    home.update()
    fresh = Home(home.library.root.parent / "fresh")
    fresh.library = home.library
    fresh.update()
    assert home.guids() == fresh.guids() == ["a", "b"]
    assert frequencies(fresh.store) == frequencies(home.store)
    assert {name: home.store.counts()[name] for name in ("episodes", "chunks")} == {"episodes": 2, "chunks": 2}
    assert "Ann: Prices rise." == home.best("prices")


def frequencies(store):
    found = store.ask("price rise fall dog episode").frequencies
    return found.passages, found.length, {term: n for term, n in found.containing.items() if n}


RUN = """
import sys
from pathlib import Path
from index.build import index_document
from index.store.lance import Store
from ingest.library import Library
from tests.fakes import BagOfWords
index_document(Library(Path(sys.argv[1])), Store(Path(sys.argv[2])), BagOfWords(), sys.argv[3])
"""


def test_many_threads_index_their_documents_side_by_side(home):
    names = [home.name(path) for path in home.write(*(told(guid, f"Prices of {guid} rise.") for guid in "abcdef"))]
    with ThreadPoolExecutor(6) as pool:
        assert [1] * 6 == [*pool.map(home.index, names)]
    assert BuildReport(unchanged=6) == home.update()


def test_many_processes_index_their_documents_side_by_side(home):
    paths = home.write(*(told(guid, f"Prices of {guid} rise.") for guid in "abc"))
    command = [sys.executable, "-c", RUN, home.library.root, home.store.root]
    running = [subprocess.Popen([*map(str, command), home.name(path)], cwd=Path.cwd()) for path in paths]
    assert [0, 0, 0] == [process.wait(120) for process in running]
    assert ["a", "b", "c"] == home.guids()
    assert BuildReport(unchanged=3) == home.update()
