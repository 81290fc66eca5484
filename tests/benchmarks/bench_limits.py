"""CPU of what stands beside download, speech model and embedding: a poll of unchanged feeds, and an episode; `… limits`.

The host is a process of its own on the loopback; library, ledger and index are real. The speech model and the embedding
are stand-ins that cost nothing; downloading is included.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from flows import run as runs
from flows.progress import Reporter
from flows.steps import ACTIONS, Selection
from tests.benchmarks.measure import Row, row
from tests.flows.test_run import SOUND, Parrot, feed, opened, subscribe
from tests.podcast_host import PodcastHost, document

FEEDS, EPISODES = 100, 20
FEEDS_MOST, EPISODE_MOST = 2.0, 0.5  # seconds of CPU


def dates() -> dict[str, str]:
    newest = datetime(2026, 1, 5, 8, tzinfo=UTC)
    return {f"e{n}": format_datetime(newest - timedelta(days=n), usegmt=True) for n in range(EPISODES)}


def serve(told: Connection) -> None:
    with PodcastHost() as host:
        days = dates()
        for n in range(FEEDS):
            body = feed("e0", title=f"Quota {n}", dates=days)
            host.serve(f"/feed{n}.xml", document(body, etag=f'"{n}"'))
        host.serve("/backlog.xml", document(feed(*days, title="Backlog", dates=days)))
        for guid in days:
            host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg"))
        told.send(host.url(""))
        told.recv()


@contextmanager
def host() -> Iterator[str]:
    """The address of a host in another process."""
    ours, theirs = multiprocessing.Pipe()
    serving = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    serving.start()
    yield ours.recv()
    ours.send("over")
    serving.join()


def polled(base: str, home: Path) -> float:
    """Seconds of CPU of a run that asks feeds which have not changed."""
    with opened(home) as context:
        for n in range(FEEDS):
            subscribe(context, f"{base}/feed{n}.xml")
        started = process_time()
        begun = runs.begin(context, Reporter(None), Selection(), ACTIONS)
        assert not begun.report.failed, begun.report
        return process_time() - started


def ingested(base: str, home: Path) -> float:
    """Seconds of CPU of an episode, from the poll of its feed to the index."""
    with opened(home, Parrot()) as context:
        subscribe(context, f"{base}/backlog.xml")
        started = process_time()
        report = runs.run(context, Reporter(None))
        assert len(report.new) == EPISODES, report
        return (process_time() - started) / EPISODES


def run() -> list[Row]:
    with host() as base, TemporaryDirectory(prefix="soundbite-bench-") as folder:
        polls = polled(base, Path(folder, "polls"))
        episode = ingested(base, Path(folder, "episodes"))
    return [
        row(f"a poll of {FEEDS} unchanged feeds", polls, "CPU", most=FEEDS_MOST, unit=" s"),
        row("an episode, downloading included", episode, "CPU", most=EPISODE_MOST, unit=" s"),
    ]
