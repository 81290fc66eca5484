"""Entities become characters, whatever number somebody writes."""

import pytest

from ingest.entities import unescaped
from ingest.feeds.addresses import feed_links
from ingest.feeds.opml import read_feed_list
from ingest.feeds.repair import plain_text
from ingest.transcripts.captions import parse

LONG = "&#" + "9" * 5000 + ";"


@pytest.mark.parametrize("text", ["&amp;&eacute;&#233;&#xe9;", "&#0000000038;", "&#9999999;", "&# &#x; &;", "&#38"])
def test_what_a_browser_reads_is_read_as_it_does(text):
    assert {"&amp;&eacute;&#233;&#xe9;": "&ééé", "&#0000000038;": "&", "&#9999999;": "\ufffd", "&#38": "&"}.get(
        text, text
    ) == unescaped(text)


@pytest.mark.parametrize("number", [LONG, LONG[:-1], "&#" + "0" * 5000 + "38;"])
def test_a_number_without_end_is_no_character(number):
    assert "a \ufffd" == unescaped(f"a {number}") == plain_text(f"a {number}")


def test_a_number_without_end_stops_no_reader():
    page = f'<link rel="alternate" type="application/rss+xml" title="{LONG[:1000]}" href="/f">'
    listed = f'<opml><outline text="{LONG}" xmlUrl="https://a.example/f"/></opml>'
    cue = f"WEBVTT\n\n00:00.000 --> 00:02.000\nHello there {LONG}\n"

    assert ["https://a.example/f"] == feed_links(page.encode(), "https://a.example/")
    assert ["https://a.example/f"] == [url for _, url in read_feed_list(listed.encode()).feeds]
    assert parse(cue.encode(), "vtt", "a.vtt")[0].text.startswith("Hello there")
    assert "Hello there" in parse(f"<p>Hello there {LONG}</p>".encode(), "html", "a.html")[0].text
