"""`soundbite add` as people type it: private feeds, odd addresses, web pages, lists of other apps."""

import json

import pytest

from ingest.feeds.opml import read_feed_list, write_opml
from ingest.ledger import Ledger
from tests.flows.cli.test_main import assert_one_line
from tests.flows.test_run import feed
from tests.podcast_host import PodcastHost, Reply, document, redirect


@pytest.fixture(autouse=True)
def _loopback(monkeypatch):
    monkeypatch.setenv("SOUNDBITE_ALLOW_HOSTS", "127.0.0.1,localhost")


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed("one", "two")))
        host.serve("/other.xml", document(feed("one")))
        yield host


def behind(header, value=None):
    answer = document(feed("one", audio="/a/{guid}.mp3"))
    return lambda asked: answer(asked) if asked.headers.get(header) == value else Reply(401)


BASIC = "Basic YW5uOnM6M2NyZXQ="  # ann:s:3cret


def feeds(call):
    return json.loads(call("feeds", "--json")[1])["feeds"]


# Private feeds


@pytest.mark.parametrize("way", ["in the address", "--auth", "--header", "both, where the option counts"])
def test_a_private_feed_is_added_and_nothing_secret_is_shown(call, host, tmp_path, way):
    host.serve("/private.xml", behind("authorization", BASIC))
    url = host.url("/private.xml")
    secret = url.replace("//", "//ann:s%3A3cret@")
    arguments = {
        "in the address": [secret],
        "--auth": [url, "--auth", "ann:s:3cret"],
        "--header": [url, "--header", f"Authorization: {BASIC}"],
        "both, where the option counts": [url.replace("//", "//ann:wr0ng@"), "--auth", "ann:s:3cret"],
    }[way]

    outcomes = [
        call("add", *arguments),
        call("feeds"),
        call("feeds", "--json"),
        call("feeds", "--opml"),
        call("episodes", "--json"),
        call("doctor"),
        call("add", *arguments),
    ]

    assert [0] * 7 == [code if outcome is not outcomes[5] else 0 for outcome in outcomes for code in outcome[:1]]
    assert not any(word in str(outcomes) for word in ("3cret", "wr0ng", BASIC))
    assert [url] == [each["url"] for each in feeds(call)]
    assert 0o600 == (tmp_path / "home" / "ledger.sqlite").stat().st_mode & 0o777


def test_a_wrong_password_is_said_without_repeating_it_and_can_be_mended(call, host):
    host.serve("/private.xml", behind("authorization", BASIC))
    url = host.url("/private.xml")

    refused = call("add", url.replace("//", "//ann:0ther@"))
    assert_one_line(refused, "--auth USER:PASSWORD")
    assert "0ther" not in str(refused)
    assert call("add", url, "--auth", "ann:s:3cret")[0] == 0
    code, out, _ = call("add", url, "--auth", "ann:n3w")
    assert (0, True, False) == (code, "from now on with these credentials" in out, "n3w" in out)


def test_other_headers_let_in_too_and_stay_at_home(call, host):
    host.serve("/private.xml", behind("x-key", "k 1"))
    host.serve("/moved.xml", redirect(302, host.url("/private.xml", "localhost")))

    assert call("add", host.url("/private.xml"), "--header", "X-Key: k 1", "--header", "X-Other: 2")[0] == 0
    assert call("add", host.url("/moved.xml"), "--header", "X-Key: k 1")[0] == 1
    assert ["x-key" in asked.headers for asked in host.requests] == [True, True, False]


@pytest.mark.parametrize(
    "wrong", [["--auth", "s3cret"], ["--header", "s3cret"], ["--header", "Host: s3cret"], ["--header", "X: s3c\nret"]]
)
def test_a_mistyped_secret_is_wrong_usage_that_repeats_nothing(call, host, wrong):
    code, out, err = call("add", host.url("/feed.xml"), *wrong)

    assert (2, False) == (code, "s3c" in out + err)


# Addresses


@pytest.mark.parametrize(
    "pasted",
    ["feed://{}/feed.xml", "itpc://{}/feed.xml", "pcast://{}/feed.xml", "podcast://{}/feed.xml", "feed:http://{}/feed.xml",
     "  http://{}/feed.xml\n", "HTTP://{}/feed.xml", "http://{}/feed.xml#latest", "{}/feed.xml", "<http://{}/feed.xml>"],
)  # fmt: skip
def test_an_address_is_taken_as_it_is_pasted(call, host, pasted):
    assert call("add", pasted.format(f"127.0.0.1:{host.port}"))[0] == 0
    assert [host.url("/feed.xml")] == [each["url"] for each in feeds(call)]
    assert "already" in call("add", host.url("/feed.xml"))[1]


@pytest.mark.parametrize("wrong", ["missing.opml", "ftp://h.example/f", "some words", "x" * 5000, "me:s3cret@"])
def test_what_is_no_address_is_refused_in_one_line(call, wrong):
    outcome = call("add", wrong)
    assert_one_line(outcome, "neither a file here nor a web address")


def test_the_first_address_that_answers_with_a_refusal_is_final(call, host):
    assert_one_line(call("add", f"feed://127.0.0.1:{host.port}/nothing.xml"), "is not there (404)")


