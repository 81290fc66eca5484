"""The run without its engine: real feeds and audio over HTTP, real library, ledger and index, a stand-in for the models."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from flows import run as session
from flows.cli.output import Reporter
from flows.cli.transcripts import _files
from flows.context import alone, open_studio
from index.build import update
from index.store.lance import Store
from ingest import pipeline as steps
from ingest.errors import AudioError, BlockedAddressError, FetchError, HomeError, NotFoundError
from ingest.feeds import parse as feeds
from ingest.feeds import poll as polling
from ingest.models import Segment
from ingest.settings import Settings
from ingest.speech.segments import Word
from ingest.speech.transcribe import Transcription
from tests.conftest import ROOT
from tests.fakes import BagOfWords
from tests.podcast_host import PodcastHost, Reply, document, redirect

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

    def transcribe(self, audio, *, language, **_options):
        self.heard.append(audio.name)
        self.language = language
        spoken = Segment(0.0, 4.0, "Ask for the next meeting before you hang up.")
        return Transcription((spoken,), (Word(0.0, 0.4, " Ask"),), "en", 4.0, {"source": "model", "model": "parrot"})


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


def test_the_publishers_own_file_stays_beside_the_transcript_and_is_never_taken_for_one(studio, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))

    run(studio, latest=1)

    (path,) = studio.library.paths()
    original = path.with_name(f"{path.stem}.publisher.srt")
    told = studio.library.read(path).provenance
    assert SRT.encode() == original.read_bytes()
    assert (sha256(SRT.encode()).hexdigest(), host.url("/two.srt")) == (told["sha256"], told["final_url"])
    assert (140.0, True) == (told["score"]["words_per_minute"], told["score"]["monotone"])
    assert [path] == list(_files([studio.settings.library_dir]))


def test_a_transcript_in_another_language_is_passed_over_unread(studio, host):
    german = CAPTIONED.replace("type=", 'language="de" type=')
    host.serve(
        "/feed.xml", document(feed("two", more=german).replace(b"<item>", b"<language>en-us</language><item>", 1))
    )

    report = run(studio, latest=1)

    assert [f"{host.url('/two.srt')}: it is in 'de', the podcast in 'en'"] == report.warnings
    assert "/two.srt" not in [asked.path for asked in host.requests]
    assert studio.library.read(studio.library.find("two")).provenance["source"] == "model"


def test_words_without_times_will_do_where_there_is_no_audio(studio, host):
    text = "Ann: We talk about deals.\n\nBen: And about people."
    silent = feed("two", more=CAPTIONED.replace("two.srt", "two.txt").replace("application/x-subrip", "text/plain"))
    host.serve("/two.txt", document(text.encode(), "text/plain"))
    episode = replace(feeds.parse(host.url("/feed.xml"), silent).episodes[0], audio_url="")

    obtained, refused = steps.publisher_transcript(studio, episode)

    assert ([], ()) == (refused, obtained.transcript.segments)
    assert ["Ann", "Ben"] == [turn.speaker for turn in obtained.transcript.turns]


def test_provenance_says_where_the_audio_came_from_and_that_times_are_approximate(studio, host):
    long = '<itunes:duration xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">0:10</itunes:duration>'
    host.serve("/feed.xml", document(feed("two", more=long)))
    host.serve("/audio/two.mp3", redirect(302, "/cdn/two.mp3"))
    host.serve("/cdn/two.mp3", document(SOUND, "audio/mpeg", etag='"two"'))

    run(studio)

    two, one = (studio.library.read(studio.library.find(guid)).provenance for guid in ("two", "one"))
    assert (sha256(SOUND).hexdigest(), len(SOUND)) == (two["audio_sha256"], two["audio_bytes"])
    assert (host.url("/cdn/two.mp3"), '"two"') == (two["audio_url"], two["audio_headers"]["etag"])
    assert (10.0, 4.0, "approximate") == (two["declared_duration"], two["duration"], two["times"])
    assert (None, None) == (one["declared_duration"], one.get("times"))


def test_audio_is_kept_where_that_is_set_up_to_the_bound(studio):
    kept = replace(studio, settings=studio.settings.model_copy(update={"keep_audio": True}))

    run(kept)
    names = sorted(path.suffix for path in kept.settings.audio_dir.iterdir())
    steps.audio.bound(kept.settings.audio_dir, len(SOUND))

    assert [".mp3", ".mp3"] == names
    assert 1 == len(list(kept.settings.audio_dir.iterdir()))


def test_since_takes_episodes_of_that_day_or_later(studio):
    report = run(studio, since=datetime(2026, 1, 12, tzinfo=UTC))

    assert (report.new, report.pending) == (["quota: Episode two"], 1)


def test_a_feed_that_is_gone_is_asked_only_by_name_and_nothing_is_lost(studio, host):
    host.serve("/feed.xml", Reply(410))
    assert "gone for good" in run(studio).failed[0][1]
    host.requests.clear()

    told = run(studio)

    assert ([], True) == (host.requests, "soundbite run --podcast quota" in told.warnings[0])
    assert statuses(studio) == {"one": "done", "two": "done"}
    run(studio, podcast="quota")
    assert ["/feed.xml"] == [asked.path for asked in host.requests]


def test_a_host_that_names_its_time_is_not_asked_for_audio_before(studio, host):
    host.serve("/audio/two.mp3", Reply(503, headers={"Retry-After": "86400"}))

    run(studio)

    failed = next(record for record in studio.ledger.records() if record.status == "failed")
    assert failed.next_try - steps.now() > timedelta(hours=23)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (AudioError("x", "ended at the wrong place", transient=True), True),
        (AudioError("x", "is not audio"), False),
        (FetchError("x", "did not answer"), True),
        (FetchError("x", "busy", 503), True),
        (FetchError("x", "busy", 503, 120.0), False),
        (FetchError("x", "is not there", 404), False),
        (BlockedAddressError("x", "is not public"), False),
        (None, False),
    ],
)
def test_only_what_may_do_better_in_a_moment_is_tried_again_at_once(error, again):
    assert again == steps.is_transient(error)


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


def test_a_feeds_own_language_and_the_times_of_words_are_kept_where_asked_for(studio):
    studio.ledger.override("quota", spoken="de")
    asked = replace(studio, settings=studio.settings.model_copy(update={"keep_words": True}))

    run(asked, latest=1)

    assert "de" == studio.transcriber.language
    assert [[0.0, 0.4, "Ask"]] == studio.library.read(studio.library.paths()[0]).provenance["words"]
