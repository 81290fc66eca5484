"""Documents in a folder or a bucket: whole or not at all; in a folder durable."""

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ingest.errors import ConflictError, HomeError
from ingest.object_storage import ObjectStorage
from ingest.storage import FolderStorage, write_atomically, write_in_home


@pytest.fixture(params=["folder", "bucket"])
def storage(request, tmp_path):
    if request.param == "folder":
        return FolderStorage(tmp_path / "made later")
    return ObjectStorage(f"{request.getfixturevalue('s3').place()}/")


def test_what_is_put_is_got_listed_and_deleted(storage):
    assert ({}, []) == (storage.listing(), storage.folders())
    storage.put("b/two.md", b"2")
    storage.put("a/one.md", b"one")
    storage.put("a/.hidden", b"no")
    storage.put(".a/hidden", b"no")

    assert ["a/one.md", "b/two.md"] == list(storage.listing())
    assert (["a/one.md"], []) == (list(storage.listing("a")), list(storage.listing("c")))
    assert {"a", "b"} == {name for name in storage.folders() if not name.startswith(".")}
    assert (b"one", storage.version("a/one.md")) == storage.read("a/one.md")
    assert b"on" == storage.head("a/one.md", 2)
    storage.delete("a/one.md")
    storage.delete("a/one.md")
    assert ["b/two.md"] == list(storage.listing())
    for read in (storage.read, lambda name: storage.head(name, 1)):
        with pytest.raises(FileNotFoundError):
            read("a/one.md")
    storage.delete_folder("b")
    assert {} == storage.listing()


def test_a_listing_says_what_asking_for_each_would_say(storage):
    before = time.time()
    storage.put("a/one.md", b"one")
    (entry,) = storage.listing().values()

    assert (storage.version("a/one.md"), 3) == (entry.version, entry.size)
    assert before - 2 < entry.modified < time.time() + 2


def test_a_version_changes_with_the_content_and_is_empty_where_there_is_none(storage):
    first = storage.put("a/one.md", b"one")

    assert first == storage.version("a/one.md") == storage.listing()["a/one.md"].version
    assert first != storage.put("a/one.md", b"other")
    assert first != storage.version("a/one.md")
    assert "" == storage.version("a/none.md")


@pytest.mark.parametrize("size", [0, 1, 5000, 6 << 20])
def test_a_document_of_any_size_is_whole(storage, size):
    storage.put("a/one", b"x" * size)
    assert (b"x" * size, b"x" * min(size, 4096)) == (storage.read("a/one")[0], storage.head("a/one", 4096))


def test_what_another_has_written_is_not_overwritten_unseen(storage):
    first = storage.put("a/one.md", b"one", over="")
    with pytest.raises(ConflictError):
        storage.put("a/one.md", b"two", over="")
    second = storage.put("a/one.md", b"two", over=first)
    with pytest.raises(ConflictError):
        storage.put("a/one.md", b"three", over=first)
    storage.delete("a/one.md")
    with pytest.raises(ConflictError):
        storage.put("a/one.md", b"three", over=second)
    assert "" == storage.version("a/one.md")


@pytest.mark.parametrize("over", ["", "the version that all have seen"])
def test_of_many_that_write_at_once_one_is_first(storage, over):
    over = storage.put("a/one", b"before") if over else ""
    ready = Barrier(8)

    def write(number):
        ready.wait()
        try:
            return storage.put("a/one", f"{number}".encode() * 1000, over=over)
        except ConflictError:
            return ""

    with ThreadPoolExecutor(8) as pool:
        won = [version for version in pool.map(write, range(8)) if version]
    assert [storage.version("a/one")] == won


@pytest.mark.parametrize("name", ["a/ä b.md", "a/50% off.md", "a/a#b?.md", "a/%2e.md", "日本/*.md"])
def test_a_name_that_a_person_gave_is_the_same_name(storage, name):
    storage.put(name, b"x")
    assert ([name], b"x") == (list(storage.listing()), storage.read(name)[0])


def test_writers_wait_for_each_other(storage):
    inside, most = [], []

    def write(_):
        with storage.exclusive():
            inside.append(1)
            most.append(len(inside))
            storage.check_exclusive()
            time.sleep(0.05)
            inside.pop()

    with ThreadPoolExecutor(4) as pool:
        [*pool.map(write, range(4))]
    assert [1] * 4 == most


def test_a_file_is_synced_before_it_has_its_name_and_its_folder_after(tmp_path, monkeypatch):
    """Else a crash may leave a name without content, or a ledger that says done beside a folder that forgot the name."""
    path, steps = tmp_path / "one.md", []
    path.write_text("old")
    fsync = os.fsync

    def watched(descriptor):
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        steps.append((kind, path.read_text()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(path, "new")

    assert [("file", "old"), ("folder", "new")] == steps


def test_a_write_that_fails_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "one.md"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")

    assert "old" == path.read_text()


@pytest.mark.parametrize("before", [None, 0o644, 0o600])
def test_a_secret_is_never_readable_by_others_not_even_while_it_is_written(tmp_path, monkeypatch, before):
    path, seen = tmp_path / "folder" / "keys.json", []
    if before:
        write_in_home(path, "old", mode=before)
    monkeypatch.setattr(
        "os.fsync", lambda _: seen.extend(stat.S_IMODE(one.stat().st_mode) for one in path.parent.glob(".*"))
    )

    write_in_home(path, "secret", mode=0o600)
    assert seen[:1] == [0o600]
    assert ("secret", 0o600) == (path.read_text(), stat.S_IMODE(path.stat().st_mode))


@pytest.mark.parametrize("path", ["home/alerts.json", "home/a/b/keys.json"])
def test_a_file_of_the_home_that_cannot_be_written_says_so(tmp_path, path):
    (tmp_path / "home").write_text("a file")

    with pytest.raises(HomeError, match="cannot be written"):
        write_in_home(tmp_path / path, "[]")
