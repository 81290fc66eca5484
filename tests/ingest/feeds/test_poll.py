"""One feed over weeks, on a real host: what each answer changes, where it has moved to, when it is asked at all."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from ingest.errors import FeedError, FetchError
from ingest.feeds import poll as polling
from ingest.feeds.fetch import Fetched
from ingest.feeds.reading import read_feed
from ingest.ledger import Ledger
from ingest.models import Feed, Subscription
from ingest.web.client import Client, open_client
from ingest.web.credentials import Credentials
from ingest.web.guard import Deadline
from ingest.web.rate_limit import RateLimiter
from tests.podcast_host import PodcastHost, Reply, document, for_agent, redirect

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ITEM = """<item><guid>{guid}</guid><title>{title}</title><pubDate>Mon, 05 Jan 2026 08:00:00 GMT</pubDate>
<enclosure url="{audio}" type="audio/mpeg" length="1"/></item>"""


def item(guid, title="Episode", audio="/{}.mp3"):
    return ITEM.format(guid=guid, title=title, audio=audio.format(guid))


def feed(*items, more=""):
    head = '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Quota</title>'
    return f"{head}<language>en-GB</language>{more}{''.join(items)}</channel></rss>".encode()


ONE = feed(item("one"))


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/feed", document(ONE, etag='"1"'))
        host.serve("/new", document(ONE, etag='"1"'))
        yield host


@dataclass(frozen=True)
class Poller:
    client: Client
    ledger: Ledger


@pytest.fixture
def poller(host, tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.subscribe(Subscription("quota", host.url("/feed")), START)
    with open_client(user_agent="soundbite/test", timeout=5, hosts_allowed=frozenset({"127.0.0.1"})) as client:
        yield Poller(client, ledger)


def poll(poller, days=0.0):
    return polling.poll(poller.client, poller.ledger, poller.ledger.feed("quota"), START + days * DAY)


def paths(host):
    return [asked.path for asked in host.requests]


# Moves


@pytest.mark.parametrize("status", [301, 308])
def test_a_move_for_good_is_followed_now_and_believed_after_two_days(poller, host, status):
    host.serve("/feed", redirect(status, "/new"))

    told = [poll(poller, days).warnings for days in (0, 1, 2)]

    assert [(), (), (f"moved from {host.url('/feed')} to {host.url('/new')}",)] == told
    assert host.url("/new") == poller.ledger.feed("quota").url
    host.requests.clear()
    assert poll(poller, 3).unchanged
    assert ["/new"] == paths(host)


@pytest.mark.parametrize("status", [301, 302])
def test_what_a_feed_is_read_with_is_for_its_audio_once_it_redirects_to_https(poller, status):
    def answer(request):
        if request.url.scheme == "http":
            return httpx2.Response(status, headers={"Location": "https://h.example/feed"})
        return httpx2.Response(200 if "authorization" in request.headers else 401, stream=httpx2.ByteStream(ONE))

    client = Client(httpx2.Client(transport=httpx2.MockTransport(answer)), Deadline(), RateLimiter(0))
    private = Subscription("private", "http://h.example/feed")
    poller.ledger.subscribe(private, START)
    poller.ledger.set_credentials("private", Credentials.for_url("http://ann:pw@h.example/feed"))

    polling.poll(client, poller.ledger, private, START)

    mine = poller.ledger.credentials("private")
    told = [
        bool(mine.headers_for(url)) for url in ("https://h.example/1.mp3", "http://h.example/", "https://cdn.example/")
    ]
    assert [True, True, False] == told


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_move_for_now_is_followed_and_never_believed(poller, host, status):
    host.serve("/feed", redirect(status, "/new"))

    for days in range(5):
        poll(poller, days)

    assert host.url("/feed") == poller.ledger.feed("quota").url


def test_the_old_url_stays_known_and_the_episodes_stay_the_same(poller, host):
    host.serve("/feed", redirect(301, "/new"))
    before = poll(poller).new, [record.episode.key for record in poller.ledger.records()]
    for days in (1, 2, 3):
        poll(poller, days)

    assert (1, [record.episode.key for record in poller.ledger.records()]) == before
    assert (
        "quota"
        == poller.ledger.find_by_url(host.url("/feed")).podcast
        == poller.ledger.find_by_url(host.url("/new")).podcast
    )


def test_a_feed_that_names_its_new_address_moves_there_even_if_it_never_changes(poller, host):
    said = f"<itunes:new-feed-url>{host.url('/new')}</itunes:new-feed-url>"
    host.serve("/feed", document(feed(item("one"), more=said), etag='"1"'))
    host.serve("/new", document(feed(item("one"), item("two"), more=said), etag='"1"'))

    for days in (0, 1, 2):
        poll(poller, days)

    assert host.url("/new") == poller.ledger.feed("quota").url
    assert 1 == poll(poller, 3).new  # its own validators, not those of the old address


def test_a_new_address_without_a_feed_is_not_believed(poller, host):
    said = f"<itunes:new-feed-url>{host.url('/void')}</itunes:new-feed-url>"
    host.serve("/feed", document(feed(item("one"), more=said)))

    told = [poll(poller, days).warnings for days in (0, 1, 2)][-1]

    assert host.url("/feed") == poller.ledger.feed("quota").url
    assert "is asked as before" in told[0]


def test_two_podcasts_that_come_to_one_address_are_reported_and_both_kept(poller, host):
    poller.ledger.subscribe(Subscription("other", host.url("/new")), START)
    host.serve("/feed", redirect(301, "/new"))

    told = [poll(poller, days).warnings for days in (0, 1, 2)][-1]

    assert "soundbite remove" in told[0]
    assert [host.url("/new"), host.url("/feed")] == [feed.url for feed in poller.ledger.feeds()]


# Refusals


def test_gone_for_good_stops_the_polling_until_a_person_asks(poller, host):
    host.serve("/feed", [Reply(410), document(ONE)])
    with pytest.raises(FetchError, match="gone for good"):
        poll(poller)

    held = polling.blocked_reason(poller.ledger.feed("quota"), poller.ledger.backoffs(START + 400 * DAY))
    assert "soundbite run --podcast quota" in held
    assert 1 == poll(poller, 401).new
    assert "" == polling.blocked_reason(poller.ledger.feed("quota"), poller.ledger.backoffs(START + 402 * DAY))


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_other_refusals_back_off_and_are_never_given_up(poller, host, status):
    host.serve("/feed", Reply(status))
    waits = []
    for _ in range(7):
        with pytest.raises(FetchError):
            poll(poller)
        waits.append((poller.ledger.feed("quota").next_poll - START) / timedelta(hours=1))

    assert all(2**n <= wait <= 2**n * 1.1 for n, wait in enumerate(waits[:4], start=1))
    assert 24 <= waits[-1] <= 26.4
    assert (7, None) == (poller.ledger.feed("quota").failures, poller.ledger.feed("quota").gone)


def test_what_a_busy_host_asks_counts_for_its_other_feeds(poller, host):
    host.serve("/feed", Reply(429, headers={"Retry-After": "7200"}))
    other = Subscription("other", host.url("/other"))
    with pytest.raises(FetchError):
        poll(poller)

    assert "left alone until 2026-03-01 14:00" in polling.blocked_reason(other, poller.ledger.backoffs(START))
    assert "" == polling.blocked_reason(other, poller.ledger.backoffs(START + timedelta(hours=2)))
    assert "" == polling.blocked_reason(replace(other, url="https://elsewhere.example/"), poller.ledger.backoffs(START))


def test_one_answer_does_not_silence_a_host_for_weeks(poller, host):
    host.serve("/feed", Reply(503, headers={"Retry-After": "99999999"}))
    with pytest.raises(FetchError):
        poll(poller)

    assert {"127.0.0.1": START + DAY} == poller.ledger.backoffs(START)


def test_a_quiet_feed_is_asked_once_a_day(poller, host):
    host.serve("/feed", document(ONE))  # its only episode is from two months ago

    poll(poller)

    assert DAY <= poller.ledger.feed("quota").next_poll - START <= 1.1 * DAY


def test_a_feed_may_have_a_user_agent_of_its_own(poller, host):
    host.serve("/feed", for_agent("Mozilla", document(ONE)))
    with pytest.raises(FetchError, match="403"):
        poll(poller)

    poller.ledger.set_overrides("quota", user_agent="Mozilla/5.0")

    assert 1 == poll(poller).new


# Revisions


def test_a_finished_episode_that_changes_is_a_revision_told_once(poller, host):
    poll(poller)
    poller.ledger.settle(poller.ledger.records()[0].episode)
    host.serve("/feed", document(feed(item("one", "Episode, corrected"))))

    first, second = poll(poller, 1), poll(poller, 2)

    assert (0, ("revised: 'Episode' is now 'Episode, corrected'; its transcript stays",)) == (first.new, first.warnings)
    assert () == second.warnings
    known = poller.ledger.records()[0]
    assert ("done", "Episode, corrected") == (known.status, known.episode.title)
    assert known.reason.startswith("revised")


def test_other_audio_is_a_revision_and_a_new_token_in_its_address_is_not(poller, host):
    poll(poller)
    poller.ledger.settle(poller.ledger.records()[0].episode)
    host.serve("/feed", [document(feed(item("one", audio=f"/{name}"))) for name in ("one.mp3?token=2", "better.mp3")])
    host.requests.clear()

    assert () == poll(poller, 1).warnings
    assert ("revised: 'Episode' has other audio; its transcript stays",) == poll(poller, 2).warnings


def test_a_podcast_that_changes_every_address_is_told_in_one_line(poller, host):
    names = [f"g{number}" for number in range(30)]
    host.serve("/feed", document(feed(*map(item, names))))
    poll(poller)
    for known in poller.ledger.records():
        poller.ledger.settle(known.episode)
    host.serve("/feed", document(feed(*(item(name, audio="/elsewhere/{}.mp3") for name in names))))

    polled = poll(poller, 1)

    assert (0, 1) == (polled.new, len(polled.warnings))
    assert "30 episodes" in polled.warnings[0]


def test_a_name_that_belongs_to_another_feed_is_refused(poller, host):
    fetched, parsed = polling._ask(poller.client, poller.ledger, Subscription("quota", host.url("/new")), START)

    with pytest.raises(FeedError, match="--podcast"):
        polling.subscribe(poller.ledger, parsed, fetched, START)


def test_a_podcast_that_is_renamed_keeps_its_name_here_and_its_episodes(poller, host):
    poll(poller)
    host.serve("/feed", document(ONE.replace(b"<title>Quota", b"<title>Margin")))

    polled = poll(poller, 1)

    assert (0, ()) == (polled.new, polled.warnings)
    assert [("quota", "Margin")] == [(feed.podcast, feed.title) for feed in poller.ledger.feeds()]
    assert ["quota"] == [record.episode.podcast for record in poller.ledger.records()]


# One feed under several addresses

GUID = "<guid>917393e3-1b1e-5cef-ace4-edaa54e1f810</guid>"


def named_feed(*items, guid=GUID):
    named = guid.replace("guid>", "podcast:guid>")
    return feed(*items, more=named).replace(b"<rss ", b'<rss xmlns:podcast="https://podcastindex.org/namespace/1.0" ')


def added(poller, url, name):
    found, fetched = read_feed(poller.client, url, name, now=START)
    return polling.subscribe(poller.ledger, found, fetched, START)


@pytest.mark.parametrize("path", ["/./feed", "/%66eed", "/feed?", "/new/../feed"])
def test_a_feed_is_subscribed_to_once_however_its_address_is_written(poller, host, path):
    known = Feed(host.url(path), "Other", "other")

    assert not polling.subscribe(poller.ledger, known, Fetched(ONE, known.url), START)
    assert ["quota"] == poller.ledger.names()


@pytest.mark.parametrize("way", ["polled", "subscribed", "polled twice"])
def test_a_feed_that_is_known_by_what_it_calls_itself_is_not_subscribed_to_again(poller, host, way):
    for path in ("/feed", "/one", "/two"):
        host.serve(path, document(named_feed(item("one"))))
    if way == "subscribed":
        poller.ledger.unsubscribe("quota")
        assert added(poller, host.url("/one"), "quota")
    else:
        poll(poller)
        poll(poller, 1)

    assert not added(poller, host.url("/two"), "other")
    assert ["quota", "quota"] == [poller.ledger.find_by_url(host.url("/two")).podcast, *poller.ledger.names()]


@pytest.mark.parametrize("guid", ["", "<guid>show</guid>", GUID.replace("9", "8")])
def test_a_feed_that_calls_itself_otherwise_is_another(poller, host, guid):
    host.serve("/feed", document(named_feed(item("one"))))
    host.serve("/two", document(named_feed(item("one"), guid=guid)))
    poll(poller)

    assert added(poller, host.url("/two"), "other")
    assert ["other", "quota"] == poller.ledger.names()


@pytest.mark.parametrize(
    ("title", "guid", "known"), [("Quota", "one", True), ("Quota", "two", False), ("Other", "one", False)]
)
def test_a_slash_at_the_end_parts_feeds_of_other_episodes_alone(poller, host, title, guid, known):
    host.serve("/feed/", document(feed(item(guid)).replace(b"Quota", title.encode())))
    poll(poller)

    assert known is not added(poller, host.url("/feed/"), "other")
    assert (["quota"] if known else ["other", "quota"]) == poller.ledger.names()
