"""The run without its engine: real feeds and audio over HTTP, real library, ledger and index, a stand-in for the models."""

import errno
import logging
import os
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from flows import run as runs
from flows import steps
from flows.context import RunContext, alone, open_context
from flows.progress import Reporter
from flows.work import MAX_AUDIO
from index.query import Query
from index.search import Searcher
from ingest import pipeline
from ingest.errors import (
    AudioError,
    BlockedAddressError,
    DiskFullError,
    FetchError,
    HomeError,
    NotFoundError,
    StorageError,
    TranscriptionError,
    UnreachableError,
)
from ingest.feeds import poll as polling
from ingest.feeds import reading, schedule
from ingest.feeds.parse import parse
from ingest.intake import find_sources, read_source
from ingest.ledger import Ledger
from ingest.models import Segment, Subscription
from ingest.run_history import last_runs
from ingest.settings import Settings
from ingest.speech.segments import Word
from ingest.speech.transcribe import Transcription
from ingest.times import now
from tests.conftest import ROOT
from tests.fakes import BagOfWords, TwoVoices
from tests.flows.test_children import wait_for
from tests.podcast_host import PodcastHost, Reply, document, redirect

SOUND = next((ROOT / "tests" / "sample" / "audio").glob("first-calls.*")).read_bytes()
SRT = "1\n00:00:00,000 --> 00:02:00,000\n" + "We talk about deals and about people. " * 10
ITEM = """<item><guid>{guid}</guid><title>{title}</title><pubDate>{date}</pubDate>{more}
<enclosure url="{audio}" type="audio/mpeg" length="1"/></item>"""
DATES = {"one": "Mon, 05 Jan 2026 08:00:00 GMT", "two": "Mon, 12 Jan 2026 08:00:00 GMT"}
CAPTIONED = '<podcast:transcript url="/two.srt" type="application/x-subrip"/>'
HEAD = '<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>{title}</title>'


def feed(*guids, more="", title="Quota", dates=DATES, audio="/audio/{guid}.mp3"):
    items = "".join(
        ITEM.format(guid=guid, title=f"Episode {guid}", date=dates[guid], more=more, audio=audio.format(guid=guid))
        for guid in guids
    )
    return f"{HEAD.format(title=title)}{items}</channel></rss>".encode()


class Parrot:
    """A transcriber that says the same of any audio."""

    def __init__(self):
        self.heard = []

    def load(self):
        return self

    def known_language(self, language):
        return language

    def transcribe(self, audio, *, language, **_options):
        self.heard.append(audio.name)
        self.language = language
        spoken = Segment(0.0, 4.0, "Ask for the next meeting before you hang up.")
        return Transcription((spoken,), (Word(0.0, 0.4, " Ask"),), "en", 4.0, {"source": "model", "model": "parrot"})


class NoModel(Parrot):
    def load(self):
        raise TranscriptionError("small", "is not on this machine; fetch it with `soundbite model pull small`")


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed("one", "two"), etag='"1"'))
        for guid in DATES:
            host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg", etag=f'"{guid}"'))
        yield host


@contextmanager
def opened(home, transcriber=None, **settings):
    """A context in which the models are stand-ins."""
    with open_context(Settings(home=home, allow_hosts="127.0.0.1,localhost", **settings)) as context:
        ingest = replace(context.ingest, transcriber=transcriber or Parrot())
        yield RunContext(context.home, ingest, context.store, BagOfWords())


def subscribe(context, url):
    found, fetched = reading.read_feed(context.ingest.client, url, now=now())
    polling.subscribe(context.ingest.ledger, found, fetched, now())


@pytest.fixture
def context(host, tmp_path):
    with opened(tmp_path / "home") as context:
        subscribe(context, host.url("/feed.xml"))
        yield context


ACTIONS = runs.Actions()


def run(context, actions=ACTIONS, **selection):
    return runs.run(context, Reporter(None), runs.Selection(**selection), actions)


def records(context):
    return {record.episode.guid: record for record in context.ingest.ledger.records()}


def statuses(context):
    return {guid: record.status for guid, record in records(context).items()}


def documents(context):
    return context.ingest.library.documents()


