"""Dates, durations, clocks and media fragments: what is read, what is refused, and what is written."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.times import (
    MAX_DURATION,
    clock,
    cue_clock,
    fragment_seconds,
    in_utc,
    iso,
    iso_milliseconds,
    parse_clock,
    parse_date,
    parse_day,
    parse_duration,
    parse_time_expression,
    play_url,
)

NINE = datetime(2025, 2, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Thu, 20 Feb 2025 09:00:00 -0000", NINE),
        ("Thu, 20 Feb 2025 09:00:00 -0500", datetime(2025, 2, 20, 14, tzinfo=UTC)),
        (" 2025-02-20 ", datetime(2025, 2, 20, tzinfo=UTC)),
        ("2025-02-20T10:00:00+01:00", NINE),
        ("2025-02-20T09:00:00Z", NINE),
        ("1740042000", NINE),
        ("20250220", datetime(2025, 2, 20, tzinfo=UTC)),
        ("9999-12-31T23:59:59+00:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59-05:00", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("Fri, 31 Dec 9999 23:59:59 -0500", None),
        ("-1", None),
        ("٢٠٢٥", None),
        ("yesterday", None),
        ("", None),
        ("Mon, 99 Foo 2025 99:99:99", None),
    ],
)
def test_a_date_is_a_moment_in_utc_or_none(text, moment):
    assert moment == parse_date(text)


@given(st.text() | st.from_regex(r"[0-9]{1,12}|[0-9]{4}-[0-9]{2}-[0-9]{2}T.{0,9}", fullmatch=True))
def test_any_text_is_a_date_in_utc_or_none(text):
    found = parse_date(text)

    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "day"),
    [("", None), (" 2025-02-20 ", date(2025, 2, 20)), ("2025-02-20T10:00+01:00", NINE), ("2025-02-20T09:00", NINE)],
)
def test_a_day_or_a_moment_can_be_asked_for(text, day):
    assert day == parse_day(text)


@pytest.mark.parametrize("text", ["yesterday", "2025-13-01", "20 Feb 2025", "9999-12-31T23:59:59-05:00"])
def test_what_is_no_day_is_an_error_that_shows_how_to_write_one(text):
    with pytest.raises(ValueError, match="2026-01-31T09:00:00Z"):
        parse_day(text)


def test_moments_are_written_in_utc():
    here = NINE.astimezone(timezone(timedelta(hours=-5)))

    assert NINE == in_utc(here) == in_utc(NINE.replace(tzinfo=None))
    assert (iso(here), iso(None)) == ("2025-02-20T09:00:00Z", None)
    assert iso_milliseconds(here) == "2025-02-20T09:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3600", 3600), ("62:03", 3723), ("1:02:03", 3723), (" 1:2 ", 62), ("1h2m", 3720), ("PT1H2M3S", 3723), ("PT1H", 3600),
     ("90 min", 5400), ("1234.5", 1234.5), ("12:", 720), (":30", 30), ("-5", None), ("-1:02", None), ("nan", None), ("inf", None),
     ("1e9", None), ("", None), ("abc", None), ("0", None), ("0:00", None), ("1:2:3:4", None), ("9" * 30, None), ("604801", None),
     ("1" * 100_000, None), ("h", None), ("²", None), (".", None), (":", None)],
)  # fmt: skip
def test_durations_are_read_in_every_form(text, seconds):
    assert seconds == parse_duration(text)


@given(st.text())
def test_a_duration_is_nothing_or_a_positive_number_of_seconds(text):
    found = parse_duration(text)

    assert found is None or 0 < found <= MAX_DURATION


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:05", 5.0), ("1:2", 62.0), ("62:03", 3723.0), ("1:02:03.5", 3723.5), ("00:00:01,250", 1.25), ("-0:01", -1.0),
     ("00: 00: 02,5", 2.5), ("999999999:00", 59_999_999_940.0), ("12", None), ("", None), ("a:b", None), ("1:2:3:4", None),
     ("nan:00", None), ("1:2.", None), ("9999999999:00", None)],
)  # fmt: skip
def test_clocks_are_read_as_seconds(text, seconds):
    assert seconds == parse_clock(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h02m03s", 3723.0), ("0h 0m 9s", 9.0), ("3m12s", 192.0), ("3m12", None), ("3h", None), ("1h2m", None)],
)
def test_clocks_may_have_letters(text, seconds):
    assert seconds == parse_clock(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:01:15", 1.5), ("01:00:00;29", 3600.966667), ("00:00:06:99", 6.999), ("1:2:3:4", None)],
)
def test_frames_stay_within_their_second(text, seconds):
    assert seconds == parse_clock(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12.5s", 12.5), ("90ms", 0.09), ("2m", 120.0), ("1h", 3600.0), ("50f", 2.0), ("300t", 3.0), ("7", 7.0), ("00:00:01:05", 1.2),
     ("1:02", 62.0), ("", None), ("soon", None), ("1 day", None)],
)  # fmt: skip
def test_times_are_read_as_ttml_writes_them(text, seconds):
    assert seconds == parse_time_expression(text, frame_rate=25, tick_rate=100)


@given(st.floats(0, 1e9), st.sampled_from(".,"))
def test_a_cues_clock_is_read_back_to_the_millisecond(seconds, mark):
    assert parse_clock(cue_clock(seconds, mark)) == pytest.approx(seconds, abs=0.000_6)


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0:00"), (75.4, "1:15"), (59.999, "0:59"), (3675, "1:01:15"), (-3, "0:00"), (360_000, "100:00:00")]
)  # fmt: skip
def test_a_persons_clock_is_never_later_than_the_words(seconds, written):
    assert written == clock(seconds)
    assert parse_clock(written) == max(0, math.floor(seconds))


@pytest.mark.parametrize(
    ("seconds", "mark", "written"),
    [(3723.5, ".", "01:02:03.500"), (1.25, ",", "00:00:01,250"), (59.9996, ".", "00:01:00.000"), (360_000, ".", "100:00:00.000")],
)  # fmt: skip
def test_a_cues_clock_has_milliseconds(seconds, mark, written):
    assert written == cue_clock(seconds, mark)


@pytest.mark.parametrize(
    ("address", "start", "end", "url"),
    [("https://x.example/1.mp3?t=1#t=9", 75, 80.25, "https://x.example/1.mp3?t=1#t=75,80.25"),
     ("https://x.example/1.mp3", 75.4, None, "https://x.example/1.mp3#t=75.4"),
     ("https://x.example/1.mp3", 75.0, 75.0, "https://x.example/1.mp3#t=75"),
     ("https://x.example/1.mp3", 75.001, 75.004, "https://x.example/1.mp3#t=75"),
     ("https://x.example/1.mp3#t=9", None, None, "https://x.example/1.mp3#t=9"), ("", 75.0, 80.0, "")],
)  # fmt: skip
def test_a_link_plays_from_start_to_end(address, start, end, url):
    assert url == play_url(address, start, end)


def test_fragment_seconds_have_no_trailing_zeros():
    assert [fragment_seconds(value) for value in (0.0, 75.0, 75.4, 100.25)] == ["0", "75", "75.4", "100.25"]
