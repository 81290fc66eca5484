"""What hosts say in headers."""

from datetime import UTC, datetime

import pytest

from ingest.web.headers import freshness, retry_after, strong_validator

NOW = datetime(2025, 3, 4, 6, tzinfo=UTC)
OLD = "Tue, 04 Mar 2025 06:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), (" 0 ", 0), ("Tue, 04 Mar 2025 06:10:00 GMT", 600), ("Mon, 03 Mar 2025 06:00:00 GMT", 0),
     ("", None), ("soon", None), ("-5", None), ("1741069200", 1200), ("1.5", None), ("9" * 30, None)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_a_date(value, seconds):
    assert seconds == retry_after(value, NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"cache-control": "max-age=600"}, 600), ({"cache-control": 'Public, MAX-AGE="60"'}, 60),
     ({"cache-control": "max-age=600", "age": "100"}, 500), ({"cache-control": "max-age=60", "age": "100"}, 0),
     ({"cache-control": "no-cache, max-age=600"}, None), ({"cache-control": "max-age=abc"}, None),
     ({"expires": "Tue, 04 Mar 2025 06:10:00 GMT"}, 600), ({"expires": "0"}, None), ({"expires": "-1"}, None),
     ({"expires": "Tue, 04 Mar 2025 07:00:00 GMT", "date": "Tue, 04 Mar 2025 06:30:00 GMT"}, 1800),
     ({"cache-control": "max-age=5", "expires": "Tue, 04 Mar 2025 07:00:00 GMT"}, 5),
     ({"expires": "Mon, 03 Mar 2025 06:00:00 GMT"}, 0), ({"cache-control": "s-maxage=9"}, None)],
)  # fmt: skip
def test_freshness_follows_max_age_before_expires(headers, seconds):
    assert seconds == freshness(headers, NOW)


def test_only_what_proves_sameness_is_a_strong_validator():
    date = {"date": "Tue, 04 Mar 2025 06:01:00 GMT"}

    assert strong_validator({"etag": '"a"', "last-modified": OLD}) == '"a"'
    assert strong_validator({"etag": 'W/"a"', "last-modified": OLD, **date}) == ""
    assert strong_validator({"last-modified": OLD, **date}) == OLD
    assert strong_validator({"last-modified": "Tue, 04 Mar 2025 06:00:30 GMT", **date}) == ""
    assert "" == strong_validator({"last-modified": OLD}) == strong_validator({})
