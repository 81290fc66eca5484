"""The steps of a run as plain functions: poll, obtain a transcript, keep it, index. Prefect only wraps them."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.studio import Studio
from flows.terminal import Advance
from index.build import BuildReport, update
from index.embed import SentenceEmbedder
from index.search import EXPORTS
from index.store import Store
from ingest import audio, captions, client, feeds, publisher
from ingest.corrections import correct, hotwords, read_glossary
from ingest.errors import FeedError, FetchError, TranscriptError
from ingest.ledger import EpisodeRecord, Ledger, Subscription
from ingest.library import Library
from ingest.models import Episode, Feed, Segment, Transcript, TranscriptLink
from ingest.schedule import next_poll
from ingest.settings import Settings
from ingest.transcript import slug, turns_from_segments

LEAST_INTERVAL = timedelta(hours=1)  # the etiquette of conditional polling: at most once an hour
MOST_INTERVAL = timedelta(days=1)
FIRST_RETRY = timedelta(minutes=30)  # an episode that failed: doubled with every attempt
LAST_RETRY = timedelta(days=7)
MAX_TRANSCRIPT_BYTES = 20 * 2**20
AUDIO_SUFFIXES = frozenset({".mp3", ".m4a", ".mp4", ".ogg", ".opus", ".wav", ".flac", ".aac", ".webm", ".mov", ".mkv"})


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought."""

    new: int
    unchanged: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Obtained:
    """A transcript and what it took: seconds of audio transcribed here and seconds of work (0 for a publisher's)."""

    transcript: Transcript
    audio_seconds: float = 0.0
    work_seconds: float = 0.0


def now() -> datetime:
    """The clock, read at the rim only."""
    return datetime.now(UTC)


def subscribe(ledger: Ledger, feed: Feed, fetched: feeds.Fetched) -> bool:
    """Start polling a feed whose first copy is at hand; False where it is known already.

    Raises `FeedError` where its slug belongs to another feed.
    """
    subscription = Subscription(feed.podcast, feed.url, feed.title)
    if not ledger.subscribe(subscription, now()):
        there = [known for known in ledger.feeds() if known.url == feed.url]
        if there:
            return False
        raise FeedError(feed.url, f"the name {feed.podcast!r} belongs to another feed; choose one with --podcast")
    _remember(ledger, subscription, fetched, feed)
    return True


def poll(studio: Studio, subscription: Subscription) -> Polled:
    """Ask one feed what is new and remember it. A failure is recorded, then raised as `FetchError` or `FeedError`."""
    known = feeds.Validators(subscription.etag, subscription.last_modified)
    try:
        fetched = feeds.fetch(studio.client, subscription.url, known, now=now())
        if fetched.body is None:
            _remember(studio.ledger, subscription, fetched, None)
            return Polled(0, unchanged=True)
        feed = feeds.parse(
            subscription.url, fetched.body, subscription.podcast, content_type=fetched.content_type, base=fetched.url
        )
    except (FetchError, FeedError) as error:
        failures = subscription.failures + 1
        wait = getattr(error, "retry_after", None)
        later = _due(studio.ledger, subscription.podcast, retry_after=wait, failures=failures)
        studio.ledger.poll_failed(replace(subscription, next_poll=later), error.message)
        raise
    new = _remember(studio.ledger, subscription, fetched, feed)
    return Polled(new, unchanged=False, warnings=feed.warnings)


def _remember(ledger: Ledger, subscription: Subscription, fetched: feeds.Fetched, feed: Feed | None) -> int:
    """Episodes first, validators second: a crash between the two costs one download of the feed, not an episode."""
    new = ledger.found(feed.episodes) if feed else 0
    ledger.polled(
        replace(
            subscription,
            title=feed.title if feed else subscription.title,
            etag=fetched.validators.etag,
            last_modified=fetched.validators.last_modified,
            next_poll=_due(ledger, subscription.podcast, retry_after=fetched.retry_after, max_age=fetched.max_age),
        ),
        now(),
    )
    return new


def _due(
    ledger: Ledger,
    podcast: str,
    *,
    retry_after: float | None = None,
    max_age: float | None = None,
    failures: int = 0,
) -> datetime:
    published = [record.episode.published_at for record in ledger.records(podcast)]
    return next_poll(
        now(),
        [moment for moment in published if moment],
        lower=LEAST_INTERVAL,
        upper=MOST_INTERVAL,
        jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        retry_after=retry_after,
        max_age=max_age,
        failures=failures,
    )


