from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest

from index.query import Answer, Coverage
from search_api.feed import feed_of
from tests.search_api.test_display import FILE, NOTES, hit_of

BASE = "http://127.0.0.1:8000"


def answer(*hits, weak=False):
    return Answer("how to sell?", "hybrid", 1.0, hits, Coverage(1, 1, 0, 0), weak)


def items(given):
    return fromstring(feed_of(given, BASE, f"{BASE}/?q=how", {"p": "The Podcast"})).findall("channel/item")


def test_moments_are_items_newest_first_with_their_page_and_audio():
    old, new = (
        replace(hit_of(NOTES, FILE, 75.5), published=f"2025-0{n}-01T00:00:00Z", title=f"Part {n}") for n in (1, 2)
    )
    found = items(answer(old, new))
    assert [one.findtext("title") for one in found] == ["Part 2", "Part 1"]
    assert found[0].findtext("link") == f"{BASE}/episodes/k#t=75.5"
    assert found[0].findtext("pubDate") == "Sat, 01 Feb 2025 00:00:00 +0000"
    assert found[0].findtext("description") == "“Yes.” — The Podcast, at 1:15"
    assert found[0].find("enclosure").get("url") == FILE


def test_an_item_stays_the_same_when_its_title_and_rank_change():
    first, later = hit_of(NOTES, FILE, 75.5), replace(hit_of(NOTES, FILE, 75.5), rank=9, title="Renamed", score=0.1)
    assert items(answer(first))[0].findtext("guid") == items(answer(later))[0].findtext("guid")


@pytest.mark.parametrize("given", [None, answer(), answer(hit_of(), weak=True)])
def test_nothing_good_gives_no_items(given):
    assert items(given) == []


@pytest.mark.parametrize("text", ["<b>&", "a\x00b\x0b", "half \ud800 pair", "end \uffff"])
def test_any_text_makes_a_well_formed_feed(text):
    assert len(items(answer(hit_of(text=text)))) == 1
