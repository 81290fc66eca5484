"""The ledger in a SQLite file: who may read it, who waits for whom, and what is said of a file that cannot be used."""

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from ingest.errors import HomeError
from ingest.ledger import Ledger
from tests.ingest.test_ledger import FEED, MINE, NOW, OLD


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    ledger = Ledger(path)
    ledger.subscribe(FEED, NOW)
    return ledger


def test_a_home_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "home").write_text("a file is in the way")

    with pytest.raises(HomeError, match="choose another --home"):
        Ledger(tmp_path / "home" / "ledger.sqlite").open()


def test_a_ledger_that_is_no_database_says_so(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database" * 100)

    with pytest.raises(HomeError, match="is damaged"):
        Ledger(tmp_path / "ledger.sqlite").open()


def test_reading_writes_nothing_and_makes_nothing(tmp_path, ledger, path):
    absent = Ledger(tmp_path / "nowhere" / "ledger.sqlite")
    ledger.upsert_episodes([OLD])
    before = {path: path.stat().st_mtime_ns for path in path.parent.iterdir() if not path.name.endswith("-shm")}

    assert ((0, 0), [], []) == (absent.counts(), absent.feeds(), absent.records())
    assert (1, 1) == (ledger.counts()[0], len(ledger.feeds()))

    assert not (tmp_path / "nowhere").exists()
    after = {path: path.stat().st_mtime_ns for path in path.parent.iterdir() if not path.name.endswith("-shm")}
    assert before == {path: after[path] for path in before}


def test_a_reader_goes_on_while_another_process_writes(ledger, path):
    """Without write-ahead logging a reader would meet a locked file."""
    ledger.upsert_episodes([OLD])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("DELETE FROM episodes")

        began = time.monotonic()
        assert 1 == len(ledger.records())
        assert time.monotonic() - began < 5


def test_a_writer_waits_for_another_to_end(ledger, path):
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        ending = threading.Timer(0.5, lambda: other.execute("COMMIT"))
        ending.start()

        ledger.settle(OLD)

        ending.join()
    assert ["done"] == [one.status for one in ledger.records()]


def test_the_ledger_is_its_owners_alone(ledger, path):
    ledger.open()
    path.chmod(0o644)
    ledger.set_credentials("quota", MINE)

    assert {0o600} == {file.stat().st_mode & 0o777 for file in path.parent.glob(f"{path.name}*")}
