"""One run from the feeds to the index, told in order: what fails is noted and passed over, never in the way of the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flows.cli.output import Advance, Reporter
from flows.context import Studio
from flows.report import RunReport
from index.build import BuildReport
from ingest import pipeline as steps
from ingest.audio.download import Audio
from ingest.errors import AudioError, IndexingError, SoundbiteError
from ingest.feeds import poll as polling
from ingest.ledger import Subscription
from ingest.models import Episode, Transcript
from ingest.settings import Settings


@dataclass(frozen=True, slots=True)
class Actions:
    """The steps a run takes, so that an engine may wrap each one."""

    poll: Callable[[Studio, Subscription], polling.Polled] = polling.poll
    publisher: Callable[[Studio, Episode], tuple[steps.Obtained | None, list[str]]] = steps.publisher_transcript
    download: Callable[[Studio, Episode, Advance], Audio] = steps.download
    transcribe: Callable[[Studio, Episode, Audio, Advance], steps.Obtained] = steps.transcribe
    keep: Callable[[Studio, Transcript, tuple[str, bytes] | None], Path] = steps.keep
    index: Callable[[Settings, Advance], BuildReport] = steps.update_index


def run(
    studio: Studio,
    reporter: Reporter,
    *,
    podcast: str = "",
    latest: int = 0,
    since: datetime | None = None,
    due_only: bool = False,
    actions: Actions = Actions(),
) -> RunReport:
    """Poll, obtain what is new, index. `due_only` leaves feeds and failures alone whose time has not come.

    Raises `NotFoundError` for a podcast that is not subscribed to; everything else ends up in the report.
    """
    report = RunReport()
    feeds = [studio.ledger.feed(podcast)] if podcast else studio.ledger.feeds()
    for feed in feeds:
        _poll(studio, reporter, feed, report, actions, due_only=due_only, asked=bool(podcast) and not due_only)
    for feed in feeds:
        records = studio.ledger.records(feed.podcast)
        episodes = steps.to_do(records, steps.now(), latest, since=since, retry_all=not due_only)
        report.skipped += sum(record.status == "done" for record in records)
        for episode in episodes:
            _obtain(studio, reporter, episode, report, actions)
    _index(studio, reporter, report, actions)
    report.pending = studio.ledger.counts()[0]
    return report


def _poll(
    studio: Studio,
    reporter: Reporter,
    feed: Subscription,
    report: RunReport,
    actions: Actions,
    *,
    due_only: bool,
    asked: bool,
) -> None:
    """Poll one feed, unless its time has not come or its host wants none of it; one `asked` for by name is polled."""
    if due_only and not polling.is_due(feed, steps.now()):
        report.unchanged_feeds += 1
        return
    if not asked and (reason := polling.held_back(studio.ledger, feed, steps.now())):
        report.warnings.append(f"{feed.podcast}: {reason}")
        return
    try:
        with reporter.step(f"{feed.podcast}: polling"):
            polled = actions.poll(studio, feed)
    except SoundbiteError as error:
        report.failed.append((feed.podcast, str(error)))
        return
    report.unchanged_feeds += polled.unchanged
    report.warnings += [f"{feed.podcast}: {warning}" for warning in polled.warnings]


def _obtain(studio: Studio, reporter: Reporter, episode: Episode, report: RunReport, actions: Actions) -> None:
    """Get one episode into the library, unless a run that was cut short has done so already."""
    name = f"{episode.podcast}: {episode.title}"
    try:
        if studio.library.locate(episode):
            studio.ledger.finish(episode)
            report.skipped += 1
            return
        obtained = _transcript(studio, reporter, episode, report, actions)
        actions.keep(studio, obtained.transcript, obtained.original)
    except (SoundbiteError, OSError) as error:  # a full disk or a file taken away must not stop the others
        steps.give_up(studio, episode, error)
        report.failed.append((name, str(error)))
        return
    report.new.append(name)
    report.audio_seconds += obtained.audio_seconds
    report.work_seconds += obtained.work_seconds


def _transcript(
    studio: Studio, reporter: Reporter, episode: Episode, report: RunReport, actions: Actions
) -> steps.Obtained:
    """The publisher's transcript where it is good enough, else our own of the audio."""
    if episode.transcripts:
        with reporter.step(f"{episode.title}: reading the publisher's transcript"):
            found, refused = actions.publisher(studio, episode)
        report.warnings += refused
        if found:
            return found
    if not episode.audio_url:
        raise AudioError(episode.title, "the feed gives no audio and no transcript that can be used")
    with reporter.step(f"{episode.title}: downloading") as advance:
        sound = actions.download(studio, episode, advance)
    with reporter.step(f"{episode.title}: transcribing") as advance:
        return actions.transcribe(studio, episode, sound, advance)


def _index(studio: Studio, reporter: Reporter, report: RunReport, actions: Actions) -> None:
    try:
        with reporter.step("indexing") as advance:
            built = actions.index(studio.settings, advance)
    except IndexingError as error:
        report.failed.append(("index", str(error)))
        return
    report.chunks = built.chunks_embedded
    report.failed += _plain(built.failed)


def _plain(failed: Sequence[tuple[object, str]]) -> list[tuple[str, str]]:
    return [(str(subject), reason) for subject, reason in failed]
