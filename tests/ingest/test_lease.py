"""One writer at a time where no lock ends with a process."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest import lease
from ingest.errors import StorageError
from ingest.lease import Lease
from ingest.object_storage import ObjectStorage


@pytest.fixture
def opened(s3, monkeypatch):
    monkeypatch.setattr(lease, "SECONDS", 1.5)
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.3)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.05)
    url = s3.place()
    return lambda: ObjectStorage(url)


def test_a_holder_that_renews_keeps_it_for_as_long_as_it_takes(opened):
    held = []

    def hold(seconds):
        storage = opened()
        with storage.exclusive():
            held.append(time.monotonic())
            time.sleep(seconds)
            storage.check_exclusive()
            held.append(time.monotonic())

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold, 3.0)
        time.sleep(0.3)
        pool.submit(hold, 0.1).result()
        first.result()
    assert sorted(held) == held


@pytest.mark.parametrize("content", [b"somebody 1", b"x", b"\xff"])
def test_what_a_killed_holder_left_is_taken_over_after_its_time(opened, content):
    opened().put("LOCK", content)
    began = time.monotonic()
    with opened().exclusive():
        assert 1.5 <= time.monotonic() - began < 4
    began = time.monotonic()
    with opened().exclusive():
        assert time.monotonic() - began < 1


def test_a_holder_taken_for_dead_may_not_go_on(opened, monkeypatch):
    storage = opened()
    with storage.exclusive():
        monkeypatch.setattr(Lease, "_write", lambda *_: time.sleep(3))  # a machine that was stopped for a while
        time.sleep(2)
        with pytest.raises(StorageError, match="run the command again"):
            storage.check_exclusive()


def test_a_holder_whose_lease_another_took_may_not_go_on_nor_free_it(opened):
    storage, other = opened(), opened()
    with storage.exclusive():
        other.put("LOCK", b"another 1")
        time.sleep(1)
        with pytest.raises(StorageError):
            storage.check_exclusive()
    assert b"another 1" == other.read("LOCK")[0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, StorageError("", "no")])
def test_it_is_free_at_once_after_a_failure(opened, error):
    with pytest.raises(error if isinstance(error, type) else type(error)), opened().exclusive():
        raise error
    began = time.monotonic()
    with opened().exclusive():
        assert time.monotonic() - began < 1
