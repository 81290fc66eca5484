"""Named documents in a folder: put whole or not at all, read, listed, deleted. Another place for the library goes here."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ingest.errors import DiskFullError, HomeError

PART = ".part"  # the suffix of a file that is being written; its name begins with a dot


class Storage(Protocol):
    """Documents by name: `folder/file`, with forward slashes. Everything raises OSError where the place fails."""

    def put(self, name: str, content: bytes) -> None:
        """Write a document so that a reader, or a crash, meets the old content or the new, never a part."""

    def get(self, name: str) -> bytes:
        """The content; FileNotFoundError where there is none."""

    def head(self, name: str, count: int) -> bytes:
        """The first `count` bytes."""

    def version(self, name: str) -> str:
        """Changes whenever the content does; empty where there is no such document."""

    def names(self, folder: str = "") -> Iterator[str]:
        """Every document, or those of one folder; hidden ones, which begin with a dot, are left out."""

    def delete(self, name: str) -> None:
        """Remove a document, if it is there."""


class FolderStorage:
    """`Storage` in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Where a document lies."""
        return self.root / name

    def put(self, name: str, content: bytes) -> None:
        """See `Storage`; durable once it returns."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)

    def get(self, name: str) -> bytes:
        """See `Storage`."""
        return self.path(name).read_bytes()

    def head(self, name: str, count: int) -> bytes:
        """See `Storage`."""
        with self.path(name).open("rb") as file:
            return file.read(count)

    def version(self, name: str) -> str:
        """Size and time of change: as long as both stay, so does the content."""
        try:
            stat = self.path(name).stat()
        except FileNotFoundError:
            return ""
        return f"{stat.st_size}:{stat.st_mtime_ns}"

    def names(self, folder: str = "") -> Iterator[str]:
        """See `Storage`; sorted."""
        folders = [self.root / folder] if folder else sorted(path for path in self.root.glob("[!.]*") if path.is_dir())
        for place in folders:
            if place.is_dir():
                names = sorted(entry.name for entry in os.scandir(place) if entry.is_file())
                yield from (f"{place.name}/{name}" for name in names if not name.startswith("."))

    def delete(self, name: str) -> None:
        """See `Storage`."""
        self.path(name).unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, meets the old content or the new, never a part; text as UTF-8.

    The new name is durable when this returns: the file is synced before the rename, the folder after it.
    """
    part = path.with_name(f".{path.name}{PART}")
    with part.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    rename_durably(part, path)


def rename_durably(old: Path, new: Path) -> None:
    """Rename a file within its folder and wait until the folder says so on disk (POSIX: fsync of the directory)."""
    old.replace(new)
    try:
        folder = os.open(new.parent, os.O_RDONLY)
    except OSError:  # a system that cannot open folders (Windows) makes renames durable by itself
        return
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_disk_full(error: BaseException) -> bool:
    """Whether a disk, or a person's share of it, has no room left."""
    return isinstance(error, DiskFullError) or (
        isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    )


def home_error(path: object, error: OSError) -> HomeError:
    """The error to raise where a file of the home cannot be written."""
    if is_disk_full(error):
        return DiskFullError(path, "cannot be written: the disk is full; make room and try again")
    return HomeError(path, f"cannot be written ({error.strerror or error}); check the disk and the permissions")
