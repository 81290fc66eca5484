"""What a run looks at, and the steps it takes, so that an engine may wrap each one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from flows.context import RunContext
from flows.progress import Reporter
from index.build import BuildReport, index_document, update
from ingest import pipeline
from ingest.audio.download import Audio
from ingest.correction import corrected
from ingest.errors import FetchError, SoundbiteError
from ingest.feeds import poll as feeds
from ingest.library import Document
from ingest.models import Advance, Episode, Subscription
from ingest.pipeline import IngestContext, Obtained
from ingest.times import now


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run looks at: one podcast or all, so many of each one's newest episodes (0: all), those since a moment.

    `match` leaves only episodes whose titles hold all of its words. `due_only` leaves feeds and failures alone whose time
    has not come. With `everything` feeds are asked for their older pages, too.
    """

    podcast: str = ""
    latest: int = 0
    since: datetime | None = None
    due_only: bool = False
    match: str = ""
    everything: bool = False

    def matches(self, title: str) -> bool:
        """Whether a title holds all words asked for, in any case and order."""
        return all(word in title.casefold() for word in self.match.casefold().split())


def poll(context: IngestContext, feed: Subscription, whole: bool = False) -> feeds.Polled:
    """Ask one feed; with `whole` unconditionally, and for its older pages."""

    def revise(episode: Episode) -> None:
        context.library.revise(episode)

    def recheck(episode: Episode) -> str:
        return "" if opted_out(context, episode) else corrected(context, episode)

    return feeds.poll(context.client, context.ledger, feed, now(), whole=whole, revise=revise, recheck=recheck)


def _index(context: RunContext, document: Document) -> int:
    return index_document(context.ingest.library, context.store, context.embedder, document.name)


def _update_index(context: RunContext, advance: Advance) -> BuildReport:
    return update(
        context.ingest.library, context.store, context.embedder, lambda progress: advance(progress.done, progress.total)
    )


@dataclass(frozen=True, slots=True)
class Actions:
    """The steps a run takes."""

    poll: Callable[[IngestContext, Subscription, bool], feeds.Polled] = poll
    publisher: Callable[[IngestContext, Episode, int], tuple[Obtained | None, list[str]]] = (
        pipeline.publisher_transcript
    )
    download: Callable[[IngestContext, Episode, Advance], Audio] = pipeline.download
    transcribe: Callable[[IngestContext, Episode, Audio, Advance], Obtained] = pipeline.transcribe
    save: Callable[[IngestContext, Obtained], Document] = pipeline.save_transcript
    index: Callable[[RunContext, Document], int] = _index
    update_index: Callable[[RunContext, Advance], BuildReport] = _update_index


ACTIONS, EVERYTHING = Actions(), Selection()
REFUSED = frozenset({401, 403})  # what a host answers to an address whose signature has expired


class ExpiredAddresses:
    """Downloads audio; where a host refuses it, from the address that its feed gives by then.

    A feed that was read again in vain is not read again for another episode.
    """

    def __init__(self, context: IngestContext, actions: Actions = ACTIONS) -> None:
        self._context = context
        self._actions = actions
        self._in_vain: set[str] = set()

    def download(self, reporter: Reporter, episode: Episode) -> tuple[Episode, Audio]:
        """The audio, and the episode with the address it came from. Raises `AudioError`, `FetchError`, `HomeError`."""
        try:
            with reporter.step(f"{episode.title}: downloading") as advance:
                return episode, self._actions.download(self._context, episode, advance)
        except FetchError as error:
            renewed = self._renewed(episode) if error.status in REFUSED else None
            if renewed is None:
                raise
        with reporter.step(f"{episode.title}: downloading from its new address") as advance:
            return renewed, self._actions.download(self._context, renewed, advance)

    def _renewed(self, episode: Episode) -> Episode | None:
        """The episode with the address that its feed gives now; None where that is the old one."""
        ledger, podcast = self._context.ledger, episode.podcast
        if podcast in self._in_vain:
            return None
        with suppress(SoundbiteError):
            feed = ledger.feed(podcast)
            self._actions.poll(self._context, replace(feed, etag="", last_modified=""), False)
            record = ledger.record(episode.key)
            if record and record.episode.audio_url != episode.audio_url:
                return replace(episode, audio_url=record.episode.audio_url)
        self._in_vain.add(podcast)
        return None


def opted_out(context: IngestContext, episode: Episode) -> str:
    """How an episode's publisher opts out of use by AI; empty where it does not, or where that is not respected."""
    return (pipeline.feed_of(context, episode).opted_out or episode.opted_out) if context.respect_opt_out else ""
