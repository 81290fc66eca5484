"""Named documents, put whole or not at all, read, listed, deleted: in a folder; `ingest.object_storage` has them in a bucket."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from ingest.errors import ConflictError, DiskFullError, HomeError, StorageError

OTHER_WROTE = "was written by another meanwhile; try again"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # where a disk, or a person's share of it, has no room left
PART = ".part"  # the suffix of a file that is being written; its name begins with a dot


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as a listing shows it: its `version`, its `size` in bytes, when it was last written (Unix seconds)."""

    version: str
    size: int
    modified: float


class Storage(Protocol):
    """Documents by name: `folder/file`, with forward slashes.

    Raises OSError, or `HomeError` with what to do. `remote` says whether each call is a request to another machine.
    """

    remote: bool

    def where(self, name: str = "") -> str:
        """The path or URL of a document or a folder, for people and for LanceDB."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep all others who ask for this out, in this process and others; waits for them."""

    def check_exclusive(self) -> None:
        """Raises `StorageError` where the caller was taken for dead and another has come in."""

    def put(self, name: str, content: bytes, over: str | None = None) -> str:
        """Write a document so that a reader, or a crash, meets the old content or the new, never a part; its new version.

        Where `over` is given only over that version, where it is empty only where there is none: else `ConflictError`.
        """

    def read(self, name: str) -> tuple[bytes, str]:
        """The content and its version; FileNotFoundError where there is none."""

    def head(self, name: str, count: int) -> bytes:
        """The first `count` bytes; FileNotFoundError where there is none."""

    def version(self, name: str) -> str:
        """Changes whenever the content does; empty where there is no such document."""

    def listing(self, folder: str = "") -> dict[str, Entry]:
        """All documents, or those below one folder, by name, sorted; what begins with a dot is left out."""

    def folders(self) -> list[str]:
        """The names of the outermost folders."""

    def delete(self, name: str) -> None:
        """Remove a document, if it is there."""

    def delete_folder(self, name: str) -> None:
        """Remove a folder with all that is in it, as far as that goes."""


class FolderStorage:
    """`Storage` in a folder of this machine."""

    remote = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = FileLock(root / ".lock")  # ends with the process; a thread may take it twice

    def path(self, name: str) -> Path:
        """Where a document lies."""
        return self.root / name

    def where(self, name: str = "") -> str:
        """See `Storage`."""
        return str(self.path(name))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """See `Storage`."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._lock:
            yield

    def check_exclusive(self) -> None:
        """See `Storage`; who holds the lock is alive."""

    def put(self, name: str, content: bytes, over: str | None = None) -> str:
        """See `Storage`; durable once it returns."""
        path = self.path(name)
        with self.exclusive():  # two that write one part file would publish a torn one
            if over is not None and over != self.version(name):
                raise ConflictError(path, OTHER_WROTE)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
            return self.version(name)

    def read(self, name: str) -> tuple[bytes, str]:
        """See `Storage`."""
        with self.path(name).open("rb") as file:
            return file.read(), _version(os.fstat(file.fileno()))

    def head(self, name: str, count: int) -> bytes:
        """See `Storage`."""
        with self.path(name).open("rb") as file:
            return file.read(count)

    def version(self, name: str) -> str:
        """See `Storage`."""
        try:
            return _version(self.path(name).stat())
        except FileNotFoundError:
            return ""

    def listing(self, folder: str = "") -> dict[str, Entry]:
        """See `Storage`."""
        found = {}
        for place, folders, files in os.walk(self.path(folder)):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for path in (Path(place, name) for name in sorted(files) if not name.startswith(".")):
                try:
                    stat = path.stat()
                except FileNotFoundError:  # removed meanwhile
                    continue
                found[path.relative_to(self.root).as_posix()] = Entry(_version(stat), stat.st_size, stat.st_mtime)
        return found

    def folders(self) -> list[str]:
        """See `Storage`."""
        return sorted(path.name for path in self.root.glob("[!.]*") if path.is_dir())

    def delete(self, name: str) -> None:
        """See `Storage`."""
        self.path(name).unlink(missing_ok=True)

    def delete_folder(self, name: str) -> None:
        """See `Storage`."""
        shutil.rmtree(self.path(name), ignore_errors=True)


def _version(stat: os.stat_result) -> str:
    """Size and time of change: as long as both stay, so does the content."""
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def write_atomically(path: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write a file so that a reader, or a crash, meets the old content or the new, never a part; text as UTF-8.

    The new name is durable when this returns: the file is synced before the rename, the folder after it. With a `mode`
    (permissions) nobody else may read it at any moment.
    """
    part = path.with_name(f".{path.name}{PART}")
    with part.open("wb") as file:
        if mode is not None:
            part.chmod(mode)
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
    return isinstance(error, DiskFullError) or (isinstance(error, OSError) and error.errno in FULL)


def is_nobodys_fault(error: BaseException) -> bool:
    """Whether what failed is the place where things are kept, a full disk or a bucket, so that no episode can be blamed."""
    return isinstance(error, StorageError) or is_disk_full(error)


def write_in_home(path: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write a file as `write_atomically` does, and the folders that it needs. Raises `HomeError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, mode)
    except OSError as error:
        raise home_error(path, error) from error


def home_error(path: object, error: OSError) -> HomeError:
    """The error to raise where a file of the home cannot be written."""
    if is_disk_full(error):
        return DiskFullError(path, "cannot be written: the disk is full; make room and try again")
    return HomeError(path, f"cannot be written ({error.strerror or error}); check the disk and the permissions")
