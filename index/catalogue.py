"""Every episode we know of and its state: indexed ones from the index, the others from the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from index.store.lance import Store
from index.store.schema import IndexedEpisode
from ingest.models import EpisodeRecord
from ingest.times import iso


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
    status: Literal["indexed", "pending", "failed"]
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
    return EpisodeStatus(
        one.key, one.podcast, one.guid, one.title, iso(one.published), "indexed",
        duration=one.duration, chunks=one.chunks, link=one.link, audio_url=one.audio_url, flag=one.flag,
    )  # fmt: skip


def _other(record: EpisodeRecord) -> EpisodeStatus:
    """A transcript that is done but not indexed yet is pending, like one that is still to be made."""
    one = record.episode
    return EpisodeStatus(
        one.key, one.podcast, one.guid, one.title, iso(one.published_at),
        "failed" if record.status == "failed" else "pending", record.reason,
        duration=one.duration, link=one.link, audio_url=one.audio_url,
    )  # fmt: skip
