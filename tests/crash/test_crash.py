"""SIGKILL at every point of one feed's way: what was begun is ended by the next run, as if nothing had happened."""

import json
import shutil
import signal
import subprocess
import sys

import pytest

from ingest.library import Library
from tests.conftest import ROOT
from tests.flows.test_run import CAPTIONED, DATES, SOUND, SRT, feed, opened, subscribe
from tests.podcast_host import PodcastHost, document

SHORT = 5  # points of each kind of run in the short version, spread over all


class Worker:
    """The process that runs ingestions; `log` is what they say."""

    def __init__(self, log):
        self.log = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
        )  # fmt: skip
        assert self.process.stdout.readline() == "ready\n"

    def run(self, home, at=0, told=""):
        """How one ingestion ended: 0, the signal that killed it, or an error."""
        asked = {"home": str(home), "at": at, "told": str(told)}
        self.process.stdin.write(f"{json.dumps(asked)}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def told(self, home):
        """What an undisturbed ingestion passed and left."""
        told = home.with_name(f"{home.name}.json")
        assert self.run(home, told=told) == 0, f"see {self.log.name}"
        return json.loads(told.read_text())


@pytest.fixture(scope="module")
def host():
    with PodcastHost() as host:
        captioned = feed("two", more=CAPTIONED).decode().partition("</title>")[2].removesuffix("</channel></rss>")
        host.serve("/feed.xml", document(feed("one").replace(b"</channel>", f"{captioned}</channel>".encode())))
        host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))
        for guid in DATES:
            host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg"))
        yield host


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    worker = Worker(tmp_path_factory.mktemp("crash") / "log")
    yield worker
    worker.process.stdin.close()
    worker.process.stdout.close()
    worker.process.wait(60)
    worker.log.close()


@pytest.fixture
def fresh(host, tmp_path):
    """A home with a subscription and nothing else."""
    with opened(tmp_path / "fresh") as context:
        subscribe(context, host.url("/feed.xml"))
    return tmp_path / "fresh"


def changed(worker, home):
    """The home after a run and what a person may do then: one document edited, the other deleted."""
    assert worker.run(home) == 0
    library = Library(home / "library")
    edited, deleted = (library.root / document.name for document in library.documents())
    edited.write_text(edited.read_text().replace("deals", "prices").replace("meeting", "appointment"))
    deleted.unlink()
    return home


def killed_everywhere(worker, start, most=0):
    """Kill a run at its points (so many of them at most); prints and returns the tally."""
    undisturbed = start.with_name("undisturbed")
    shutil.copytree(start, undisturbed)
    expected = worker.told(undisturbed)
    points = len(expected["seen"])
    tally = {"tried": 0, "killed": 0, "lost": 0, "doubled": 0, "unhealed": 0}
    for at in range(1, points + 1, max(1, points // most) if most else 1):
        home = start.with_name(f"at-{at}")
        shutil.copytree(start, home)
        tally["tried"] += 1
        tally["killed"] += worker.run(home, at) == signal.SIGKILL
        found = compare(expected["state"], worker, home)
        if found:
            print(f"point {at} of {points} ({expected['seen'][at - 1]}): {found}")
        for what in found:
            tally[what] += 1
        shutil.rmtree(home)
    print(", ".join(f"{what} {number}" for what, number in tally.items()))
    return tally


def compare(expected, worker, home):
    """What is wrong after the next run: `lost`, `doubled`, `unhealed`, with the reason."""
    told = home.with_name("told.json")
    if worker.run(home, told=told) != 0:
        return {"unhealed": f"the next run fails; see {worker.log.name}"}
    found, wrong = json.loads(told.read_text())["state"], {}
    if missing := set(expected["documents"]) - set(found["documents"]) or set(expected["indexed"]) - set(
        found["indexed"]
    ):
        wrong["lost"] = sorted(missing)
    if len(set(map(tuple, found["chunks"]))) != len(found["chunks"]) or len(set(found["documents"])) != len(
        found["documents"]
    ):
        wrong["doubled"] = found["documents"]
    if different := [name for name in expected if expected[name] != found[name]]:
        wrong["unhealed"] = {name: (expected[name], found[name]) for name in different}
    if any(key not in found["indexed"] for key, _ in found["chunks"]):
        wrong["unhealed"] = "chunks without their episode"
    return wrong


def all_healed(tally):
    return tally["killed"] > 0.9 * tally["tried"] and not (tally["lost"] or tally["doubled"] or tally["unhealed"])


def test_a_run_killed_here_and_there_is_ended_by_the_next(worker, fresh):
    assert all_healed(killed_everywhere(worker, fresh, SHORT))


def test_a_run_over_a_changed_library_killed_here_and_there_is_ended_by_the_next(worker, fresh):
    assert all_healed(killed_everywhere(worker, changed(worker, fresh), SHORT))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_run_killed_anywhere_is_ended_by_the_next(worker, fresh, tmp_path):
    first = killed_everywhere(worker, fresh)
    shutil.rmtree(tmp_path / "undisturbed")
    second = killed_everywhere(worker, changed(worker, fresh))

    assert all_healed(first)
    assert all_healed(second)
    assert first["killed"] + second["killed"] >= 300
