"""Parses feeds with feedparser, without network, clock or disk."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ingest.errors import FeedError
from ingest.feeds import opt_out
from ingest.feeds.bounded_parser import Parsed, run_parsers
from ingest.feeds.entries import FeedContext, absolute, distinct_guids, read_entry, without_query
from ingest.feeds.podcast_tags import PodcastTags, read_tags
from ingest.feeds.repair import CUT_OFF, RepairedFeed, plain_text, repair
from ingest.identity import slug
from ingest.models import Episode, Feed
from ingest.web.credentials import host_of, without_userinfo
from ingest.web.headers import charset

ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
MAX_WARNINGS = 100  # enough to see what is wrong; a feed may have 10,000 broken entries


def parse(url: str, body: bytes, podcast: str = "", *, content_type: str = "", base: str = "") -> Feed:
    """The feed in `body`: its episodes newest first, and warnings in plain words about what is wrong with it.

    `podcast` is the slug the library files it under, by default made of the title. Relative addresses are resolved
    against `base` (where the body came from), by default `url`. Raises FeedError for what is not a feed.
    """
    url, base = without_userinfo(url), without_userinfo(base)
    repaired = repair(url, body, charset(content_type))
    if repaired.root == "html":
        raise FeedError(url, "is a web page, not a feed; look for the address of the podcast's RSS feed")
    if repaired.root == "opml":
        raise FeedError(url, "is a list of feeds (OPML), not a feed; import it as a list")
    channel, items, well_formed = read_tags(url, repaired.data)
    parsed = _feedparser(url, repaired)
    if repaired.root not in ROOTS or not (parsed.version or parsed.entries):
        raise FeedError(url, f"is XML but not a feed (its outermost element is <{repaired.root}>)")
    warnings = list(repaired.warnings)
    if not (parsed.well_formed and well_formed):
        warnings.append("is not well-formed XML: read as far as possible")
    feed = _feed(url, podcast, parsed.feed, channel)
    context = FeedContext(feed.podcast, url, base or url, feed.author, tuple(channel.people), tuple(channel.hosts))
    episodes, complaints = _episodes(parsed.entries, items, context)
    if not feed.title:
        warnings.append("has no title")
    if not parsed.entries and CUT_OFF in warnings:
        raise FeedError(url, "was cut off before its first episode; it is tried again later")
    if not episodes:
        warnings.append("has no episodes")
    warnings += complaints
    more = len(warnings) - MAX_WARNINGS
    return replace(
        feed,
        title=feed.title or host_of(url),
        new_url=without_userinfo(absolute(base or url, feed.new_url)) if feed.new_url else "",
        link=without_userinfo(absolute(base or url, feed.link)),
        episodes=tuple(newest_first(episodes)),
        credentials=context.credentials(),
        next_page=_next_page(parsed.feed, context),
        opted_out=opt_out.by_tags(channel.texts),
        warnings=(*warnings[:MAX_WARNINGS], *([f"and {more} more"] if more > 0 else [])),
    )


def _feedparser(url: str, repaired: RepairedFeed) -> Parsed:
    """What feedparser reads."""
    try:
        return run_parsers(repaired.data)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError) as error:
        raise FeedError(url, f"is broken in a way that cannot be read ({type(error).__name__})") from error


def _feed(url: str, podcast: str, channel: Any, tags: PodcastTags) -> Feed:
    title = plain_text(str(channel.get("title") or ""), limit=500)
    name = podcast or next(name for name in (title, host_of(url), "podcast") if any(c.isalnum() for c in name))
    return Feed(
        url=url,
        title=title,
        podcast=slug(name),
        language=str(channel.get("language") or "").strip(),
        author=plain_text(str(channel.get("author") or ""), limit=500),
        link=str(channel.get("link") or "").strip(),
        guid=tags.guid,
        new_url=str(channel.get("itunes_new-feed-url") or "").strip(),
    )


def _next_page(channel: Any, context: FeedContext) -> str:
    """Where a feed in pages, or with an archive, goes on (RFC 5005)."""
    links = {str(link.get("rel")).lower(): str(link.get("href") or "") for link in channel.get("links") or ()}
    return context.absolute(links.get("next") or links.get("prev-archive") or "")


def _episodes(
    entries: Sequence[Any], items: Sequence[PodcastTags], context: FeedContext
) -> tuple[list[Episode], list[str]]:
    """Episodes in the feed's order. Tags are matched by position, or by guid where the two readings disagree."""
    by_guid = {tags.guid: tags for tags in items}
    episodes, warnings = list[Episode](), list[str]()
    for position, entry in enumerate(entries):
        guid = str(entry.get("id") or "").strip()
        tags = items[position] if len(items) == len(entries) else by_guid.get(guid, PodcastTags())
        episode, complaints = read_entry(entry, tags, context)
        warnings += complaints
        if episode is not None:
            episodes.append(episode)
    episodes, repeated = distinct_guids(episodes)
    return episodes, repeated + warnings


def newest_first(episodes: Sequence[Episode]) -> list[Episode]:
    """By date, since feeds are not always in order; an episode without a date stays behind its neighbour."""
    moments, last = list[float](), float("inf")
    for episode in episodes:
        last = episode.published_at.timestamp() if episode.published_at else last
        moments.append(last)
    order = sorted(range(len(episodes)), key=lambda position: -moments[position])
    return [episodes[position] for position in order]


def is_revision(old: Episode, new: Episode) -> bool:
    """Whether `new` is `old` with another title or other audio; a new token in the address is no revision."""
    same = (old.podcast, old.guid) == (new.podcast, new.guid)
    changed = old.title != new.title or without_query(old.audio_url) != without_query(new.audio_url)
    return same and changed
