"""The steps of one episode, as plain functions: obtain a transcript, save it, settle it, or record a failure."""

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

from ingest.audio import download as audio
from ingest.errors import (
    AudioError,
    BlockedAddressError,
    FeedError,
    FetchError,
    NoSpeechError,
    NotFoundError,
    TranscriptError,
    UnreachableError,
)
from ingest.feeds.chapters import read_json
from ingest.feeds.reading import user_agent_header
from ingest.identity import slug
from ingest.ledger import Ledger
from ingest.library import Document, Library
from ingest.models import Advance, Episode, Segment, Subscription, Transcript, TranscriptLink
from ingest.speech.attribution import with_speakers
from ingest.speech.diarize import Diarizer
from ingest.speech.glossary import correct, hotwords, read_glossary
from ingest.speech.transcribe import Transcriber
from ingest.times import iso_milliseconds, now
from ingest.transcripts import captions, publisher
from ingest.transcripts.cues import timed
from ingest.transcripts.document import text_hash, turns_from_segments
from ingest.web import client as web
from ingest.web.headers import charset

logger = logging.getLogger(__name__)
FIRST_RETRY = timedelta(minutes=30)  # an episode that failed: doubled with every attempt
LAST_RETRY = timedelta(days=7)
LONGEST_WAIT = timedelta(days=8)  # of anything: a week, as failures and hosts are given, and a tenth that spreads polls
GONE = frozenset({404, 410})  # HTTP statuses of what its publisher took away
VALIDATORS = ("etag", "last-modified")  # headers that tell later whether a publisher's transcript is another one
PUBLISHER_TRIES = 3  # of a publisher's transcript whose host is busy, some hours apart, before the audio is transcribed
MAX_TRANSCRIPT_BYTES = 20 * 2**20
MAX_CHAPTER_BYTES = 2**20  # three hundred chapters with addresses of pictures take a tenth
MAX_CHAPTER_SECONDS = 20.0  # for a file of a few kB; a finished transcript waits for it
MAX_KEPT_AUDIO = 10 * 2**30  # bytes; beyond it the oldest audio goes, kept or half-fetched
AUDIO_SUFFIXES = frozenset({".mp3", ".m4a", ".mp4", ".ogg", ".opus", ".wav", ".flac", ".aac", ".webm", ".mov", ".mkv"})


@dataclass(frozen=True, slots=True)
class IngestContext:
    """What the steps work with; `max_audio_bytes` is of one episode, `language` is empty where it is detected.

    `diarizer` tells voices apart in what is transcribed here; None where nobody asks for that.
    """

    client: web.Client
    ledger: Ledger
    library: Library
    transcriber: Transcriber
    audio_dir: Path
    glossary_dir: Path
    language: str = ""
    max_audio_bytes: int = 2**30
    keep_audio: bool = False
    respect_opt_out: bool = True
    diarizer: Diarizer | None = None


@dataclass(frozen=True, slots=True)
class Obtained:
    """A transcript and what it took: seconds of audio transcribed here and seconds of work (0 for a publisher's).

    `original` is the suffix and the bytes of the publisher's own file, `warnings` say what could not be had beside it.
    """

    transcript: Transcript
    audio_seconds: float = 0.0
    work_seconds: float = 0.0
    original: tuple[str, bytes] | None = None
    warnings: tuple[str, ...] = ()


