"""One run: poll, then one queue over all feeds, newest first; every episode obtained, saved, indexed and settled on its own.

What fails is recorded and passed over. What no episode can be blamed for (no speech model, a host or a network that is
down, a full disk) costs no episode an attempt and is said once.
"""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from flows.context import RunContext
from flows.outages import Outages
from flows.progress import Reporter
from flows.report import RunReport
from flows.steps import ACTIONS, EVERYTHING, Actions, ExpiredAddresses, Selection, opted_out
from ingest import pipeline
from ingest.errors import AudioError, FeedError, IndexingError, SoundbiteError, TranscriptionError, UnreachableError
from ingest.feeds import opt_out
from ingest.feeds import poll as feeds
from ingest.models import EpisodeRecord, Subscription
from ingest.pipeline import IngestContext, Obtained
from ingest.storage import is_disk_full
from ingest.times import now
from ingest.web.credentials import host_of

logger = logging.getLogger(__name__)


class _SkippedError(Exception):
    """The episode waits for what this run cannot have; it was not tried."""


class _StoppedError(Exception):
    """Nothing more can be done in this run; the report says why."""


def run(
    context: RunContext, reporter: Reporter, selection: Selection = EVERYTHING, actions: Actions = ACTIONS
) -> RunReport:
    """Poll, then work through the queue; feeds that come due are polled between episodes.

    Raises `NotFoundError` for a podcast that is not subscribed to, and what `RunContext.check` raises; everything else
    ends up in the report.
    """
    ledger = context.ingest.ledger
    podcast = ledger.feed(selection.podcast).podcast if selection.podcast else ""
    context.check()
    pipeline.reconcile(context.ingest)
    work = _Run(context, reporter, selection, actions, podcast)
    work.report.skipped = sum(
        count["done"] for name, count in ledger.counts_by_podcast().items() if podcast in {"", name}
    )
    with suppress(_StoppedError):
        work.poll_feeds()
        for key in work.queue():
            work.take(key)
    work.finish()
    return work.report


def take_one(context: RunContext, reporter: Reporter, key: str, actions: Actions = ACTIONS) -> RunReport:
    """Work on one episode that the ledger knows, whatever its turn, and index it.

    Raises `FeedError` where its publisher opts out of use by AI, and what `run` raises.
    """
    context.check()
    episode = context.ingest.ledger.find(key).episode
    if refusal := opted_out(context.ingest, episode):
        raise FeedError(episode.title, opt_out.told(refusal))
    work = _Run(context, reporter, Selection(), actions, "")
    with suppress(_StoppedError):
        work.take(key)
    work.finish()
    return work.report


