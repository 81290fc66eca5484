"""How subscriptions and episodes lie in the ledger's tables, and come out of them again."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

from ingest.identity import slug
from ingest.models import Chapter, Claim, Episode, EpisodeRecord, Subscription, TranscriptLink
from ingest.web.credentials import Credentials, without_userinfo

_KNOWN = frozenset(field.name for field in fields(Episode))


def moment(stored: float | None) -> datetime | None:
    """A moment as it was stored; None for none."""
    return datetime.fromtimestamp(stored, UTC) if stored else None


def seconds(when: datetime | None) -> float:
    """A moment as it is stored."""
    return when.timestamp() if when else 0.0


def subscription(row: Mapping[str, Any]) -> Subscription:
    """A row of `feeds`."""
    names = ("added", "last_success", "next_poll", "agreed_since", "gone")
    moments = {name: moment(row[name]) for name in names}
    return Subscription(**{**row, **moments})


def without_notes(episode: Episode) -> Episode:
    """Without the show notes: for a podcast of years, most of the ledger."""
    return replace(episode, summary="")


def episode_row(episode: Episode) -> dict[str, Any]:
    """What is stored of an episode, by column; no address in it holds a password."""
    published = episode.published_at
    podcast = slug(episode.podcast)
    audio, source = without_userinfo(episode.audio_url), without_userinfo(episode.source_feed)
    data = json.dumps(asdict(replace(episode, podcast=podcast, audio_url=audio, source_feed=source)))
    return {
        "key": episode.key,
        "podcast": podcast,
        "published": published.timestamp() if published else None,
        "data": data,
        "guid": episode.guid,
        "captioned": int(bool(episode.transcripts)),
    }


def credentials_of(rows: Iterable[Mapping[str, Any]]) -> Credentials:
    """Rows of `credentials`, those that count more later."""
    found = Credentials()
    for row in rows:
        found = found.under(Credentials({row["origin"]: json.loads(row["headers"])}))
    return found


def episode_record(row: Mapping[str, Any]) -> EpisodeRecord:
    """A row of `episodes`."""
    data = {name: value for name, value in json.loads(row["data"]).items() if name in _KNOWN}
    data["people"], data["hosts"] = tuple(data.get("people", ())), tuple(data.get("hosts", ()))
    data["transcripts"] = tuple(TranscriptLink(**link) for link in data.get("transcripts", ()))
    data["chapters"] = tuple(Chapter(**chapter) for chapter in data.get("chapters", ()))
    return EpisodeRecord(Episode(**data), row["status"], row["reason"], row["attempts"], moment(row["next_try"]))


def claim_of(row: Mapping[str, Any]) -> Claim:
    """The claim in a row of `episodes`."""
    return Claim(row["key"], row["claimed_by"], datetime.fromtimestamp(row["claimed_until"], UTC))
