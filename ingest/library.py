"""The library: one Markdown file per episode with its timed segments beside it; the record of truth.

Which document holds which episode is said in the documents alone, and remembered in a catalogue. Any number of
processes and machines may write: each episode gets one document.
"""

import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from ingest.document_catalogue import Document, DocumentCatalogue, beside_name
from ingest.errors import ConflictError, NotFoundError, TranscriptError
from ingest.identity import KEY_LENGTH, SHORT_KEY, slug
from ingest.models import Episode, Transcript
from ingest.revision import revised_markdown, revised_sidecar
from ingest.storage import FolderStorage, Storage, home_error
from ingest.transcripts.document import file_stem, from_markdown, is_edited, to_markdown, to_sidecar

__all__ = ["Document", "Library", "beside_transcript"]

ORIGINAL = ".publisher"  # before the suffix of a publisher's own file, which is never taken for a transcript of ours
CATALOGUE = ".documents.sqlite"
NAMES = ".episodes"  # folder in a bucket: for each episode's key, the name that its document has, or will have
# Ends the name of a copy of an overwritten text
COPY = re.compile(r"\.(?:edited|earlier)-(?:\d{4}-\d\d-\d\d|undated)-[0-9a-f]{8}\.md$")
HIDDEN = re.compile(r"(^|/)\.")
ATTEMPTS = 5  # at writing what others write at the same time, each of whom needs a few requests
# Seconds between two listings of a bucket for an episode that nothing is known of: most are new. A request for each
# thousand documents; what other machines write is found by the key without one.
LISTED_FOR_UNKNOWN = 3600.0

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Library:
    """`<podcast>/<date>-<slug>-<first 8 of the key>.md`, `.json` beside it. Raises `HomeError` where it cannot be written.

    `root` is its folder on this machine; with another `storage`, the folder of the catalogue alone. Documents written
    by others may be seen `max_age` seconds late.
    """

    def __init__(self, root: Path, storage: Storage | None = None, max_age: float = 0.0) -> None:
        self.root = root
        self.storage: Storage = storage or FolderStorage(root)
        self.max_age = max_age
        self._catalogue = DocumentCatalogue(self.storage, root / CATALOGUE, _is_transcript)

    # -- what is there

    def documents(self, podcast: str = "") -> list[Document]:
        """Every transcript, or those in one podcast's folder, in a stable order."""
        return self._catalogue.documents(slug(podcast) if podcast else "", self.max_age)

    def podcasts(self) -> list[str]:
        """The slugs of the podcasts there are transcripts of."""
        return sorted({document.name.partition("/")[0] for document in self.documents()})

    def feeds(self) -> dict[str, str]:
        """The feed that the transcripts of each podcast name, by the podcast's slug; those that name none are left out."""
        found: dict[str, str] = {}
        for document in self.documents():
            podcast = document.name.partition("/")[0]
            if podcast not in found and (url := self._catalogue.bullets(document.name).get("source_feed")):
                found[podcast] = url
        return found

    def locate(self, episode: Episode) -> Document | None:
        """The document that holds an episode, whatever its file is called; None where there is none."""
        found = self._searched("key = ?", episode.key, key=episode.key, folder=slug(episode.podcast))
        return found[0] if found else None

    def find(self, name: str) -> Document:
        """The document whose key (or at least its first 8 digits) or guid is `name`. Raises `NotFoundError`."""
        key = name.lower()
        is_key = len(key) >= SHORT_KEY and all(digit in "0123456789abcdef" for digit in key)
        condition, values = "guid = ?", [name]
        if is_key:
            condition, values = "guid = ? OR (key >= ? AND key < ?)", [name, key, key + "g"]
        found = self._searched(condition, *values, key=key if is_key else "", max_age=self.max_age)
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFoundError(name, f"names {len(found)} episodes; use the key that `soundbite episodes` shows")
        raise NotFoundError(name, "no such episode in the library; `soundbite episodes` lists them")

    def _searched(
        self, condition: str, *values: str, key: str, folder: str = "", max_age: float = LISTED_FOR_UNKNOWN
    ) -> list[Document]:
        """The documents under a condition; where none is known, after a look at what others have written."""
        if found := self._catalogue.search(condition, *values):
            return found
        if not self.storage.remote:
            return self._catalogue.search_anew(folder, 0.0, condition, *values)
        name = self._promised(key)
        if name and (named := self._holding(name, key)):
            return [named]
        return self._catalogue.search_anew("", 0.0 if name else max_age, condition, *values)  # else it was moved

    # -- reading and writing

    def read(self, name: str) -> Transcript:
        """One transcript with its times, if it has any. Raises `TranscriptError`, `StorageError`."""
        try:
            text = self.storage.read(name)[0].decode()
            beside = self._content(beside_name(name))
            sidecar = beside.decode() if beside is not None else None
        except (OSError, UnicodeDecodeError) as error:
            raise TranscriptError(name, f"cannot be read ({error}); correct or remove the file") from error
        return from_markdown(text, sidecar, subject=name)

    def content_hash(self, name: str) -> str:
        """SHA-256 of the document and of the JSON beside it, as hex. Raises OSError, `StorageError`."""
        digest = sha256()
        for part in (name, beside_name(name)):
            data = self._content(part) or b""
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def _content(self, name: str) -> bytes | None:
        try:
            return self.storage.read(name)[0]
        except FileNotFoundError:
            return None

    def write(
        self, transcript: Transcript, original: tuple[str, bytes] | None = None, *, keep_earlier: bool = False
    ) -> Document:
        """Keep a transcript, in place of an earlier one of the same episode. Raises `HomeError`, and see `to_sidecar`.

        An earlier text that was edited by hand is first copied to `<name>.edited-<date>-<hash>.md`, which is no document;
        with `keep_earlier` any other text to `<name>.earlier-…`.
        `original` is the suffix and the bytes of the publisher's file, kept beside it as `<name>.publisher<suffix>`.
        The Markdown goes last: one that is there is always complete. Of two that write a new episode at once the first
        to be done with the Markdown has written it.
        """
        episode = transcript.episode

        def write() -> Document:
            known = self.locate(episode)
            name = known.name if known else self._new_name(episode)
            self._put(name, transcript, original, is_new=not known, keep_earlier=keep_earlier)
            return self._catalogue.note(name)

        return self._undisturbed(f"{slug(episode.podcast)}/{file_stem(episode)}.md", write)

    def revise(self, episode: Episode) -> bool:
        """Bring the feed's newer title and addresses to an episode's document, text untouched; whether that was needed.

        The Markdown goes last, as in `write`. Raises `HomeError`.
        """
        document = self.locate(episode)
        if document is None:
            return False
        try:
            return self._undisturbed(document.name, lambda: self._revised(document.name, episode))
        except UnicodeDecodeError:
            return False  # a document that cannot be read is said where it is indexed

    def _undisturbed(self, name: str, work: Callable[[], T]) -> T:
        """Write what others may be writing: alone in a folder, in a bucket again where another was first."""
        alone: AbstractContextManager[None] = nullcontext() if self.storage.remote else self.storage.exclusive()
        try:
            with alone:
                for _ in range(ATTEMPTS - 1):
                    try:
                        return work()
                    except ConflictError as error:
                        logger.info("%s; done again", error)
                return work()
        except OSError as error:
            raise home_error(self.storage.where(name), error) from error

    def _put(
        self,
        name: str,
        transcript: Transcript,
        original: tuple[str, bytes] | None,
        *,
        is_new: bool,
        keep_earlier: bool,
    ) -> None:
        """Raises OSError, `ConflictError` where another has written the document since it was looked at."""
        text, sidecar = to_markdown(transcript).encode(), to_sidecar(transcript).encode()  # before anything is changed
        before = self.storage.version(name)
        if is_new and before and self._catalogue.note(name).key == transcript.episode.key:
            return  # by another, a moment ago
        if before:
            self._copy_earlier(name, transcript, unedited=keep_earlier)
        if original:
            suffix, body = original
            self.storage.put(f"{name.removesuffix('.md')}{ORIGINAL}{suffix}", body)
        beside = beside_name(name)
        times = self.storage.put(beside, sidecar)
        try:
            self.storage.put(name, text, over=before)
        except ConflictError:
            if before:
                raise
            if self.storage.version(beside) == times:  # else both are the other's
                self.storage.put(name, text, over=self.storage.version(name))

    def _copy_earlier(self, name: str, new: Transcript, *, unedited: bool) -> None:
        """Keep the text that is about to be overwritten, if somebody may have written in it, or always. Raises OSError."""
        data, _ = self.storage.read(name)
        mark = "edited"
        try:
            old = self.read(name)
            mark = "edited" if is_edited(old) else "earlier" if unedited else ""
            if not mark or old.turns == new.turns:
                return
        except TranscriptError:
            pass  # what cannot be read was certainly changed by hand
        copy = f"{name.removesuffix('.md')}.{mark}-{new.transcribed_at[:10] or 'undated'}-{sha256(data).hexdigest()[:8]}.md"
        self.storage.put(copy, data)
        logger.warning("%s: the %s text is kept as %s", name, mark, copy)

    def _revised(self, name: str, episode: Episode) -> bool:
        """Raises OSError, `ConflictError`, UnicodeDecodeError."""
        changes = dict[str, tuple[str, str]]()
        for part, revised in ((beside_name(name), revised_sidecar), (name, revised_markdown)):
            try:
                content, version = self.storage.read(part)
            except FileNotFoundError:
                content, version = b"", ""
            text = content.decode()
            changes |= {part: (new, version)} if (new := revised(text, episode)) != text else {}
        for part, (new, version) in changes.items():
            self.storage.put(part, new.encode(), over=version)
        return bool(changes)

    # -- names in a bucket, where no folder is listed for each episode

    def _promised(self, key: str) -> str:
        """The name that the first writer of an episode has said; empty where nobody has."""
        name = (self._content(f"{NAMES}/{key}") or b"").decode("utf-8", "replace") if len(key) == KEY_LENGTH else ""
        return name if _is_transcript(name) else ""

    def _holding(self, name: str, key: str) -> Document | None:
        """The document of this name, if it is there and holds this episode."""
        document = self._catalogue.note(name) if self.storage.version(name) else None
        return document if document and document.key == key else None

    def _new_name(self, episode: Episode) -> str:
        """The name of a new episode's document; in a bucket the first writer's, whose feed may have had another title."""
        name, key = f"{slug(episode.podcast)}/{file_stem(episode)}.md", f"{NAMES}/{episode.key}"
        if not self.storage.remote:
            return name
        try:
            self.storage.put(key, name.encode(), over="")
        except ConflictError:
            version = self.storage.version(key)
            there = self._promised(episode.key)
            if there and (not self.storage.version(there) or self._holding(there, episode.key)):
                return there
            self.storage.put(key, name.encode(), over=version)  # it holds another episode now
        return name


def beside_transcript(name: str) -> bool:
    """Whether a file is a publisher's own, or a copy of an overwritten text, as `Library.write` leaves them."""
    return bool(COPY.search(name)) or name.rpartition(".")[0].endswith(ORIGINAL)


def _is_transcript(name: str) -> bool:
    return name.endswith(".md") and name.count("/") == 1 and not HIDDEN.search(name) and not COPY.search(name)
