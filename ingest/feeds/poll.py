"""Asking one feed what is new: when it may be asked, what its answer changes, and where it has moved to."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingest.errors import FeedError, FetchError, SoundbiteError
from ingest.feeds import moves
from ingest.feeds.entries import without_query
from ingest.feeds.fetch import Fetched, Validators, fetch
from ingest.feeds.parse import is_revision
from ingest.feeds.reading import parsed, user_agent_header, with_older_pages
from ingest.feeds.repair import CUT_OFF
from ingest.feeds.same_episode import with_known_guids
from ingest.feeds.schedule import next_poll
from ingest.identity import MAX_SLUG
from ingest.ledger import Ledger
from ingest.models import Episode, EpisodeRecord, Feed, Subscription
from ingest.web.client import Client
from ingest.web.credentials import NO_CREDENTIALS, Credentials, host_of
from ingest.web.same_address import other_slash

MIN_INTERVAL, MAX_INTERVAL = timedelta(hours=1), timedelta(days=1)  # bounds of a schedule, unless a host asks for more
GONE = 410
BUSY = frozenset({429, 503})  # a Retry-After with these speaks for the host, not for one feed
MAX_BACKOFF = timedelta(days=1)  # one feed's answer must not silence a large host for longer
# Of what a feed says, beside the guid: what an episode's document holds, or is made of
IN_DOCUMENT = ("title", "published", "link", "audio_url", "source_feed", "people", "transcripts")
RECHECKED = 3  # latest finished episodes, whose transcripts publishers still correct
MAX_RECHECKED = 20  # of one feed at a time
MAX_REVISIONS = 5  # named one by one; a podcast that moves hosts revises all of its episodes
Revise = Callable[[Episode], None]
Recheck = Callable[[Episode], str]  # says what it did
NO_VALIDATORS = Validators()
Answer = tuple[Fetched, Feed | None]  # no feed where it has not changed


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought."""

    new: int
    unchanged: bool
    warnings: tuple[str, ...] = ()


def subscribe(
    ledger: Ledger, feed: Feed, fetched: Fetched, now: datetime, credentials: Credentials = NO_CREDENTIALS
) -> bool:
    """Start polling a feed whose first copy is at hand; False where it is known already, by its URL, an earlier one or its guid.

    It is then found by this URL, too. Raises `FeedError` where its slug belongs to another feed.
    """
    if known := ledger.find_by_url(feed.url) or ledger.find_by_guid(feed.guid) or _but_for_a_slash(ledger, feed):
        ledger.know_as(known.podcast, url=feed.url)
        return False
    subscription = Subscription(feed.podcast, feed.url, feed.title)
    if not ledger.subscribe(subscription, now):
        raise FeedError(feed.url, f"the name {feed.podcast!r} belongs to another feed; choose one with --podcast")
    ledger.set_credentials(feed.podcast, credentials)
    _remember(ledger, subscription, (fetched, feed), now)
    return True


def _but_for_a_slash(ledger: Ledger, feed: Feed) -> Subscription | None:
    """The subscription to the same episodes at the address that has a slash more or less at its end."""
    known = ledger.find_by_url(other_slash(feed.url))
    if known is None or known.title != feed.title:
        return None
    guids = {record.episode.guid for record in ledger.records(known.podcast)}
    return known if any(episode.guid in guids for episode in feed.episodes) else None


def free_name(ledger: Ledger, podcast: str) -> str:
    """The name, with a number behind it where another feed has it already."""
    taken, number = set(ledger.names()), 1
    name = podcast
    while name in taken:
        number += 1
        name = f"{podcast[: MAX_SLUG - 5].rstrip('-')}-{number}"
    return name


def gone_for_good(podcast: str) -> str:
    """What a person is told of a feed that answered with 410."""
    return f"gone for good (410); `soundbite run --podcast {podcast}` asks again"


def blocked_reason(feed: Subscription, backoffs: Mapping[str, datetime]) -> str:
    """Why a feed should not be asked now unless a person names it; empty where it may be. `backoffs` as in the ledger."""
    if feed.gone:
        return gone_for_good(feed.podcast)
    if until := backoffs.get(host_of(feed.url)):
        return f"not asked: {host_of(feed.url)} wants to be left alone until {until:%Y-%m-%d %H:%M} UTC"
    return ""


def poll(
    client: Client,
    ledger: Ledger,
    feed: Subscription,
    now: datetime,
    *,
    whole: bool = False,
    revise: Revise = lambda _: None,
    recheck: Recheck = lambda _: "",
) -> Polled:
    """Ask one feed what is new and remember it. A failure is recorded, then raised as `FetchError` or `FeedError`.

    With `whole` it is asked unconditionally, and for its older pages. `revise` brings what the feed says of an episode
    that is done to its document, before the ledger takes it. `recheck` looks for a corrected transcript of the publisher.
    """
    try:
        fetched, found = _ask(client, ledger, feed, now, whole=whole)
    except (FetchError, FeedError) as error:
        _record_failure(ledger, feed, error, now)
        raise
    new, revised = _remember(ledger, feed, (fetched, found), now, revise=revise, recheck=recheck)
    moved = _follow_move(client, ledger, feed.podcast, fetched.permanent_url, now)
    return Polled(new, found is None, (*(found.warnings if found else ()), *revised, *moved))


