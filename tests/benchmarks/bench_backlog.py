"""How near a run of ten episodes comes to its longest stage alone, with a host that sends slowly; `… backlog`.

The host is on the loopback, library, ledger and index are real. Transcription is a stand-in that waits, as one on a GPU
or on other cores does: on the same cores the stages would share what they have.
"""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from flows import run as runs
from flows.progress import Reporter
from flows.steps import ACTIONS, Actions
from tests.benchmarks.measure import Row, row
from tests.flows.test_run import SOUND, Parrot, feed, opened, subscribe
from tests.podcast_host import PodcastHost, document

EPISODES, LONG, SHORT = 10, 2.0, 1.0  # seconds for the longest stage of an episode, and for the other
MOST = 1.1


class Waiting(Parrot):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def transcribe(self, audio: Path, **options: Any) -> Any:
        time.sleep(self.seconds)
        return super().transcribe(audio, **options)


def timed(spent: Counter[str]) -> Actions:
    """The steps of a run, which add their seconds to `spent`."""
    lock = threading.Lock()

    def wrapped(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            started = time.monotonic()
            try:
                return step(*arguments)
            finally:
                with lock:
                    spent[name] += time.monotonic() - started

        return call

    return replace(ACTIONS, **{each.name: wrapped(each.name, getattr(ACTIONS, each.name)) for each in fields(Actions)})


def once(downloading: float, transcribing: float) -> tuple[float, Counter[str]]:
    """Seconds of a run over the backlog, and of each of its stages alone."""
    newest = datetime(2026, 1, 5, 8, tzinfo=UTC)
    dates = {f"e{n}": format_datetime(newest - timedelta(days=n), usegmt=True) for n in range(EPISODES)}
    home, spent = Path(mkdtemp(prefix="soundbite-bench-")), Counter[str]()
    pieces = 20
    slowly = {"pause": downloading / pieces, "piece": len(SOUND) // pieces + 1}
    with PodcastHost() as host, closing(_Removed(home)), opened(home / "home", Waiting(transcribing)) as context:
        host.serve("/feed.xml", document(feed(*dates, dates=dates)))
        for guid in dates:
            host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg", **slowly))
        subscribe(context, host.url("/feed.xml"))
        started = time.monotonic()
        report = runs.run(context, Reporter(None), actions=timed(spent))
        assert len(report.new) == EPISODES, report
        return time.monotonic() - started, spent


class _Removed:
    """A folder that goes with its context."""

    def __init__(self, folder: Path) -> None:
        self.close = lambda: shutil.rmtree(folder)


def run() -> list[Row]:
    rows = []
    for longest, others in (("download", (LONG, SHORT)), ("transcribe", (SHORT, LONG))):
        took, spent = once(*others)
        alone = max(spent.values())
        assert spent[longest] == alone, spent
        told = f"{longest} alone ({alone:.1f} s; run {took:.1f} s, all stages one by one {sum(spent.values()):.1f} s)"
        rows.append(row(f"a backlog of {EPISODES} episodes, {longest} longest", took / alone, told, most=MOST))
    return rows
