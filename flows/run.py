"""One run: poll, then one queue over all feeds, newest first; every episode obtained, saved, indexed and settled on its own.

What fails is recorded and passed over. What no episode can be blamed for (no speech model, a host or a network that is
down, a full disk) costs no episode an attempt and is said once.
"""

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from flows.context import RunContext
from flows.jobs import Jobs, StoppableReporter
from flows.outages import Outages
from flows.progress import Reporter
from flows.report import RunReport
from flows.speech import SpeechModels
from flows.steps import ACTIONS, EVERYTHING, Actions, Selection, opted_out
from flows.work import Work
from ingest import pipeline
from ingest.errors import FeedError, IndexingError, UnreachableError
from ingest.feeds import opt_out
from ingest.feeds import poll as feeds
from ingest.models import Subscription
from ingest.run_history import remember, run_record
from ingest.storage import is_nobodys_fault
from ingest.times import now
from ingest.web.credentials import host_of

POLLS = 4  # at once; requests to one host start a second apart all the same
LOOK_SECONDS = 10.0  # between two looks for feeds that have come due, where nothing ends sooner

logger = logging.getLogger(__name__)


def run(
    context: RunContext, reporter: Reporter, selection: Selection = EVERYTHING, actions: Actions = ACTIONS
) -> RunReport:
    """Poll, then work through the queue, while feeds that come due are polled.

    Raises `NotFoundError` for a podcast that is not subscribed to, and what `RunContext.check` raises; everything else
    ends up in the report.
    """
    begun = begin(context, reporter, selection, actions)
    begun.again.clear()  # the engine has tried these again
    return begun.complete(reporter, actions)


def begin(
    context: RunContext, reporter: Reporter, selection: Selection = EVERYTHING, actions: Actions = ACTIONS
) -> "Run":
    """A run whose feeds are polled, so that it is known whether there is work. Raises what `run` does."""
    ledger = context.ingest.ledger
    podcast = ledger.feed(selection.podcast).podcast if selection.podcast else ""
    context.check()
    pipeline.reconcile(context.ingest)
    begun = Run(context, selection, podcast)
    begun.report.skipped = sum(
        count["done"] for name, count in ledger.counts_by_podcast().items() if podcast in {"", name}
    )
    begun.poll(reporter, actions)
    return begun


def take_one(context: RunContext, reporter: Reporter, key: str, actions: Actions = ACTIONS) -> RunReport:
    """Work on one episode that the ledger knows, whatever its turn, and index it.

    Raises `FeedError` where its publisher opts out of use by AI, and what `run` raises.
    """
    context.check()
    return begin_one(context, key).complete(reporter, actions)


def begin_one(context: RunContext, key: str, *, speech: bool = True) -> "Run":
    """A run of one episode; without `speech` only its publisher's transcript is taken. Raises `FeedError` as `take_one`."""
    episode = context.ingest.ledger.find(key).episode
    if refusal := opted_out(context.ingest, episode):
        raise FeedError(episode.title, opt_out.told(refusal))
    return Run(context, Selection(), "", due=[key], speech=None if speech else False)


