"""One SQLite file that threads and processes share: a connection a call, read without writing, migrated when written."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ingest.errors import ConflictError, DamagedLedgerError, DiskFullError, HomeError
from ingest.migrations import STEPS, migrate, version_of

BUSY_SECONDS = 30  # that a write waits for another process's


class SqliteFile:
    """The file at `path`; nothing is made before the first write. Raises as `Database`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on tables of this version."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._keep_private()
        except OSError as error:
            raise HomeError(self.path.parent, f"cannot be written ({error.strerror}); choose another --home") from error
        with self._translated(), closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as db:
            db.execute("PRAGMA journal_mode=WAL")  # readers go on while a run writes
            with db:
                migrate(db, self.path)
            with db:
                yield db

    def _keep_private(self) -> None:
        """Passwords lie in it: nobody but the owner reads the file, nor those that SQLite makes like it."""
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        for file in (self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))):
            with suppress(OSError):  # another's file, or one that is not there
                if file.stat().st_mode & 0o077:
                    file.chmod(0o600)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that writes nothing; of an older ledger, after the steps it lacks."""
        if not self.path.exists():
            with empty() as db:
                yield db
            return
        with self._translated(), closing(self._connect_to_read()) as db:
            if version_of(db) == len(STEPS):
                yield db
                return
        with self.writing() as db:
            yield db

    def _connect_to_read(self) -> sqlite3.Connection:
        """Read-only; in a home that cannot be written, where SQLite can make no shared memory, as a file that rests."""
        for options in ("mode=ro", "mode=ro&immutable=1"):
            db = sqlite3.connect(f"{self.path.absolute().as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS)
            try:
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.OperationalError:
                db.close()
                if options != "mode=ro":
                    raise
            else:
                return db
        raise AssertionError

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise ConflictError(self.path, str(error)) from error
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # of an extended code, the kind
            if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
                then = (
                    "what is transcribed can be searched; rename the file, and `soundbite run` names the feeds to add"
                )
                raise DamagedLedgerError(self.path, f"is damaged ({error}); {then}") from error
            if code == sqlite3.SQLITE_FULL:
                raise DiskFullError(self.path, "has no room left on its disk; make room and try again") from error
            raise HomeError(self.path, f"cannot be used ({error}); check the disk and the permissions") from error


@contextmanager
def empty() -> Iterator[sqlite3.Connection]:
    """The tables of a ledger that was never written, in memory."""
    with closing(sqlite3.connect(":memory:")) as db:
        migrate(db, "ledger")
        yield db
