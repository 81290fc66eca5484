"""Asking feeds what is new: when one may be asked, what its answer changes, and where it has moved to."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flows.context import Studio
from ingest.errors import FeedError, FetchError, SoundbiteError
from ingest.feeds import moves
from ingest.feeds import parse as feeds
from ingest.feeds.schedule import next_poll
from ingest.ledger import Ledger, Subscription
from ingest.models import Episode, Feed
from ingest.settings import Settings

GONE = 410
BUSY = frozenset({429, 503})  # a Retry-After with these speaks for the host, not for one feed
LONGEST_REST = timedelta(days=1)  # one feed's answer must not silence a large host for longer
Answer = tuple[feeds.Fetched, Feed | None]  # no feed where it has not changed
MAX_TOLD = 5  # revisions named one by one; a podcast that moves hosts revises all of its episodes


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought."""

    new: int
    unchanged: bool
    warnings: tuple[str, ...] = ()


def now() -> datetime:
    """The clock, read at the rim only."""
    return datetime.now(UTC)


def subscribe(settings: Settings, ledger: Ledger, feed: Feed, fetched: feeds.Fetched) -> bool:
    """Start polling a feed whose first copy is at hand; False where it is known already, by this URL or an earlier one.

    Raises `FeedError` where its slug belongs to another feed.
    """
    if ledger.known(feed.url):
        return False
    subscription = Subscription(feed.podcast, feed.url, feed.title)
    if not ledger.subscribe(subscription, now()):
        raise FeedError(feed.url, f"the name {feed.podcast!r} belongs to another feed; choose one with --podcast")
    _remember(settings, ledger, subscription, (fetched, feed), now())
    return True


def gone_for_good(podcast: str) -> str:
    """What a person is told of a feed that answered with 410."""
    return f"gone for good (410); `soundbite run --podcast {podcast}` asks again"


def held_back(ledger: Ledger, feed: Subscription, moment: datetime) -> str:
    """Why a feed should not be asked now unless a person names it; empty where it may be."""
    if feed.gone:
        return gone_for_good(feed.podcast)
    until = ledger.resting(host_of(feed.url))
    if until and until > moment:
        return f"not asked: {host_of(feed.url)} wants to be left alone until {until:%Y-%m-%d %H:%M} UTC"
    return ""


def is_due(feed: Subscription, moment: datetime) -> bool:
    """Whether a feed's time has come."""
    return feed.next_poll is None or feed.next_poll <= moment


def poll(studio: Studio, subscription: Subscription, moment: datetime | None = None) -> Polled:
    """Ask one feed what is new and remember it. A failure is recorded, then raised as `FetchError` or `FeedError`."""
    moment = moment or now()
    try:
        fetched, feed = _ask(studio, subscription, moment)
    except (FetchError, FeedError) as error:
        _refused(studio, subscription, error, moment)
        raise
    new, revised = _remember(studio.settings, studio.ledger, subscription, (fetched, feed), moment)
    moved = _follow_move(studio, subscription.podcast, fetched.permanent_url, moment)
    return Polled(new, feed is None, (*(feed.warnings if feed else ()), *revised, *moved))


def _ask(studio: Studio, feed: Subscription, moment: datetime) -> Answer:
    known = feeds.Validators(feed.etag, feed.last_modified)
    fetched = feeds.fetch(studio.client, feed.url, known, now=moment, headers=agent(feed.user_agent))
    if fetched.body is None:
        return fetched, None
    kind, base = fetched.content_type, fetched.url
    return fetched, feeds.parse(feed.url, fetched.body, feed.podcast, content_type=kind, base=base)


def agent(user_agent: str) -> dict[str, str]:
    """The header that overrides our User-Agent, where a feed has one of its own."""
    return {"User-Agent": user_agent} if user_agent else {}