@dataclass(slots=True)
class Run:
    """The state of a run. `due` are the keys to work on where no feed is polled.

    `again` holds the feeds that may do better in a moment, with what the report says of them. Where `speech` is False no
    audio is fetched, and `unheard` are the keys of the episodes that need theirs.
    """

    context: RunContext
    selection: Selection
    podcast: str
    report: RunReport = field(default_factory=RunReport)
    due: list[str] | None = None
    speech: bool | None = None
    unheard: list[str] = field(default_factory=list)
    began: datetime = field(default_factory=now)
    again: list[tuple[Subscription, tuple[str, str]]] = field(default_factory=list)
    _outages: Outages = field(default_factory=Outages)
    _jobs: Jobs = field(default_factory=Jobs)
    _new: int = 0  # episodes that polls have found since the queue was looked at

    @property
    def has_work(self) -> bool:
        """Whether an episode is to be had, or a feed asked again."""
        return bool(self.again or (self.queue() and not self._outages.network_is_down and not self._outages.disk))

    def poll(self, reporter: Reporter, actions: Actions) -> None:
        """Ask each feed that is to be asked now."""
        with self._jobs as jobs:
            steps = StoppableReporter(reporter.progress, jobs.stopped)
            waiting = deque(self._to_ask(first=True))
            while (waiting and not self._stopped) or len(jobs):
                while waiting and not self._stopped and len(jobs.of("poll")) < POLLS:
                    self._start_poll(waiting.popleft(), steps, actions)
                if len(jobs):
                    jobs.wait(LOOK_SECONDS)

    def complete(self, reporter: Reporter, actions: Actions) -> RunReport:
        """Work through the queue, polling feeds that come due, until nothing is left; then index what else has changed."""
        with self._jobs as jobs:
            steps = StoppableReporter(reporter.progress, jobs.stopped)
            for feed, failure in self.again:
                if not self._blocked([feed]):
                    self.report.failed.remove(failure)
                    self._start_poll(feed, steps, actions)
            while len(jobs):
                jobs.wait(LOOK_SECONDS)
            models = SpeechModels([self.context.ingest.transcriber, *self.context.spare], self.speech)
            work = Work(self.context, steps, actions, jobs, self.report, self._outages, models)
            self._refill(work)
            if self.selection.match and not len(work.backlog):
                self.report.warn(f"no episode to be had has {self.selection.match!r} in its title")
            while True:
                work.start()
                if not len(jobs):
                    break
                jobs.wait(LOOK_SECONDS)
                if self.due is None:
                    self._poll_due(work, steps, actions)
            work.finish()
            self.unheard = list(work.backlog.audio)
            self._finish(steps, actions)
        self._remember()
        return self.report

    @property
    def _stopped(self) -> bool:
        return bool(self._outages.disk) or self._outages.network_is_down

    # -- feeds

    def _to_ask(self, *, first: bool) -> list[Subscription]:
        """The feeds to be asked now: in the first round all that are chosen, later those that have come due."""
        ledger, due_only = self.context.ingest.ledger, self.selection.due_only
        if first and not due_only:
            chosen = [ledger.feed(self.podcast)] if self.podcast else ledger.feeds()
        else:
            chosen = ledger.due_feeds(now(), self.podcast)
        if first and due_only:
            self.report.unchanged_feeds += (1 if self.podcast else len(ledger.names())) - len(chosen)
        blocked = self._blocked(chosen)
        if first:
            self._say_blocked(blocked)
        return [feed for feed in chosen if feed.podcast not in blocked]

    def _blocked(self, chosen: Sequence[Subscription]) -> dict[str, str]:
        """The podcasts among these whose feeds should not be asked now, and why."""
        if self.podcast and not self.selection.due_only:  # a person who names a feed wants it asked
            return {}
        backoffs = self.context.ingest.ledger.backoffs(now())
        return {feed.podcast: reason for feed in chosen if (reason := feeds.blocked_reason(feed, backoffs))}

    def _say_blocked(self, blocked: Mapping[str, str]) -> None:
        self.report.warnings += [f"{podcast}: {reason}" for podcast, reason in blocked.items()]

    def _poll_due(self, work: Work, reporter: Reporter, actions: Actions) -> None:
        """Ask feeds that have come due beside the work, and line up what that finds."""
        if self._new:
            self._refill(work)
        if len(self._jobs) and not self._stopped:  # at the end of the work the run ends, too
            busy = self._jobs.of("poll")
            for feed in self._to_ask(first=False)[: POLLS - len(busy)]:
                if feed.podcast not in busy:
                    self._start_poll(feed, reporter, actions, first=False)

    def _start_poll(self, feed: Subscription, reporter: Reporter, actions: Actions, *, first: bool = True) -> None:
        if self._outages.must_wait(host_of(feed.url)):
            return
        if blocked := self._blocked([feed]):  # another feed of its host was refused a moment ago
            self._say_blocked(blocked)
            return
        whole = first and self.selection.everything

        def poll() -> feeds.Polled:
            with reporter.step(f"{feed.podcast}: polling"):
                return actions.poll(self.context.ingest, feed, whole)

        self._jobs.start("poll", feed.podcast, poll, lambda job: self._answered(feed, job))

    def _answered(self, feed: Subscription, job: Future[feeds.Polled]) -> None:
        try:
            polled = job.result()
        except UnreachableError as error:
            self._outages.failed(error)
        except Exception as error:
            if is_nobodys_fault(error):
                self._outages.disk = pipeline.describe(error)
                return
            logger.warning("%s: polling failed", feed.podcast, exc_info=error)
            failure = feed.podcast, pipeline.describe(error)
            self.report.failed.append(failure)
            if pipeline.is_transient(error):
                self.again.append((feed, failure))
        else:
            self._outages.connected()
            self._new += polled.new
            self.report.unchanged_feeds += polled.unchanged
            self.report.warnings += [f"{feed.podcast}: {warning}" for warning in polled.warnings]

    # -- the queue

    def _refill(self, work: Work) -> None:
        self._new = 0
        work.backlog.fill(self.queue(), self.context.ingest.ledger.captioned())

    def queue(self) -> list[str]:
        """Keys of the episodes that are due, newest first over all feeds."""
        if self.due is not None:
            return self.due
        chosen, ledger = self.selection, self.context.ingest.ledger
        due = ledger.queue(
            now(), podcast=self.podcast, latest=chosen.latest, since=chosen.since, retry_all=not chosen.due_only
        )
        refused = self._opted_out()
        if not chosen.match and not refused:
            return due
        episodes = {record.episode.key: record.episode for record in ledger.records(self.podcast)}
        return [key for key in due if episodes[key].podcast not in refused and chosen.matches(episodes[key].title)]

    def _opted_out(self) -> set[str]:
        """The podcasts whose publishers opt out of use by AI, where that is respected; each is said once."""
        ingest = self.context.ingest
        if not ingest.respect_opt_out:
            return set()
        refused = ingest.ledger.opted_out()
        for podcast, reason in refused.items():
            if self.podcast in {"", podcast}:
                self.report.warn(f"{podcast}: {opt_out.told(reason)}")
        return set(refused)

    # -- the end

    def _remember(self) -> None:
        """Keep what the run did for the page; a disk that is full by now costs this alone."""
        report = self.report
        try:
            remember(self.context.home, run_record(self.began, now(), report.new, report.failed, report.pending))
        except OSError as error:
            logger.warning("what this run did is not kept: %s", error)

    def _finish(self, reporter: Reporter, actions: Actions) -> None:
        """Index what else has changed in the library, and count what is left."""
        try:
            with reporter.step("indexing") as advance:
                built = actions.update_index(self.context, advance)
        except IndexingError as error:
            self.report.failed.append(("index", str(error)))
        else:
            self.report.chunks += built.chunks_embedded
            self.report.failed += [(str(subject), reason) for subject, reason in built.failed]
        ledger = self.context.ingest.ledger
        self.report.pending, self.report.waiting = ledger.counts()
        self.report.next_try = ledger.next_try()


_HANDED_OVER: ContextVar[Run | None] = ContextVar("handed over", default=None)


@contextmanager
def handed_over(begun: Run) -> Iterator[None]:
    """Let an engine's flow complete this run, whose home's lock is held from before the engine's start."""
    token = _HANDED_OVER.set(begun)
    try:
        yield
    finally:
        _HANDED_OVER.reset(token)


def given() -> Run | None:
    """The run that this process has handed over to the flow; None where the flow begins its own."""
    return _HANDED_OVER.get()
