"""Where the ledger's tables lie: one SQLite file, or a PostgreSQL database that several machines share.

Both take the same statements, with parameters as `?` or `:name`. SQLite is met through its own module: SQLAlchemy takes
0.19 s of CPU to import, a third of what a search takes from the start of a process.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from ingest.sqlite_file import SqliteFile

Values = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    """What a statement found or changed; rows are tuples."""

    @property
    def rowcount(self) -> int: ...  # noqa: D102 - as in the DB-API (PEP 249), all of them
    @property
    def description(self) -> Sequence[Any] | None: ...  # noqa: D102
    def fetchone(self) -> Any: ...  # noqa: D102
    def fetchall(self) -> list[Any]: ...  # noqa: D102
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What statements are given to."""

    def execute(self, statement: str, values: Any = ..., /) -> Cursor:
        """Run one statement with its `Values`."""

    def executemany(self, statement: str, rows: Iterable[Any], /) -> Cursor:
        """Run one statement with each of these `Values`; `rowcount` is the sum."""


class Engine(Protocol):
    """A place for the ledger. Nothing is made before the first write."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction, on tables of this version."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that writes nothing; with empty tables where there are none yet."""


class Database:
    """The ledger at a path, or at a `postgresql` URL.

    Raises `HomeError` where it cannot be used, `DamagedLedgerError`, `LedgerUnreachableError`, `DiskFullError`.
    """

    def __init__(self, place: Path | str) -> None:
        self._engine: Engine = SqliteFile(place) if isinstance(place, Path) else _server(place)

    def __str__(self) -> str:
        return str(self._engine)

    def open(self) -> None:
        """Make the tables, or bring them up to date, now."""
        with self._writing():
            pass

    def _writing(self) -> AbstractContextManager[Connection]:
        return self._engine.writing()

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._engine.reading()


def _server(url: str) -> Engine:
    from ingest.postgres import PostgresServer

    return PostgresServer(url)


def named(cursor: Cursor) -> Iterator[dict[str, Any]]:
    """The rows by the names of their columns."""
    names = [column[0] for column in cursor.description or ()]
    return (dict(zip(names, row, strict=True)) for row in cursor)
