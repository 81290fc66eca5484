"""The nouns everything else passes around: frozen, slotted, one class each; times in seconds, dates aware and UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from ingest.identity import episode_key
from ingest.times import parse_date
from ingest.web.credentials import NO_CREDENTIALS, Credentials

EpisodeStatus = Literal["pending", "done", "failed"]


class Advance(Protocol):
    """Is told how far a step is."""

    def __call__(self, done: float, total: float | None, stage: str = "", /) -> None:
        """How much is done, of how much where that is known, and which stage of the step this is, if it has several."""


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """One `podcast:transcript` tag: where a publisher's own transcript lies."""

    url: str
    type: str = ""
    language: str = ""
    rel: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of an episode as its publisher divides it: its start in seconds, its title, and a page about it if given."""

    start: float
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One entry of a feed that carries audio, or one imported transcript.

    `podcast` is the slug the library files it under, `guid` and `published` are the feed's own words, verbatim.
    `people` are those its feed names, `hosts` those of them, or of the feed's, who host it.
    `opted_out` is how the publisher says that no AI shall use this one; empty where it does not. `chapters` are those in
    the feed, or in the file at `chapters_url` once that has been read.
    """

    podcast: str
    guid: str
    title: str
    published: str = ""
    link: str = ""
    audio_url: str = ""
    source_feed: str = ""
    duration: float | None = None
    summary: str = ""
    author: str = ""
    season: int | None = None
    number: int | None = None
    people: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    transcripts: tuple[TranscriptLink, ...] = ()
    opted_out: str = ""
    chapters_url: str = ""
    chapters: tuple[Chapter, ...] = ()

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
    """One parsed feed: its episodes newest first as published, and what was wrong with it in plain words.

    `credentials` are the users and passwords that stood in its addresses. `next_page` is where older episodes are
    (RFC 5005). `opted_out` is how the publisher says that no AI shall use them; empty where it does not.
    """

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
    credentials: Credentials = NO_CREDENTIALS
    next_page: str = ""
    opted_out: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """One timed unit of speech; `start` and `end` in seconds from the start of the audio.

    `language` is a code, empty where it is that of the episode.
    """

    start: float
    end: float
    text: str
    speaker: str = ""
    language: str = ""


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

    @property
    def duration(self) -> float | None:
        """Seconds: what the feed says, else the end of the last segment; None where neither is known."""
        return self.episode.duration or max((segment.end for segment in self.segments), default=None)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed we poll, and how the last polls went; `etag` and `last_modified` are the host's words, verbatim.

    `language` is what the feed declares; `language_override` and `user_agent_override` are what a person set for it.
    `stated_url` is where the feed itself says it has moved to; `new_url` where it seems to have moved, which `agreed`
    polls have said since `agreed_since`; `gone` when the host said that it is gone for good. `opted_out` is how the
    publisher says that no machine shall use the episodes (empty: it does not).
    """

    podcast: str
    url: str
    title: str = ""
    etag: str = ""
    last_modified: str = ""
    added: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""
    failures: int = 0
    next_poll: datetime | None = None
    language: str = ""
    user_agent_override: str = ""
    language_override: str = ""
    stated_url: str = ""
    new_url: str = ""
    agreed: int = 0
    agreed_since: datetime | None = None
    gone: datetime | None = None
    opted_out: str = ""


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """An episode the ledger knows of and what became of it; `next_try` only matters once it has failed."""

    episode: Episode
    status: EpisodeStatus
    reason: str = ""
    attempts: int = 0
    next_try: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """An episode that a worker has in hand, until it renews or releases the claim or the lease runs out."""

    key: str
    owner: str
    until: datetime
