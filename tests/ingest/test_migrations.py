"""Ledgers of earlier and later versions."""

import json
import sqlite3
from contextlib import closing

import pytest

from ingest.errors import HomeError
from ingest.ledger import Ledger
from ingest.migrations import STEPS
from ingest.models import Episode

FIRST = Episode("quota", "g1", "First", summary="long " * 100, people=("Ann",))


def old_ledger(path):
    """A ledger as the first version wrote it: no version noted."""
    with closing(sqlite3.connect(path)) as db, db:
        for statement in STEPS[0]:
            db.execute(statement)
        db.execute(
            "INSERT INTO feeds (podcast, url, title, etag, added) VALUES ('quota', 'https://quota.example/', 'Q', '\"1\"', 1)"
        )
        data = {"podcast": "quota", "guid": "g1", "title": "First", "summary": "long " * 100, "people": ["Ann"],
                "transcripts": [{"url": "https://quota.example/1.vtt"}]}  # fmt: skip
        for status, guid in (("done", "g1"), ("pending", "g2")):
            row = (guid, "quota", json.dumps(data | {"guid": guid}), status)
            db.execute("INSERT INTO episodes (key, podcast, data, status) VALUES (?, ?, ?, ?)", row)


def test_a_ledger_of_the_first_version_opens_with_all_it_held(tmp_path):
    old_ledger(tmp_path / "ledger.sqlite")

    ledger = Ledger(tmp_path / "ledger.sqlite")

    feed = ledger.feed("quota")
    assert ("https://quota.example/", '"1"', "", None) == (feed.url, feed.etag, feed.new_url, feed.gone)
    assert {"quota": {"done": 1, "pending": 1, "failed": 0}} == ledger.counts_by_podcast()


def test_what_is_done_grows_small_and_what_is_pending_keeps_everything(tmp_path):
    old_ledger(tmp_path / "ledger.sqlite")

    found = {one.status: one.episode for one in Ledger(tmp_path / "ledger.sqlite").records()}

    assert ("", (), ()) == (found["done"].summary, found["done"].people, found["done"].transcripts)
    assert (FIRST.summary, FIRST.people, 1) == (
        found["pending"].summary, found["pending"].people, len(found["pending"].transcripts)
    )  # fmt: skip


def test_opening_twice_takes_no_step_twice(tmp_path):
    Ledger(tmp_path / "ledger.sqlite").open()
    Ledger(tmp_path / "ledger.sqlite").open()

    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
        assert (len(STEPS),) == db.execute("PRAGMA user_version").fetchone()


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path):
    Ledger(tmp_path / "ledger.sqlite").open()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")

    with pytest.raises(HomeError, match="newer Soundbite"):
        Ledger(tmp_path / "ledger.sqlite").open()


def test_podcasts_come_over_to_the_librarys_slug_with_their_episodes(tmp_path):
    """A feed titled `Con` was `con` in the ledger and `con-x` in the library."""
    old_ledger(tmp_path / "ledger.sqlite")
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        db.execute("INSERT INTO feeds (podcast, url, added) VALUES ('con', 'https://con.example/', 1)")
        data = {
            "podcast": "con",
            "guid": "c1",
            "title": "One",
            "people": [],
            "transcripts": [],
            "audio_type": "audio/mpeg",
        }
        db.execute(
            "INSERT INTO episodes (key, podcast, data, status) VALUES ('old', 'con', ?, 'pending')", (json.dumps(data),)
        )

    ledger = Ledger(tmp_path / "ledger.sqlite")

    assert ["con-x", "quota"] == [feed.podcast for feed in ledger.feeds()]
    (record,) = ledger.records("con-x")
    assert Episode("Con", "c1", "One").key == record.episode.key
    assert record == ledger.record(record.episode.key)


def test_passwords_leave_the_addresses_of_an_older_ledger(tmp_path):
    old_ledger(tmp_path / "ledger.sqlite")
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        db.execute("UPDATE feeds SET url = 'https://ann:s3cret@quota.example/feed'")
        for guid, url in (
            ("g1", "https://ann:s3cret@quota.example/1.mp3"),
            ("g2", "https://b:s3cret@cdn.example/2.mp3"),
        ):
            data = {"podcast": "quota", "guid": guid, "title": "x", "audio_url": url, "people": [],
                    "source_feed": "https://ann:s3cret@quota.example/feed",
                    "transcripts": [{"url": "https://b:s3cret@cdn.example/2.vtt"}]}  # fmt: skip
            db.execute("UPDATE episodes SET data = ? WHERE key = ?", (json.dumps(data), guid))

    ledger = Ledger(tmp_path / "ledger.sqlite")

    feed = ledger.feed("quota")
    assert ("https://quota.example/feed", "") == (feed.url, feed.etag)
    assert "s3cret" not in f"{ledger.feeds()} {ledger.records()}"
    kept = ledger.credentials("quota")
    assert all(kept.headers_for(url) for url in ("https://quota.example/1.mp3", "https://cdn.example/2.mp3"))
    assert not kept.headers_for("https://other.example/")