def to_do(
    records: Sequence[EpisodeRecord], moment: datetime, latest: int = 0, *, retry_all: bool = True
) -> list[Episode]:
    """The episodes to work on, newest first: pending ones and failed ones (with `retry_all` before they are due too).

    `latest` looks at only so many of the newest episodes; 0 looks at all.
    """
    looked_at = records[:latest] if latest else records
    return [
        record.episode
        for record in looked_at
        if record.status == "pending"
        or (record.status == "failed" and (retry_all or record.next_try is None or record.next_try <= moment))
    ]


def publisher_transcript(studio: Studio, episode: Episode) -> tuple[Transcript | None, list[str]]:
    """The first of the publisher's transcripts that is good enough, and why the others were not."""
    refused = []
    for link in publisher.ranked(episode.transcripts):
        try:
            segments = _captions(studio, link)
        except (FetchError, TranscriptError) as error:
            refused.append(f"{link.url}: {error.message}")
            continue
        if reason := publisher.shortcoming(segments, episode):
            refused.append(f"{link.url}: {reason}")
            continue
        provenance: dict[str, object] = {"source": "publisher", **asdict(link)}
        return _written(episode, segments, provenance), refused
    return None, refused


def _captions(studio: Studio, link: TranscriptLink) -> tuple[Segment, ...]:
    answer = client.fetch(studio.client, link.url, max_bytes=MAX_TRANSCRIPT_BYTES)
    if answer.status != 200:
        raise FetchError(link.url, f"answered with HTTP status {answer.status}", answer.status)
    return captions.parse(answer.body, captions.kind_of(link.type, link.url, answer.body), link.url)


def download(studio: Studio, episode: Episode, advance: Advance) -> audio.Audio:
    """The episode's audio in the home directory. Raises `AudioError` and `FetchError`."""
    suffix = Path(episode.audio_url.partition("?")[0]).suffix.lower()
    target = studio.settings.audio_dir / f"{episode.key}{suffix if suffix in AUDIO_SUFFIXES else '.audio'}"
    limit = studio.settings.max_audio_mb * 2**20
    return audio.download(studio.client, episode.audio_url, target, max_bytes=limit, progress=advance)


def transcribe(studio: Studio, episode: Episode, sound: audio.Audio, advance: Advance) -> Obtained:
    """Our own transcript of the audio, told the names it may hear; a run that was killed goes on where it stopped."""
    began = time.monotonic()
    glossary = read_glossary(studio.settings.glossary_dir / f"{slug(episode.podcast)}.txt")
    made = studio.transcriber.transcribe(
        sound.path,
        language=studio.settings.language,
        hotwords=hotwords(episode, glossary),
        checkpoint=sound.path.with_suffix(".checkpoint.json"),
        progress=advance,
    )
    segments, corrected = correct(made.segments, glossary)
    provenance = made.provenance | {"audio_url": sound.final_url, "corrections": corrected}
    transcript = _written(replace(episode, duration=made.duration), segments, provenance)
    return Obtained(transcript, made.duration, time.monotonic() - began)


def keep(studio: Studio, transcript: Transcript) -> Path:
    """Write the transcript to the library, then settle the ledger, then drop the audio: in the order that loses nothing."""
    path = studio.library.write(transcript)
    studio.ledger.finish(transcript.episode)
    if not studio.settings.keep_audio:
        for leftover in studio.settings.audio_dir.glob(f"{transcript.episode.key}.*"):
            leftover.unlink(missing_ok=True)
    return path


def give_up(studio: Studio, episode: Episode, reason: str) -> None:
    """Note why an episode could not be had, and when it is tried again."""
    attempts = {known.episode.key: known.attempts for known in studio.ledger.records(episode.podcast)}
    wait = min(FIRST_RETRY * 2 ** min(attempts.get(episode.key, 0), 20), LAST_RETRY)
    studio.ledger.fail(episode, reason, now() + wait)


def update_index(settings: Settings, advance: Advance, *, rebuild: bool = False) -> BuildReport:
    """Bring the index up to date with the library; the embedding model is loaded only where text changed."""
    embedder = SentenceEmbedder(settings.embedding_model, settings.index_dir / EXPORTS)
    return update(
        Library(settings.library_dir),
        Store(settings.index_dir),
        embedder,
        lambda progress: advance(progress.done, progress.total),
        rebuild=rebuild,
    )


def stamp() -> str:
    """The present moment as a transcript's `Transcribed At` has it: UTC, milliseconds, `Z`."""
    return now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(episode: Episode, segments: Sequence[Segment], provenance: dict[str, object]) -> Transcript:
    return Transcript(episode, turns_from_segments(segments), tuple(segments), stamp(), provenance)
