from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.errors import NotFoundError
from ingest.ledger import Ledger
from ingest.models import Episode, Subscription, TranscriptLink
from ingest.web.credentials import Credentials

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FEED = Subscription("quota", "https://quota.example/feed.xml", "The Quota Room")
OLD = Episode(
    "quota", "g1", "First", published="Mon, 05 Jan 2026 08:00:00 GMT", audio_url="https://quota.example/1.mp3"
)
NEW = replace(
    OLD, guid="g2", title="Second", published="Mon, 12 Jan 2026 08:00:00 GMT", people=("Ann",),
    transcripts=(TranscriptLink("https://quota.example/2.vtt", "text/vtt"),),
)  # fmt: skip


@pytest.fixture
def ledger(ledger_place):
    ledger = Ledger(ledger_place)
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
    ledger.record_poll_failure(replace(FEED, next_poll=NOW), "is not there (404)")
    polled = replace(FEED, etag='W/"a b"', last_modified="Sun, 01 Mar 2026", next_poll=NOW + timedelta(hours=2))

    ledger.record_poll(polled, NOW)

    assert replace(polled, added=NOW, last_success=NOW) == ledger.feed("quota")


def test_what_a_person_says_of_a_feed_outlives_its_polls(ledger):
    ledger.set_overrides("quota", user_agent="Mozilla/5.0", language="de")
    ledger.set_overrides("quota")
    ledger.record_poll(replace(FEED, language="en"), NOW)

    feed = ledger.feed("quota")

    assert ("Mozilla/5.0", "de", "en") == (feed.user_agent_override, feed.language_override, feed.language)


def test_a_failed_poll_keeps_the_last_success_and_counts(ledger):
    ledger.record_poll(FEED, NOW)
    ledger.record_poll_failure(FEED, "did not answer")
    ledger.record_poll_failure(FEED, "did not answer")

    feed = ledger.feed("quota")

    assert (feed.last_success, feed.last_error, feed.failures) == (NOW, "did not answer", 2)


def test_episodes_come_back_as_they_went_in_newest_first(ledger):
    assert ledger.upsert_episodes([OLD, NEW]) == 2
    assert [record.episode for record in ledger.records("quota")] == [NEW, OLD]


def test_an_episode_found_again_is_not_new_and_takes_the_newer_words(ledger):
    ledger.upsert_episodes([OLD])
    moved = replace(OLD, audio_url="https://cdn.example/1.mp3")

    assert ledger.upsert_episodes([moved]) == 0
    assert [moved] == [record.episode for record in ledger.records()]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://cdn.example/1.mp3", "pending"),
        ("https://quota.example/1.mp3?token=2", "failed"),
        ("https://ann:pw@quota.example/1.mp3", "failed"),
        ("https://quota.example/1.mp3.mp3", "pending"),
    ],
)
@pytest.mark.parametrize("tried_again", [False, True])
def test_what_is_not_tried_again_is_pending_once_its_audio_has_another_address(ledger, url, status, tried_again):
    ledger.record_failure(OLD, "nobody speaks", NOW if tried_again else None)
    ledger.record_failure(NEW, "nobody speaks", None)

    ledger.upsert_episodes([NEW, replace(OLD, audio_url=url)])

    assert ("failed" if tried_again else status) == ledger.record("g1").status
    assert ledger.record("g2").status == "failed"


def test_only_what_is_not_done_and_has_a_publishers_transcript_is_captioned(ledger):
    ledger.upsert_episodes([OLD, NEW])
    assert {NEW.key} == ledger.captioned()
    ledger.upsert_episodes([replace(OLD, transcripts=NEW.transcripts), replace(NEW, transcripts=())])
    assert {OLD.key} == ledger.captioned()
    ledger.settle(replace(OLD, transcripts=NEW.transcripts))
    assert ledger.captioned() == set()


@pytest.mark.parametrize("awkward", ["a\0b", "What? 50 %s of :name %(x)s", "'; DROP TABLE episodes; --", "𝄞 \ud83d ü"])
def test_awkward_words_come_back(ledger, awkward):
    odd = replace(OLD, title=awkward)
    ledger.upsert_episodes([odd])
    ledger.record_failure(odd, awkward.replace("\ud83d", ""), NOW)

    (record,) = ledger.records()
    assert (odd, True) == (record.episode, record.reason in {awkward, awkward.replace("\0", ""), "𝄞  ü"})