def texts(context):
    return {one.name: context.ingest.library.storage.read(one.name)[0] for one in documents(context)}


def read(context, guid):
    library = context.ingest.library
    return library.read(library.find(guid).name)


def paths(host):
    return [asked.path for asked in host.requests]


def transcriber_of(context, transcriber):
    return replace(context, ingest=replace(context.ingest, transcriber=transcriber))


# What a run does


def test_a_run_takes_every_new_episode_into_library_and_index(context):
    report = run(context)

    assert (report.new, report.failed) == (["quota: Episode two", "quota: Episode one"], [])
    assert 2 == len(documents(context)) == context.store.counts()["episodes"]
    assert statuses(context) == {"one": "done", "two": "done"}


def test_a_second_run_costs_one_small_request_and_does_nothing_twice(context, host):
    run(context)
    before = documents(context)
    host.requests.clear()

    report = run(context)

    assert (report.new, report.skipped, report.chunks, report.unchanged_feeds) == ([], 2, 0, 1)
    assert ["/feed.xml"] == paths(host)
    assert before == documents(context)


def test_an_episode_is_searchable_before_the_next_one_is_transcribed(context):
    """Ctrl-C in the second of many leaves the first searchable."""

    def interrupted(ingest, episode, sound, advance):
        if episode.guid == "one":
            wait_for(lambda: statuses(context)["two"] == "done", 60)
            raise KeyboardInterrupt
        return pipeline.transcribe(ingest, episode, sound, advance)

    with pytest.raises(KeyboardInterrupt):
        run(context, runs.Actions(transcribe=interrupted))

    (hit,) = Searcher(context.store, context.embedder).search(Query("ask for the next meeting")).hits
    assert ("Episode two", {"one": "pending", "two": "done"}) == (hit.title, statuses(context))


def test_one_queue_holds_all_feeds_newest_first(context, host):
    host.serve("/daily.xml", document(feed("mon", "sun", title="Daily", dates={
        "mon": "Mon, 19 Jan 2026 08:00:00 GMT", "sun": "Sun, 11 Jan 2026 08:00:00 GMT"
    }, audio="/audio/one.mp3")))  # fmt: skip
    subscribe(context, host.url("/daily.xml"))

    report = run(context)

    assert ["daily: Episode mon", "quota: Episode two", "daily: Episode sun", "quota: Episode one"] == report.new


def test_a_feed_that_comes_due_during_a_run_is_polled_beside_the_work(context, host, monkeypatch):
    """A daily show does not wait behind an archive."""
    monkeypatch.setattr("flows.run.LOOK_SECONDS", 0.2)
    dates = {f"old{n}": f"Thu, 0{n} Jan 2025 08:00:00 GMT" for n in range(1, 9)} | DATES
    newer = {**dates, "new": "Mon, 26 Jan 2026 08:00:00 GMT"}
    host.serve("/feed.xml", document(feed(*dates, dates=dates)))
    for guid in newer:
        host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg"))

    def transcribing(ingest, episode, sound, advance):
        if episode.guid == "two":
            host.serve("/feed.xml", document(feed(*newer, dates=newer)))
            ingest.ledger.record_poll(replace(ingest.ledger.feed("quota"), etag="", next_poll=now()), now())
            wait_for(lambda: len(records(context)) == len(newer), 60)
        return pipeline.transcribe(ingest, episode, sound, advance)

    report = run(context, runs.Actions(transcribe=transcribing))

    assert ("quota: Episode two", 11) == (report.new[0], len(report.new))
    assert report.new.index("quota: Episode new") <= MAX_AUDIO


def test_since_takes_episodes_of_that_day_or_later(context):
    report = run(context, since=datetime(2026, 1, 12, tzinfo=UTC))

    assert (report.new, report.pending) == (["quota: Episode two"], 1)


def test_latest_looks_at_the_newest_only_and_the_rest_stays_pending(context):
    report = run(context, latest=1)

    assert (report.new, report.pending) == (["quota: Episode two"], 1)


def test_an_unknown_podcast_is_refused(context):
    with pytest.raises(NotFoundError):
        run(context, podcast="nobody")


def test_a_podcast_is_known_by_its_title_as_by_its_slug(context):
    assert ["quota: Episode two"] == run(context, podcast="Quota", latest=1).new


