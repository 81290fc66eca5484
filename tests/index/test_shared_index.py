"""One index in a bucket: one writer at a time, readers that are right throughout, on machines that share nothing else."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from flows.verify import differences
from index.build import index_document, tidy, update
from index.query import Query
from index.search import Searcher
from index.store import lance
from index.store.lance import Store
from ingest import lease
from ingest.errors import IndexingError, IndexNotBuiltError, StorageError
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.object_storage import ObjectStorage
from tests.fakes import BagOfWords

TOPICS = ("prices", "contracts", "hiring", "meetings", "pipelines", "discounts")
WRITER = """
import sys, pathlib
from index.build import update, index_document
from index.store.lance import Store
from ingest.library import Library
from ingest.object_storage import ObjectStorage
from tests.fakes import BagOfWords
place, cache, names = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
library = Library(cache, ObjectStorage(place + "/library"))
store = Store(cache, storage=ObjectStorage(place + "/index"))
for name in names:
    index_document(library, store, BagOfWords(), name)
"""


class Machine:
    """Library, index and model as one machine has them; `cache` is all that lies on it."""

    def __init__(self, place, cache, max_age=0.0):
        self.library = Library(cache, ObjectStorage(f"{place}/library"))
        self.store = Store(cache, storage=ObjectStorage(f"{place}/index"), max_age=max_age)
        self.model = BagOfWords()

    def update(self, **options):
        return update(self.library, self.store, self.model, **options)

    def write(self, number, topic):
        text = f"This is what we say about {topic}."
        turns = tuple(Turn(f"{text} It is part {n}.", "Ann") for n in range(3))
        segments = tuple(Segment(10.0 * n, 10.0 * n + 9, turn.text, "Ann") for n, turn in enumerate(turns))
        return self.library.write(Transcript(Episode("selling", f"g{number}", f"On {topic}"), turns, segments)).name

    def best(self, text):
        return [hit.title for hit in Searcher(self.store, self.model).search(Query(text)).hits][:1]


@pytest.fixture
def place(s3):
    return s3.place()


@pytest.fixture
def machine(place, tmp_path):
    numbers = iter(range(100))
    return lambda **options: Machine(place, tmp_path / f"machine-{next(numbers)}", **options)


def differ(one, tmp_path):
    return [
        (found.what, found.found) for found in differences(one.library, Ledger(tmp_path / "none.sqlite"), one.store)
    ]


def test_an_index_follows_its_library(machine, tmp_path):
    writer, reader = machine(), machine()
    assert reader.store.episodes() == []
    with pytest.raises(IndexNotBuiltError):
        reader.best("prices")
    names = [writer.write(n, topic) for n, topic in enumerate(TOPICS)]
    assert len(TOPICS) == writer.update().added
    assert [[f"On {topic}"] for topic in TOPICS] == [reader.best(topic) for topic in TOPICS]
    writer.write(1, "umbrellas")
    writer.library.storage.delete(names[0])
    report = writer.update()
    assert (0, 1, 1, 4) == (report.added, report.changed, report.removed, report.unchanged)
    assert ["On umbrellas"] == reader.best("umbrellas")
    assert "On prices" not in {one.title for one in reader.store.episodes()}
    assert len(TOPICS) == writer.update().unchanged + 1
    tidy(writer.store)
    assert [] == differ(machine(), tmp_path)
    assert reader.store.size()["bytes"] > 1000
    assert 60 > time.time() - reader.store.size()["changed_timestamp_seconds"] > -60


@pytest.mark.parametrize("max_age", [0.0, 0.5, 1.0])
def test_a_reader_is_right_throughout_writes_and_rebuilds(machine, max_age):
    writer, reader = machine(), machine(max_age=max_age)
    for number, topic in enumerate(TOPICS):
        writer.write(number, topic)
    writer.update()
    done, answers = Event(), []

    def ask():
        while not done.is_set():
            answers.extend((topic, reader.best(topic)) for topic in TOPICS[1:])

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            for turn in range(3):
                writer.write(0, f"subject {turn}")
                writer.update()
                writer.update(rebuild=True)
                tidy(writer.store)
        finally:
            done.set()
        assert [None, None] == [one.result() for one in asking]
    assert len(answers) > 20
    assert [] == [answer for topic, answer in answers if answer != [f"On {topic}"]]
    time.sleep(max_age)
    assert ["On subject 2"] == reader.best("subject 2")


def start(place, tmp_path, number, names):
    return subprocess.Popen([sys.executable, "-c", WRITER, place, str(tmp_path / f"own-{number}"), *names])


def test_two_would_be_writers_take_turns(machine, place, tmp_path):
    names = [machine().write(n, topic) for n, topic in enumerate(TOPICS)]
    both = [start(place, tmp_path, number, names) for number in range(2)]
    assert [0, 0] == [process.wait(120) for process in both]
    one = machine()
    assert len(TOPICS) == one.store.counts()["episodes"] == len(one.store.episodes())
    assert [] == differ(one, tmp_path)
    alone = Store(tmp_path / "alone")
    update(one.library, alone, one.model)
    assert alone.chunk_counts() == one.store.chunk_counts()
    assert terms(alone) == terms(one.store)


def terms(store):
    async def read(tables):
        return await tables.terms.table.query().where("chunks > 0").select(["term", "chunks"]).to_list()

    return sorted((row["term"], row["chunks"]) for row in store._run(read))


@pytest.mark.parametrize("step", ["after chunks", "after terms"])
def test_a_writer_killed_in_an_episode_is_followed_by_the_next(machine, tmp_path, monkeypatch, step):
    monkeypatch.setattr(lease, "SECONDS", 3.0)
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.5)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.1)
    writer = machine()
    names = [writer.write(n, topic) for n, topic in enumerate(TOPICS)]
    writer.update()
    writer.write(0, "umbrellas")
    target = {"after chunks": "shift", "after terms": "upsert"}[step]
    code = WRITER.replace(
        "for name in names",
        f"""
