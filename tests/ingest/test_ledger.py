from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.errors import HomeError, NotFoundError
from ingest.ledger import Ledger, Subscription
from ingest.models import Episode, TranscriptLink

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEED = Subscription("quota", "https://quota.example/feed.xml", "The Quota Room")
OLD = Episode(
    "quota", "g1", "First", published="Mon, 05 Jan 2026 08:00:00 GMT", audio_url="https://quota.example/1.mp3"
)
NEW = replace(
    OLD, guid="g2", title="Second", published="Mon, 12 Jan 2026 08:00:00 GMT", people=("Ann",),
    transcripts=(TranscriptLink("https://quota.example/2.vtt", "text/vtt"),),
)  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "home" / "ledger.sqlite")
    ledger.subscribe(FEED, NOW)
    return ledger


def test_subscribing_twice_changes_nothing(ledger):
    assert not ledger.subscribe(FEED, NOW + timedelta(days=1))
    assert [feed.added for feed in ledger.feeds()] == [NOW]


def test_two_feeds_cannot_share_a_name(ledger):
    assert not ledger.subscribe(replace(FEED, url="https://other.example/feed.xml"), NOW)


def test_an_unknown_podcast_is_answered_with_the_names_there_are(ledger):
    with pytest.raises(NotFoundError, match="known: quota"):
        ledger.feed("quote")


def test_a_poll_keeps_validators_verbatim_and_forgets_earlier_errors(ledger):
    ledger.poll_failed(replace(FEED, next_poll=NOW), "is not there (404)")
    polled = replace(FEED, etag='W/"a b"', last_modified="Sun, 01 Mar 2026", next_poll=NOW + timedelta(hours=2))

    ledger.polled(polled, NOW)

    assert replace(polled, added=NOW, last_success=NOW) == ledger.feed("quota")


def test_what_a_person_says_of_a_feed_outlives_its_polls(ledger):
    ledger.override("quota", user_agent="Mozilla/5.0", spoken="de")
    ledger.override("quota")
    ledger.polled(replace(FEED, language="en"), NOW)

    feed = ledger.feed("quota")

    assert ("Mozilla/5.0", "de", "en") == (feed.user_agent, feed.spoken, feed.language)


def test_a_failed_poll_keeps_the_last_success_and_counts(ledger):
    ledger.polled(FEED, NOW)
    ledger.poll_failed(FEED, "did not answer")
    ledger.poll_failed(FEED, "did not answer")

    feed = ledger.feed("quota")

    assert (feed.last_success, feed.last_error, feed.failures) == (NOW, "did not answer", 2)


def test_episodes_come_back_as_they_went_in_newest_first(ledger):
    assert ledger.found([OLD, NEW]) == 2
    assert [record.episode for record in ledger.records("quota")] == [NEW, OLD]


def test_an_episode_found_again_is_not_new_and_takes_the_newer_words(ledger):
    ledger.found([OLD])
    moved = replace(OLD, audio_url="https://cdn.example/1.mp3")

    assert ledger.found([moved]) == 0
    assert [moved] == [record.episode for record in ledger.records()]


def test_an_episode_that_is_done_stays_done_when_its_feed_changes(ledger):
    ledger.found([OLD])
    ledger.finish(OLD)
    ledger.found([replace(OLD, title="Renamed")])

    assert [record.status for record in ledger.records()] == ["done"]


def test_failures_are_counted_with_their_reason_and_next_try(ledger):
    ledger.found([OLD, NEW])
    ledger.fail(OLD, "the audio is a web page", NOW)

    assert ledger.counts() == (1, 1)
    failed = next(record for record in ledger.records() if record.status == "failed")
    assert (failed.reason, failed.attempts, failed.next_try) == ("the audio is a web page", 1, NOW)


def test_unsubscribing_forgets_what_was_pending_and_keeps_what_is_done(ledger):
    ledger.found([OLD, NEW])
    ledger.finish(OLD)

    ledger.unsubscribe("quota")

    assert ledger.feeds() == []
    assert [record.episode for record in ledger.records()] == [OLD]


def test_a_home_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "home").write_text("a file is in the way")

    with pytest.raises(HomeError, match="choose another --home"):
        Ledger(tmp_path / "home" / "ledger.sqlite")


def test_a_ledger_that_is_no_database_says_so(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database" * 100)

    with pytest.raises(HomeError, match="cannot be used"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_feed_that_moved_is_known_by_both_addresses_until_it_is_removed(ledger):
    there = "https://new.example/feed"

    assert ledger.move(replace(FEED, etag='"2"'), there)

    assert (there, '"2"') == (ledger.feed("quota").url, ledger.feed("quota").etag)
    assert ["quota", "quota"] == [ledger.known(url).podcast for url in (FEED.url, there)]
    ledger.unsubscribe("quota")
    assert [None, None] == [ledger.known(url) for url in (FEED.url, there)]


def test_a_feed_cannot_move_to_anothers_address(ledger):
    ledger.subscribe(Subscription("other", "https://other.example/feed"), NOW)

    assert not ledger.move(FEED, "https://other.example/feed")
    assert FEED.url == ledger.feed("quota").url


def test_a_feed_that_moves_back_leaves_no_address_twice(ledger):
    ledger.move(FEED, "https://new.example/feed")
    ledger.move(ledger.feed("quota"), FEED.url)

    assert (FEED.url, "quota") == (ledger.feed("quota").url, ledger.known("https://new.example/feed").podcast)


def test_what_is_done_is_kept_small(ledger):
    wordy = replace(NEW, summary="long " * 1000)
    ledger.found([wordy])
    assert [wordy] == [record.episode for record in ledger.records()]

    ledger.finish(wordy)

    assert [replace(NEW, people=(), transcripts=())] == [record.episode for record in ledger.records()]


def test_a_revision_stays_done_and_says_so(ledger):
    ledger.finish(OLD)
    ledger.revise([replace(OLD, title="First, corrected")])

    (record,) = ledger.records()
    assert ("done", "First, corrected", 1) == (record.status, record.episode.title, record.attempts)
    assert "revised" in record.reason


def test_episodes_are_counted_for_each_podcast(ledger):
    ledger.found([OLD, NEW, replace(OLD, podcast="other")])
    ledger.finish(OLD)

    assert {
        "quota": {"done": 1, "pending": 1, "failed": 0},
        "other": {"done": 0, "pending": 1, "failed": 0},
    } == ledger.tallies()


def test_a_host_rests_until_the_moment_it_named(ledger):
    assert ledger.resting("quota.example") is None
    ledger.rest("quota.example", NOW)
    assert ledger.resting("quota.example") == NOW
