"""Documents in a folder: whole or not at all, and durable."""

import os
import stat

import pytest

from ingest.storage import FolderStorage, write_atomically


def test_what_is_put_is_got_listed_and_deleted(tmp_path):
    storage = FolderStorage(tmp_path / "made later")

    assert [] == list(storage.names())
    storage.put("b/two.md", b"2")
    storage.put("a/one.md", b"one")
    (tmp_path / "made later" / "a" / ".hidden").write_text("no")

    assert ["a/one.md", "b/two.md"] == list(storage.names())
    assert (["a/one.md"], []) == (list(storage.names("a")), list(storage.names("c")))
    assert (b"one", b"on") == (storage.get("a/one.md"), storage.head("a/one.md", 2))
    storage.delete("a/one.md")
    storage.delete("a/one.md")
    assert ["b/two.md"] == list(storage.names())
    with pytest.raises(FileNotFoundError):
        storage.get("a/one.md")


def test_a_version_changes_with_the_content_and_is_empty_where_there_is_none(tmp_path):
    storage = FolderStorage(tmp_path)
    storage.put("a/one.md", b"one")
    first = storage.version("a/one.md")

    assert first == storage.version("a/one.md")
    storage.put("a/one.md", b"other")
    assert first != storage.version("a/one.md")
    assert "" == storage.version("a/none.md")


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