def test_two_runs_never_work_in_one_home(context):
    with pytest.raises(HomeError, match="another run"), alone(context.home):
        pass


# Publishers' transcripts


def test_a_good_publisher_transcript_saves_the_download(context, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))

    run(context, latest=1)

    assert read(context, "two").provenance["source"] == "publisher"
    assert "/audio/two.mp3" not in paths(host)


def test_the_charset_of_the_header_is_believed_where_a_publishers_bytes_are_not_utf_8(context, host):
    russian = SRT.replace("We talk about deals and about people.", "Мы обсуждаем сделки и людей.")
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", document(russian.encode("cp1251"), "application/x-subrip; charset=windows-1251"))

    run(context, latest=1)

    assert "Мы обсуждаем сделки" in read(context, "two").turns[0].text


def test_a_poor_publisher_transcript_is_passed_over_and_the_report_says_why(context, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", Reply(200, b"<html>no such page</html>", {"Content-Type": "text/html"}))

    report = run(context, latest=1)

    assert read(context, "two").provenance["source"] == "model"
    assert any("/two.srt" in warning for warning in report.warnings)


def test_a_publishers_transcript_whose_host_is_busy_is_asked_for_again_before_the_audio_is(context, host):
    """One 503 does not cost the publisher's own words for good; three do."""
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", [Reply(503), document(SRT.encode(), "application/x-subrip")])

    first = run(context, latest=1)
    assert ("failed", 1, True) == (statuses(context)["two"], len(first.failed), "503" in records(context)["two"].reason)

    run(context, latest=1)
    assert "publisher" == read(context, "two").provenance["source"]
    assert "/audio/two.mp3" not in paths(host)


def test_a_publishers_transcript_that_never_comes_gives_way_to_the_audio(context, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", Reply(503))

    reports = [run(context, latest=1) for _ in range(pipeline.PUBLISHER_TRIES)]

    assert [[], [], ["quota: Episode two"]] == [report.new for report in reports]
    assert "model" == read(context, "two").provenance["source"]


def test_a_publisher_whose_host_is_down_gives_way_to_the_audio_too(context, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED.replace("/two.srt", "http://localhost:1/two.srt"))))

    reports = [run(context, latest=1) for _ in range(pipeline.PUBLISHER_TRIES)]

    assert [[], [], ["quota: Episode two"]] == [report.new for report in reports]


def test_the_publishers_own_file_stays_beside_the_transcript_and_is_never_taken_for_one(context, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))

    run(context, latest=1)

    root = context.ingest.library.root
    path = root / documents(context)[0].name
    original = path.with_name(f"{path.stem}.publisher.srt")
    provenance = read(context, "two").provenance
    assert SRT.encode() == original.read_bytes()
    assert (sha256(SRT.encode()).hexdigest(), host.url("/two.srt")) == (provenance["sha256"], provenance["final_url"])
    assert (35.0, True) == (provenance["score"]["words_per_minute"], provenance["score"]["monotone"])
    assert [path] == [read_source(one, "")[1] for one in find_sources([root])[0]]


def test_a_transcript_in_another_language_is_passed_over_unread(context, host):
    german = CAPTIONED.replace("type=", 'language="de" type=')
    host.serve(
        "/feed.xml", document(feed("two", more=german).replace(b"<item>", b"<language>en-us</language><item>", 1))
    )

    report = run(context, latest=1)

    assert [f"{host.url('/two.srt')}: it is in 'de', the podcast in 'en'"] == report.warnings
    assert "/two.srt" not in paths(host)
    assert read(context, "two").provenance["source"] == "model"


def test_words_without_times_will_do_where_there_is_no_audio(context, host):
    text = "Ann: We talk about deals.\n\nBen: And about people."
    silent = feed("two", more=CAPTIONED.replace("two.srt", "two.txt").replace("application/x-subrip", "text/plain"))
    host.serve("/two.txt", document(text.encode(), "text/plain"))
    episode = replace(parse(host.url("/feed.xml"), silent).episodes[0], audio_url="")

    obtained, refused = pipeline.publisher_transcript(context.ingest, episode)

    assert ([], ()) == (refused, obtained.transcript.segments)
    assert ["Ann", "Ben"] == [turn.speaker for turn in obtained.transcript.turns]