def test_an_episode_that_is_done_stays_done_when_its_feed_changes(ledger):
    ledger.upsert_episodes([OLD])
    ledger.settle(OLD)
    ledger.upsert_episodes([replace(OLD, title="Renamed")])

    assert [record.status for record in ledger.records()] == ["done"]


def test_failures_are_counted_with_their_reason_and_next_try(ledger):
    ledger.upsert_episodes([OLD, NEW])
    ledger.record_failure(OLD, "the audio is a web page", NOW)

    assert ledger.counts() == (1, 1)
    failed = next(record for record in ledger.records() if record.status == "failed")
    assert (failed.reason, failed.attempts, failed.next_try) == ("the audio is a web page", 1, NOW)


def test_unsubscribing_forgets_what_was_pending_and_keeps_what_is_done(ledger):
    ledger.upsert_episodes([OLD, NEW])
    ledger.settle(OLD)

    ledger.unsubscribe("quota")

    assert ledger.feeds() == []
    assert [record.episode for record in ledger.records()] == [OLD]


def test_a_feed_that_moved_is_known_by_both_addresses_until_it_is_removed(ledger):
    there = "https://new.example/feed"

    assert ledger.move(replace(FEED, etag='"2"'), there)

    assert (there, '"2"') == (ledger.feed("quota").url, ledger.feed("quota").etag)
    assert ["quota", "quota"] == [ledger.find_by_url(url).podcast for url in (FEED.url, there)]
    ledger.unsubscribe("quota")
    assert [None, None] == [ledger.find_by_url(url) for url in (FEED.url, there)]


def test_a_feed_cannot_move_to_anothers_address(ledger):
    ledger.subscribe(Subscription("other", "https://other.example/feed"), NOW)

    assert not ledger.move(FEED, "https://other.example/feed")
    assert FEED.url == ledger.feed("quota").url


def test_a_feed_that_moves_back_leaves_no_address_twice(ledger):
    ledger.move(FEED, "https://new.example/feed")
    ledger.move(ledger.feed("quota"), FEED.url)

    assert (FEED.url, "quota") == (ledger.feed("quota").url, ledger.find_by_url("https://new.example/feed").podcast)


def test_what_is_done_is_kept_small(ledger):
    wordy = replace(NEW, summary="long " * 1000)
    ledger.upsert_episodes([wordy])
    assert [wordy] == [record.episode for record in ledger.records()]

    ledger.settle(wordy)

    assert [NEW] == [record.episode for record in ledger.records()]


def test_a_revision_stays_done_and_says_so(ledger):
    ledger.settle(OLD)
    ledger.update_done([replace(OLD, title="First, corrected")])

    (record,) = ledger.records()
    assert ("done", "First, corrected", 1) == (record.status, record.episode.title, record.attempts)
    assert "revised" in record.reason


def test_episodes_are_counted_for_each_podcast(ledger):
    ledger.upsert_episodes([OLD, NEW, replace(OLD, podcast="other")])
    ledger.settle(OLD)

    assert {
        "quota": {"done": 1, "pending": 1, "failed": 0},
        "other": {"done": 0, "pending": 1, "failed": 0},
    } == ledger.counts_by_podcast()


def test_a_host_rests_until_the_moment_it_named(ledger):
    assert {} == ledger.backoffs(NOW)
    ledger.set_backoff("quota.example", NOW)
    ledger.set_backoff("other.example", NOW + HOUR)
    assert {"quota.example": NOW, "other.example": NOW + HOUR} == ledger.backoffs(NOW - HOUR)
    assert {"other.example": NOW + HOUR} == ledger.backoffs(NOW)
    assert {} == ledger.backoffs(NOW + HOUR)


