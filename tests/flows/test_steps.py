"""What feeds do between two runs: passwords, addresses that expire, new titles and guids, publishers who opt out."""

import logging
from dataclasses import replace

import pytest

from flows import run as runs
from flows.progress import Reporter
from flows.steps import Selection
from index.query import Query
from index.search import Searcher
from ingest.errors import FeedError
from ingest.feeds import poll as polling
from ingest.feeds import reading
from ingest.models import Subscription
from ingest.times import now
from ingest.web.credentials import Credentials
from tests.flows.test_run import SOUND, SRT, Parrot, feed, opened, read, records, run, statuses, transcriber_of
from tests.podcast_host import PodcastHost, Reply, document, redirect

LINE = "Ask for the next meeting before you hang up."


@pytest.fixture
def host():
    with PodcastHost() as host:
        for guid in ("one", "two"):
            host.serve(f"/audio/{guid}.mp3", document(SOUND, "audio/mpeg"))
        yield host


@pytest.fixture
def context(tmp_path):
    with opened(tmp_path / "home") as context:
        yield context


def subscribe(context, url):
    credentials = Credentials.for_url(url)
    found, fetched = reading.read_feed(context.ingest.client, url, now=now(), credentials=credentials)
    polling.subscribe(context.ingest.ledger, found, fetched, now(), credentials)


def locked(body, kind="audio/mpeg"):
    answer = document(body, kind)
    return lambda asked: answer(asked) if "authorization" in asked.headers else Reply(401, b"no")


def hits(context):
    return Searcher(context.store, context.embedder).search(Query("ask for the next meeting")).hits


def stored(home):
    """Everything in a home but the ledger, which alone may hold secrets."""
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file() and "ledger" not in path.name)


# Private feeds


@pytest.mark.parametrize("way", ["absolute", "relative", "own password", "through a tracker", "moved"])
def test_a_private_feed_is_had_whole_and_its_password_stands_nowhere(context, host, caplog, way):
    audio = {
        "absolute": host.url("/audio/{guid}.mp3"),
        "relative": "/audio/{guid}.mp3",
        "own password": host.url("/audio/{guid}.mp3").replace("//", "//ann:s3cret@"),
        "through a tracker": host.url("/t/{guid}.mp3", "localhost"),
        "moved": "/audio/{guid}.mp3",
    }[way]
    captions = f'<podcast:transcript url="{host.url("/two.srt")}" type="application/x-subrip"/>'
    host.serve("/private.xml", locked(feed("two", more=captions, audio=audio)))
    host.serve("/old.xml", redirect(302, host.url("/private.xml")))
    host.serve("/t/two.mp3", redirect(302, host.url("/audio/two.mp3")))
    host.serve("/audio/two.mp3", locked(SOUND))
    host.serve("/two.srt", locked(SRT.encode() if way == "relative" else b"", "application/x-subrip"))
    start = "/old.xml" if way == "moved" else "/private.xml"
    subscribe(context, host.url(start).replace("//", "//ann:s3cret@"))

    with caplog.at_level(logging.DEBUG):
        report = run(context)

    assert (["quota: Episode two"], []) == (report.new, report.failed)
    assert ("publisher" if way == "relative" else "model") == read(context, "two").provenance["source"]
    assert {"/t/two.mp3"} >= {asked.path for asked in host.requests if asked.path.startswith("/t/")}
    assert all("authorization" not in asked.headers for asked in host.requests if asked.path.startswith("/t/"))
    assert b"s3cret" not in stored(context.home)
    assert "s3cret" not in f"{caplog.text} {report.as_dict()} {report.markdown()} {hits(context)}"


def test_a_password_goes_to_no_other_host(context, host):
    host.serve("/private.xml", locked(feed("two", audio=host.url("/audio/{guid}.mp3", "localhost"))))
    subscribe(context, host.url("/private.xml").replace("//", "//ann:s3cret@"))
    run(context)

    assert ["/private.xml"] * 2 == [asked.path for asked in host.requests if "authorization" in asked.headers]


