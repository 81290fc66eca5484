"""Feeds are fetched with good manners from a real host."""

from datetime import UTC, datetime

import pytest

from ingest.errors import FetchError
from ingest.feeds.fetch import Validators, fetch
from ingest.web.client import open_client
from tests.podcast_host import PodcastHost, Reply, document, for_agent, redirect

NOW = datetime(2025, 3, 4, 6, tzinfo=UTC)
AGENT = "soundbite/test (+https://example.org)"
SOME = Validators('"v1"', "Tue, 04 Mar 2025 06:00:00 GMT")
FEED = b"<rss version='2.0'><channel><title>Deal Desk</title></channel></rss>"
CHANGED = FEED.replace(b"</channel>", b"<item/></channel>")


@pytest.fixture
def host():
    with PodcastHost() as host:
        yield host


@pytest.fixture
def client():
    with open_client(user_agent=AGENT, timeout=5, hosts_allowed=frozenset({"127.0.0.1", "localhost"})) as client:
        yield client


def test_the_first_request_is_unconditional_and_asks_for_a_feed(host, client):
    found = fetch(client, host.serve("/f", document(FEED, etag='"v1"', last_modified=SOME.last_modified)), now=NOW)

    assert (FEED, SOME) == (found.body, found.validators)
    asked = host.requests[0].headers
    assert asked["user-agent"] == AGENT
    assert asked["accept"].startswith("application/rss+xml")
    assert asked["accept-encoding"] == "gzip"
    assert not {"if-none-match", "if-modified-since"} & set(asked)


@pytest.mark.parametrize("etag", ['"v1"', 'W/"v1"', "unquoted", '"a, b"', '""'])
def test_validators_go_back_verbatim_and_an_unchanged_feed_costs_one_small_request(host, client, etag):
    url = host.serve("/f", document(FEED, etag=etag, last_modified="some day"))
    first = fetch(client, url, now=NOW)
    second = fetch(client, url, first.validators, now=NOW)

    assert (etag, "some day") == (
        host.requests[1].headers["if-none-match"],
        host.requests[1].headers["if-modified-since"],
    )
    assert second.body is None
    assert first.validators == second.validators
    assert len(host.requests) == 2


def test_a_changed_feed_brings_new_validators(host, client):
    url = host.serve("/f", document(CHANGED, etag='"v2"'))
    found = fetch(client, url, SOME, now=NOW)

    assert (CHANGED, Validators('"v2"')) == (found.body, found.validators)


def test_a_304_without_our_asking_is_an_error(host, client):
    with pytest.raises(FetchError, match="304"):
        fetch(client, host.serve("/f", Reply(304)), now=NOW)


def test_how_long_the_host_wants_to_be_left_alone_is_told(host, client):
    told = {"Cache-Control": "public, max-age=600", "Retry-After": "Tue, 04 Mar 2025 06:02:00 GMT"}
    for status in (200, 304):
        found = fetch(client, host.serve(f"/{status}", Reply(status, FEED, told)), SOME, now=NOW)
        assert (found.max_age, found.retry_after) == (600, 120)


@pytest.mark.parametrize(("status", "words"), [(429, "less often"), (503, "503"), (410, "gone for good"), (404, "404"),
                                               (403, "User-Agent"), (401, "password"), (500, "500"), (204, "204")])  # fmt: skip
def test_refusals_are_told_in_plain_words_with_status_and_wait(host, client, status, words):
    url = host.serve("/f", Reply(status, headers={"Retry-After": "90"}))
    with pytest.raises(FetchError, match=words) as caught:
        fetch(client, url, SOME, now=NOW)

    assert (status, 90.0) == (caught.value.status, caught.value.retry_after)


def test_a_user_agent_of_its_own_may_be_given_for_one_feed(host, client):
    url = host.serve("/f", for_agent("Mozilla", document(FEED)))
    with pytest.raises(FetchError, match="403"):
        fetch(client, url, now=NOW)

    assert FEED == fetch(client, url, now=NOW, headers={"User-Agent": "Mozilla/5.0"}).body


def test_a_move_for_good_is_told_and_a_temporary_one_is_not(host, client):
    there = host.serve("/new", document(FEED, etag='"v1"'))
    for status, permanent in ((301, there), (308, there), (302, ""), (307, "")):
        found = fetch(client, host.serve(f"/{status}", redirect(status, "/new")), now=NOW)
        assert (there, permanent) == (found.url, found.permanent_url)
    unchanged = fetch(client, host.url("/301"), Validators('"v1"'), now=NOW)
    assert (None, there) == (unchanged.body, unchanged.permanent_url)
