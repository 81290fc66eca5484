"""Addresses as people paste them, and feeds that web pages name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.feeds.addresses import feed_links, read_address


@pytest.mark.parametrize(
    ("pasted", "tried"),
    [
        ("https://h.example/f", ["https://h.example/f"]),
        ("  HTTP://H.example/F ", ["http://H.example/F"]),
        ("\thttps://h.example/f#latest\n", ["https://h.example/f"]),
        ("feed://h.example/f", ["http://h.example/f", "https://h.example/f"]),
        ("feed:https://h.example/f", ["https://h.example/f"]),
        ("feed:h.example/f", ["http://h.example/f", "https://h.example/f"]),
        ("feed://https://h.example/f", ["https://h.example/f"]),
        ("ITPC://h.example:8080/f?a=1", ["http://h.example:8080/f?a=1", "https://h.example:8080/f?a=1"]),
        ("itpcs://h.example/f", ["https://h.example/f", "http://h.example/f"]),
        ("pcast://h.example/f", ["http://h.example/f", "https://h.example/f"]),
        ("podcast://h.example/f", ["http://h.example/f", "https://h.example/f"]),
        ("h.example/feed.xml", ["https://h.example/feed.xml", "http://h.example/feed.xml"]),
        ("127.0.0.1:8781/feed.xml", ["https://127.0.0.1:8781/feed.xml", "http://127.0.0.1:8781/feed.xml"]),
        ("//h.example", ["https://h.example", "http://h.example"]),
        ("me:pw@h.example/f", ["https://me:pw@h.example/f"]),
        ("https://me:p#w@h.example/f#x", ["https://me:p#w@h.example/f"]),
        ("<https://h.example/f>", ["https://h.example/f"]),
        ("\u201chttps://h.example/f\u201d,", ["https://h.example/f"]),
        ("https://h.example/f;", ["https://h.example/f"]),
        ("\u2018h.example/f\u2019", ["https://h.example/f", "http://h.example/f"]),
        ("mailto:me@h.example", []),
        ("missing.opml", []),
        ("feed.xml", []),
        ("some words", []),
        ("ftp://h.example/f", []),
        ("file:///etc/passwd", []),
        ("javascript:alert(1)", []),
        ("", []),
    ],
)
def test_an_address_is_read_as_people_paste_it(pasted, tried):
    assert tried == read_address(pasted)


PAGE = b"""<!doctype html><head><LINK REL='alternate' href=/comments/feed type="application/rss+xml" title="Comments">
<link rel="stylesheet" href="/x.css"><link type=application/atom+xml rel="home alternate" href="/f?a=1&amp;b=2">
<link rel="alternate" type="application/rss+xml" href="https://cdn.example/show.xml"/>
<link rel="alternate" hreflang="de" href="/de"><link rel="alternate" type="application/json+oembed" href="/o">
<link rel="alternate" type="application/rss+xml" href="javascript:x">"""


def test_a_page_names_its_feeds_and_comments_come_last():
    assert [
        "https://h.example/f?a=1&b=2",
        "https://cdn.example/show.xml",
        "https://h.example/comments/feed",
    ] == feed_links(PAGE, "https://h.example/show")


@pytest.mark.parametrize("page", [b"", b"<html>no</html>", b"<link rel=alternate>", b"\xff<link " * 50])
def test_a_page_without_a_feed_names_none(page):
    assert [] == feed_links(page, "https://h.example/")


@settings(max_examples=200, deadline=None, database=None)
@given(st.text() | st.from_regex(r"(?:feed|itpc|http|podcast)?:?/{0,3}[a-z:@/#?.0-9 ]{0,30}", fullmatch=True))
def test_any_text_gives_web_addresses_or_none(text):
    assert all(url.startswith(("http://", "https://")) and "\n" not in url.strip() for url in read_address(text))


@settings(max_examples=50, deadline=None, database=None)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from([b"<link ", b"rel=alternate ", b"href=", b"'", b'"', b">", b"type=text/xml ", b"//x:y"])
    ).map(b"".join)
)
def test_any_page_gives_web_addresses_or_none(page):
    assert all(url.startswith(("http://", "https://")) for url in feed_links(page, "https://h.example/"))
