"""The library: one Markdown file per episode with its timed segments beside it; the record of truth.

Which document holds which episode is said in the documents alone. A catalogue (SQLite, hidden in the library's folder)
remembers what their heads say, so that an episode is looked up, not searched for; it is derived and may be deleted.
"""

import logging
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from ingest.errors import NotFoundError, TranscriptError
from ingest.identity import SHORT_KEY, episode_key, slug
from ingest.models import Episode, Transcript
from ingest.revision import revised_markdown, revised_sidecar
from ingest.storage import FolderStorage, home_error
from ingest.transcripts.document import (
    file_stem,
    from_markdown,
    is_edited,
    split_document,
    to_markdown,
    to_sidecar,
)

ORIGINAL = ".publisher"  # before the suffix of a publisher's own file, which is never taken for a transcript of ours
CATALOGUE = ".documents.sqlite"
EDITED = re.compile(
    r"\.edited-(?:\d{4}-\d\d-\d\d|undated)-[0-9a-f]{8}\.md$"
)  # ends the name of a copy of an edited text
HEAD_BYTES = 4096  # enough of a document to hold its title and seven bullets
_TABLE = """CREATE TABLE IF NOT EXISTS documents (
  name TEXT PRIMARY KEY, version TEXT NOT NULL, key TEXT NOT NULL, guid TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_key ON documents (key);
CREATE INDEX IF NOT EXISTS documents_by_guid ON documents (guid);"""


T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Document:
    """One transcript of the library: its `name` there (`podcast/file.md`) and the episode that it says it holds.

    `version` changes whenever the file does. `key` is empty where the head of the file cannot be read.
    """

    name: str
    version: str
    key: str
    guid: str


