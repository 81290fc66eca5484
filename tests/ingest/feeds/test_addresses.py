"""Addresses as people paste them, and feeds that web pages name."""

import pytest

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
