"""The JSON documents other than search answers, from which OpenAPI takes its schemas; times in seconds, dates in UTC."""

from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote

from index.catalogue import EpisodeStatus, Status
from index.query import Answer
from ingest.links import web_address
from ingest.models import Chapter, Transcript
from ingest.transcripts.export import Format
from search_api.reading import listed_chapters

FORMATS: tuple[Format, ...] = get_args(Format)
CAPTION_FORMATS: frozenset[Format] = frozenset({"vtt", "srt"})  # their cues need times
MEDIA_TYPES: dict[Format, str] = {
    "md": "text/markdown",
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "json": "application/json",
    "txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Liveness:
    """The server runs."""

    status: Literal["alive"] = "alive"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The index can answer; `unindexed` chunks are not yet in its full-text index."""

    status: Literal["ready"]
    episodes: int
    chunks: int
    unindexed: int
    model: str


@dataclass(frozen=True, slots=True)
class EpisodeList:
    """Episodes, newest first unless asked otherwise; `count` of all, `cursor` for those after these, empty at the end."""

    count: int
    episodes: tuple[EpisodeStatus, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class SimilarEpisode:
    """An episode, and how similar its best parts are to another (a cosine)."""

    similarity: float
    episode: EpisodeStatus


@dataclass(frozen=True, slots=True)
class SimilarEpisodes:
    """Episodes, the most similar first."""

    episodes: tuple[SimilarEpisode, ...]


@dataclass(frozen=True, slots=True)
class EpisodeDetail:
    """One episode: what its feed says, how its transcript was made, and `transcripts` as paths by format.

    What the list of episodes has too is the same here. `published_text` is the feed's own date, verbatim; `reason` says
    why there is no transcript; `timed` that its segments have times; `flag` why not to trust it.
    `chapters` are the publisher's.
    """

    key: str
    guid: str
    podcast: str
    title: str
    published: str | None
    published_text: str
    status: Status
    reason: str
    chunks: int
    link: str
    audio_url: str
    source_feed: str
    duration: float | None
    summary: str
    author: str
    season: int | None
    number: int | None
    speakers: tuple[str, ...]
    words: int
    timed: bool
    transcribed_at: str
    flag: str
    chapters: tuple[Chapter, ...]
    provenance: dict[str, Any]
    transcripts: dict[Format, str]


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """An error (RFC 9457); `type` is the address of its explanation."""

    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """An answer, or the problem that one of the searches had."""

    answer: Answer | None = None
    problem: ProblemDocument | None = None


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """Results in the order of the searches."""

    took_ms: float
    results: tuple[BatchResult, ...]


def transcript_path(key: str, suffix: Format) -> str:
    """Where the server gives out an episode's transcript."""
    return f"/v1/episodes/{quote(key, safe='')}/transcript.{suffix}"


def formats_of(transcript: Transcript) -> tuple[Format, ...]:
    """The formats that this transcript can be given in; none where it is empty."""
    if not transcript.turns and not transcript.segments:
        return ()
    return tuple(suffix for suffix in FORMATS if transcript.segments or suffix not in CAPTION_FORMATS)


def episode_detail(transcript: Transcript, status: EpisodeStatus) -> EpisodeDetail:
    """The document of one episode: its state as the list has it, and what its transcript says."""
    episode = transcript.episode
    names = [segment.speaker for segment in transcript.segments] + [turn.speaker for turn in transcript.turns]
    return EpisodeDetail(
        key=status.key, guid=status.guid, podcast=status.podcast, title=status.title,
        published=status.published, published_text=episode.published,
        status=status.status, reason=status.reason, chunks=status.chunks,
        link=status.link, audio_url=status.audio_url, source_feed=web_address(episode.source_feed), duration=status.duration,
        summary=episode.summary, author=episode.author, season=episode.season, number=episode.number,
        speakers=tuple(dict.fromkeys(filter(None, names))),
        words=sum(len(turn.text.split()) for turn in transcript.turns),
        timed=bool(transcript.segments),
        transcribed_at=transcript.transcribed_at,
        flag=status.flag,
        chapters=listed_chapters(episode),
        provenance=transcript.provenance,
        transcripts={suffix: transcript_path(episode.key, suffix) for suffix in formats_of(transcript)},
    )  # fmt: skip