def test_a_page_adds_the_feed_it_names(call, host):
    host.serve("/show", Reply(200, b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml">'))

    code, out, err = call("add", host.url("/show"))
    assert (0, True, True) == (code, "Added quota" in out, host.url("/feed.xml") in err)
    assert "already" in call("add", host.url("/show"))[1]
    assert ["one", "two"] == sorted(
        each["guid"] for each in json.loads(call("inspect", host.url("/show"), "--json")[1])["episodes"]
    )


def test_a_feed_at_an_address_that_moved_for_good_to_a_known_one_is_not_added_twice(call, host):
    call("add", host.url("/feed.xml"))
    host.serve("/old.xml", redirect(301, "/feed.xml"))

    assert "already" in call("add", host.url("/old.xml"))[1]
    assert 1 == len(feeds(call))


def test_two_shows_of_one_title_get_names_of_their_own(call, host):
    host.serve("/third.xml", document(feed("two")))
    for path in ("/feed.xml", "/other.xml", "/third.xml"):
        assert call("add", host.url(path))[0] == 0

    assert ["quota", "quota-2", "quota-3"] == [each["podcast"] for each in feeds(call)]
    assert 4 == len(json.loads(call("episodes", "--json")[1])["episodes"])
    assert_one_line(call("add", host.url("/feed.xml?again"), "--podcast", "quota"), "is not there")


def test_the_first_time_older_pages_are_read_too(call, host):
    link = b'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="/2.xml"/><item>'
    host.serve("/1.xml", document(feed("two").replace(b"<item>", link, 1)))
    host.serve("/2.xml", document(feed("one")))

    assert "(2 episodes)" in call("add", host.url("/1.xml"))[1]


def test_a_publisher_who_opts_out_is_said_at_once(call, host, monkeypatch):
    host.serve("/no.xml", Reply(200, feed("one"), {"TDM-Reservation": "1"}))

    assert "opts out" in call("add", host.url("/no.xml"))[2]
    monkeypatch.setenv("SOUNDBITE_RESPECT_OPT_OUT", "false")
    call("remove", "quota")
    assert "opts out" not in call("add", host.url("/no.xml"))[2]


# Lists


def test_a_list_of_an_app_is_taken_as_far_as_it_goes_and_what_is_not_is_said(call, host, tmp_path):
    path = tmp_path / "feeds.opml"
    lines = [
        f'<outline type="rss" text="A" xmlUrl="itpc://127.0.0.1:{host.port}/feed.xml"/>',
        f'<outline type="rss" text="B" url="{host.url("/other.xml")}"/>',
        f'<outline type="rss" text="Old" xmlUrl="{host.url("/old.xml")}" subscribed="0"/>',
    ]
    path.write_text(f'<opml version="2.0"><body>{"".join(lines)}<outline type="rss" xmlUrl="http://b.exa')

    code, _, err = call("add", path)

    assert (0, ["quota", "quota-2"]) == (code, [each["podcast"] for each in feeds(call)])
    assert all(words in err for words in ("is cut off", "not subscribed to): Old", "2 of 2"))
    path.write_text('<opml version="2.0"><body><outline type="rss" xmlUrl="http://b.exa')
    assert_one_line(call("add", path), "cut off")


def test_a_password_in_a_list_opens_the_feed_and_is_not_shown(call, host, tmp_path):
    host.serve("/private.xml", behind("authorization", BASIC))
    path = tmp_path / "feeds.opml"
    path.write_text(write_opml([("Private", host.url("/private.xml").replace("//", "//ann:s%3A3cret@"))]))

    outcomes = [call("add", path, "--dry-run"), call("add", path), call("feeds", "--opml")]

    assert [0, 0, 0] == [outcome[0] for outcome in outcomes]
    assert "3cret" not in str(outcomes)
    assert [host.url("/private.xml")] == [url for _, url in read_feed_list(outcomes[2][1].encode()).feeds]


# Names


@pytest.mark.parametrize("name", ["quota", "Quota", "QUOTA ", "the url", "a part"])
def test_a_podcast_is_removed_by_name_title_or_address(call, host, tmp_path, name):
    call("add", host.url("/feed.xml"))
    host.serve("/elsewhere.xml", document(feed("one", title="Other Show")))
    call("add", host.url("/elsewhere.xml"))
    ledger = Ledger(tmp_path / "home" / "ledger.sqlite")
    named = {"the url": host.url("/feed.xml"), "a part": "quo"}.get(name, name)

    assert "Removed quota" in call("remove", named)[1]
    assert "quota" not in {each.podcast for each in ledger.feeds()}


def test_a_title_that_two_podcasts_have_is_asked_about(call, host):
    call("add", host.url("/feed.xml"))
    call("add", host.url("/other.xml"))

    assert_one_line(call("remove", "Quota"), "may be any of quota, quota-2")
    assert 2 == len(feeds(call))
    assert "Removed quota;" in call("remove", "quota")[1]


@pytest.mark.parametrize("command", [["search", "deals"], ["episodes"], ["transcribe"], ["run"]])
def test_a_podcast_that_is_not_there_is_answered_with_those_that_are(call, host, command):
    call("add", host.url("/feed.xml"))

    assert_one_line(call(*command, "--podcast", "quoda"), "quota")