# Audio


def test_provenance_says_where_the_audio_came_from_and_that_times_are_approximate(context, host):
    long = '<itunes:duration xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">0:10</itunes:duration>'
    host.serve("/feed.xml", document(feed("two", more=long)))
    host.serve("/audio/two.mp3", redirect(302, "/cdn/two.mp3"))
    host.serve("/cdn/two.mp3", document(SOUND, "audio/mpeg", etag='"two"'))

    run(context)

    two, one = (read(context, guid).provenance for guid in ("two", "one"))
    assert (sha256(SOUND).hexdigest(), len(SOUND)) == (two["audio_sha256"], two["audio_bytes"])
    assert (host.url("/cdn/two.mp3"), '"two"') == (two["audio_url"], two["audio_headers"]["etag"])
    assert (10.0, 4.0, "approximate") == (two["declared_duration"], two["duration"], two["times"])
    assert (None, None) == (one["declared_duration"], one.get("times"))


def test_audio_is_kept_where_that_is_set_up_to_the_bound(context):
    kept = replace(context, ingest=replace(context.ingest, keep_audio=True))

    run(kept)
    names = sorted(path.suffix for path in kept.ingest.audio_dir.iterdir())
    pipeline.audio.drop_oldest(kept.ingest.audio_dir, len(SOUND))

    assert [".mp3", ".mp3"] == names
    assert 1 == len(list(kept.ingest.audio_dir.iterdir()))


def test_audio_is_dropped_once_its_transcript_is_kept(context):
    run(context)

    assert [path for path in context.ingest.audio_dir.rglob("*") if path.is_file()] == []


def test_a_feeds_own_language_counts(context):
    context.ingest.ledger.set_overrides("quota", language="de")

    run(context, latest=1)

    assert "de" == context.ingest.transcriber.language


# Failures


def test_one_bad_episode_does_not_stop_the_others_and_is_tried_again(context, host):
    host.serve("/audio/two.mp3", Reply(200, b"<html>Sorry</html>" * 100, {"Content-Type": "text/html"}))

    report = run(context)

    assert (report.new, statuses(context)) == (["quota: Episode one"], {"one": "done", "two": "failed"})
    assert len(report.failed) == 1
    host.serve("/audio/two.mp3", document(SOUND, "audio/mpeg"))
    assert run(context).new == ["quota: Episode two"]


def test_an_exception_that_nobody_foresaw_ends_one_episode_only(context, caplog):
    """It is logged with its traceback and recorded."""

    class Broken(Parrot):
        def transcribe(self, audio, **options):
            return (
                {}["no such key"]
                if not self.heard and not self.heard.append(1)
                else super().transcribe(audio, **options)
            )

    with caplog.at_level(logging.WARNING):
        report = run(transcriber_of(context, Broken()))

    assert (["quota: Episode one"], {"one": "done", "two": "failed"}) == (report.new, statuses(context))
    assert "KeyError: 'no such key'" == records(context)["two"].reason
    assert "Traceback" in caplog.text


def test_an_exception_in_one_poll_does_not_end_the_run(context):
    def broken(*_):
        raise ZeroDivisionError("no feed has that many parts")

    report = run(context, runs.Actions(poll=broken))

    assert (2, [("quota", "ZeroDivisionError: no feed has that many parts")]) == (len(report.new), report.failed)


def test_a_scheduled_run_leaves_a_failed_episode_alone_until_it_is_due(context, host):
    host.serve("/audio/two.mp3", Reply(404))
    run(context)
    host.requests.clear()

    run(context, due_only=True)

    assert host.requests == []


@pytest.mark.parametrize("status", [404, 410])
def test_an_episode_that_was_taken_away_is_tried_when_it_is_due_or_by_name_not_by_every_run(context, host, status):
    host.serve("/audio/two.mp3", Reply(status))
    assert len(run(context).failed) == 1
    host.requests.clear()

    report = run(context)

    assert (["/feed.xml"], [], 1) == (paths(host), report.failed, report.waiting)
    assert len(run(context, podcast="quota").failed) == 1
    assert "/audio/two.mp3" in paths(host)