def test_due_are_the_feeds_whose_next_poll_has_come_by_the_clock_there_is(ledger):
    for name, days in (("year-ago", -366), ("day-ago", -1), ("now", 0), ("day-ahead", 1), ("year-ahead", 366)):
        feed = Subscription(name, f"https://{name}.example/")
        ledger.subscribe(feed, NOW)
        ledger.record_poll(replace(feed, next_poll=NOW + timedelta(days=days)), NOW)

    def due(days, podcast=""):
        return [feed.podcast for feed in ledger.due_feeds(NOW + timedelta(days=days), podcast)]

    assert ["day-ago", "now", "quota", "year-ago"] == due(0)
    assert ["quota", "year-ago"] == due(-2)
    assert ["quota"] == due(-400)
    assert 6 == len(due(400))
    assert (["quota"], ["now"], []) == (due(0, "quota"), due(0, "now"), due(0, "day-ahead"))
    ledger.unsubscribe("quota")
    assert [] == due(-400)
    assert ["day-ago", "day-ahead", "now", "year-ago", "year-ahead"] == ledger.names()


def test_due_feeds_come_as_they_are_told(ledger):
    told = replace(FEED, etag='"1"', opted_out="ai=n", gone=NOW, agreed=2, next_poll=NOW)
    ledger.record_poll(told, NOW)
    assert [ledger.feed("quota")] == ledger.due_feeds(NOW)
    assert ("ai=n", NOW, '"1"') == ((feed := ledger.due_feeds(NOW)[0]).opted_out, feed.gone, feed.etag)
    assert {"quota": "ai=n"} == ledger.opted_out()