def publisher_transcript(
    context: IngestContext, episode: Episode, attempts: int = 0
) -> tuple[Obtained | None, list[str]]:
    """The first of the publisher's transcripts that is good enough, and why the others were not.

    Raises `FetchError` where none is, but a host may give one later; after `PUBLISHER_TRIES` attempts it is refused like
    any other.
    """
    feed, refused = feed_of(context, episode), list[str]()
    language = feed.language_override or context.language or feed.language
    busy: FetchError | None = None
    for link in publisher.ranked(episode.transcripts, language):
        try:
            answer, segments = _captions(context, link, feed, language)
        except (FetchError, TranscriptError) as error:
            busy = error if isinstance(error, FetchError) and _may_come(error) else busy
            refused.append(f"{link.url}: {error.message}")
            continue
        if reason := publisher.shortcoming(segments, episode):
            refused.append(f"{link.url}: {reason}")
            continue
        provenance = {
            "source": "publisher",
            **asdict(link),
            "final_url": answer.url,
            **{name: answer.headers[name] for name in VALIDATORS if name in answer.headers},
            "sha256": sha256(answer.body).hexdigest(),
            "score": publisher.score(segments, episode),
        }
        original = publisher.suffix(link, answer.body), answer.body
        whole, warnings = with_chapters(context, episode)
        return Obtained(_transcript(whole, segments, provenance), original=original, warnings=warnings), refused
    if busy and attempts + 1 < PUBLISHER_TRIES:
        if isinstance(busy, UnreachableError):
            raise busy
        raise FetchError(
            busy.subject,
            f"{busy.message}: the publisher's transcript is asked for again later",
            busy.status,
            busy.retry_after,
        ) from busy
    return None, refused


def _may_come(error: FetchError) -> bool:
    return not isinstance(error, BlockedAddressError) and (error.status is None or error.status in web.TRANSIENT)


def _captions(
    context: IngestContext, link: TranscriptLink, feed: Subscription, language: str
) -> tuple[web.Response, tuple[Segment, ...]]:
    if reason := publisher.foreign(link, language):
        raise TranscriptError(link.url, reason)
    answer = _fetched(context, feed, link.url, MAX_TRANSCRIPT_BYTES)
    kind = captions.kind_of(link.type, link.url, answer.body)
    declared = charset(answer.headers.get("content-type", ""))
    return answer, captions.parse(answer.body, kind, link.url, charset=declared)


def _fetched(
    context: IngestContext, feed: Subscription, url: str, max_bytes: int, max_seconds: float = web.MAX_SECONDS
) -> web.Response:
    """A file that a feed names. Raises `FetchError` for every other answer."""
    answer = web.fetch(
        context.client,
        url,
        headers=user_agent_header(feed.user_agent_override),
        credentials=context.ledger.credentials(feed.podcast),
        max_bytes=max_bytes,
        max_seconds=max_seconds,
    )
    if answer.status != 200:
        raise FetchError(url, f"answered with HTTP status {answer.status}", answer.status)
    return answer


def with_chapters(context: IngestContext, episode: Episode) -> tuple[Episode, tuple[str, ...]]:
    """The episode with the chapters of its publisher's file, and why there are none of it; those of the feed stay then."""
    if not episode.chapters_url:
        return episode, ()
    try:
        url = episode.chapters_url
        answer = _fetched(context, feed_of(context, episode), url, MAX_CHAPTER_BYTES, MAX_CHAPTER_SECONDS)
        return replace(episode, chapters=read_json(url, answer.body) or episode.chapters), ()
    except (FetchError, FeedError) as error:
        return episode, (f"{episode.title}: without its publisher's chapters: {error}",)


def feed_of(context: IngestContext, episode: Episode) -> Subscription:
    """The episode's feed; a blank one where it is polled no more."""
    try:
        return context.ledger.feed(episode.podcast)
    except NotFoundError:
        return Subscription(episode.podcast, episode.source_feed)


def download(context: IngestContext, episode: Episode, advance: Advance) -> audio.Audio:
    """The episode's audio in the home directory. Raises `AudioError`, `FetchError` and `HomeError`."""
    suffix = Path(episode.audio_url.partition("?")[0]).suffix.lower()
    target = context.audio_dir / f"{episode.key}{suffix if suffix in AUDIO_SUFFIXES else '.audio'}"
    return audio.download(
        context.client,
        episode.audio_url,
        target,
        max_bytes=context.max_audio_bytes,
        headers=user_agent_header(feed_of(context, episode).user_agent_override),
        credentials=context.ledger.credentials(episode.podcast),
        progress=advance,
    )