class Library:
    """`<podcast>/<date>-<slug>-<first 8 of the key>.md`, `.json` beside it. Raises `HomeError` where it cannot be written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.storage = FolderStorage(root)

    # -- what is there

    def documents(self, podcast: str = "") -> list[Document]:
        """Every transcript, or those in one podcast's folder, in a stable order."""
        folder = slug(podcast) if podcast else ""
        return self._in_catalogue(lambda db: self._refreshed(db, folder))

    def podcasts(self) -> list[str]:
        """The slugs of the podcasts there are transcripts of."""
        return sorted({name.partition("/")[0] for name in self.storage.names() if _is_transcript(name)})

    def feeds(self) -> dict[str, str]:
        """The feed that the transcripts of each podcast name, by the podcast's slug; those that name none are left out."""
        found: dict[str, str] = {}
        for name in self.storage.names():
            podcast = name.partition("/")[0]
            if podcast not in found and _is_transcript(name) and (url := self._bullets(name).get("source_feed")):
                found[podcast] = url
        return found

    def locate(self, episode: Episode) -> Document | None:
        """The document that holds an episode, whatever its file is called; None where there is none."""
        found = self._in_catalogue(lambda db: self._searched(db, slug(episode.podcast), "key = ?", episode.key))
        return found[0] if found else None

    def find(self, name: str) -> Document:
        """The document whose key (or at least its first 8 digits) or guid is `name`. Raises `NotFoundError`."""
        key = name.lower()
        is_key = len(key) >= SHORT_KEY and all(digit in "0123456789abcdef" for digit in key)
        condition, values = "guid = ?", [name]
        if is_key:
            condition, values = "guid = ? OR (key >= ? AND key < ?)", [name, key, key + "g"]
        found = self._in_catalogue(lambda db: self._searched(db, "", condition, *values))
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFoundError(name, f"names {len(found)} episodes; use the key that `soundbite episodes` shows")
        raise NotFoundError(name, "no such episode in the library; `soundbite episodes` lists them")

    # -- reading and writing

    def read(self, name: str) -> Transcript:
        """One transcript with its times, if it has any. Raises `TranscriptError`."""
        try:
            text = self.storage.get(name).decode()
            beside = _beside(name)
            sidecar = self.storage.get(beside).decode() if self.storage.version(beside) else None
        except (OSError, UnicodeDecodeError) as error:
            raise TranscriptError(name, f"cannot be read ({error}); correct or remove the file") from error
        return from_markdown(text, sidecar, subject=name)

    def content_hash(self, name: str) -> str:
        """SHA-256 of the document and of the JSON beside it, as hex. Raises OSError."""
        digest = sha256()
        for part in (name, _beside(name)):
            data = self.storage.get(part) if self.storage.version(part) else b""
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def write(self, transcript: Transcript, original: tuple[str, bytes] | None = None) -> Document:
        """Keep a transcript, in place of an earlier one of the same episode. Raises `HomeError`.

        An earlier text that was edited by hand is first copied to `<name>.edited-<date>-<hash>.md`, which is no document.
        `original` is the suffix and the bytes of the publisher's file, kept beside it as `<name>.publisher<suffix>`.
        The Markdown goes last: one that is there is always complete.
        """
        episode = transcript.episode
        known = self.locate(episode)
        name = known.name if known else f"{slug(episode.podcast)}/{file_stem(episode)}.md"
        try:
            if known:
                self._copy_edited(name, transcript)
            if original:
                suffix, body = original
                self.storage.put(f"{name.removesuffix('.md')}{ORIGINAL}{suffix}", body)
            self.storage.put(_beside(name), to_sidecar(transcript).encode())
            self.storage.put(name, to_markdown(transcript).encode())
        except OSError as error:
            raise home_error(self.root / name, error) from error
        return self._in_catalogue(lambda db: self._catalogued(db, name))

    def _copy_edited(self, name: str, new: Transcript) -> None:
        """Keep the text that is about to be overwritten, if somebody may have written in it. Raises OSError."""
        data = self.storage.get(name)
        try:
            old = self.read(name)
            if not is_edited(old) or old.turns == new.turns:
                return
        except TranscriptError:
            pass  # what cannot be read was certainly changed by hand
        copy = f"{name.removesuffix('.md')}.edited-{new.transcribed_at[:10] or 'undated'}-{sha256(data).hexdigest()[:8]}.md"
        self.storage.put(copy, data)
        logger.warning("%s was edited by hand; that text is kept as %s", name, copy)

    def revise(self, episode: Episode) -> bool:
        """Bring the feed's newer title and addresses to an episode's document, text untouched; whether that was needed.

        The Markdown goes last, as in `write`. Raises `HomeError`.
        """
        document = self.locate(episode)
        if document is None:
            return False
        beside = _beside(document.name)
        try:
            changes = dict[str, str]()
            for name, revised in ((beside, revised_sidecar), (document.name, revised_markdown)):
                text = self.storage.get(name).decode() if self.storage.version(name) else ""
                changes |= {name: new} if (new := revised(text, episode)) != text else {}
            for name, new in changes.items():
                self.storage.put(name, new.encode())
        except UnicodeDecodeError:
            return False  # a document that cannot be read is said where it is indexed
        except OSError as error:
            raise home_error(self.root / document.name, error) from error
        return bool(changes)

    # -- the catalogue

    def _in_catalogue(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Work with the catalogue on disk; where it cannot be written, with a copy in memory; where it is broken, anew."""
        for opened in (self._on_disk, self._copied):
            try:
                with closing(opened()) as db:
                    return work(db)
            except sqlite3.Error:  # the catalogue is derived: nothing is lost with it
                continue
        with closing(_empty()) as db:
            return work(db)

    def _on_disk(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.root / CATALOGUE, timeout=30, isolation_level=None)
        db.executescript(_TABLE)
        return db

    def _copied(self) -> sqlite3.Connection:
        path = (self.root / CATALOGUE).absolute().as_uri()
        copy = sqlite3.connect(":memory:", isolation_level=None)
        with closing(sqlite3.connect(f"{path}?mode=ro&immutable=1", uri=True)) as db:
            db.backup(copy)
        return copy

    def _searched(self, db: sqlite3.Connection, folder: str, condition: str, *values: str) -> list[Document]:
        """The documents under a condition; where there are none, after a look at what has changed in a folder (or all)."""
        found = self._looked_up(db, condition, *values)
        if not found:
            self._refreshed(db, folder)
            found = self._looked_up(db, condition, *values)
        return found

    def _looked_up(self, db: sqlite3.Connection, condition: str, *values: str) -> list[Document]:
        """The documents catalogued under a condition that are still as they were."""
        rows = db.execute(f"SELECT * FROM documents WHERE {condition} ORDER BY name", values)  # noqa: S608 - ours
        return [found for row in rows if (found := Document(*row)).version == self._version(found.name)]

    def _refreshed(self, db: sqlite3.Connection, folder: str = "") -> list[Document]:
        """The documents there are, after reading the heads of those that are new or changed."""
        within = (f"{folder}/", f"{folder}0") if folder else ("", "\U0010ffff")  # `0` follows `/` in every encoding
        rows = db.execute("SELECT * FROM documents WHERE name >= ? AND name < ?", within)
        known = {row[0]: Document(*row) for row in rows}
        names = [name for name in self.storage.names(folder) if _is_transcript(name)]
        versions = {name: self._version(name) for name in names}
        gone = [(name,) for name in known.keys() - versions.keys()]
        stale = [name for name in names if name not in known or known[name].version != versions[name]]
        if gone or stale:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM documents WHERE name = ?", gone)
            known |= {name: self._catalogued(db, name) for name in stale}
            db.execute("COMMIT")
        return [known[name] for name in names]

    def _catalogued(self, db: sqlite3.Connection, name: str) -> Document:
        """Read a document's head and remember what it says."""
        version = self._version(name)
        guid, key = self._identity(name)
        document = Document(name, version, key, guid)
        db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", (name, version, key, guid))
        return document

    def _identity(self, name: str) -> tuple[str, str]:
        """The guid and the key that a document's head says; empty where it says none."""
        values = self._bullets(name)
        if not {"guid", "podcast"} <= values.keys():
            return "", ""
        return values["guid"], episode_key(values["podcast"], values["guid"])

    def _bullets(self, name: str) -> dict[str, str]:
        """What a document's head says, by field; empty where it cannot be read."""
        try:
            head = self.storage.head(name, HEAD_BYTES).decode("utf-8", "replace")
        except OSError:
            return {}
        return split_document(head)[1]

    def _version(self, name: str) -> str:
        return f"{self.storage.version(name)} {self.storage.version(_beside(name))}"


def _empty() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(_TABLE)
    return db


def _beside(name: str) -> str:
    return f"{name.removesuffix('.md')}.json"


def beside_transcript(name: str) -> bool:
    """Whether a file is a publisher's own, or a copy of an edited text, as `Library.write` leaves them."""
    return bool(EDITED.search(name)) or name.rpartition(".")[0].endswith(ORIGINAL)


def _is_transcript(name: str) -> bool:
    return name.endswith(".md") and not EDITED.search(name)