def test_an_open_feed_with_locked_audio_fails_and_says_which(context, host):
    host.serve("/open.xml", document(feed("two")))
    host.serve("/audio/two.mp3", locked(SOUND))
    subscribe(context, host.url("/open.xml"))

    assert "401" in run(context).failed[0][1]


# Addresses that expire


class Signed:
    """A feed whose audio addresses carry a token, and audio that is given for the newest one alone."""

    def __init__(self, host, status=403, guids=("two",), etag='"same"'):
        self.token, self.host, self.status, self.guids, self.etag = "t1", host, status, guids, etag
        host.serve("/feed.xml", self.feed)
        for token in ("t1", "t2", "t3"):
            for guid in guids:
                host.serve(f"/{guid}.mp3?token={token}", self.audio)

    def feed(self, asked):
        body = feed(*self.guids, audio="/{guid}.mp3?token=" + self.token)
        return document(body, etag=self.etag)(asked)  # the ETag stays: only an unconditional request sees the change

    def audio(self, asked):
        return (
            document(SOUND, "audio/mpeg")(asked) if asked.path.endswith(self.token) else Reply(self.status, b"expired")
        )


@pytest.mark.parametrize("status", [401, 403])
def test_an_address_that_has_expired_is_looked_up_once_before_it_counts(context, host, status):
    signed = Signed(host, status)
    subscribe(context, host.url("/feed.xml"))
    signed.token = "t2"

    report = run(context)

    assert (["quota: Episode two"], []) == (report.new, report.failed)
    assert read(context, "two").episode.audio_url.endswith("token=t2")
    assert 1 == records(context)["two"].attempts


def test_a_feed_without_a_newer_address_is_read_again_only_once_in_a_run(context, host):
    Signed(host, guids=("one", "two")).token = "t0"
    host.serve("/feed.xml", document(feed("one", "two", audio="/{guid}.mp3?token=t1"), etag='"1"'))
    subscribe(context, host.url("/feed.xml"))
    host.requests.clear()

    report = run(context)

    assert (2, True) == (len(report.failed), all("403" in reason for _, reason in report.failed))
    asked = [each for each in host.requests if each.path == "/feed.xml"]
    assert [True, False] == ["if-none-match" in each.headers for each in asked]


def test_other_refusals_read_no_feed_again(context, host):
    Signed(host, status=404).token = "t2"
    host.serve("/feed.xml", document(feed("two", audio="/two.mp3?token=t1"), etag='"1"'))
    subscribe(context, host.url("/feed.xml"))
    run(context)

    assert 2 == sum(asked.path == "/feed.xml" for asked in host.requests)


def test_a_new_token_reaches_documents_and_hits_and_is_no_revision(context, host):
    signed = Signed(host, etag="")
    subscribe(context, host.url("/feed.xml"))
    run(context)
    signed.token = "t2"

    report = run(context)

    (hit,) = hits(context)
    assert (host.url("/two.mp3?token=t2"), True) == (hit.audio_url, hit.play_url.startswith(hit.audio_url))
    assert ([], [], "") == (report.new, report.warnings, records(context)["two"].reason)
    assert read(context, "two").episode.audio_url.endswith("t2")


# New titles, new guids


def test_a_new_title_reaches_document_and_index_without_transcribing_again(context, host):
    host.serve("/feed.xml", document(feed("one", "two")))
    subscribe(context, host.url("/feed.xml"))
    run(context)
    name = context.ingest.library.find("two").name
    body = context.ingest.library.storage.read(name)[0].partition(b"## Transcript")[2]
    host.serve("/feed.xml", document(feed("one", "two").replace(b"Episode two", b"The harbour bakery")))
    parrot = Parrot()

    report = run(transcriber_of(context, parrot))

    assert ([], [], True) == (
        parrot.heard,
        report.new,
        "'Episode two' is now 'The harbour bakery'" in report.warnings[0],
    )
    assert "The harbour bakery" in {hit.title for hit in hits(context)}
    assert name == context.ingest.library.find("two").name
    assert body == context.ingest.library.storage.read(name)[0].partition(b"## Transcript")[2]
    assert [] == run(context).warnings