@pytest.mark.parametrize("status", [403, 451, 500])
def test_an_episode_that_failed_otherwise_is_tried_by_every_run_that_a_person_starts(context, host, status):
    host.serve("/audio/two.mp3", Reply(status))
    run(context)
    host.serve("/audio/two.mp3", document(SOUND, "audio/mpeg"))

    assert ["quota: Episode two"] == run(context).new


def test_of_many_feeds_those_are_asked_whose_time_has_come_and_whose_host_wants_to_be_asked(context):
    """In the first round all that are chosen, later those that are due; what holds a feed back is said once."""
    ledger, moment = context.ingest.ledger, now()
    ledger.record_poll(replace(ledger.feed("quota"), next_poll=moment + timedelta(hours=1)), moment)
    for name, days, gone in (("due", -1, None), ("later", 1, None), ("gone", -1, moment), ("busy", -1, None)):
        feed = Subscription(name, f"https://{name}.example/feed.xml")
        ledger.subscribe(feed, moment)
        ledger.record_poll(replace(feed, next_poll=moment + timedelta(days=days), gone=gone), moment)
    ledger.set_backoff("busy.example", moment + timedelta(hours=2))

    def asked(first, **selection):
        begun = runs.Run(context, runs.Selection(**selection), selection.get("podcast", ""))
        names = [feed.podcast for feed in begun._to_ask(first=first)]
        return names, [warning.partition(":")[0] for warning in begun.report.warnings], begun.report.unchanged_feeds

    assert (["due", "later", "quota"], ["busy", "gone"], 0) == asked(True)
    assert (["due"], ["busy", "gone"], 2) == asked(True, due_only=True)
    assert (["due"], [], 0) == asked(False) == asked(False, due_only=True)
    for name in ("quota", "busy", "gone"):
        assert ([name], [], 0) == asked(True, podcast=name), "a person who names a feed wants it asked"
    assert ([], ["busy"], 0) == asked(True, podcast="busy", due_only=True)
    assert ([], [], 1) == asked(True, podcast="later", due_only=True)
    ledger.unsubscribe("due")
    assert ([], [], 0) == asked(False, podcast="due"), "removed during a run"


def test_a_look_for_due_feeds_reads_no_others(context, monkeypatch):
    monkeypatch.setattr("flows.run.LOOK_SECONDS", 0.05)
    whole = []
    feeds = Ledger.feeds
    monkeypatch.setattr(Ledger, "feeds", lambda ledger: whole.append(1) or feeds(ledger))

    def slowly(*given):
        time.sleep(0.5)
        return pipeline.transcribe(*given)

    assert 2 == len(run(context, runs.Actions(transcribe=slowly)).new)
    assert 1 == len(whole), "the first round asks all"


@pytest.mark.parametrize("days", [30, 365, 40_000, -365])
def test_a_run_under_a_wrong_clock_silences_nothing_once_the_clock_is_right(context, host, monkeypatch, days):
    def wrong():
        return now() + timedelta(days=days)

    host.serve("/audio/one.mp3", Reply(500))
    with monkeypatch.context() as patch:
        for module in (runs, steps, pipeline):
            patch.setattr(module, "now", wrong)
        context.ingest.ledger.set_backoff("127.0.0.1", wrong())
        run(context)
    dates = DATES | {"three": "Mon, 19 Jan 2026 08:00:00 GMT"}
    host.serve("/feed.xml", document(feed("one", "three", dates=dates)))
    host.serve("/audio/three.mp3", document(SOUND, "audio/mpeg"))
    host.serve("/audio/one.mp3", document(SOUND, "audio/mpeg"))

    report = run(context, due_only=True)

    assert ["quota: Episode three", "quota: Episode one"] == report.new
    limit = now() + pipeline.LONGEST_WAIT
    assert context.ingest.ledger.feed("quota").next_poll < limit


def test_the_longest_wait_is_longer_than_any_that_is_set():
    assert schedule.LONGEST_WAIT * (1 + schedule.JITTER) < pipeline.LONGEST_WAIT
    assert max(pipeline.LAST_RETRY, polling.MAX_BACKOFF) < pipeline.LONGEST_WAIT


