"""Reads a whole feed that is not subscribed to yet: by way of the web page that names it, with its older pages."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ingest.errors import FeedError, FetchError
from ingest.feeds import opt_out
from ingest.feeds.addresses import feed_links
from ingest.feeds.fetch import Fetched, fetch
from ingest.feeds.parse import newest_first, parse
from ingest.models import Feed
from ingest.web.client import Client
from ingest.web.credentials import NO_CREDENTIALS, Credentials, without_userinfo

MAX_PAGES = 200  # of one feed; hosts put 10 to 100 episodes on a page


def user_agent_header(user_agent: str) -> dict[str, str]:
    """The header that overrides our User-Agent, where a feed has one of its own."""
    return {"User-Agent": user_agent} if user_agent else {}


def read_feed(
    client: Client,
    url: str,
    podcast: str = "",
    *,
    now: datetime,
    user_agent: str = "",
    credentials: Credentials = NO_CREDENTIALS,
) -> tuple[Feed, Fetched]:
    """One feed, fetched and parsed; filed under `podcast` where that is given. Raises `FetchError` and `FeedError`.

    Where a web page is at the address, the feed that it names is read.
    """

    def ask(there: str) -> Fetched:
        return fetch(client, there, now=now, headers=user_agent_header(user_agent), credentials=credentials)

    credentials = Credentials.for_url(url).under(credentials)
    fetched = ask(url)
    try:
        return parsed(url, fetched, podcast), fetched
    except FeedError:
        links = [link for link in feed_links(fetched.body or b"", fetched.url) if link != without_userinfo(url)]
        if not links:
            raise
    page, fetched = fetched, ask(links[0])
    feed = parsed(links[0], fetched, podcast)
    others = f" (it names {len(links) - 1} more: {', '.join(links[1:4])})" if links[1:] else ""
    warning = f"{without_userinfo(url)} is a web page; the feed it names is read: {links[0]}{others}"
    refusal = feed.opted_out or page.opted_out or opt_out.by_page(page.body or b"")
    return replace(feed, warnings=(warning, *feed.warnings), opted_out=refusal), fetched


def parsed(url: str, fetched: Fetched, podcast: str = "") -> Feed:
    """The feed in an answer. Raises `FeedError`."""
    assert fetched.body is not None
    feed = parse(url, fetched.body, podcast, content_type=fetched.content_type, base=fetched.url)
    return replace(feed, opted_out=feed.opted_out or fetched.opted_out)


def with_older_pages(feed: Feed, ask: Callable[[str], Fetched]) -> Feed:
    """A feed with the episodes of the pages that follow its first (RFC 5005); what stops that is a warning."""
    episodes = {episode.guid: episode for episode in feed.episodes}
    seen, there, warnings, credentials = {feed.url}, feed.next_page, list[str](), feed.credentials
    while there and there not in seen:
        seen.add(there)
        if len(seen) > MAX_PAGES:
            warnings.append(f"has more than {MAX_PAGES} pages: older episodes were left out")
            break
        try:
            page = parsed(there, ask(there), feed.podcast)
        except (FetchError, FeedError) as error:
            warnings.append(f"its older episodes at {there} are missing: the page {error.message}")
            break
        for episode in page.episodes:
            episodes.setdefault(episode.guid, replace(episode, source_feed=feed.url))
        warnings += page.warnings
        credentials = page.credentials.under(credentials)
        there = page.next_page
    return replace(
        feed,
        episodes=tuple(newest_first(list(episodes.values()))),
        warnings=(*feed.warnings, *warnings),
        credentials=credentials,
    )


def refiled(feed: Feed, podcast: str) -> Feed:
    """The same feed under another name."""
    return replace(
        feed, podcast=podcast, episodes=tuple(replace(episode, podcast=podcast) for episode in feed.episodes)
    )
