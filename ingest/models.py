"""The nouns everything else passes around: frozen, slotted, one class each; times in seconds, dates aware and UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest.identity import episode_key
from ingest.times import parse_date


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """One `podcast:transcript` tag: where a publisher's own transcript lies."""

    url: str
    type: str = ""
    language: str = ""
    rel: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One entry of a feed that carries audio, or one imported transcript.

    `podcast` is the slug the library files it under, `guid` and `published` are the feed's own words, verbatim.
    """

    podcast: str
    guid: str
    title: str
    published: str = ""
    link: str = ""
    audio_url: str = ""
    source_feed: str = ""
    audio_type: str = ""
    audio_bytes: int | None = None
    duration: float | None = None
    summary: str = ""
    author: str = ""
    season: int | None = None
    number: int | None = None
    people: tuple[str, ...] = ()
    chapters_url: str = ""
    transcripts: tuple[TranscriptLink, ...] = ()

    @property
    def key(self) -> str:
        """See `episode_key`."""
        return episode_key(self.podcast, self.guid)

    @property
    def published_at(self) -> datetime | None:
        """`published` as a moment in UTC, None where the feed gives none that can be read."""
        return parse_date(self.published)


@dataclass(frozen=True, slots=True)
class Feed:
    """One parsed feed: its episodes newest first as published, and what was wrong with it in plain words."""

    url: str
    title: str
    podcast: str
    language: str = ""
    author: str = ""
    link: str = ""
    guid: str = ""
    new_url: str = ""
    episodes: tuple[Episode, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """One timed unit of speech; `start` and `end` in seconds from the start of the audio."""

    start: float
    end: float
    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """Consecutive speech of one speaker; paragraphs are parted by blank lines; `speaker` is empty where unknown."""

    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in an episode: turns always, timed segments where times are known.

    `transcribed_at` is verbatim text (UTC, milliseconds, `Z`); `provenance` is plain JSON data that says where the
    words came from (`source`: publisher, model or import; model and options, language, audio hash, figures).
    """

    episode: Episode
    turns: tuple[Turn, ...]
    segments: tuple[Segment, ...] = ()
    transcribed_at: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