import os, signal
from index.store import term_counts
async def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
term_counts.{target} = killed
for name in names""",
    )
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            writer.store.storage.url.removesuffix("/index"),
            str(tmp_path / "killed"),
            names[0],
        ]
    )
    assert -signal.SIGKILL == process.wait(60)
    assert writer.store.storage.read("LOCK")[0]
    assert 1 == machine().update().added
    assert ["On umbrellas"] == machine().best("umbrellas")
    assert [] == differ(machine(), tmp_path)


def test_a_writer_taken_for_dead_writes_nothing_more(machine, monkeypatch):
    writer = machine()
    names = [writer.write(n, topic) for n, topic in enumerate(TOPICS[:3])]
    writer.update()
    before = writer.store.version()
    writer.write(0, "umbrellas")

    def refuse(_):
        raise StorageError("LOCK", "was not renewed in time")

    monkeypatch.setattr(lease.Lease, "check", refuse)
    for write in (
        writer.update,
        lambda: index_document(writer.library, writer.store, writer.model, names[0]),
        lambda: writer.update(rebuild=True),
        lambda: tidy(writer.store),
    ):
        with pytest.raises(StorageError):
            write()
    assert before == machine().store.version()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong-secret", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_ACCESS_KEY_ID", "somebody", "AWS_ACCESS_KEY_ID"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "AWS_ENDPOINT_URL"),
    ],
)
def test_a_bucket_that_refuses_is_told_at_every_use(machine, monkeypatch, name, value, words):
    one = machine()
    one.write(0, "prices")
    one.update()
    monkeypatch.setenv(name, value)
    for use in (machine().store.episodes, machine().update, machine().store.counts, lambda: machine().best("prices")):
        with pytest.raises((StorageError, IndexingError), match=words) as raised:
            use()
        assert "wrong-secret" not in str(raised.value)


def test_lancedbs_own_refusals_are_told_as_clearly(machine, monkeypatch):
    one = machine()
    one.write(0, "prices")
    one.update()
    other = machine()
    monkeypatch.setattr(lance.generations, "current", lambda _: ("index-1", "x"))
    monkeypatch.setattr(ObjectStorage, "listing", lambda *_: {"there": 1})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    with pytest.raises(IndexingError, match="AWS_SECRET_ACCESS_KEY"):
        other.store.counts()