def test_no_feed_that_is_not_due_is_read(tmp_path):
    """A look for due feeds must cost what is due, not what there is."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for number in range(200):
        ledger.subscribe(Subscription(f"show-{number}", f"https://{number}.example/"), NOW)
    statement = "EXPLAIN QUERY PLAN SELECT * FROM feeds WHERE next_poll <= 1 AND '' IN ('', podcast)"
    with ledger._reading() as db:
        assert "USING INDEX feeds_by_next_poll" in str(db.execute(statement).fetchall())


def test_the_queue_holds_all_feeds_newest_first(ledger):
    ledger.subscribe(Subscription("other", "https://other.example/feed.xml"), NOW)
    between = replace(OLD, podcast="other", guid="o1", published="Thu, 08 Jan 2026 08:00:00 GMT")
    undated = replace(OLD, guid="g3", published="")
    ledger.upsert_episodes([OLD, NEW, between, undated])

    assert [NEW.key, between.key, OLD.key, undated.key] == ledger.queue(NOW)
    assert [NEW.key, between.key] == ledger.queue(NOW, latest=1)
    assert [between.key] == ledger.queue(NOW, podcast="other")
    assert [NEW.key] == ledger.queue(NOW, since=datetime(2026, 1, 9, tzinfo=UTC))


def test_the_queue_leaves_out_what_is_done_not_due_or_subscribed_to_no_more(ledger):
    ledger.upsert_episodes([OLD, NEW, replace(OLD, podcast="nobody")])
    ledger.settle(NEW)
    ledger.record_failure(OLD, "is not there", NOW + timedelta(hours=1))

    assert [] == ledger.queue(NOW)
    assert [OLD.key] == ledger.queue(NOW, retry_all=True) == ledger.queue(NOW + timedelta(hours=1))


def test_what_the_library_lost_is_pending_and_its_feed_is_asked_for_whole(ledger):
    ledger.upsert_episodes([OLD, NEW])
    ledger.settle(OLD)
    ledger.settle(NEW)
    ledger.record_poll(replace(FEED, etag='"1"', last_modified="Sun", next_poll=NOW + timedelta(days=1)), NOW)

    assert 1 == ledger.reconcile(lambda: {OLD.key})

    assert {"g1": "done", "g2": "pending"} == {one.episode.guid: one.status for one in ledger.records()}
    feed = ledger.feed("quota")
    assert ("", "", None) == (feed.etag, feed.last_modified, feed.next_poll)
    assert (1, 0) == ledger.counts()


def test_what_is_saved_and_settled_while_the_library_is_looked_at_is_not_lost(ledger):
    ledger.upsert_episodes([OLD, NEW])
    ledger.settle(OLD)

    def held():
        ledger.settle(NEW)
        return {OLD.key}  # NEW was saved a moment after this part of the library was listed

    assert 0 == ledger.reconcile(held)
    assert {"done"} == {one.status for one in ledger.records()}


def test_what_the_library_holds_is_done_whatever_the_ledger_said(ledger):
    ledger.upsert_episodes([OLD, NEW])
    ledger.record_failure(OLD, "is not there", NOW)

    assert 0 == ledger.reconcile(lambda: {OLD.key})

    assert {"g1": "done", "g2": "pending"} == {one.episode.guid: one.status for one in ledger.records()}


def test_an_episode_is_looked_up_by_key_or_guid(ledger):
    ledger.upsert_episodes([OLD, NEW])

    assert OLD == ledger.record(OLD.key).episode == ledger.record("g1").episode
    assert ledger.record("nobody") is None


def test_a_podcast_is_known_by_every_name_that_has_its_slug(ledger):
    ledger.subscribe(Subscription("Con", "https://con.example/feed.xml"), NOW)

    assert "con-x" == ledger.feed("Con").podcast == ledger.feed("con-x").podcast


# What lets us in

MINE = Credentials.for_url("https://ann:pw@quota.example/feed")


def test_credentials_are_kept_apart_from_the_feed_and_go_with_it(ledger):
    ledger.unsubscribe("quota")
    ledger.subscribe(Subscription("quota", "https://ann:pw@quota.example/feed"), NOW)
    ledger.set_credentials("quota", MINE)

    assert "https://quota.example/feed" == ledger.feed("quota").url
    assert ledger.find_by_url("https://eve:x@quota.example/feed").podcast == "quota"
    assert MINE.headers_for("https://quota.example/") == ledger.credentials("Quota").headers_for(
        "https://quota.example/1"
    )
    assert "pw" not in repr(ledger.feeds()) + repr(ledger.credentials("quota"))
    ledger.unsubscribe("quota")
    assert not ledger.credentials("quota")


def test_what_a_person_gave_counts_more_than_what_the_feed_says(ledger):
    stated = Credentials.for_url("https://old:old@quota.example/1.mp3").under(
        Credentials.for_url("https://a:b@cdn.example/")
    )
    ledger.set_credentials("quota", MINE)
    ledger.set_credentials("quota", Credentials.for_url("https://quota.example/", {"x-key": "1"}))
    ledger.set_credentials("quota", stated, stated=True)

    kept = ledger.credentials("quota")
    assert {**MINE.headers_for("https://quota.example/"), "x-key": "1"} == kept.headers_for("https://quota.example/")
    assert kept.headers_for("https://cdn.example/x")
    ledger.set_credentials("quota", Credentials(), stated=True)
    assert not ledger.credentials("quota").headers_for("https://cdn.example/x")


def test_no_episode_holds_a_password(ledger):
    ledger.upsert_episodes(
        [replace(OLD, audio_url="https://a:pw@cdn.example/1.mp3", source_feed="https://b:pw@x.example/")]
    )

    (record,) = ledger.records()
    assert ("https://cdn.example/1.mp3", "https://x.example/") == (record.episode.audio_url, record.episode.source_feed)


def test_an_episode_is_found_by_the_digits_that_are_shown(ledger):
    ledger.upsert_episodes([OLD])

    assert OLD == ledger.find(OLD.key[:8].upper()).episode == ledger.find(OLD.guid).episode
    for name in (OLD.key[:7], "0" * 8, "nobody", ""):
        with pytest.raises(NotFoundError):
            ledger.find(name)


def test_the_first_retry_of_all_is_known(ledger):
    assert ledger.next_try() is None
    ledger.record_failure(OLD, "no", NOW)
    assert NOW == ledger.next_try()


@pytest.mark.parametrize("next_try", [None, NOW + timedelta(days=30)])
def test_an_episode_that_failed_is_tried_again_as_if_for_the_first_time(ledger, next_try):
    ledger.upsert_episodes([OLD, NEW])
    ledger.record_failure(OLD, "404", next_try, lasting=True)
    assert ledger.queue(NOW) == [NEW.key]
    assert ledger.try_again(OLD.key)
    assert ledger.queue(NOW) == [NEW.key, OLD.key]
    assert (ledger.record(OLD.key).attempts, ledger.record(OLD.key).reason) == (0, "")


def test_what_has_not_failed_is_not_tried_again(ledger):
    ledger.upsert_episodes([OLD, NEW])
    ledger.settle(OLD)
    assert not any(ledger.try_again(key) for key in (OLD.key, NEW.key, "nobody"))
    assert ledger.record(OLD.key).status == "done"