def test_one_bad_feed_does_not_stop_the_run_and_loses_nothing(context, host):
    host.serve("/feed.xml", Reply(200, b"<html><body>We are closed</body></html>", {"Content-Type": "text/html"}))

    report = run(context)

    assert len(report.new) == 2
    assert [(subject, "web page" in reason) for subject, reason in report.failed] == [("quota", True)]
    assert "web page" in context.ingest.ledger.feed("quota").last_error


def test_a_feed_that_is_gone_is_asked_only_by_name_and_nothing_is_lost(context, host):
    host.serve("/feed.xml", Reply(410))
    assert "gone for good" in run(context).failed[0][1]
    host.requests.clear()

    report = run(context)

    assert ([], True) == (host.requests, "soundbite run --podcast quota" in report.warnings[0])
    assert statuses(context) == {"one": "done", "two": "done"}
    run(context, podcast="quota")
    assert ["/feed.xml"] == paths(host)


def test_a_host_that_names_its_time_is_not_asked_for_audio_before(context, host):
    host.serve("/audio/two.mp3", Reply(503, headers={"Retry-After": "86400"}))

    run(context)

    failed = records(context)["two"]
    assert failed.next_try - now() > timedelta(hours=23)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_wants_to_be_left_alone_is_not_asked_for_its_other_feeds(context, host, status):
    for number in range(2 * runs.POLLS):
        host.serve(f"/feed-{number}.xml", document(feed(title=f"Show {number}")))
        subscribe(context, host.url(f"/feed-{number}.xml"))
        host.serve(f"/feed-{number}.xml", Reply(status, headers={"Retry-After": "86400"}))
    host.serve("/feed.xml", Reply(status, headers={"Retry-After": "86400"}))
    host.requests.clear()

    report = run(context)

    asked = {name for name, _ in report.failed}
    waiting = {warning.partition(":")[0] for warning in report.warnings if "wants to be left alone" in warning}
    assert (
        len(asked) == sum(path.endswith(".xml") for path in paths(host)) <= runs.POLLS
    )  # those on their way when the first answer came
    assert {feed.podcast for feed in context.ingest.ledger.feeds()} == asked | waiting


def test_an_episode_waits_longer_with_every_attempt_and_a_week_at_most(context, host):
    host.serve("/audio/two.mp3", Reply(404))
    episode = records(context)["two"].episode
    waits = []
    for attempts in (0, 1, 2, 30):
        pipeline.record_failure(context.ingest, episode, attempts, AudioError("x", "is not there"))
        waits.append(round((records(context)["two"].next_try - now()) / timedelta(minutes=30)))

    assert [1, 2, 4, 7 * 48] == waits


# What no episode can be blamed for


def test_without_a_speech_model_nothing_is_downloaded_and_no_attempt_is_counted(context, host):
    report = run(transcriber_of(context, NoModel()))

    assert ["/feed.xml"] == sorted(set(paths(host)))
    assert [("speech model", True)] == [(what, "soundbite model pull" in why) for what, why in report.failed]
    assert [("pending", 0)] * 2 == [(record.status, record.attempts) for record in records(context).values()]


class Gone(Parrot):
    asked = 0

    def transcribe(self, *_audio, **_options):
        self.asked += 1
        raise UnreachableError("http://gpu:8000", "did not answer, 4 times; try again later", "gpu")


def test_a_speech_server_that_went_away_is_asked_once_in_a_run_and_costs_no_attempt(context):
    gone = Gone()
    report = run(transcriber_of(context, gone))

    assert gone.asked == 1
    assert ["gpu"] == [what for what, _ in report.failed]
    assert [("pending", 0)] * 2 == [(record.status, record.attempts) for record in records(context).values()]


def test_without_a_speech_model_publishers_transcripts_are_taken_all_the_same(context, host):
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))

    assert ["quota: Episode two"] == run(transcriber_of(context, NoModel())).new


def test_an_index_of_another_model_stops_the_run_before_anything_is_fetched(context, host):
    run(context, latest=1)
    host.requests.clear()

    with pytest.raises(Exception, match="index --rebuild"):
        run(replace(context, embedder=BagOfWords("another")))

    assert [] == host.requests


