"""One episode's way with the n-th file operation failing, for every n: nothing is lost, nothing doubled, nothing half."""

import json
import shutil
from contextlib import suppress

import pytest

from flows import run as runs
from flows.progress import Reporter
from index.build import BuildReport
from ingest.errors import SoundbiteError
from ingest.library import Library
from tests.faults import Faults, files
from tests.flows.test_run import CAPTIONED, SOUND, SRT, feed, opened, subscribe
from tests.podcast_host import PodcastHost, document

NO_INDEX = runs.Actions(
    index=lambda *_: 0, update_index=lambda *_: BuildReport()
)  # LanceDB's own files are not ours to fail; see tests/index


@pytest.fixture(params=["audio", "publisher"])
def host(request):
    """One episode to transcribe, or one with its publisher's transcript."""
    with PodcastHost() as host:
        more = CAPTIONED if request.param == "publisher" else ""
        host.serve("/feed.xml", document(feed("two", more=more), etag='"1"'))
        host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))
        host.serve("/audio/two.mp3", document(SOUND, "audio/mpeg", etag='"two"'))
        yield host


@pytest.fixture(autouse=True)
def _same_clock(monkeypatch):
    monkeypatch.setattr("ingest.pipeline.iso_milliseconds", lambda _: "2026-02-01T00:00:00.000Z")


def run(home):
    with opened(home) as context:
        return runs.run(context, Reporter(None), runs.Selection(), NO_INDEX)


def whole(home):
    """What must hold at any moment: each document is complete, and what the ledger calls done is there."""
    library = Library(home / "library")
    for one in library.documents():
        assert library.read(one.name).turns, one.name
        beside = (library.root / one.name).with_suffix(".json")
        assert json.loads(beside.read_text())["segments"], f"{one.name} without its times"
    with opened(home) as context:
        done = {record.episode.key for record in context.ingest.ledger.records() if record.status == "done"}
    assert done <= {one.key for one in library.documents()}


def settled(home):
    """What must hold after an undisturbed run: one document, byte for byte, and nothing left over."""
    with opened(home) as context:
        statuses = [record.status for record in context.ingest.ledger.records()]
    kept = {name: _undated(name, data) for name, data in files(home / "library").items() if not name.startswith(".")}
    left_over = [name for name in files(home) if name.startswith("audio/") or name.endswith(".part")]
    return kept, statuses, left_over


def _undated(name, data):
    """A file of the library without the moment at which the host answered."""
    if not name.endswith(".json"):
        return data
    found = json.loads(data)
    found["soundbite"]["provenance"].get("audio_headers", {}).pop("date", None)
    return found


@pytest.mark.parametrize("kill", [False, True], ids=["fails once", "dies there"])
def test_whatever_fails_is_mended_by_the_next_run(host, tmp_path, monkeypatch, kill):
    fresh, undisturbed = tmp_path / "fresh", tmp_path / "undisturbed"
    with opened(fresh) as context:
        subscribe(context, host.url("/feed.xml"))
    shutil.copytree(fresh, undisturbed)
    with Faults(monkeypatch, within=tmp_path) as counted:
        run(undisturbed)
    expected = settled(undisturbed)
    assert (["done"], []) == expected[1:]

    for n in range(1, counted.count + 1):
        home = tmp_path / f"{n}"
        shutil.copytree(fresh, home)
        with Faults(monkeypatch, n, kill=kill, within=tmp_path) as faults, suppress(SoundbiteError, OSError):
            run(home)
        whole(home)
        run(home)
        assert expected == settled(home), f"operation {n} of {counted.count}: {faults.failed}"
