"""When a feed is asked for again."""

from datetime import UTC, datetime, timedelta

from ingest.feeds.schedule import next_poll

NOW = datetime(2025, 3, 4, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKLY = [NOW - number * 7 * DAY for number in range(8)]


def wait(published=(), **told):
    return next_poll(NOW, published, **{"lower": HOUR, "upper": DAY, "jitter": 0.0} | told) - NOW


def test_a_weekly_podcast_is_asked_twice_a_day_and_a_daily_one_every_two_hours():
    assert wait(WEEKLY) == 14 * HOUR
    assert wait([NOW - number * DAY for number in range(8)]) == 2 * HOUR


def test_a_long_silence_is_asked_less_often_but_never_beyond_the_setting():
    assert wait([moment - 14 * DAY for moment in WEEKLY]) == DAY
    assert wait([moment - 9 * DAY for moment in WEEKLY], upper=7 * DAY) == timedelta(days=9) / 12


def test_a_feed_without_history_is_asked_as_often_as_the_setting_allows():
    assert wait() == wait([NOW]) == wait([NOW + DAY] * 5) == HOUR


def test_failures_back_off_by_doubling_and_are_never_given_up():
    assert [wait(WEEKLY, failures=number) for number in (1, 2, 3, 4, 5, 1000)] == [HOUR * 2, HOUR * 4, HOUR * 8, HOUR * 16, DAY, DAY]  # fmt: skip


def test_what_the_host_asks_is_respected_beyond_the_setting_but_not_for_ever():
    assert wait(retry_after=3 * 86_400.0) == 3 * DAY
    assert wait(retry_after=1e300) == 7 * DAY
    assert wait(failures=1, retry_after=60.0) == 2 * HOUR


def test_freshness_only_ever_delays_within_the_setting():
    assert wait(max_age=3 * 3600.0) == 3 * HOUR
    assert wait(max_age=1e300) == DAY
    assert wait(max_age=5.0) == HOUR


def test_jitter_adds_up_to_a_tenth_and_nothing_more():
    assert wait(jitter=1.0) == HOUR * 1.1
    assert wait(jitter=99.0) == HOUR * 1.1
    assert wait(jitter=-1.0) == HOUR
