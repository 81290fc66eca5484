"""Asking one feed what is new: when it may be asked, what its answer changes, and where it has moved to."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ingest.errors import FeedError, FetchError, SoundbiteError
from ingest.feeds import moves
from ingest.feeds.fetch import Fetched, Validators, fetch
from ingest.feeds.parse import is_revision, parse
from ingest.feeds.schedule import next_poll
from ingest.ledger import Ledger
from ingest.models import Episode, Feed, Subscription
from ingest.web.client import Client

MIN_INTERVAL, MAX_INTERVAL = timedelta(hours=1), timedelta(days=1)  # bounds of a schedule, unless a host asks for more
GONE = 410
BUSY = frozenset({429, 503})  # a Retry-After with these speaks for the host, not for one feed
MAX_BACKOFF = timedelta(days=1)  # one feed's answer must not silence a large host for longer
MAX_REVISIONS = 5  # named one by one; a podcast that moves hosts revises all of its episodes
Answer = tuple[Fetched, Feed | None]  # no feed where it has not changed


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought."""

    new: int
    unchanged: bool
    warnings: tuple[str, ...] = ()


def subscribe(ledger: Ledger, feed: Feed, fetched: Fetched, now: datetime) -> bool:
    """Start polling a feed whose first copy is at hand; False where it is known already, by this URL or an earlier one.

    Raises `FeedError` where its slug belongs to another feed.
    """
    if ledger.find_by_url(feed.url):
        return False
    subscription = Subscription(feed.podcast, feed.url, feed.title)
    if not ledger.subscribe(subscription, now):
        raise FeedError(feed.url, f"the name {feed.podcast!r} belongs to another feed; choose one with --podcast")
    _remember(ledger, subscription, (fetched, feed), now)
    return True


def read_feed(
    client: Client, url: str, podcast: str = "", *, now: datetime, user_agent: str = ""
) -> tuple[Feed, Fetched]:
    """One feed, fetched and parsed; filed under `podcast` where that is given. Raises `FetchError` and `FeedError`."""
    fetched = fetch(client, url, now=now, headers=user_agent_header(user_agent))
    assert fetched.body is not None  # no validators were sent, so nothing can be unchanged
    return parse(url, fetched.body, podcast, content_type=fetched.content_type, base=fetched.url), fetched


def gone_for_good(podcast: str) -> str:
    """What a person is told of a feed that answered with 410."""
    return f"gone for good (410); `soundbite run --podcast {podcast}` asks again"


def blocked_reason(ledger: Ledger, feed: Subscription, now: datetime) -> str:
    """Why a feed should not be asked now unless a person names it; empty where it may be."""
    if feed.gone:
        return gone_for_good(feed.podcast)
    until = ledger.backoff_until(host_of(feed.url))
    if until and until > now:
        return f"not asked: {host_of(feed.url)} wants to be left alone until {until:%Y-%m-%d %H:%M} UTC"
    return ""


def is_due(feed: Subscription, now: datetime) -> bool:
    """Whether a feed's time has come."""
    return feed.next_poll is None or feed.next_poll <= now


def poll(client: Client, ledger: Ledger, feed: Subscription, now: datetime) -> Polled:
    """Ask one feed what is new and remember it. A failure is recorded, then raised as `FetchError` or `FeedError`."""
    try:
        fetched, parsed = _ask(client, feed, now)
    except (FetchError, FeedError) as error:
        _record_failure(ledger, feed, error, now)
        raise
    new, revised = _remember(ledger, feed, (fetched, parsed), now)
    moved = _follow_move(client, ledger, feed.podcast, fetched.permanent_url, now)
    return Polled(new, parsed is None, (*(parsed.warnings if parsed else ()), *revised, *moved))


def _ask(client: Client, feed: Subscription, now: datetime) -> Answer:
    known = Validators(feed.etag, feed.last_modified)
    fetched = fetch(client, feed.url, known, now=now, headers=user_agent_header(feed.user_agent_override))
    if fetched.body is None:
        return fetched, None
    kind, base = fetched.content_type, fetched.url
    return fetched, parse(feed.url, fetched.body, feed.podcast, content_type=kind, base=base)


