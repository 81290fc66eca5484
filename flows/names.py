"""Finds the podcast that a person means, and says which there are where none is meant."""

import shlex
from collections.abc import Callable

from ingest import podcasts
from ingest.errors import NotFoundError
from ingest.feeds.addresses import read_address
from ingest.identity import slug
from ingest.ledger import Ledger
from ingest.models import Subscription
from ingest.open import open_library
from ingest.settings import Settings
from ingest.web.credentials import without_userinfo


def subscription_named(ledger: Ledger, name: str) -> Subscription:
    """The one subscription with this name, URL or title, or with words of its title. Raises `NotFoundError`."""
    for url in read_address(name):
        if found := ledger.find_by_url(url):
            return found
    words = name.casefold().split()
    ways: tuple[Callable[[Subscription], bool], ...] = (
        lambda feed: feed.podcast == name.strip(),
        lambda feed: feed.title.casefold().split() == words,
        lambda feed: feed.podcast == slug(name),
        lambda feed: bool(words) and " ".join(words) in " ".join(feed.title.casefold().split()),
    )
    for way in ways:
        meant = [feed for feed in ledger.feeds() if way(feed)]
        if len(meant) == 1:
            return meant[0]
        if meant:
            names = ", ".join(feed.podcast for feed in meant)
            raise NotFoundError(name, f"may be any of {names}; use one of these names")
    return ledger.feed(without_userinfo(name))  # which is not there: says what is


def next_feed(settings: Settings) -> str:
    """What a person without feeds does next: add those that the transcripts here name, or the first one."""
    named = open_library(settings).feeds().values()
    if not named:
        return "Next: soundbite add FEED_URL"
    return f"The transcripts here name these; next: {'; '.join(f'soundbite add {shlex.quote(url)}' for url in named)}"


def check_podcast(settings: Settings, name: str) -> None:
    """Raises `PodcastNotFoundError` where neither a feed nor the library has this podcast."""
    podcasts.check_podcast(Ledger(settings.ledger_place), open_library(settings), name)
