"""When a feed is believed to have moved for good."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.feeds.moves import claimed, is_settled, noted
from ingest.models import Subscription

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD, NEW = "https://old.example/feed", "https://new.example/feed"
FEED = Subscription("quota", OLD)


def after(*claims, every):
    feed = FEED
    for number, claim in enumerate(claims):
        feed = noted(feed, claim, NOW + number * every)
    return feed, NOW + (len(claims) - 1) * every


@pytest.mark.parametrize(
    ("stated", "permanent", "claim"),
    [
        ("", "", ""),
        ("", NEW, NEW),
        (NEW, "", NEW),
        (NEW, "https://other.example/", NEW),
        (OLD, NEW, NEW),
        (OLD, "", ""),
    ],
)
def test_the_feeds_own_words_come_before_redirects_and_its_own_address_is_no_claim(stated, permanent, claim):
    assert claim == claimed(Subscription("quota", OLD, stated_url=stated), permanent)


@pytest.mark.parametrize(
    ("claims", "every", "settled"),
    [
        ([NEW] * 3, 24 * HOUR, True),
        ([NEW] * 2, 72 * HOUR, False),
        ([NEW] * 40, HOUR, False),
        ([NEW] * 49, HOUR, True),
        ([NEW, NEW, "", NEW, NEW], 24 * HOUR, False),
        ([NEW, NEW, "https://other.example/", NEW], 24 * HOUR, False),
        ([NEW, NEW, NEW, ""], 24 * HOUR, False),
        ([], HOUR, False),
    ],
    ids=["three in two days", "two", "forty in a day", "two days of hours", "taken back", "torn", "at the end", "none"],
)
def test_three_polls_over_two_days_must_agree_without_a_break(claims, every, settled):
    feed, last = after(*claims, every=every)

    assert settled == is_settled(feed, last)
