"""What the heads of a library's documents say, remembered so that an episode is looked up, not searched for.

SQLite; derived from the documents, so that it may be deleted. Where many machines share a library each has its own.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ingest.identity import episode_key
from ingest.storage import Storage
from ingest.transcripts.document import split_document

HEAD_BYTES = 4096  # enough of a document to hold its title and seven bullets
READERS = 16  # heads read at once from another machine, each of which waits for an answer
_TABLE = """CREATE TABLE IF NOT EXISTS documents (
  name TEXT PRIMARY KEY, version TEXT NOT NULL, key TEXT NOT NULL, guid TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_key ON documents (key);
CREATE INDEX IF NOT EXISTS documents_by_guid ON documents (guid);"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """One transcript of the library: its `name` there (`podcast/file.md`) and the episode that it says it holds.

    `version` changes whenever the file does. `key` is empty where the head of the file cannot be read.
    """

    name: str
    version: str
    key: str
    guid: str


class DocumentCatalogue:
    """The documents of one storage, of which `is_transcript` says by the name whether they are transcripts."""

    def __init__(self, storage: Storage, path: Path, is_transcript: Callable[[str], bool]) -> None:
        self._storage, self._path, self._is_transcript = storage, path, is_transcript
        self._refreshed_at = -float("inf")  # when all documents were listed, by the monotonic clock

    def documents(self, folder: str = "", max_age: float = 0.0) -> list[Document]:
        """Every transcript, or those in one folder, by name; a listing of all less than `max_age` seconds old will do."""
        return self._work(lambda db: self._refreshed(db, folder, max_age))

    def search(self, condition: str, *values: str) -> list[Document]:
        """The documents remembered under a condition that are still as they were."""
        return self._work(lambda db: self._search(db, condition, *values))

    def search_anew(self, folder: str, max_age: float, condition: str, *values: str) -> list[Document]:
        """The same after a look at the documents there are; see `documents`."""

        def look(db: sqlite3.Connection) -> list[Document]:
            self._refreshed(db, folder, max_age)
            return self._search(db, condition, *values)

        return self._work(look)

    def note(self, name: str) -> Document:
        """Read a document's head and remember what it says."""
        return self._work(lambda db: self._noted(db, name, self._version(name), self._identity(name)))

    # -- SQLite

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Work with the catalogue on disk; where it cannot be written, with a copy in memory; where it is broken, anew."""
        for opened in (self._on_disk, self._copied):
            try:
                with closing(opened()) as db:
                    return work(db)
            except sqlite3.Error:  # the catalogue is derived: nothing is lost with it
                self._refreshed_at = -float("inf")
        with closing(_empty()) as db:
            return work(db)

    def _on_disk(self) -> sqlite3.Connection:
        if self._storage.remote:
            with suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        db.executescript(_TABLE)
        return db

    def _copied(self) -> sqlite3.Connection:
        path = self._path.absolute().as_uri()
        copy = sqlite3.connect(":memory:", isolation_level=None)
        with closing(sqlite3.connect(f"{path}?mode=ro&immutable=1", uri=True)) as db:
            db.backup(copy)
        return copy

    def _search(self, db: sqlite3.Connection, condition: str, *values: str) -> list[Document]:
        rows = db.execute(f"SELECT * FROM documents WHERE {condition} ORDER BY name", values)  # noqa: S608 - ours
        return [found for row in rows if (found := Document(*row)).version == self._version(found.name)]

    def _refreshed(self, db: sqlite3.Connection, folder: str, max_age: float) -> list[Document]:
        """The documents there are, after reading the heads of those that are new or changed."""
        within = (f"{folder}/", f"{folder}0") if folder else ("", "\U0010ffff")  # `0` follows `/` in every encoding
        rows = db.execute("SELECT * FROM documents WHERE name >= ? AND name < ? ORDER BY name", within)
        known = {row[0]: Document(*row) for row in rows}
        began = time.monotonic()
        if began - self._refreshed_at < max_age:
            return list(known.values())
        there = self._storage.listing(folder)
        versions = {
            name: f"{entry.version} {beside.version if (beside := there.get(beside_name(name))) else ''}"
            for name, entry in there.items()
            if self._is_transcript(name)
        }
        gone = [(name,) for name in known.keys() - versions.keys()]
        stale = [name for name in versions if name not in known or known[name].version != versions[name]]
        if gone or stale:
            heads = dict(zip(stale, self._identities(stale), strict=True))
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM documents WHERE name = ?", gone)
            known |= {name: self._noted(db, name, versions[name], head) for name, head in heads.items()}
            db.execute("COMMIT")
        if not folder:
            self._refreshed_at = began
        return [known[name] for name in versions]

    def _noted(self, db: sqlite3.Connection, name: str, version: str, identity: tuple[str, str]) -> Document:
        guid, key = identity
        db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", (name, version, key, guid))
        return Document(name, version, key, guid)

    # -- documents

    def _identities(self, names: list[str]) -> Iterable[tuple[str, str]]:
        if not self._storage.remote:
            return map(self._identity, names)
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(self._identity, names))

    def _identity(self, name: str) -> tuple[str, str]:
        """The guid and the key that a document's head says; empty where it says none."""
        values = self.bullets(name)
        if not {"guid", "podcast"} <= values.keys():
            return "", ""
        return values["guid"], episode_key(values["podcast"], values["guid"])

    def bullets(self, name: str) -> dict[str, str]:
        """What a document's head says, by field; empty where it cannot be read."""
        try:
            head = self._storage.head(name, HEAD_BYTES).decode("utf-8", "replace")
        except OSError:
            return {}
        return split_document(head)[1]

    def _version(self, name: str) -> str:
        return f"{self._storage.version(name)} {self._storage.version(beside_name(name))}"


def beside_name(name: str) -> str:
    """The name of a document's JSON."""
    return f"{name.removesuffix('.md')}.json"


def _empty() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(_TABLE)
    return db