@dataclass(slots=True)
class _Run:
    """The state of a run."""

    context: RunContext
    reporter: Reporter
    selection: Selection
    actions: Actions
    podcast: str
    report: RunReport = field(default_factory=RunReport)
    outages: Outages = field(default_factory=Outages)
    polled: set[str] = field(default_factory=set)  # podcasts asked, or said not to be asked, in this run
    publisher_down: list[tuple[EpisodeRecord, UnreachableError]] = field(default_factory=list)
    expired: ExpiredAddresses = field(init=False)
    speech: bool | None = None  # whether the speech model can be used; None before the first look

    def __post_init__(self) -> None:
        self.expired = ExpiredAddresses(self.ingest, self.actions)

    @property
    def ingest(self) -> IngestContext:
        return self.context.ingest

    # -- feeds

    def poll_feeds(self) -> int:
        """Poll each feed that is to be asked now; how many new episodes that brought."""
        ledger, new = self.ingest.ledger, 0
        for feed in [ledger.feed(self.podcast)] if self.podcast else ledger.feeds():
            first = feed.podcast not in self.polled
            self.polled.add(feed.podcast)
            if feeds.is_due(feed, now()) or (first and not self.selection.due_only):
                new += self._poll(feed, first=first)
            elif first:
                self.report.unchanged_feeds += 1
        return new

    def _poll(self, feed: Subscription, *, first: bool) -> int:
        by_name = bool(self.podcast) and not self.selection.due_only
        if not by_name and (reason := feeds.blocked_reason(self.ingest.ledger, feed, now())):
            self.report.warnings += [f"{feed.podcast}: {reason}"] if first else []
            return 0
        if self.outages.must_wait(host_of(feed.url)):
            return 0
        try:
            with self.reporter.step(f"{feed.podcast}: polling"):
                polled = self.actions.poll(self.ingest, feed, first and self.selection.everything)
        except UnreachableError as error:
            self._connection_failed(error)
            return 0
        except Exception as error:
            self._stop_if_disk_is_full(error)
            logger.warning("%s: polling failed", feed.podcast, exc_info=error)
            self.report.failed.append((feed.podcast, pipeline.describe(error)))
            return 0
        self.outages.connected()
        self.report.unchanged_feeds += polled.unchanged
        self.report.warnings += [f"{feed.podcast}: {warning}" for warning in polled.warnings]
        return polled.new

    # -- the queue

    def queue(self) -> Iterator[str]:
        """Keys of episodes, newest first over all feeds; what polls find in between takes its place."""
        tried: set[str] = set()
        keys = self._due()
        if self.selection.match and not keys:
            self.report.warnings.append(f"no episode to be had has {self.selection.match!r} in its title")
        while keys:
            key = keys.popleft()
            if key in tried:
                continue
            tried.add(key)
            yield key
            if self.poll_feeds():
                keys = self._due()

    def _due(self) -> deque[str]:
        chosen = self.selection
        ledger = self.ingest.ledger
        due = ledger.queue(
            now(), podcast=self.podcast, latest=chosen.latest, since=chosen.since, retry_all=not chosen.due_only
        )
        refused = self._opted_out()
        if not chosen.match and not refused:
            return deque(due)
        episodes = {record.episode.key: record.episode for record in ledger.records(self.podcast)}
        return deque(key for key in due if episodes[key].podcast not in refused and chosen.matches(episodes[key].title))

    def _opted_out(self) -> set[str]:
        """The podcasts whose publishers opt out of use by AI, where that is respected; each is said once."""
        if not self.ingest.respect_opt_out:
            return set()
        refused = {feed.podcast: feed.opted_out for feed in self.ingest.ledger.feeds() if feed.opted_out}
        for podcast, reason in refused.items():
            if self.podcast in {"", podcast}:
                self._warn_once(f"{podcast}: {opt_out.told(reason)}")
        return set(refused)

    def _warn_once(self, warning: str) -> None:
        if warning not in self.report.warnings:
            self.report.warnings.append(warning)

    def take(self, key: str) -> None:
        """Work on one episode; whatever goes wrong with it ends with it."""
        record = self.ingest.ledger.record(key)
        if record is None or record.status == "done":
            return
        if self.ingest.respect_opt_out and (refusal := record.episode.opted_out):
            self._warn_once(f"{record.episode.podcast}: {opt_out.told(refusal, 'single episodes are')}")
            return
        try:
            if self.ingest.library.locate(record.episode):  # a run that was cut short has got it already
                pipeline.settle(self.ingest, record.episode)
            else:
                self._save(self._obtain(record))
        except _SkippedError:
            return
        except _StoppedError:
            raise
        except UnreachableError as error:
            self._connection_failed(error)
        except Exception as error:  # noqa: BLE001 - one episode must not end the run, every run
            self._stop_if_disk_is_full(error)
            self._record_failure(record, error)

    def _save(self, obtained: Obtained) -> None:
        """Save, index, settle: an episode is searchable before the next one begins."""
        episode = obtained.transcript.episode
        name = f"{episode.podcast}: {episode.title}"
        document = self.actions.save(self.ingest, obtained)
        self.report.new.append(name)
        self.report.audio_seconds += obtained.audio_seconds
        self.report.work_seconds += obtained.work_seconds
        try:
            self.report.chunks += self.actions.index(self.context, document)
        except IndexingError as error:  # the transcript is there: the end of the run, or `soundbite index`, tries again
            logger.warning("%s is not indexed yet: %s", name, error)
        pipeline.settle(self.ingest, episode)

    def _obtain(self, record: EpisodeRecord) -> Obtained:
        """The publisher's transcript where it is good enough, else our own of the audio."""
        episode = record.episode
        if episode.transcripts and (found := self._publisher_transcript(record)):
            return found
        if not episode.audio_url:
            raise AudioError(episode.title, "the feed gives no audio and no transcript that can be used")
        if self.outages.must_wait(host_of(episode.audio_url)):
            raise _SkippedError
        self._require_speech()
        episode, sound = self.expired.download(self.reporter, episode)
        self.outages.connected()
        with self.reporter.step(f"{episode.title}: transcribing") as advance:
            try:
                return self.actions.transcribe(self.ingest, episode, sound, advance)
            except UnreachableError:  # a speech server that went away: no further audio is downloaded for it
                self.speech = False
                raise

    def _publisher_transcript(self, record: EpisodeRecord) -> Obtained | None:
        with self.reporter.step(f"{record.episode.title}: reading the publisher's transcript"):
            try:
                found, refused = self.actions.publisher(self.ingest, record.episode, record.attempts)
            except UnreachableError as error:
                self.publisher_down.append((record, error))
                raise
        self.report.warnings += refused
        if found:
            self.outages.connected()
        return found

    # -- what no episode can be blamed for

    def _require_speech(self) -> None:
        """Load the speech model before the first download; without it only publishers' transcripts are taken."""
        if self.speech is None:
            try:
                self.ingest.transcriber.load().known_language(self.ingest.language)
                self.speech = True
            except TranscriptionError as error:
                self.speech = False
                self.report.failed.append(("speech model", str(error)))
        if not self.speech:
            raise _SkippedError

    def _connection_failed(self, error: UnreachableError) -> None:
        """Remember that a host is down. Raises `_StoppedError` where the network is."""
        self.outages.failed(error)
        if self.outages.network_is_down:
            raise _StoppedError

    def _stop_if_disk_is_full(self, error: Exception) -> None:
        if is_disk_full(error):
            self.report.failed.append(("disk", f"{pipeline.describe(error)}; the run stops here, nothing was given up"))
            raise _StoppedError from error

    def _record_failure(self, record: EpisodeRecord, error: Exception) -> None:
        name = f"{record.episode.podcast}: {record.episode.title}"
        logger.warning("%s failed", name, exc_info=error)
        self.report.failed.append((name, pipeline.describe(error)))
        try:
            pipeline.record_failure(self.ingest, record.episode, record.attempts, error)
        except (SoundbiteError, OSError) as failure:
            self._stop_if_disk_is_full(failure)
            logger.exception("%s: the failure could not be recorded", name)

    def finish(self) -> None:
        """Index what else has changed in the library, and count what is left."""
        self.report.failed += self.outages.messages()
        if not self.outages.network_is_down:
            for record, error in self.publisher_down:  # the host alone is down: a later try goes on to the audio
                self._record_failure(record, error)
        try:
            with self.reporter.step("indexing") as advance:
                built = self.actions.update_index(self.context, advance)
        except IndexingError as error:
            self.report.failed.append(("index", str(error)))
        else:
            self.report.chunks += built.chunks_embedded
            self.report.failed += [(str(subject), reason) for subject, reason in built.failed]
        self.report.pending, self.report.waiting = self.ingest.ledger.counts()
        self.report.next_try = self.ingest.ledger.next_try()