def test_a_document_is_revised_before_the_ledger_so_that_a_crash_loses_no_title(context, host):
    host.serve("/feed.xml", document(feed("two")))
    subscribe(context, host.url("/feed.xml"))
    run(context)
    host.serve("/feed.xml", document(feed("two").replace(b"Episode two", b"Renamed")))

    def crash(_):
        raise KeyboardInterrupt

    ledger, subscription = context.ingest.ledger, context.ingest.ledger.feed("quota")
    with pytest.raises(KeyboardInterrupt):
        polling.poll(context.ingest.client, ledger, subscription, now(), revise=crash)

    run(context)
    assert "Renamed" == read(context, "two").episode.title


SPOKEN = """WEBVTT

00:00.000 --> 00:15.000
<v {0}>Ask for the next meeting before you hang up. Say when, where and with whom, and write it down at once.

00:15.000 --> 02:00.000
<v Zoe Kim>That is what I do with every call, and it has helped me more than anything else that I have learned.
"""


class Spoken:
    """A feed whose one episode has a publisher's transcript that may change, with or without its address."""

    def __init__(self, context, host, *, etag):
        self.context, self.host, self.name, self.address, self.extra = context, host, "Mia Lnud", "/two.vtt", ""
        self.etag = etag
        host.serve("/feed.xml", self.feed)
        for path in ("/two.vtt", "/new.vtt"):
            host.serve(path, self.transcript)
        subscribe(context, host.url("/feed.xml"))

    def feed(self, asked):
        link = f'<podcast:transcript url="{self.address}" type="text/vtt"/>'
        return document(feed("two", more=link + self.extra))(asked)

    def transcript(self, asked):
        body = SPOKEN.format(self.name)
        return document(body.encode(), "text/vtt", **({"etag": f'"{len(body)}{self.name}"'} if self.etag else {}))(
            asked
        )

    def speakers(self):
        return [turn.speaker for turn in read(self.context, "two").turns]


@pytest.mark.parametrize("etag", [True, False])
@pytest.mark.parametrize("change", ["address", "text", "person"])
def test_a_speaker_renamed_by_the_publisher_reaches_document_and_index(context, host, change, etag):
    spoken, parrot = Spoken(context, host, etag=etag), Parrot()
    run(transcriber_of(context, parrot))
    assert ["Mia Lnud", "Zoe Kim"] == spoken.speakers()
    (before,) = context.ingest.library.documents()
    spoken.name = "Mia Lund"
    spoken.address = "/new.vtt" if change == "address" else spoken.address
    spoken.extra = "<podcast:person>Mia Lund</podcast:person>" if change == "person" else "<category>x</category>"

    report = run(transcriber_of(context, parrot))

    assert ["corrected: the transcript of 'Episode two', by its publisher"] == [
        warning.partition(": ")[2] if warning.startswith("quota") else warning for warning in report.warnings
    ]
    assert (["Mia Lund", "Zoe Kim"], []) == (spoken.speakers(), parrot.heard)
    (after,) = context.ingest.library.documents()
    assert (before.name, before.key) == (after.name, after.key)
    assert "Mia Lund" in {hit.answer.speaker for hit in hits(context)}
    assert ([], []) == (run(context).warnings, run(context).new)


def test_an_edited_document_keeps_its_words_when_the_publisher_corrects_his(context, host):
    spoken = Spoken(context, host, etag=True)
    run(context)
    path = context.ingest.library.root / context.ingest.library.documents()[0].name
    path.write_text(path.read_text().replace("Mia Lnud:", "Mia Lund (host):"))
    spoken.name, spoken.extra = "Mia Lund", "<category>x</category>"

    (warning,) = run(context).warnings

    assert "'Episode two' was edited here" in warning
    assert ["Mia Lund (host)", "Zoe Kim"] == spoken.speakers()


def test_a_feed_without_changes_asks_for_no_transcript_again(context, host):
    Spoken(context, host, etag=True)
    host.serve("/feed.xml", document(feed("two", more='<podcast:transcript url="/two.vtt"/>'), etag='"1"'))
    for _ in range(3):
        run(context)

    assert 1 == sum(asked.path == "/two.vtt" for asked in host.requests)


