"""Feeds: fetched with the validators of last time, parsed without touching network, clock or disk."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import feedparser

from ingest.errors import FeedError, FetchError
from ingest.feeds.entries import Around, absolute, read_entry, tell_apart, without_query
from ingest.feeds.podcast_tags import Marks, read_marks
from ingest.feeds.repair import Markup, plain_text, read_markup
from ingest.feeds.schedule import freshness, retry_after
from ingest.identity import slug
from ingest.models import Episode, Feed
from ingest.web import client as web

ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
MAX_WARNINGS = 100  # a feed of 10,000 broken entries is told about shortly
REFUSED = {
    401: "asks for a password (401); ask the publisher for an address that needs none",
    403: "refuses us (403); the publisher may not like our User-Agent",
    404: "is not there (404); look for the podcast's new feed address",
    410: "is gone for good (410); it is not asked for again",
    429: "asks us to come less often (429); it is tried again later",
}


@dataclass(frozen=True, slots=True)
class Validators:
    """What the host said of the copy we have, verbatim, to be sent back with the next request."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answered request for a feed; `body` is None where it has not changed (304).

    `url` is where it came from, `permanent_url` how far permanent redirects alone led (empty: nowhere);
    `retry_after` and `max_age` are the seconds the host asked to be left alone, None where it asked nothing.
    """

    body: bytes | None
    url: str
    permanent_url: str = ""
    content_type: str = ""
    validators: Validators = Validators()
    retry_after: float | None = None
    max_age: float | None = None


def fetch(
    client: web.Client,
    url: str,
    validators: Validators = Validators(),
    *,
    now: datetime,
    headers: Mapping[str, str] = web.NO_HEADERS,
    max_bytes: int = web.MAX_FEED_BYTES,
    max_seconds: float = web.MAX_SECONDS,
) -> Fetched:
    """Ask once for a feed, conditionally where there are validators; `headers` override ours for this feed.

    Raises FetchError with `status` and `retry_after` (seconds) for every other answer than 200 and 304.
    """
    asked = {"accept": ACCEPT} | {name.lower(): value for name, value in headers.items()}
    if validators.etag:
        asked["if-none-match"] = validators.etag
    if validators.last_modified:
        asked["if-modified-since"] = validators.last_modified
    answer = web.fetch(client, url, headers=asked, max_bytes=max_bytes, max_seconds=max_seconds)
    wait = retry_after(answer.headers.get("retry-after", ""), now)
    same = answer.status == 304 and validators != Validators()
    if answer.status != 200 and not same:
        words = REFUSED.get(answer.status, f"answered with HTTP status {answer.status}; it is tried again later")
        raise FetchError(url, words, answer.status, wait)
    etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
    known = validators if same else Validators()
    return Fetched(
        body=None if same else answer.body,
        url=answer.url,
        permanent_url=answer.permanent_url,
        content_type=answer.headers.get("content-type", ""),
        validators=Validators(etag or known.etag, modified or known.last_modified),
        retry_after=wait,
        max_age=freshness(answer.headers, now),
    )


def parse(url: str, body: bytes, podcast: str = "", *, content_type: str = "", base: str = "") -> Feed:
    """The feed in `body`: its episodes newest first, and warnings in plain words about what is wrong with it.

    `podcast` is the slug the library files it under, by default made of the title; relative addresses are resolved
    against `base` (where the body came from), by default `url`. Raises FeedError for what is not a feed.
    """
    markup = read_markup(url, body, _charset(content_type))
    if markup.root == "html":
        raise FeedError(url, "is a web page, not a feed; look for the address of the podcast's RSS feed")
    if markup.root == "opml":
        raise FeedError(url, "is a list of feeds (OPML), not a feed; import it as a list")
    channel, items, whole = read_marks(url, markup.data)
    parsed = _feedparser(url, markup)
    if markup.root not in ROOTS or not (parsed.version or parsed.entries):
        raise FeedError(url, f"is XML but not a feed (its outermost element is <{markup.root}>)")
    warnings = list(markup.warnings)
    if parsed.bozo or not whole:
        warnings.append("is not well-formed XML: read as far as possible")
    feed = _feed(url, podcast, parsed.feed, channel)
    around = Around(feed.podcast, url, base or url, feed.author, tuple(channel.people))
    episodes, complaints = _episodes(parsed.entries, items, around)
    if not feed.title:
        warnings.append("has no title")
    if not episodes:
        warnings.append("has no episodes")
    return replace(
        feed,
        title=feed.title or _host(url),
        new_url=absolute(base or url, feed.new_url) if feed.new_url else "",
        link=absolute(base or url, feed.link),
        episodes=tuple(newest_first(episodes)),
        warnings=_shortened(warnings + complaints),
    )


def _feedparser(url: str, markup: Markup) -> Any:
    """Feedparser on a stream, since it opens bytes that look like a path; what it would sanitise we make plain."""
    try:
        return feedparser.parse(
            io.BytesIO(markup.data),
            sanitize_html=False,
            resolve_relative_uris=False,
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError) as error:
        raise FeedError(url, f"is broken in a way that cannot be read ({type(error).__name__})") from error


def _feed(url: str, podcast: str, channel: Any, marks: Marks) -> Feed:
    title = plain_text(str(channel.get("title") or ""), limit=500)
    name = podcast or next(name for name in (title, _host(url), "podcast") if any(c.isalnum() for c in name))
    return Feed(
        url=url,
        title=title,
        podcast=slug(name),
        language=str(channel.get("language") or "").strip(),
        author=plain_text(str(channel.get("author") or ""), limit=500),
        link=str(channel.get("link") or "").strip(),
        guid=marks.guid,
        new_url=str(channel.get("itunes_new-feed-url") or "").strip(),
    )


def _episodes(entries: Sequence[Any], items: Sequence[Marks], around: Around) -> tuple[list[Episode], list[str]]:
    """Episodes in the feed's order. Marks are matched by position, or by guid where the two readings disagree."""
    by_guid = {marks.guid: marks for marks in items}
    found, warnings = list[Episode](), list[str]()
    for position, entry in enumerate(entries):
        guid = str(entry.get("id") or "").strip()
        marks = items[position] if len(items) == len(entries) else by_guid.get(guid, Marks())
        episode, complaints = read_entry(entry, marks, around)
        warnings += complaints
        if episode is not None:
            found.append(episode)
    episodes, told = tell_apart(found)
    return episodes, told + warnings


def newest_first(episodes: Sequence[Episode]) -> list[Episode]:
    """By date, since feeds are not always in order; an episode without one stays behind its neighbour."""
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


def _charset(content_type: str) -> str:
    return content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _shortened(warnings: list[str]) -> tuple[str, ...]:
    rest = len(warnings) - MAX_WARNINGS
    return (*warnings[:MAX_WARNINGS], *([f"and {rest} more"] if rest > 0 else []))
