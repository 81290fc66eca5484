"""A machine that fails at the n-th file operation, once or for good, while our own code runs in this process.

with Faults(monkeypatch, 7) as faults: ...   the seventh operation raises OSError, all others work
with Faults(monkeypatch, 7, kill=True): ...  from the seventh operation on nothing works any more, as after SIGKILL

Counted are opening for writing, writing, syncing, renaming, removing, making folders, and each statement and commit of
SQLite. A write that fails has written half.
"""

import errno
import io
import os
import sqlite3
from pathlib import Path


class KilledError(BaseException):
    """The process is dead: nothing catches this, and nothing can be done after it."""


class Faults:
    """`count` is how many operations there were; `failed` says which one failed."""

    def __init__(self, monkeypatch, at=0, *, kill=False, within=None):
        self.monkeypatch, self.at, self.kill, self.within = monkeypatch, at, kill, within
        self.count, self.failed, self.dead = 0, "", False

    def __enter__(self):
        self.patches = self.monkeypatch.context()
        patch = self.patches.__enter__()
        for name in ("replace", "rename", "unlink", "mkdir", "fsync"):
            patch.setattr(os, name, self._watched(name, getattr(os, name)))
        patch.setattr(io, "open", self._opening(io.open))
        patch.setattr(sqlite3, "connect", self._connecting(sqlite3.connect))
        return self

    def __exit__(self, kind, *_):
        self.patches.__exit__(None, None, None)
        return kind is KilledError

    def operation(self, what):
        """Count one operation; raises where it is to fail. Whether it is, is known before."""
        if self.dead:
            raise KilledError
        self.count += 1
        if self.count == self.at:
            self.failed = what
            if self.kill:
                self.dead = True
                raise KilledError
            raise OSError(errno.EIO, f"cannot {what}")

    def half_written(self):
        """A write has failed, and half of it is done."""

    def _watched(self, name, function):
        def operate(target, *arguments, **options):
            if self._is_ours(target):
                self.operation(f"{name} {target}")
            return function(target, *arguments, **options)

        return operate

    def _is_ours(self, target):
        return isinstance(target, int) or self.within is None or str(target).startswith(str(self.within))

    def _opening(self, function):
        def operate(file, mode="r", *arguments, **options):
            opened = function(file, mode, *arguments, **options) if not set(mode) & set("wax+") else None
            if opened is not None or not self._is_ours(file):
                return opened or function(file, mode, *arguments, **options)
            self.operation(f"open {file}")
            return _Written(function(file, mode, *arguments, **options), self, file)

        return operate

    def _connecting(self, function):
        faults = self

        class Watched(sqlite3.Connection):
            def execute(self, statement, *arguments):
                faults.sql(statement)
                return super().execute(statement, *arguments)

            def executemany(self, statement, *arguments):
                faults.sql(statement)
                return super().executemany(statement, *arguments)

            def __exit__(self, kind, *rest):
                if kind is None:
                    faults.sql("COMMIT")
                return super().__exit__(kind, *rest)

        return lambda path, **options: function(path, **(options | {"factory": Watched}))

    def sql(self, statement):
        """Count a statement that changes something."""
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "COMMIT", "BEGIN", "CREATE", "ALTER")):
            try:
                self.operation(statement.split("\n")[0][:60])
            except OSError as error:
                raise sqlite3.OperationalError("disk I/O error") from error


class _Written:
    """A file being written: a write that fails leaves half of its content."""

    def __init__(self, file, faults, name):
        self._file, self._faults, self._name = file, faults, name

    def write(self, content):
        try:
            self._faults.operation(f"write {self._name}")
        except BaseException:
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            self._faults.half_written()
            raise
        return self._file.write(content)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


def files(root: Path) -> dict[str, bytes]:
    """Every file under a folder by its name there."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
