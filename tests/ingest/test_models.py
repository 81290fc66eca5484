from datetime import UTC, datetime

import pytest

from ingest.identity import episode_key
from ingest.models import Episode
from ingest.times import parse_date


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Thu, 20 Feb 2025 09:00:00 -0000", datetime(2025, 2, 20, 9, tzinfo=UTC)),
        ("Thu, 20 Feb 2025 09:00:00 -0500", datetime(2025, 2, 20, 14, tzinfo=UTC)),
        ("2025-02-20", datetime(2025, 2, 20, tzinfo=UTC)),
        ("2025-02-20T09:00:00+01:00", datetime(2025, 2, 20, 8, tzinfo=UTC)),
        ("1740042000", datetime(2025, 2, 20, 9, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("Mon, 99 Foo 2025 99:99:99", None),
    ],
)
def test_a_date_is_a_moment_in_utc_or_none(text, moment):
    assert moment == parse_date(text)


def test_an_episodes_key_is_derived_from_podcast_and_guid_alone():
    one = Episode("quota", "g1", "A title")

    assert one.key == episode_key("quota", "g1") == Episode("quota", "g1", "Another title").key
    assert one.key != episode_key("quot", "ag1")
