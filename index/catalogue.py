"""Every episode we know of and its state: indexed ones from the index, the others from the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from index.store.lance import Store
from index.store.schema import IndexedEpisode
from ingest.links import web_address
from ingest.models import Episode, EpisodeRecord
from ingest.times import iso

Status = Literal["indexed", "pending", "failed"]


@dataclass(frozen=True, slots=True)
class EpisodeStatus:
    """One episode; `reason` says why it failed, `duration` is in seconds, `chunks` is 0 until it is indexed.

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


def episodes(store: Store, records: Iterable[EpisodeRecord]) -> list[EpisodeStatus]:
    """Newest first, those without a date last. One that is indexed stays so while a newer attempt fails."""
    indexed = {episode.key: _indexed(episode) for episode in store.episodes()}
    others = {record.episode.key: _other(record) for record in records if record.episode.key not in indexed}
    found = sorted([*indexed.values(), *others.values()], key=lambda one: (one.podcast, one.title, one.key))
    return sorted(found, key=lambda one: one.published or "", reverse=True)


def _indexed(one: IndexedEpisode) -> EpisodeStatus:
    return _status(one, iso(one.published), "indexed", chunks=one.chunks, flag=one.flag)


def _other(record: EpisodeRecord) -> EpisodeStatus:
    """A transcript that is done but not indexed yet is pending, like one that is still to be made."""
    status: Status = "failed" if record.status == "failed" else "pending"
    return _status(record.episode, iso(record.episode.published_at), status, reason=record.reason)


def _status(one: IndexedEpisode | Episode, published: str | None, status: Status, **others: Any) -> EpisodeStatus:
    shared = {name: getattr(one, name) for name in ("key", "podcast", "guid", "title", "duration")}
    shared |= {name: web_address(getattr(one, name)) for name in ("link", "audio_url")}
    return EpisodeStatus(**shared, published=published, status=status, **others)
