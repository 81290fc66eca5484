"""Every episode we know of and its state: what is indexed, what the library has beside that, and what the ledger waits for."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from index.store.lance import Store
from index.store.schema import IndexedEpisode
from ingest.errors import IndexingError, TranscriptError
from ingest.identity import slug
from ingest.library import Document, Library
from ingest.links import web_address
from ingest.models import Episode, EpisodeRecord, Transcript
from ingest.times import iso

Status = Literal["indexed", "transcribed", "pending", "failed"]


@dataclass(frozen=True, slots=True)
class EpisodeStatus:
    """One episode; `reason` says why it failed, `duration` is in seconds, `chunks` is 0 until it is indexed.

    `indexed` can be found by a search, `transcribed` has a transcript that is not indexed, `pending` has none yet.
    `flag` says why not to trust an indexed text; it is empty where nothing speaks against it.
    """

    key: str
    podcast: str
    guid: str
    title: str
    published: str | None
    status: Status
    reason: str = ""
    duration: float | None = None
    chunks: int = 0
    link: str = ""
    audio_url: str = ""
    flag: str = ""


def episodes(store: Store, library: Library, records: Iterable[EpisodeRecord]) -> list[EpisodeStatus]:
    """Newest first, those without a date last. The library is the truth: what has no document there is not indexed.

    What is not indexed is read from its document, once.
    """
    documents = {document.key: document for document in library.documents() if document.key}
    indexed = {one.key: one for one in _indexed_episodes(store) if one.key in documents}
    others = (_transcribed(library, document) for key, document in documents.items() if key not in indexed)
    found = [*map(findable, indexed.values()), *filter(None, others)]
    found += [waiting(record) for record in records if record.episode.key not in documents]
    found.sort(key=lambda one: (one.podcast, one.title, one.key))
    return sorted(found, key=lambda one: one.published or "", reverse=True)


def status_of(store: Store, transcript: Transcript) -> EpisodeStatus:
    """The state of one episode that the library has: the same as in the list of all."""
    try:
        indexed = store.episode(transcript.episode.key) if store.folder else None
    except IndexingError:
        indexed = None
    return findable(indexed) if indexed else _read(transcript)


def _indexed_episodes(store: Store) -> list[IndexedEpisode]:
    """What is indexed; nothing where the index cannot be read, since then nothing can be found."""
    try:
        return store.episodes()
    except IndexingError:
        return []


def findable(one: IndexedEpisode) -> EpisodeStatus:
    """The state of an episode that is indexed."""
    return _status(one, iso(one.published), "indexed", one.duration, chunks=one.chunks, flag=one.flag)


@lru_cache(1 << 16)
def _transcribed(library: Library, document: Document) -> EpisodeStatus | None:
    """The state of a document that is not indexed; None where it cannot be read, which indexing says."""
    try:
        return _read(library.read(document.name))
    except TranscriptError:
        return None


def _read(transcript: Transcript) -> EpisodeStatus:
    episode = transcript.episode
    flag = str(transcript.provenance.get("flag") or "")
    return _status(episode, iso(episode.published_at), "transcribed", transcript.duration, flag=flag)


def waiting(record: EpisodeRecord) -> EpisodeStatus:
    """The state of an episode that has no document: one whose document is gone is made again."""
    status: Status = "failed" if record.status == "failed" else "pending"
    episode = record.episode
    return _status(episode, iso(episode.published_at), status, episode.duration, reason=record.reason)


def _status(
    one: IndexedEpisode | Episode, published: str | None, status: Status, duration: float | None, **others: Any
) -> EpisodeStatus:
    shared = {name: getattr(one, name) for name in ("key", "guid", "title")}
    shared |= {name: web_address(getattr(one, name)) for name in ("link", "audio_url")}
    return EpisodeStatus(
        **shared, podcast=slug(one.podcast), published=published, status=status, duration=duration, **others
    )