def test_new_guids_make_no_new_episodes(context, host):
    host.serve("/feed.xml", document(feed("one", "two")))
    subscribe(context, host.url("/feed.xml"))
    run(context)
    host.serve("/feed.xml", document(feed("one", "two").replace(b"<guid>", b"<guid>anew-")))

    assert ([], 2) == (run(context).new, len(context.ingest.library.documents()))
    assert {"one": "done", "two": "done"} == statuses(context)


def test_an_episode_that_vanishes_and_returns_is_the_same(context, host):
    host.serve(
        "/feed.xml",
        [document(body) for body in (feed("one", "two"), feed("one", "two"), feed("one"), feed("one", "two"))],
    )
    subscribe(context, host.url("/feed.xml"))

    assert [2, 0, 0] == [len(run(context).new) for _ in range(3)]


# Opting out


@pytest.mark.parametrize("more", ['<podcast:txt purpose="ai">no</podcast:txt>', ""])
def test_episodes_of_a_publisher_who_opts_out_are_not_fetched_and_that_is_said(context, host, more):
    body = feed("two").replace(b"<item>", more.encode() + b"<item>", 1)
    host.serve("/feed.xml", Reply(200, body, {} if more else {"X-Robots-Tag": "noai"}))
    subscribe(context, host.url("/feed.xml"))

    report = run(context)

    assert ([], [], 1) == (report.new, report.failed, report.pending)
    assert ["SOUNDBITE_RESPECT_OPT_OUT=false" in warning for warning in report.warnings] == [True]
    assert "/audio/two.mp3" not in {asked.path for asked in host.requests}
    with pytest.raises(FeedError, match="opts out"):
        runs.take_one(context, Reporter(None), records(context)["two"].episode.key)
    ignoring = replace(context, ingest=replace(context.ingest, respect_opt_out=False))
    assert ["quota: Episode two"] == run(ignoring).new


@pytest.mark.parametrize(
    "tag",
    ['purpose="ai">no<', 'purpose="noai">true<', 'purpose="tdm-reservation">1<', 'purpose="AI-training">Disallowed<'],
)
def test_single_episodes_that_are_opted_out_are_not_fetched_and_that_is_said_once(context, host, tag):
    both = feed("one", "two").replace(b"<guid>two", f"<podcast:txt {tag}/podcast:txt><guid>two".encode())
    host.serve("/feed.xml", document(both))
    subscribe(context, host.url("/feed.xml"))

    report = run(context)

    assert (["quota: Episode one"], 1) == (report.new, report.pending)
    (warning,) = report.warnings
    assert "single episodes are not fetched" in warning
    assert "/audio/two.mp3" not in {asked.path for asked in host.requests}
    with pytest.raises(FeedError, match="opts out"):
        runs.take_one(context, Reporter(None), records(context)["two"].episode.key)
    ignoring = replace(context, ingest=replace(context.ingest, respect_opt_out=False))
    assert ["quota: Episode two"] == run(ignoring).new


def test_a_publisher_who_changes_his_mind_is_believed(context, host):
    refusing = Reply(200, feed("two"), {"TDM-Reservation": "1"})
    host.serve("/feed.xml", [refusing, refusing, document(feed("two"))])
    subscribe(context, host.url("/feed.xml"))

    assert [[], ["quota: Episode two"]] == [run(context).new, run(context).new]


# What a run looks at


@pytest.mark.parametrize(
    ("words", "matches"),
    [("harbour", True), ("BAKERY the", True), ("", True), ("harb", True), ("harbour mill", False), ("mill", False)],
)
def test_titles_are_matched_by_words_in_any_order(words, matches):
    assert matches == Selection(match=words).matches("The Harbour Bakery")


def test_a_run_may_look_at_titles(context, host):
    host.serve("/feed.xml", document(feed("one", "two")))
    subscribe(context, host.url("/feed.xml"))

    report = run(context, match="episode ONE")

    assert (["quota: Episode one"], 1, []) == (report.new, report.pending, report.warnings)
    assert ["no episode to be had has 'harbour' in its title"] == run(context, match="harbour").warnings
    assert "1 pending" in report.summary()