def user_agent_header(user_agent: str) -> dict[str, str]:
    """The header that overrides our User-Agent, where a feed has one of its own."""
    return {"User-Agent": user_agent} if user_agent else {}


def _record_failure(ledger: Ledger, feed: Subscription, error: SoundbiteError, now: datetime) -> None:
    """Record a failure; what a busy host asks counts for all of its feeds, and 410 ends the polling."""
    status, wait = getattr(error, "status", None), getattr(error, "retry_after", None)
    later = _next_poll(ledger, feed.podcast, now, retry_after=wait, failures=feed.failures + 1)
    if status in BUSY and wait:
        ledger.set_backoff(host_of(feed.url), now + min(timedelta(seconds=min(wait, 1e9)), MAX_BACKOFF))
    gone = now if status == GONE else feed.gone
    ledger.record_poll_failure(replace(feed, next_poll=later, gone=gone), error.message)


def _remember(ledger: Ledger, subscription: Subscription, answer: Answer, now: datetime) -> tuple[int, list[str]]:
    """Episodes first, validators second: a crash between the two costs one download of the feed, not an episode."""
    fetched, feed = answer
    new, warnings = 0, list[str]()
    if feed:
        subscription = replace(subscription, title=feed.title, language=feed.language, stated_url=feed.new_url)
        warnings = _update_revised(ledger, feed)
        new = ledger.upsert_episodes(feed.episodes)
    due = _next_poll(ledger, subscription.podcast, now, retry_after=fetched.retry_after, max_age=fetched.max_age)
    subscription = moves.noted(subscription, moves.claimed(subscription, fetched.permanent_url), now)
    validators = fetched.validators
    ledger.record_poll(
        replace(subscription, etag=validators.etag, last_modified=validators.last_modified, next_poll=due, gone=None),
        now,
    )
    return new, warnings


def _update_revised(ledger: Ledger, feed: Feed) -> list[str]:
    """Note which finished episodes their publisher has changed, and say so once; they are not transcribed again."""
    done = {known.episode.key: known.episode for known in ledger.records(feed.podcast) if known.status == "done"}
    changed = [(done[new.key], new) for new in feed.episodes if new.key in done]
    changed = [(old, new) for old, new in changed if is_revision(old, new)]
    ledger.update_done([new for _, new in changed])
    if len(changed) > MAX_REVISIONS:
        return [f"revised: {len(changed)} episodes have other titles or audio; their transcripts stay"]
    return [f"revised: {_revision(old, new)}; its transcript stays" for old, new in changed]


def _revision(old: Episode, new: Episode) -> str:
    return f"{old.title!r} is now {new.title!r}" if old.title != new.title else f"{old.title!r} has other audio"


def _follow_move(client: Client, ledger: Ledger, podcast: str, permanent_url: str, now: datetime) -> list[str]:
    """Ask at the new URL from now on, once enough polls have agreed on it and a feed is there; says what was done.

    `permanent_url` is where this poll's answer came from by permanent redirects; what the feed itself says is looked at
    first.
    """
    feed = ledger.feed(podcast)
    there = feed.new_url
    if not moves.is_settled(feed, now):
        return []
    if there != permanent_url:
        feed = replace(feed, etag="", last_modified="")  # validators belong to one copy
        try:
            _ask(client, replace(feed, url=there), now)
        except (FetchError, FeedError) as error:
            return [f"says it has moved to {there}, which {error.message}; {feed.url} is asked as before"]
    if not ledger.move(feed, there):
        return [f"has moved to {there}, where another podcast here lives; `soundbite remove` one of the two"]
    return [f"moved from {feed.url} to {there}"]


def host_of(url: str) -> str:
    """The name of the host, in lower case; empty for what is no address."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _next_poll(
    ledger: Ledger,
    podcast: str,
    now: datetime,
    *,
    retry_after: float | None = None,
    max_age: float | None = None,
    failures: int = 0,
) -> datetime:
    return next_poll(
        now,
        ledger.published(podcast),
        lower=MIN_INTERVAL,
        upper=MAX_INTERVAL,
        jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        retry_after=retry_after,
        max_age=max_age,
        failures=failures,
    )
