"""The steps of different episodes beside each other, and what bounds that."""

import errno
import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flows import run as runs
from flows import work
from flows.progress import Reporter
from flows.work import MAX_AUDIO
from ingest import pipeline
from ingest.errors import DiskFullError
from tests.flows.test_children import wait_for
from tests.flows.test_run import (
    CAPTIONED,
    SOUND,
    SRT,
    Parrot,
    feed,
    opened,
    paths,
    run,
    statuses,
    subscribe,
    transcriber_of,
)
from tests.podcast_host import PodcastHost, Reply, document

GUIDS = [f"e{n:02}" for n in range(10)]
DATES = {guid: f"{datetime(2026, 1, 5, 8, tzinfo=UTC) - timedelta(days=n):%a, %d %b %Y %H:%M:%S GMT}" for n, guid in enumerate(GUIDS)}  # fmt: skip
TITLES = [f"quota: Episode {guid}" for guid in GUIDS]


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed(*GUIDS, dates=DATES)))
        for guid in GUIDS:
            host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg"))
        yield host


@pytest.fixture
def context(host, tmp_path):
    with opened(tmp_path / "home") as context:
        subscribe(context, host.url("/feed.xml"))
        yield context


class Slow(Parrot):
    """A transcriber that takes its time, one at a time; `most` is how much audio lay there at once."""

    def __init__(self, seconds=0.0, until=lambda: True):
        super().__init__()
        self.seconds, self.until, self.most, self.lock = seconds, until, 0, threading.Lock()

    def transcribe(self, audio, **options):
        assert self.lock.acquire(blocking=False), "two transcriptions at once"
        try:
            time.sleep(self.seconds)
            if not self.heard:
                wait_for(self.until, 60)
            self.most = max(self.most, len(list(audio.parent.glob("*.mp3"))))
            return super().transcribe(audio, **options)
        finally:
            self.lock.release()


def audio(host):
    return [path for path in paths(host) if path.startswith("/audio")]


def test_a_few_downloads_run_ahead_of_transcription_and_no_more(context, host):
    slow = Slow(0.05, lambda: len(audio(host)) >= MAX_AUDIO)

    report = run(transcriber_of(context, slow))

    assert TITLES == report.new
    assert [f"/audio/{guid}.mp3" for guid in GUIDS] == audio(host)
    assert 2 < slow.most <= MAX_AUDIO


def test_no_download_runs_ahead_of_the_free_disk(context, monkeypatch):
    monkeypatch.setattr(work, "free_disk", lambda _: 2 * work.MIN_FREE_DISK)
    slow = Slow(0.05)

    assert TITLES == run(transcriber_of(context, slow)).new
    assert 1 == slow.most


@pytest.mark.parametrize("full", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), DiskFullError("x", "is full")])
def test_a_download_ahead_that_fills_the_disk_waits_until_there_is_room(context, full):
    """The run goes on with one file at a time; what is downloaded makes room once it is transcribed."""
    failed = []

    def download(ingest, episode, advance):
        if list(ingest.audio_dir.glob("*.mp3")):
            failed.append(episode.guid)
            raise full
        return pipeline.download(ingest, episode, advance)

    report = run(transcriber_of(context, Slow(0.05, lambda: failed)), runs.Actions(download=download))

    assert (TITLES, []) == (sorted(report.new), report.failed)
    assert failed


def test_a_publishers_transcript_does_not_wait_behind_audio(context, host):
    """Not for a transcription, a download, or a speech model that is not there yet."""
    host.serve("/feed.xml", document(feed(*GUIDS[:9], dates=DATES).replace(
        b"</channel>", feed("e09", dates=DATES, more=CAPTIONED).partition(b"</title>")[2]
    )))  # fmt: skip
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))
    host.serve("/audio/e00.mp3", document(SOUND, "audio/mpeg", wait=0.3))
    slow = Slow(0.0, lambda: statuses(context)["e09"] == "done")

    report = run(transcriber_of(context, slow))

    assert (TITLES[-1], set(TITLES)) == (report.new[0], set(report.new))


def test_a_slow_host_holds_up_its_own_episodes_alone(context, host):
    slow = host.url("/slow/{guid}.mp3", "localhost")
    host.serve("/slow.xml", document(feed("e00", "e01", dates=DATES, title="Slow", audio=slow)))
    host.serve("/slow/e00.mp3", document(SOUND, "audio/mpeg", wait=1.0))
    host.serve("/slow/e01.mp3", document(SOUND, "audio/mpeg"))
    subscribe(context, host.url("/slow.xml"))

    report = run(context)

    assert set(TITLES) | {"slow: Episode e00", "slow: Episode e01"} == set(report.new)
    assert report.new.index("slow: Episode e00") > 3
    assert paths(host).index("/slow/e01.mp3") > paths(host).index("/audio/e02.mp3")


def test_an_episode_is_indexed_while_the_next_one_is_transcribed(context):
    indexing, transcribing = threading.Event(), threading.Event()

    def index(run_context, document):
        indexing.set()
        assert transcribing.wait(60)
        return runs.ACTIONS.index(run_context, document)

    class Meeting(Parrot):
        def transcribe(self, audio, **options):
            if len(self.heard) == 1:
                transcribing.set()
                assert indexing.wait(60)
            return super().transcribe(audio, **options)

    report = run(transcriber_of(context, Meeting()), runs.Actions(index=index))

    assert (TITLES, []) == (report.new, report.failed)


def test_an_interrupt_does_not_wait_for_a_host(context, host):
    host.serve("/audio/e01.mp3", Reply(200, SOUND, {"Content-Type": "audio/mpeg"}, wait=600.0))

    def interrupted(*_):
        wait_for(lambda: "/audio/e01.mp3" in paths(host), 60)
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(context, runs.Actions(transcribe=interrupted))

    assert time.monotonic() - started < 10
    assert {"pending"} == set(statuses(context).values())


# A run that is begun without its engine


def begin(context, **selection):
    return runs.begin(context, Reporter(None), runs.Selection(**selection))


def test_it_is_known_before_the_engine_starts_whether_there_is_work(context, host):
    first = begin(context)
    assert first.has_work
    assert TITLES == first.complete(Reporter(None), runs.ACTIONS).new
    asked = len(host.requests)

    second = begin(context)

    assert not second.has_work
    assert second.complete(Reporter(None), runs.ACTIONS).skipped == len(GUIDS)
    assert asked + 1 == len(host.requests)


@pytest.mark.parametrize(("reply", "again"), [(Reply(503), True), (Reply(404), False), (Reply(200, b"<p>"), False)])
def test_a_feed_that_may_do_better_in_a_moment_is_work_for_the_engine(context, host, reply, again):
    run(context)
    host.serve("/feed.xml", [*[Reply(200)] * len(host.requests), reply, document(feed(*GUIDS, dates=DATES))])
    host.requests[:] = [replace(asked, path="/feed.xml") for asked in host.requests]

    begun = begin(context)
    assert again == begun.has_work
    report = begun.complete(Reporter(None), runs.ACTIONS)

    assert ([] if again else ["quota"]) == [subject for subject, _ in report.failed]