def _refused(studio: Studio, feed: Subscription, error: SoundbiteError, moment: datetime) -> None:
    """Record a failure; what a busy host asks counts for all of its feeds, and 410 ends the polling."""
    status, wait = getattr(error, "status", None), getattr(error, "retry_after", None)
    failures = feed.failures + 1
    later = _due(studio.settings, studio.ledger, feed.podcast, moment, retry_after=wait, failures=failures)
    if status in BUSY and wait:
        studio.ledger.rest(host_of(feed.url), moment + min(timedelta(seconds=min(wait, 1e9)), LONGEST_REST))
    gone = moment if status == GONE else feed.gone
    studio.ledger.poll_failed(replace(feed, next_poll=later, gone=gone), error.message)


def _remember(
    settings: Settings, ledger: Ledger, subscription: Subscription, answer: Answer, moment: datetime
) -> tuple[int, list[str]]:
    """Episodes first, validators second: a crash between the two costs one download of the feed, not an episode."""
    fetched, feed = answer
    new, told = 0, list[str]()
    if feed:
        subscription = replace(subscription, title=feed.title, language=feed.language, stated_url=feed.new_url)
        told = _revise(ledger, feed)
        new = ledger.found(feed.episodes)
    due = _due(settings, ledger, subscription.podcast, moment, retry_after=fetched.retry_after, max_age=fetched.max_age)
    subscription = moves.noted(subscription, moves.claimed(subscription, fetched.permanent_url), moment)
    validators = fetched.validators
    ledger.polled(
        replace(subscription, etag=validators.etag, last_modified=validators.last_modified, next_poll=due, gone=None),
        moment,
    )
    return new, told


def _revise(ledger: Ledger, feed: Feed) -> list[str]:
    """Note which finished episodes their publisher has changed, and say so once; they are not transcribed again."""
    done = {known.episode.key: known.episode for known in ledger.records(feed.podcast) if known.status == "done"}
    changed = [(done[new.key], new) for new in feed.episodes if new.key in done]
    changed = [(old, new) for old, new in changed if feeds.is_revision(old, new)]
    ledger.revise([new for _, new in changed])
    if len(changed) > MAX_TOLD:
        return [f"revised: {len(changed)} episodes have other titles or audio; their transcripts stay"]
    return [f"revised: {_revision(old, new)}; its transcript stays" for old, new in changed]


def _revision(old: Episode, new: Episode) -> str:
    return f"{old.title!r} is now {new.title!r}" if old.title != new.title else f"{old.title!r} has other audio"


def _follow_move(studio: Studio, podcast: str, proven: str, moment: datetime) -> list[str]:
    """Ask at the new URL from now on, once enough polls have agreed on it and a feed is there; says what was done.

    `proven` is where this poll's answer came from by permanent redirects; what the feed itself says is looked at first.
    """
    feed = studio.ledger.feed(podcast)
    there = feed.new_url
    if not moves.is_settled(feed, moment):
        return []
    if there != proven:
        feed = replace(feed, etag="", last_modified="")  # validators belong to one copy
        try:
            _ask(studio, replace(feed, url=there), moment)
        except (FetchError, FeedError) as error:
            return [f"says it has moved to {there}, which {error.message}; {feed.url} is asked as before"]
    if not studio.ledger.move(feed, there):
        return [f"has moved to {there}, where another podcast here lives; `soundbite remove` one of the two"]
    return [f"moved from {feed.url} to {there}"]


def host_of(url: str) -> str:
    """The name of the host, in lower case; empty for what is no address."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _due(
    settings: Settings,
    ledger: Ledger,
    podcast: str,
    moment: datetime,
    *,
    retry_after: float | None = None,
    max_age: float | None = None,
    failures: int = 0,
) -> datetime:
    return next_poll(
        moment,
        ledger.published(podcast),
        lower=timedelta(hours=settings.poll_least_hours),
        upper=timedelta(hours=settings.poll_most_hours),
        jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        retry_after=retry_after,
        max_age=max_age,
        failures=failures,
    )