def test_a_run_of_everything_reads_older_pages_whether_the_first_has_changed_or_not(context, host):
    first = feed("two").replace(
        b"<item>", b'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="/2.xml"/><item>', 1
    )
    host.serve("/feed.xml", document(first, etag='"1"'))
    host.serve("/2.xml", document(feed("one")))
    subscribe(context, host.url("/feed.xml"))

    assert ["quota: Episode two"] == run(context).new
    assert ["quota: Episode one"] == run(context, everything=True).new


def test_a_run_says_when_what_failed_is_due_again(context, host):
    host.serve("/feed.xml", document(feed("one", "two")))
    host.serve("/audio/two.mp3", Reply(404))
    subscribe(context, host.url("/feed.xml"))

    report = run(context)

    due = records(context)["two"].next_try
    assert (1, due) == (report.waiting, report.next_try)
    assert f"1 failed so far, tried again from {due:%Y-%m-%d %H:%M} UTC" in report.summary()
    assert due.isoformat()[:16] == report.as_dict()["next_try"][:16]


def test_one_episode_is_taken_whatever_its_turn(context, host):
    host.serve("/feed.xml", document(feed("one", "two")))
    host.serve("/audio/one.mp3", [Reply(404), document(SOUND, "audio/mpeg")])
    subscribe(context, host.url("/feed.xml"))
    key = records(context)["one"].episode.key

    failed, done = (runs.take_one(context, Reporter(None), key) for _ in range(2))

    assert (1, ["quota: Episode one"]) == (len(failed.failed), done.new)
    assert ({"one": "done", "two": "pending"}, 1) == (statuses(context), context.store.counts()["episodes"])


def test_audio_without_speech_makes_no_empty_document(context, host):
    class Deaf(Parrot):
        def transcribe(self, audio, **options):
            return replace(super().transcribe(audio, **options), segments=())

    host.serve("/feed.xml", document(feed("two")))
    subscribe(context, host.url("/feed.xml"))

    report = run(transcriber_of(context, Deaf()))

    assert "no speech was found" in report.failed[0][1]
    assert [] == context.ingest.library.documents()

    deaf = Deaf()  # which is not asked again, by nobody but a person who names the episode
    again = run(transcriber_of(context, deaf))
    assert ([], [], 0, 0, None) == (deaf.heard, again.failed, again.pending, again.waiting, again.next_try)
    runs.take_one(transcriber_of(context, deaf), Reporter(None), records(context)["two"].episode.key)
    assert 1 == len(deaf.heard)

    host.serve("/audio/other.mp3", document(SOUND, "audio/mpeg"))
    for audio, new in (("/audio/two.mp3?token=2", []), ("/audio/other.mp3", ["quota: Episode two"])):
        host.serve("/feed.xml", document(feed("two", audio=audio)))
        assert new == run(context).new


def test_a_feed_that_is_cut_off_is_asked_for_whole_the_next_time(context, host):
    whole = feed("one", "two")
    host.serve("/feed.xml", document(whole[: whole.rindex(b"<item>")] + b"<item><tit", etag='"1"'))
    subscribe(context, host.url("/feed.xml"))
    host.serve("/feed.xml", document(whole, etag='"1"'))

    assert isinstance(context.ingest.ledger.feed("quota"), Subscription)
    assert 2 == len(run(context).new)


def test_documents_of_an_earlier_version_lose_their_passwords_with_the_next_poll(context, host):
    host.serve("/feed.xml", document(feed("two"), etag='"1"'))
    subscribe(context, host.url("/feed.xml"))
    run(context)
    library, ledger = context.ingest.library, context.ingest.ledger
    old = read(context, "two")
    secret = host.url("/feed.xml").replace("//", "//ann:s3cret@")
    episode = replace(old.episode, source_feed=secret, audio_url=old.episode.audio_url.replace("//", "//ann:s3cret@"))
    library.write(replace(old, episode=episode, provenance={**old.provenance, "audio_url": secret}))
    ledger.update_done([replace(old.episode, source_feed="")], revised=False)  # as the ledger's step leaves it
    ledger.record_poll(replace(ledger.feed("quota"), etag=""), now())

    run(context)

    assert b"s3cret" not in stored(context.home / "library")
    assert old.turns == read(context, "two").turns
