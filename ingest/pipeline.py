"""The steps of a run after polling, as plain functions: obtain a transcript, keep it, index. Prefect only wraps them."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from flows.cli.output import Advance
from flows.context import Studio
from index.build import BuildReport, update
from index.search import open_embedder
from index.store.lance import Store
from ingest.audio import download as audio
from ingest.errors import AudioError, BlockedAddressError, FetchError, NotFoundError, TranscriptError
from ingest.feeds.poll import agent
from ingest.identity import slug
from ingest.ledger import EpisodeRecord, Subscription
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, TranscriptLink
from ingest.settings import Settings
from ingest.speech.glossary import correct, hotwords, read_glossary
from ingest.transcripts import captions, publisher
from ingest.transcripts.cues import timed
from ingest.transcripts.document import turns_from_segments
from ingest.web import client

logger = logging.getLogger(__name__)
FIRST_RETRY = timedelta(minutes=30)  # an episode that failed: doubled with every attempt
LAST_RETRY = timedelta(days=7)
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})
MAX_TRANSCRIPT_BYTES = 20 * 2**20
AUDIO_SUFFIXES = frozenset({".mp3", ".m4a", ".mp4", ".ogg", ".opus", ".wav", ".flac", ".aac", ".webm", ".mov", ".mkv"})


@dataclass(frozen=True, slots=True)
class Obtained:
    """A transcript and what it took: seconds of audio transcribed here and seconds of work (0 for a publisher's).

    `original` is the suffix and the bytes of the publisher's own file.
    """

    transcript: Transcript
    audio_seconds: float = 0.0
    work_seconds: float = 0.0
    original: tuple[str, bytes] | None = None


def now() -> datetime:
    """The clock, read at the rim only."""
    return datetime.now(UTC)


def to_do(
    records: Sequence[EpisodeRecord],
    moment: datetime,
    latest: int = 0,
    *,
    since: datetime | None = None,
    retry_all: bool = True,
) -> list[Episode]:
    """The episodes to work on, newest first: pending ones and failed ones (with `retry_all` before they are due too).

    `latest` looks at only so many of the newest episodes (0: at all), `since` at those known to be published then or later.
    """
    looked_at = records[:latest] if latest else records
    if since:
        looked_at = [one for one in looked_at if one.episode.published_at and one.episode.published_at >= since]
    return [
        record.episode
        for record in looked_at
        if record.status == "pending"
        or (record.status == "failed" and (retry_all or record.next_try is None or record.next_try <= moment))
    ]


def publisher_transcript(studio: Studio, episode: Episode) -> tuple[Obtained | None, list[str]]:
    """The first of the publisher's transcripts that is good enough, and why the others were not."""
    feed, refused = _subscription(studio, episode), list[str]()
    language = feed.spoken or studio.settings.language or feed.language
    for link in publisher.ranked(episode.transcripts, language):
        try:
            answer, segments = _captions(studio, link, feed.user_agent, language)
        except (FetchError, TranscriptError) as error:
            refused.append(f"{link.url}: {error.message}")
            continue
        if reason := publisher.shortcoming(segments, episode):
            refused.append(f"{link.url}: {reason}")
            continue
        provenance = {
            "source": "publisher",
            **asdict(link),
            "final_url": answer.url,
            "sha256": sha256(answer.body).hexdigest(),
            "score": publisher.score(segments, episode),
        }
        original = publisher.suffix(link, answer.body), answer.body
        return Obtained(_written(episode, segments, provenance), original=original), refused
    return None, refused


def _captions(
    studio: Studio, link: TranscriptLink, user_agent: str, language: str
) -> tuple[client.Response, tuple[Segment, ...]]:
    if reason := publisher.foreign(link, language):
        raise TranscriptError(link.url, reason)
    answer = client.fetch(studio.client, link.url, headers=agent(user_agent), max_bytes=MAX_TRANSCRIPT_BYTES)
    if answer.status != 200:
        raise FetchError(link.url, f"answered with HTTP status {answer.status}", answer.status)
    return answer, captions.parse(answer.body, captions.kind_of(link.type, link.url, answer.body), link.url)


def _subscription(studio: Studio, episode: Episode) -> Subscription:
    """The episode's feed; a blank one where it is polled no more."""
    try:
        return studio.ledger.feed(episode.podcast)
    except NotFoundError:
        return Subscription(episode.podcast, episode.source_feed)


def download(studio: Studio, episode: Episode, advance: Advance) -> audio.Audio:
    """The episode's audio in the home directory. Raises `AudioError` and `FetchError`."""
    suffix = Path(episode.audio_url.partition("?")[0]).suffix.lower()
    target = studio.settings.audio_dir / f"{episode.key}{suffix if suffix in AUDIO_SUFFIXES else '.audio'}"
    limit = studio.settings.max_audio_mb * 2**20
    headers = agent(_subscription(studio, episode).user_agent)
    return audio.download(studio.client, episode.audio_url, target, max_bytes=limit, headers=headers, progress=advance)


def transcribe(studio: Studio, episode: Episode, sound: audio.Audio, advance: Advance) -> Obtained:
    """Our own transcript of the audio, told the names it may hear; a run that was killed goes on where it stopped."""
    began = time.monotonic()
    glossary = read_glossary(studio.settings.glossary_dir / f"{slug(episode.podcast)}.txt")
    made = studio.transcriber.transcribe(
        sound.path,
        language=_subscription(studio, episode).spoken or studio.settings.language,
        hotwords=hotwords(episode, glossary),
        checkpoint=sound.path.with_suffix(".checkpoint.json"),
        progress=advance,
    )
    for warning in glossary.warnings:
        logger.warning("%s: %s", episode.podcast, warning)
    segments, corrected = correct(made.segments, glossary)
    provenance = made.provenance | origin(sound, made.duration, episode.duration) | {"corrections": corrected}
    if studio.settings.keep_words:
        provenance["words"] = [[word.start, word.end, word.text.strip()] for word in made.words]
    transcript = _written(replace(episode, duration=made.duration), segments, provenance)
    return Obtained(transcript, made.duration, time.monotonic() - began)


def origin(sound: audio.Audio, decoded: float, declared: float | None) -> dict[str, object]:
    """Where the audio came from and how long it is, for a transcript's provenance; durations in seconds.

    Times are approximate where the feed's author had audio of another length: adverts are put in at each download.
    """
    told: dict[str, object] = {
        "audio_url": sound.final_url,
        "audio_sha256": sound.sha256,
        "audio_bytes": sound.bytes,
        "audio_headers": sound.headers,
        "duration": round(decoded, 3),
        "declared_duration": declared,
    }
    return told | ({"times": "approximate"} if audio.lengths_differ(decoded, declared) else {})


def keep(studio: Studio, transcript: Transcript, original: tuple[str, bytes] | None = None) -> Path:
    """Write the transcript to the library, then settle the ledger, then drop the audio: in the order that loses nothing."""
    episode, settings = transcript.episode, studio.settings
    path = studio.library.write(transcript, original)
    studio.ledger.finish(episode)
    for leftover in settings.audio_dir.glob(f"{episode.key}.*"):
        if not settings.keep_audio or ".checkpoint." in leftover.name:
            leftover.unlink(missing_ok=True)
    audio.bound(settings.audio_dir, settings.max_kept_audio_mb * 2**20)
    return path


def give_up(studio: Studio, episode: Episode, error: Exception) -> None:
    """Note why an episode could not be had, and when it is tried again: later each time, and not before its host wants."""
    attempts = {known.episode.key: known.attempts for known in studio.ledger.records(episode.podcast)}
    wait = min(FIRST_RETRY * 2 ** min(attempts.get(episode.key, 0), 20), LAST_RETRY)
    asked = timedelta(seconds=min(getattr(error, "retry_after", None) or 0.0, LAST_RETRY.total_seconds()))
    studio.ledger.fail(episode, str(error), now() + max(wait, asked))
    audio.bound(studio.settings.audio_dir, studio.settings.max_kept_audio_mb * 2**20)


def is_transient(error: object) -> bool:
    """Whether the same request may do better in a moment: no answer, one that broke off, or one that says so.

    A host that has said when to come back is not asked before.
    """
    if isinstance(error, AudioError):
        return error.transient
    if not isinstance(error, FetchError) or isinstance(error, BlockedAddressError) or error.retry_after:
        return False
    return error.status is None or error.status in WORTH_ANOTHER_TRY


def update_index(settings: Settings, advance: Advance, *, rebuild: bool = False) -> BuildReport:
    """Bring the index up to date with the library; the embedding model is loaded only where text changed."""
    return update(
        Library(settings.library_dir),
        Store(settings.index_dir, kind=settings.vector_index),
        open_embedder(settings),
        lambda progress: advance(progress.done, progress.total),
        rebuild=rebuild,
    )


def stamp() -> str:
    """The present moment as a transcript's `Transcribed At` has it: UTC, milliseconds, `Z`."""
    return now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(episode: Episode, segments: Sequence[Segment], provenance: dict[str, object]) -> Transcript:
    return Transcript(episode, turns_from_segments(segments), timed(tuple(segments)), stamp(), provenance)