def transcribe(context: IngestContext, episode: Episode, sound: audio.Audio, advance: Advance) -> Obtained:
    """Our own transcript of the audio, told the names it may hear; a run that was killed goes on where it stopped."""
    began = time.monotonic()
    glossary = read_glossary(context.glossary_dir / f"{slug(episode.podcast)}.txt")
    made = context.transcriber.transcribe(
        sound.path,
        language=feed_of(context, episode).language_override or context.language,
        hotwords=hotwords(episode, glossary),
        checkpoint=sound.path.with_suffix(".checkpoint.json"),
        progress=advance,
    )
    for warning in glossary.warnings:
        logger.warning("%s: %s", episode.podcast, warning)
    if not made.segments:
        reason = "no speech was found in its audio, so there is no transcript; it is not tried again by itself"
        raise NoSpeechError(episode.title, reason)
    spoken, who = with_speakers(context.diarizer, sound.path, made, episode, advance)
    segments, corrected = correct(spoken, glossary)
    provenance = made.provenance | audio.provenance(sound, made.duration, episode.duration) | {"corrections": corrected}
    provenance |= who
    work = time.monotonic() - began
    whole, warnings = with_chapters(context, episode)
    transcript = _transcript(replace(whole, duration=made.duration), segments, provenance)
    return Obtained(transcript, made.duration, work, warnings=warnings)


def _transcript(episode: Episode, segments: Sequence[Segment], provenance: dict[str, object]) -> Transcript:
    turns = turns_from_segments(segments)
    provenance = provenance | {"text_sha256": text_hash(turns)}
    return Transcript(episode, turns, timed(tuple(segments)), iso_milliseconds(now()), provenance)


def save_transcript(context: IngestContext, obtained: Obtained) -> Document:
    """Write the transcript to the library. Raises `HomeError`."""
    return context.library.write(obtained.transcript, obtained.original)


def settle(context: IngestContext, episode: Episode) -> None:
    """Note that the episode's document is in the library, then drop its audio: in the order that loses nothing."""
    context.ledger.settle(episode)
    drop_audio(context, {episode.key})
    audio.drop_oldest(context.audio_dir, MAX_KEPT_AUDIO)


def reconcile(context: IngestContext) -> None:
    """Bring ledger and audio to what the library holds, whatever cut the last run short and whatever its clock said."""
    if moments := context.ledger.mend_moments(now(), LONGEST_WAIT):
        logger.warning(
            "%s moments of the ledger lay too far ahead, as after a run under a wrong clock; mended", moments
        )
    held = cache(lambda: {document.key for document in context.library.documents()})
    context.ledger.reconcile(held)
    drop_audio(context, held())


def drop_audio(context: IngestContext, keys: Collection[str]) -> None:
    """Remove the audio of episodes whose documents are in the library, unless it is kept, and their checkpoints."""
    for file in context.audio_dir.glob("*"):
        if file.name.partition(".")[0] in keys and (not context.keep_audio or ".checkpoint." in file.name):
            file.unlink(missing_ok=True)


def record_failure(context: IngestContext, episode: Episode, attempts: int, error: Exception) -> None:
    """Note why an episode could not be had, and when it is tried again: later each time, and not before its host wants.

    One without speech is not, unless it gets other audio.
    """
    wait = min(FIRST_RETRY * 2 ** min(attempts, 20), LAST_RETRY)
    asked = timedelta(seconds=min(getattr(error, "retry_after", None) or 0.0, LAST_RETRY.total_seconds()))
    next_try = None if isinstance(error, NoSpeechError) else now() + max(wait, asked)
    lasting = getattr(error, "status", None) in GONE
    context.ledger.record_failure(episode, describe(error), next_try, lasting=lasting)
    audio.drop_oldest(context.audio_dir, MAX_KEPT_AUDIO)


def describe(error: Exception) -> str:
    """What an error says, in one line; the kind of one that nobody foresaw before it."""
    text = " ".join(str(error).split())
    return text if hasattr(error, "subject") else f"{type(error).__name__}: {text}"


def is_transient(error: object) -> bool:
    """Whether the same request may do better in a moment: no answer, one that broke off, or one that says so.

    A host that has said when to come back is not asked before.
    """
    if isinstance(error, AudioError):
        return error.transient
    if not isinstance(error, FetchError) or isinstance(error, BlockedAddressError) or error.retry_after:
        return False
    return error.status is None or error.status in web.TRANSIENT
