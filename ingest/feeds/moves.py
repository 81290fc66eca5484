"""Decides whether a feed has moved for good: redirects or the feed itself claim so, several polls must agree. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from ingest.models import Subscription

AGREEING = 3  # polls in a row that claim the same address
LASTING = timedelta(days=2)  # for which they must agree: a slip in a host's settings is corrected by then


def claimed(feed: Subscription, permanent_url: str) -> str:
    """Where the feed's own words (`itunes:new-feed-url`), else permanent redirects say it lives; empty for here."""
    return next((url for url in (feed.stated_url, permanent_url) if url and url != feed.url), "")


def noted(feed: Subscription, claim: str, now: datetime) -> Subscription:
    """The subscription after one more poll, which claimed that the feed lives at `claim` (empty: here)."""
    if not claim:
        return replace(feed, new_url="", agreed=0, agreed_since=None)
    if claim != feed.new_url:
        return replace(feed, new_url=claim, agreed=1, agreed_since=now)
    return replace(feed, agreed=feed.agreed + 1)


def is_settled(feed: Subscription, now: datetime) -> bool:
    """Whether enough polls over enough time have agreed on `new_url`."""
    since = feed.agreed_since
    return bool(feed.new_url) and feed.agreed >= AGREEING and since is not None and now - since >= LASTING