def _ask(client: Client, ledger: Ledger, feed: Subscription, now: datetime, *, whole: bool = False) -> Answer:
    headers, credentials = user_agent_header(feed.user_agent_override), ledger.credentials(feed.podcast)

    def ask(url: str, known: Validators = NO_VALIDATORS) -> Fetched:
        return fetch(client, url, known, now=now, headers=headers, credentials=credentials)

    fetched = ask(feed.url, NO_VALIDATORS if whole else Validators(feed.etag, feed.last_modified))
    if fetched.body is None:
        return fetched, None
    answer = parsed(feed.url, fetched, feed.podcast)
    return fetched, with_older_pages(answer, ask) if whole else answer


def _record_failure(ledger: Ledger, feed: Subscription, error: SoundbiteError, now: datetime) -> None:
    """Record a failure; what a busy host asks counts for all of its feeds, and 410 ends the polling."""
    status, wait = getattr(error, "status", None), getattr(error, "retry_after", None)
    later = _next_poll(ledger, feed.podcast, now, retry_after=wait, failures=feed.failures + 1)
    if status in BUSY and wait:
        ledger.set_backoff(host_of(feed.url), now + min(timedelta(seconds=min(wait, 1e9)), MAX_BACKOFF))
    gone = now if status == GONE else feed.gone
    ledger.record_poll_failure(replace(feed, next_poll=later, gone=gone), error.message)


def _remember(
    ledger: Ledger,
    subscription: Subscription,
    answer: Answer,
    now: datetime,
    *,
    revise: Revise = lambda _: None,
    recheck: Recheck = lambda _: "",
) -> tuple[int, list[str]]:
    """Episodes first, validators second: a crash between the two costs one download of the feed, not an episode."""
    fetched, feed = answer
    new, warnings = 0, list[str]()
    if feed:
        subscription = replace(subscription, title=feed.title, language=feed.language, stated_url=feed.new_url)
        subscription = replace(subscription, opted_out=feed.opted_out)
        known = ledger.records(feed.podcast)
        feed = replace(feed, episodes=tuple(with_known_guids([each.episode for each in known], feed.episodes)))
        warnings = _update_done(ledger, known, feed, revise, recheck)
        new = ledger.upsert_episodes(feed.episodes)
        ledger.set_credentials(subscription.podcast, feed.credentials, stated=True)
        ledger.know_as(subscription.podcast, guid=feed.guid)
    due = _next_poll(ledger, subscription.podcast, now, retry_after=fetched.retry_after, max_age=fetched.max_age)
    if secured := ledger.credentials(subscription.podcast).upgraded(subscription.url, fetched.url):
        ledger.set_credentials(subscription.podcast, secured)  # its audio is there, too
    subscription = moves.noted(subscription, moves.claimed(subscription, fetched.permanent_url), now)
    cut_off = feed is not None and CUT_OFF in feed.warnings  # to be had whole the next time
    validators = NO_VALIDATORS if cut_off else fetched.validators
    ledger.record_poll(
        replace(subscription, etag=validators.etag, last_modified=validators.last_modified, next_poll=due, gone=None),
        now,
    )
    return new, warnings


def _update_done(
    ledger: Ledger, known: Sequence[EpisodeRecord], feed: Feed, revise: Revise, recheck: Recheck
) -> list[str]:
    """Bring what the feed says of finished episodes to their documents; they are not transcribed again.

    Other titles and other audio are said, once; new tokens in addresses are not.
    """
    done = {record.episode.key: record.episode for record in known if record.status == "done"}
    told = [(done[new.key], new) for new in feed.episodes if new.key in done]
    changed = [(old, new) for old, new in told if any(getattr(old, n) != getattr(new, n) for n in IN_DOCUMENT)]
    for _, new in changed:
        revise(new)
    corrected = [] if feed.opted_out else list(filter(None, map(recheck, _to_recheck(told))))
    revised = [(old, new) for old, new in changed if is_revision(old, new)]
    keys = {new.key for _, new in revised}
    ledger.update_done([new for _, new in revised])
    ledger.update_done([new for _, new in changed if new.key not in keys], revised=False)
    if len(revised) > MAX_REVISIONS:
        return [f"revised: {len(revised)} episodes have other titles or audio; their transcripts stay", *corrected]
    return [f"revised: {_revision(old, new)}; its transcript stays" for old, new in revised] + corrected


def _to_recheck(told: Sequence[tuple[Episode, Episode]]) -> list[Episode]:
    """The finished episodes of which a publisher's transcript may be newer: the latest, and those told otherwise now."""
    with_transcript = [(old, new) for old, new in told if new.transcripts]
    changed = [new for old, new in with_transcript if old.transcripts and _transcribed(old) != _transcribed(new)]
    return list(dict.fromkeys([*changed, *(new for _, new in with_transcript[:RECHECKED])]))[:MAX_RECHECKED]


def _transcribed(episode: Episode) -> tuple[object, ...]:
    """What changes when a publisher corrects a transcript; a token in its address is no change."""
    return episode.title, episode.people, [without_query(link.url) for link in episode.transcripts]


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
            _ask(client, ledger, replace(feed, url=there), now)
        except (FetchError, FeedError) as error:
            return [f"says it has moved to {there}, which {error.message}; {feed.url} is asked as before"]
    if not ledger.move(feed, there):
        return [f"has moved to {there}, where another podcast here lives; `soundbite remove` one of the two"]
    return [f"moved from {feed.url} to {there}"]


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