def test_a_disk_without_room_stops_the_run_before_anything_is_fetched(context, host, monkeypatch):
    monkeypatch.setattr("flows.context.MIN_FREE_DISK", 2**60)
    host.requests.clear()

    with pytest.raises(DiskFullError, match="make room"):
        run(context)

    assert [] == host.requests


@pytest.mark.parametrize(
    "full",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        DiskFullError("x", "is full"),
        StorageError("s3://bucket", "cannot be reached"),
    ],
)
def test_a_disk_that_fills_up_or_a_bucket_that_fails_stops_the_run_and_costs_no_attempt(context, full):
    def save(*_):
        raise full

    report = run(context, runs.Actions(save=save))

    assert ["disk"] == [subject for subject, _ in report.failed]
    assert [("pending", 0)] * 2 == [(record.status, record.attempts) for record in records(context).values()]


def test_offline_with_many_pending_episodes_is_said_once(context, host):
    """Three hosts that cannot be connected to, one after the other, are a network that is down."""
    dates = {f"e{n}": f"Mon, 05 Jan 2026 {n // 60:02}:{n % 60:02}:00 GMT" for n in range(300)}
    host.serve("/feed.xml", document(feed(*dates, dates=dates, audio="http://host-{guid}.invalid/a.mp3")))
    tried = []

    def offline(_ingest, episode, _advance):
        tried.append(episode.guid)
        raise UnreachableError(episode.audio_url, "cannot be connected to", f"host-{episode.guid}.invalid")

    report = run(context, runs.Actions(download=offline))

    assert ["network"] == [subject for subject, _ in report.failed]
    assert 3 <= len(tried) <= 3 + MAX_AUDIO
    assert {("pending", 0)} == {(record.status, record.attempts) for record in records(context).values()}


def test_one_host_that_is_down_keeps_its_own_episodes_waiting_and_no_others(context, host):
    host.serve("/down.xml", document(feed("a", "b", title="Down", dates={
        "a": "Mon, 19 Jan 2026 08:00:00 GMT", "b": "Sun, 18 Jan 2026 08:00:00 GMT"
    }, audio="http://localhost:1/{guid}.mp3")))  # fmt: skip
    subscribe(context, host.url("/down.xml"))

    report = run(context)

    assert ["quota: Episode two", "quota: Episode one"] == report.new
    assert [("localhost", True)] == [(subject, "cannot be connected to" in reason) for subject, reason in report.failed]
    assert [("pending", 0)] * 2 == [(records(context)[guid].status, records(context)[guid].attempts) for guid in "ab"]


# The library is the truth


def test_a_transcript_that_is_deleted_is_made_again(context):
    run(context)
    (lost,) = [one for one in documents(context) if one.guid == "two"]
    (context.ingest.library.root / lost.name).unlink()

    report = run(context)

    assert (["quota: Episode two"], 2) == (report.new, context.store.counts()["episodes"])


def test_a_deleted_transcript_of_a_publisher_comes_from_the_publisher_again(context, host):
    """The ledger keeps no links of what is done: the feed is asked for whole."""
    host.serve("/feed.xml", document(feed("two", more=CAPTIONED), etag='"2"'))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))
    run(context, latest=1)
    (context.ingest.library.root / documents(context)[0].name).unlink()

    run(context, latest=1)

    assert "publisher" == read(context, "two").provenance["source"]


def test_an_older_library_restored_from_a_backup_is_brought_up_to_date(context):
    run(context)
    for one in documents(context):
        (context.ingest.library.root / one.name).unlink()
        (context.ingest.library.root / one.name).with_suffix(".json").unlink()

    assert 2 == len(run(context).new)
    assert {"one": "done", "two": "done"} == statuses(context)


def test_a_lost_ledger_costs_a_poll_and_no_transcript(context, host):
    run(context)
    before = documents(context)
    for file in context.home.glob("ledger.sqlite*"):
        file.unlink()
    subscribe(context, host.url("/feed.xml"))

    report = run(context)

    assert ([], 2, before) == (report.new, report.skipped, documents(context))
    assert {"one": "done", "two": "done"} == statuses(context)


