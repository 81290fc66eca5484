"""The ledger's tables in a PostgreSQL database that several machines share; psycopg is met here only."""

import os
import re
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import errors

from ingest.errors import ConflictError, DamagedLedgerError, DiskFullError, HomeError, LedgerUnreachableError
from ingest.migrations import POSTGRES_TABLES, POSTGRES_VERSION, STEPS, check_version, take_steps
from ingest.sqlite_file import empty

CONNECT_SECONDS = 5  # for a server on the same network; searches go on without the ledger after that
DOWN_SECONDS = 5  # after which a server that was out of reach is tried again: requests must not wait one by one
LOCK_SECONDS = 30  # that a write waits for another's, as with SQLite
KEPT = 4  # idle connections: connecting takes some ms, a statement a fraction of one
MIGRATION_LOCK = 0x50D817E  # any number that is ours: workers that start at once migrate one after the other
# Classes of SQLSTATE: no connection, wrong or missing access, no more connections or memory, shutting down
OUT_OF_REACH = ("08", "28", "3D", "53", "57P")
_PARAMETER = re.compile(r"\?|:(\w+)")


class PostgresServer:
    """The database at a `postgresql+psycopg://` URL, whose password is never shown. Raises as `Database`."""

    def __init__(self, url: str) -> None:
        self._conninfo = re.sub(r"^postgres(ql)?(\+psycopg)?:", "postgresql:", url)
        self._idle: list[psycopg.Connection] = []
        self._process = os.getpid()
        self._down = (float("-inf"), "")  # when the server was out of reach, and what it or the network said
        weakref.finalize(self, _close, self._idle, self._process)

    def __str__(self) -> str:
        try:
            address = urlsplit(self._conninfo)
            return f"postgresql://{address.netloc.rpartition('@')[2]}{address.path}"
        except ValueError:
            return "SOUNDBITE_LEDGER"

    @contextmanager
    def writing(self) -> Iterator["_Statements"]:
        """A transaction, on tables of this version."""
        with self._connection() as (db, version):
            if version != len(STEPS):
                self._migrate(db)
            with db.transaction():
                yield _Statements(db)

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A connection that writes nothing; with empty tables where there are none yet."""
        with self._connection() as (db, version):
            if version == len(STEPS):
                yield _Statements(db)
                return
        with self.writing() if version else empty() as tables:
            yield tables

    def _migrate(self, db: psycopg.Connection) -> None:
        with db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            db.execute("CREATE TABLE IF NOT EXISTS ledger_version (version INTEGER NOT NULL)")
            version = _version(db)  # which another may have written while this one waited
            check_version(version, self)
            if not version:
                for statement in POSTGRES_TABLES:
                    db.execute(statement)
                db.execute("INSERT INTO ledger_version VALUES (%s)", (POSTGRES_VERSION,))
            take_steps(_Statements(db), version or POSTGRES_VERSION)
            db.execute("UPDATE ledger_version SET version = %s", (len(STEPS),))

    @contextmanager
    def _connection(self) -> Iterator[tuple[psycopg.Connection, int]]:
        """A connection, and the version of the tables that it meets."""
        with self._translated():
            db, version = self._taken() or self._connect()
            try:
                yield db, version
            finally:
                if len(self._idle) < KEPT and not db.closed:
                    self._idle.append(db)
                else:
                    db.close()

    def _taken(self) -> tuple[psycopg.Connection, int] | None:
        """An idle connection that still works."""
        if self._process != os.getpid():  # a fork must not talk on what its parent opened
            self._process, self._idle = os.getpid(), []
        while self._idle:
            db = self._idle.pop()
            try:
                return db, _version(db)
            except psycopg.OperationalError:
                db.close()
        return None

    def _connect(self) -> tuple[psycopg.Connection, int]:
        when, why = self._down
        if monotonic() - when < DOWN_SECONDS:
            raise self._unreachable(why)
        try:
            db = psycopg.connect(
                self._conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS, client_encoding="utf8"
            )
        except psycopg.OperationalError as error:
            self._down = monotonic(), _one_line(error)
            raise self._unreachable(_one_line(error)) from None  # whose arguments hold the password
        except (psycopg.Error, ValueError):
            raise HomeError("SOUNDBITE_LEDGER", "is no URL as postgresql+psycopg://USER:PASSWORD@HOST/NAME") from None
        db.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        return db, _version(db)

    def _unreachable(self, why: str) -> LedgerUnreachableError:
        return LedgerUnreachableError(self, f"cannot be reached ({why}); check SOUNDBITE_LEDGER and the server")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except errors.IntegrityError as error:
            raise ConflictError(self, _one_line(error)) from error
        except errors.DiskFull as error:
            raise DiskFullError(self, "has no room left on its server's disk; make room and try again") from error
        except (errors.DataCorrupted, errors.IndexCorrupted) as error:
            raise DamagedLedgerError(self, f"is damaged ({_one_line(error)}); restore it from a backup") from error
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08").startswith(OUT_OF_REACH):
                raise self._unreachable(_one_line(error)) from error
            raise HomeError(
                self, f"cannot be used ({_one_line(error)}); check the server and the role's rights"
            ) from error


class _Statements:
    """Takes statements as SQLite does."""

    def __init__(self, db: psycopg.Connection) -> None:
        self._db = db

    def execute(self, statement: str, values: Any = (), /) -> psycopg.Cursor:
        return self._db.execute(_translated(statement), _clean(values))

    def executemany(self, statement: str, rows: Iterable[Any], /) -> psycopg.Cursor:
        cursor = self._db.cursor()
        cursor.executemany(_translated(statement), [_clean(row) for row in rows])
        return cursor


@cache
def _translated(statement: str) -> bytes:
    """A statement of ours, which has no question mark, colon or percent sign in its texts."""
    return _PARAMETER.sub(lambda found: f"%({found[1]})s" if found[1] else "%s", statement).encode()


def _clean(values: Any) -> Any:
    """Without NUL, which PostgreSQL has no place for in a text and broken feeds may hold."""
    if isinstance(values, Mapping):
        return {name: _without_nul(value) for name, value in values.items()}
    return [_without_nul(value) for value in values]


def _without_nul(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


def _one_line(error: Exception) -> str:
    return "; ".join(str(error).split("\n")) or type(error).__name__


def _version(db: psycopg.Connection) -> int:
    """That of the tables; 0 where there are none."""
    try:
        found = db.execute("SELECT coalesce(max(version), 0) FROM ledger_version").fetchone()
    except errors.UndefinedTable:
        return 0
    return int(found[0]) if found else 0


def _close(connections: list[psycopg.Connection], process: int) -> None:
    while connections and process == os.getpid():
        connections.pop().close()
