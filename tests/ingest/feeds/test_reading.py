"""A whole feed: over its pages, by way of a web page, with what its publisher refuses."""

import pytest

from ingest.errors import FeedError, FetchError
from ingest.feeds import reading
from ingest.feeds.fetch import fetch
from ingest.times import now
from ingest.web.client import open_client
from tests.podcast_host import PodcastHost, Reply, document, redirect

NAMESPACES = 'xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:atom="http://www.w3.org/2005/Atom"'
ITEM = '<item><guid>{0}</guid><title>{0}</title><pubDate>Mon, 05 Jan 2026 08:00:00 GMT</pubDate><enclosure url="/{0}.mp3" type="audio/mpeg" length="1"/></item>'


def feed(*guids, more="", title="Quota"):
    items = "".join(ITEM.format(guid) for guid in guids)
    return f'<rss version="2.0" {NAMESPACES}><channel><title>{title}</title>{more}{items}</channel></rss>'.encode()


def link(rel, to):
    return f'<atom:link rel="{rel}" href="{to}"/>'


@pytest.fixture
def host():
    with PodcastHost() as host:
        yield host


@pytest.fixture
def client():
    with open_client(
        user_agent="soundbite/test", timeout=5, hosts_allowed=frozenset({"127.0.0.1", "localhost"})
    ) as client:
        yield client


@pytest.fixture
def read(client):
    def read(url, **more):
        return reading.read_feed(client, url, now=now(), **more)[0]

    return read


@pytest.fixture
def read_whole(client, read):
    return lambda url: reading.with_older_pages(read(url), lambda there: fetch(client, there, now=now()))


def guids(found):
    return [episode.guid for episode in found.episodes]


# Pages


@pytest.mark.parametrize("rel", ["next", "prev-archive"])
def test_a_feed_in_pages_is_read_to_its_end(host, read_whole, rel):
    host.serve("/1", document(feed("a", "b", more=link(rel, "/2") + link("self", "/1"))))
    host.serve("/2", document(feed("b", "c", more=link(rel, "/3"))))
    host.serve("/3", document(feed("d")))

    found = read_whole(host.url("/1"))

    assert (["a", "b", "c", "d"], ()) == (guids(found), found.warnings)
    assert {host.url("/1")} == {episode.source_feed for episode in found.episodes}
    assert {"quota"} == {episode.podcast for episode in found.episodes}


@pytest.mark.parametrize("back", ["/1", "/2"])
def test_pages_in_a_circle_end(host, read_whole, back):
    host.serve("/1", document(feed("a", more=link("next", "/2"))))
    host.serve("/2", document(feed("b", more=link("next", back))))

    assert ["a", "b"] == guids(read_whole(host.url("/1")))
    assert 2 == len(host.requests)


@pytest.mark.parametrize(
    "broken", [Reply(500), Reply(200, b"<html>"), Reply(200, b"<rss><channel><title>x</title><item>")]
)
def test_a_page_that_is_missing_costs_what_is_on_it_and_is_said(host, read_whole, broken):
    host.serve("/1", document(feed("a", more=link("next", "/2"))))
    host.serve("/2", broken)

    found = read_whole(host.url("/1"))

    assert ["a"] == guids(found)
    assert any("/2 are missing" in warning for warning in found.warnings)


def test_pages_without_end_are_counted(host, read_whole, monkeypatch):
    monkeypatch.setattr(reading, "MAX_PAGES", 4)
    for number in range(9):
        host.serve(f"/{number}", document(feed(str(number), more=link("next", f"/{number + 1}"))))

    found = read_whole(host.url("/0"))

    assert (["0", "1", "2", "3"], True) == (guids(found), "more than 4 pages" in found.warnings[0])


def test_atom_pages_are_followed(host, read_whole):
    entry = '<entry><id>{0}</id><title>{0}</title><link rel="enclosure" type="audio/mpeg" href="/{0}.mp3"/></entry>'
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><title>Q</title>{}</feed>'
    host.serve("/1", document(atom.format('<link rel="next" href="2"/>' + entry.format("a")).encode()))
    host.serve("/2", document(atom.format(entry.format("b")).encode()))

    assert ["a", "b"] == guids(read_whole(host.url("/1")))


# Web pages


PAGE = '<!doctype html><html><head>{}<link rel="alternate" type="application/rss+xml" href="{}"></head></html>'


def page(to="/feed", more="", **headers):
    return Reply(200, PAGE.format(more, to).encode(), {"Content-Type": "text/html", **headers})


def test_a_page_leads_to_the_feed_it_names_and_that_is_said(host, read):
    host.serve("/feed", document(feed("a")))
    host.serve("/show/", page("../feed"))
    host.serve("/old", redirect(302, "/show/"))

    found = read(host.url("/old"))

    assert (host.url("/feed"), ["a"]) == (found.url, guids(found))
    assert f"is a web page; the feed it names is read: {host.url('/feed')}" in found.warnings[0]


def test_a_page_that_names_itself_or_another_page_is_refused(host, read):
    host.serve("/self", page("/self"))
    host.serve("/other", page("/self"))
    host.serve("/none", Reply(200, b"<html><body>hello</body></html>"))
    for path in ("/self", "/other", "/none"):
        with pytest.raises(FeedError, match="web page"):
            read(host.url(path))


def test_a_page_sends_no_password_to_a_feed_elsewhere(host, read):
    host.serve("/show", page(host.url("/feed", "localhost")))
    host.serve("/feed", document(feed("a")))
    read(host.url("/show").replace("//", "//ann:pw@"))

    assert [True, False] == ["authorization" in asked.headers for asked in host.requests]


# Opting out


@pytest.mark.parametrize(
    ("tags", "headers"),
    [
        ('<podcast:txt purpose="ai">no</podcast:txt>', {}),
        ('<podcast:txt purpose="verify">x</podcast:txt><podcast:txt purpose="ai-training">disallow</podcast:txt>', {}),
        ("", {"tdm-reservation": "1"}),
        ("", {"X-Robots-Tag": "noindex, noai"}),
    ],
)
def test_a_publisher_opts_out_in_the_feed_or_its_headers(host, read, tags, headers):
    host.serve("/feed", Reply(200, feed("a", more=tags), headers))

    assert read(host.url("/feed")).opted_out


def test_what_a_page_refuses_counts_for_its_feed(host, read):
    host.serve("/feed", document(feed("a", more='<podcast:txt purpose="verify">no</podcast:txt>')))
    host.serve("/show", page(more='<meta name="tdm-reservation" content="1">'))

    assert read(host.url("/show")).opted_out
    assert not read(host.url("/feed")).opted_out


# Passwords


def test_passwords_in_a_feed_are_put_aside(host, read):
    secret = host.url("/{}").replace("//", "//ann:s3cret@")
    item = ITEM.replace("<title>{0}", "<title>t").format(secret.format("g")).replace('url="/', 'url="')
    item = item.replace("</item>", f'<podcast:transcript url="{secret.format("1.vtt")}" type="text/vtt"/></item>')
    host.serve("/feed", document(feed().replace(b"</channel>", item.encode() + b"</channel>")))

    found = read(secret.format("feed"))

    assert "s3cret" not in repr(found)
    assert host.url("/g.mp3") == found.episodes[0].audio_url
    assert found.credentials.headers_for(host.url("/g.mp3"))


def test_no_refusal_repeats_a_password(host, read):
    host.serve("/feed", Reply(401))
    with pytest.raises(FetchError) as refused:
        read(host.url("/feed").replace("//", "//ann:s3cret@"))

    assert ("--auth" in refused.value.message, "s3cret" in str(refused.value)) == (True, False)