def test_a_deleted_index_costs_embedding_and_no_transcript(context):
    run(context)
    before = documents(context)
    import shutil

    shutil.rmtree(context.store.root)

    report = run(context)

    assert ([], 2, before) == (report.new, context.store.counts()["episodes"], documents(context))


def test_a_run_killed_after_writing_takes_the_transcript_as_done(context):
    def killed(ingest, obtained):
        pipeline.save_transcript(ingest, obtained)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(context, runs.Actions(save=killed))
    assert {"one": "pending", "two": "pending"} == statuses(context)
    two = records(context)["two"].episode.key

    report = run(context)

    assert ["quota: Episode one"] == report.new
    assert {"one": "done", "two": "done"} == statuses(context)
    assert (1, 2) == (
        context.ingest.transcriber.heard.count(f"{two}.mp3"),
        context.store.counts()["episodes"],
    )


def test_an_index_that_fails_keeps_the_transcript_and_is_mended_by_the_next_run(context):
    from ingest.errors import IndexingError

    def broken(*_):
        raise IndexingError("index", "cannot be used")

    report = run(context, runs.Actions(index=broken, update_index=broken))

    assert ([("index", "index: cannot be used")], {"one": "done", "two": "done"}) == (report.failed, statuses(context))
    run(context)
    assert 2 == context.store.counts()["episodes"]


# Steps


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (AudioError("x", "ended at the wrong place", transient=True), True),
        (AudioError("x", "is not audio"), False),
        (FetchError("x", "did not answer"), True),
        (UnreachableError("x", "cannot be connected to", "x"), True),
        (FetchError("x", "busy", 503), True),
        (FetchError("x", "busy", 503, 120.0), False),
        (FetchError("x", "is not there", 404), False),
        (BlockedAddressError("x", "is not public"), False),
        (KeyError("x"), False),
        (None, False),
    ],
)
def test_only_what_may_do_better_in_a_moment_is_tried_again_at_once(error, again):
    assert again == pipeline.is_transient(error)


def test_steps_raise_what_the_engine_decides_on(context, host):
    host.serve("/feed.xml", Reply(503, headers={"Retry-After": "120"}))
    host.serve("/audio/one.mp3", Reply(200, b"not audio at all", {"Content-Type": "text/plain"}))

    with pytest.raises(FetchError) as refused:
        polling.poll(context.ingest.client, context.ingest.ledger, context.ingest.ledger.feed("quota"), now())
    with pytest.raises(AudioError):
        pipeline.download(context.ingest, records(context)["one"].episode, lambda _done, _total: None)
    assert refused.value.status == 503


@pytest.mark.parametrize("setting", ["speakers", "whisper_model"])
def test_another_setting_transcribes_nothing_again(host, tmp_path, setting):
    with opened(tmp_path / "home") as first:
        subscribe(first, host.url("/feed.xml"))
        run(first)
        before = texts(first)
    parrot = Parrot()
    with opened(tmp_path / "home", parrot, **{setting: "auto"}) as second:
        run(second)
        assert ([], before) == (parrot.heard, texts(second))


@pytest.mark.parametrize("fails", ["", "no voice was found"])
def test_a_run_tells_voices_apart_and_loses_no_text_where_that_fails(context, fails):
    diarizer = TwoVoices(change=0.2, fails=fails)
    voiced = RunContext(context.home, replace(context.ingest, diarizer=diarizer), context.store, context.embedder)
    assert not run(voiced).failed
    assert 2 == len(diarizer.heard)
    told = read(context, "one").provenance["speakers"]
    assert fails == told.get("error", "")
    assert texts(context)


def test_each_run_is_remembered_with_what_it_did(context, host):
    host.serve("/audio/one.mp3", Reply(404))
    before = now()
    run(context)
    run(context)

    second, first = last_runs(context.home)
    assert (first.new, first.failed, second.new) == (1, 1, 0)
    assert first.episodes == ("quota: Episode two",)
    assert "Episode one" in first.failures[0]
    assert before <= first.began <= second.began <= now()
    assert 0 <= first.seconds <= (now() - before).total_seconds() + 0.1


def test_a_run_whose_history_cannot_be_written_is_a_run_all_the_same(context, caplog):
    (context.home / "runs.jsonl").mkdir()

    assert len(run(context).new) == 2
    assert "is not kept" in caplog.text
