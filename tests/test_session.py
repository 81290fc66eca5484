"""The run without its engine: real feeds and audio over HTTP, real library, ledger and index, a stand-in for the models."""

from dataclasses import replace

import pytest

from flows import polling, session, steps
from flows.studio import alone, open_studio
from flows.terminal import Reporter
from index.build import update
from index.store import Store
from ingest import feeds
from ingest.errors import AudioError, FetchError, HomeError, NotFoundError
from ingest.models import Segment
from ingest.settings import Settings
from ingest.transcribe import Transcription
from tests.conftest import ROOT
from tests.fakes import BagOfWords
from tests.podcast_host import PodcastHost, Reply, document

SOUND = next((ROOT / "tests" / "sample" / "audio").glob("first-calls.*")).read_bytes()
SRT = "1\n00:00:00,000 --> 00:00:30,000\n" + "We talk about deals and about people. " * 10
ITEM = """<item><guid>{guid}</guid><title>{title}</title><pubDate>{date}</pubDate>{more}
<enclosure url="/audio/{guid}.mp3" type="audio/mpeg" length="1"/></item>"""
DATES = {"one": "Mon, 05 Jan 2026 08:00:00 GMT", "two": "Mon, 12 Jan 2026 08:00:00 GMT"}
CAPTIONED = '<podcast:transcript url="/two.srt" type="application/x-subrip"/>'


def feed(*guids, more=""):
    items = "".join(ITEM.format(guid=guid, title=f"Episode {guid}", date=DATES[guid], more=more) for guid in guids)
    head = '<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Quota</title>'
    return f"{head}{items}</channel></rss>".encode()


class Parrot:
    """A transcriber that says the same of any audio."""

    def __init__(self):
        self.heard = []

    def transcribe(self, audio, **_options):
        self.heard.append(audio.name)
        spoken = Segment(0.0, 4.0, "Ask for the next meeting before you hang up.")
        return Transcription((spoken,), (), "en", 4.0, {"source": "model", "model": "parrot"})


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed("one", "two"), etag='"1"'))
        for guid in DATES:
            host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg", etag=f'"{guid}"'))
        yield host


@pytest.fixture
def studio(host, tmp_path):
    with open_studio(Settings(home=tmp_path / "home", allow_hosts="127.0.0.1", timeout=5)) as opened:
        studio = replace(opened, transcriber=Parrot())
        fetched = feeds.fetch(studio.client, host.url("/feed.xml"), now=steps.now())
        polling.subscribe(studio.settings, studio.ledger, feeds.parse(host.url("/feed.xml"), fetched.body), fetched)
        yield studio


def index(settings, _advance):
    return update(steps.Library(settings.library_dir), Store(settings.index_dir), BagOfWords())


ACTIONS = session.Actions(index=index)


def run(studio, actions=ACTIONS, **options):
    return session.run(studio, Reporter(None), actions=actions, **options)


def statuses(studio):
    return {record.episode.guid: record.status for record in studio.ledger.records()}


def test_a_run_takes_every_new_episode_into_library_and_index(studio):
    report = run(studio)

    assert (report.new, report.failed) == (["quota: Episode two", "quota: Episode one"], [])
    assert 2 == len(studio.library.paths()) == Store(studio.settings.index_dir).counts()["episodes"]
    assert statuses(studio) == {"one": "done", "two": "done"}


def test_a_second_run_costs_one_small_request_and_does_nothing_twice(studio, host):
    run(studio)
    before = [path.stat().st_mtime_ns for path in studio.library.paths()]
    host.requests.clear()

    report = run(studio)

    assert (report.new, report.skipped, report.chunks, report.unchanged_feeds) == ([], 2, 0, 1)
    assert [asked.path for asked in host.requests] == ["/feed.xml"]
    assert before == [path.stat().st_mtime_ns for path in studio.library.paths()]


def test_a_good_publisher_transcript_saves_the_download(studio, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))

    run(studio, latest=1)

    transcript = studio.library.read(studio.library.find("two"))
    assert transcript.provenance["source"] == "publisher"
    assert "/audio/two.mp3" not in [asked.path for asked in host.requests]


def test_a_poor_publisher_transcript_is_passed_over_and_the_report_says_why(studio, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", Reply(200, b"<html>no such page</html>", {"Content-Type": "text/html"}))

    report = run(studio, latest=1)

    assert studio.library.read(studio.library.find("two")).provenance["source"] == "model"
    assert any("/two.srt" in warning for warning in report.warnings)


def test_one_bad_episode_does_not_stop_the_others_and_is_tried_again(studio, host):
    host.serve("/audio/two.mp3", Reply(200, b"<html>Sorry</html>" * 100, {"Content-Type": "text/html"}))

    report = run(studio)

    assert (report.new, statuses(studio)) == (["quota: Episode one"], {"one": "done", "two": "failed"})
    assert len(report.failed) == 1
    host.serve("/audio/two.mp3", document(SOUND, "audio/mpeg"))
    assert run(studio).new == ["quota: Episode two"]


def test_a_scheduled_run_leaves_a_failed_episode_alone_until_it_is_due(studio, host):
    host.serve("/audio/two.mp3", Reply(404))
    run(studio)
    host.requests.clear()

    run(studio, due_only=True)

    assert host.requests == []


def test_one_bad_feed_does_not_stop_the_run_and_loses_nothing(studio, host):
    host.serve("/feed.xml", Reply(200, b"<html><body>We are closed</body></html>", {"Content-Type": "text/html"}))

    report = run(studio)

    assert len(report.new) == 2
    assert [(subject, "web page" in reason) for subject, reason in report.failed] == [("quota", True)]
    assert "web page" in studio.ledger.feed("quota").last_error


def test_latest_looks_at_the_newest_only_and_the_rest_stays_pending(studio):
    report = run(studio, latest=1)

    assert (report.new, report.pending) == (["quota: Episode two"], 1)


def test_a_run_killed_after_writing_takes_the_transcript_as_done(studio):
    cut = session.Actions(index=index, keep=lambda studio, transcript, _original: studio.library.write(transcript))
    run(studio, cut)
    assert statuses(studio) == {"one": "pending", "two": "pending"}

    report = run(studio)

    assert report.new == []
    assert statuses(studio) == {"one": "done", "two": "done"}
    assert len(studio.transcriber.heard) == 2


def test_audio_is_dropped_once_its_transcript_is_kept(studio):
    run(studio)

    assert [path for path in studio.settings.audio_dir.rglob("*") if path.is_file()] == []


def test_an_unknown_podcast_is_refused(studio):
    with pytest.raises(NotFoundError):
        run(studio, podcast="nobody")


def test_two_runs_never_work_in_one_home(studio):
    with pytest.raises(HomeError, match="another run"), alone(studio.settings.home):
        pass


def test_steps_raise_what_the_engine_decides_on(studio, host):
    host.serve("/feed.xml", Reply(503, headers={"Retry-After": "120"}))
    host.serve("/audio/one.mp3", Reply(200, b"not audio at all", {"Content-Type": "text/plain"}))
    one = next(record.episode for record in studio.ledger.records() if record.episode.guid == "one")

    with pytest.raises(FetchError) as refused:
        polling.poll(studio, studio.ledger.feed("quota"))
    with pytest.raises(AudioError):
        steps.download(studio, one, lambda _done, _total: None)
    assert refused.value.status == 503
