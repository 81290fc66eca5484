"""A feed is known by every way to write its address, and by what it calls itself."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from ingest.ledger import Ledger
from ingest.migrations import STEPS
from ingest.models import Subscription

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GUID = "917393e3-1b1e-5cef-ace4-edaa54e1f810"
URL = "https://Pod.example:443/a/../feed?"
VARIANTS = ["https://pod.example/feed", "http://POD.example/feed#top", "https://pod.example/%66eed", URL]


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.subscribe(Subscription("quota", URL), NOW)
    return ledger


def found(ledger, *urls):
    return [feed.podcast if (feed := ledger.find_by_url(url)) else None for url in urls]


@pytest.mark.parametrize("url", VARIANTS)
def test_a_feed_is_found_however_its_address_is_written_and_asked_as_it_was_given(ledger, url):
    assert URL == ledger.find_by_url(url).url


def test_another_feed_of_the_host_is_not_found(ledger):
    assert [None] * 3 == found(ledger, "https://pod.example/feed2", "https://pod.example/feed/", "https://pod.example/")


@pytest.mark.parametrize("url", VARIANTS)
def test_a_feed_that_moved_is_found_by_old_and_new_and_one_removed_by_none(ledger, url):
    new = "https://new.example/f"
    assert ledger.move(ledger.feed("quota"), new)
    assert ["quota"] * 3 == found(ledger, url, new, "http://NEW.example:80/f")

    ledger.unsubscribe("quota")
    assert [None] * 3 == found(ledger, url, new, "http://NEW.example:80/f")


@pytest.mark.parametrize("url", VARIANTS[1:])
def test_no_feed_moves_to_where_another_lives_however_that_is_written(ledger, url):
    ledger.subscribe(Subscription("deals", "https://deals.example/f"), NOW)

    assert not ledger.move(ledger.feed("deals"), url)
    assert ["deals", "quota"] == found(ledger, "https://deals.example/f", url)
    assert ledger.move(ledger.feed("quota"), "https://pod.example/feed")  # its own address, better written


@pytest.mark.parametrize("guid", [GUID, GUID.upper(), f" {{{GUID}}}\n"])
def test_a_feed_is_found_by_what_it_calls_itself(ledger, guid):
    assert ledger.find_by_guid(guid) is None
    ledger.know_as("quota", guid=GUID)
    ledger.know_as("deals", guid=guid)

    assert "quota" == ledger.find_by_guid(guid).podcast


@pytest.mark.parametrize(
    "guid", ["", "my-show", "{{ guid }}", "00000000-0000-0000-0000-000000000000", "https://pod.example/"]
)
def test_what_many_feeds_call_themselves_is_no_name(ledger, guid):
    ledger.know_as("quota", guid=guid)

    assert ledger.find_by_guid(guid) is None


def test_a_ledger_of_before_finds_its_feeds_by_every_address_and_two_of_one_address_both(tmp_path):
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        for step in STEPS[:11]:
            for statement in () if callable(step) else step:
                db.execute(statement)
        db.execute("PRAGMA user_version = 11")
        rows = [("later", "https://pod.example/feed", 2), ("quota", URL, 1), ("moved", "http://new.example/", 3)]
        db.executemany("INSERT INTO feeds (podcast, url, added) VALUES (?, ?, ?)", rows)
        db.execute("INSERT INTO aliases VALUES ('http://Old.example/f', 'moved')")

    ledger = Ledger(tmp_path / "ledger.sqlite")

    assert ["later", "quota", "quota", "quota"] == found(ledger, *VARIANTS)
    assert ["moved"] * 3 == found(ledger, "https://old.example/f", "http://Old.example/f", "https://new.example")
