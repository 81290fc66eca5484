"""Chapters as publishers write them: in a file of their own, or in the feed; nothing in them is believed."""

import json

import pytest

from ingest.errors import FeedError
from ingest.feeds.chapters import MAX_CHAPTERS, MAX_TITLE, chapters, read_json
from ingest.feeds.parse import parse
from ingest.models import Chapter

URL = "https://a.example/chapters.json"
FEED = """<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:{psc}="http://podlove.org/simple-chapters">
<channel><title>Quota</title><item><guid>one</guid><title>One</title><enclosure url="/1.mp3" type="audio/mpeg"/>{tags}</item>
<item><guid>two</guid><title>Two</title><enclosure url="/2.mp3" type="audio/mpeg"/></item></channel></rss>"""


def read(*entries):
    return read_json(URL, json.dumps({"version": "1.2.0", "chapters": entries}).encode())


def test_the_chapters_of_a_file_are_read_in_order_without_those_that_are_not_to_be_listed():
    found = read(
        {"startTime": 90.5, "title": "Prices", "url": "https://a.example/prices", "img": "https://a.example/p.jpg"},
        {"startTime": 0, "title": "Welcome"},
        {"startTime": 60, "title": "A picture only", "toc": False},
        {"startTime": 30, "img": "https://a.example/x.jpg"},
    )
    assert found == (Chapter(0.0, "Welcome"), Chapter(90.5, "Prices", "https://a.example/prices"))


@pytest.mark.parametrize(
    ("start", "seconds"),
    [(12, 12.0), ("12.5", 12.5), ("1:02:03.250", 3723.25), ("00:01", 1.0), (0, 0.0), (604_800, 604_800.0)],
)
def test_a_start_is_a_number_or_a_clock(start, seconds):
    assert read({"startTime": start, "title": "x"}) == (Chapter(seconds, "x"),)


@pytest.mark.parametrize(
    "start", [-1, "-0:05", True, None, "soon", [1], {}, float("nan"), float("inf"), 10**400, 604_801, "9" * 400]
)
def test_a_chapter_that_starts_nowhere_is_left_out(start):
    assert read({"startTime": start, "title": "x"}, {"startTime": 1, "title": "y"}) == (Chapter(1.0, "y"),)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("<b>Bold</b> &amp; <script>alert(1)</script> true", "Bold & true"),
        (" two\nlines\x00\u2028 ", "two lines"),
        ("long " * 100, ("long " * 100)[:MAX_TITLE].rstrip()),
        ("half \ud800 a pair", "half a pair"),
    ],
)
def test_titles_are_plain_text_on_one_line(title, name):
    assert chapters([(1, title, "")]) == (Chapter(1.0, name),)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//a.example", 5, None, "https://"])
def test_only_web_addresses_are_kept(url):
    assert chapters([(1, "x", url)]) == (Chapter(1.0, "x"),)


def test_of_chapters_that_start_together_the_first_counts_and_their_number_is_bounded():
    many = [{"startTime": n // 2, "title": f"{n}"} for n in range(4 * MAX_CHAPTERS)]
    found = read(*many)
    assert (len(found), found[1]) == (MAX_CHAPTERS, Chapter(1.0, "2"))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"5", b"{}", b'{"chapters": 5}', b'{"chapters": null}', b"\xff\xfe\xfd", b"[" * 99_999]
)  # fmt: skip
def test_a_file_that_holds_something_else_is_refused(body):
    with pytest.raises(FeedError, match="holds no chapters"):
        read_json(URL, body)


@pytest.mark.parametrize("psc", ["psc", "sc", "chap.ters"])
def test_podloves_chapters_and_the_address_of_a_file_are_read_from_the_feed(psc):
    tags = (
        f'<{psc}:chapters version="1.2"><{psc}:chapter start="00:00:00.000" title="Hello"/>'
        f'<{psc}:chapter start="1:30" title="Tea &amp; cake" href="https://a.example/tea"/></{psc}:chapters>'
        '<podcast:chapters url="/c.json" type="application/json+chapters"/>'
    )
    feed = parse("https://a.example/feed.xml", FEED.format(psc=psc, tags=tags).encode())
    one, two = feed.episodes
    assert one.chapters == (Chapter(0.0, "Hello"), Chapter(90.0, "Tea & cake", "https://a.example/tea"))
    assert one.chapters_url == "https://a.example/c.json"
    assert (two.chapters, two.chapters_url) == ((), "")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", ""])
def test_an_address_of_chapters_that_is_none_is_left_out(url):
    feed = parse("https://a.example/f", FEED.format(psc="psc", tags=f'<podcast:chapters url="{url}"/>').encode())
    assert feed.episodes[0].chapters_url == ""
