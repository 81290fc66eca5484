"""Lists of feeds (OPML), in and out."""

import re
from collections.abc import Iterable
from html import escape

import listparser

from ingest.errors import FeedError
from ingest.feeds.repair import plain_text, to_utf8

MAX_BYTES = 10 * 2**20  # about 50,000 feeds
NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML 1.0 cannot hold


def read_opml(data: bytes, name: str = "the list") -> list[tuple[str, str]]:
    """Title and address of each feed, in the list's order, nested or not, each address once.

    `name` is what the list is called in errors. Raises FeedError for what is no list of feeds.
    """
    if len(data) > MAX_BYTES:
        raise FeedError(name, f"is larger than {MAX_BYTES / 2**20:g} MiB; split it")
    text, _ = to_utf8(data)
    if b"<!ENTITY" in text:
        raise FeedError(name, "declares entities of its own, which can be made to fill the memory: refused")
    try:
        found = listparser.parse(text)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise FeedError(name, f"cannot be read as OPML ({type(error).__name__})") from error
    if not found.version and not found.feeds:
        raise FeedError(name, "is not a list of feeds: OPML with xmlUrl attributes was expected")
    titles = dict[str, str]()
    for feed in found.feeds:
        url = re.sub(r"^feed:(?://)?(?=\w)", "http://", re.sub(r"^feed:(?=https?:)", "", feed.url.strip()))
        if re.match(r"https?://[^\s/]", url, re.IGNORECASE):
            titles.setdefault(url, plain_text(feed.title or "", limit=500))
    return [(title, url) for url, title in titles.items()]


def write_opml(feeds: Iterable[tuple[str, str]], title: str = "Soundbite feeds") -> str:
    """An OPML 2.0 document of (title, address) pairs."""
    outlines = "".join(
        f'    <outline type="rss" text="{_attribute(text) or _attribute(url)}" xmlUrl="{_attribute(url)}"/>\n'
        for text, url in feeds
    )
    head = f"  <head>\n    <title>{_attribute(title)}</title>\n  </head>\n"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n{head}  <body>\n{outlines}  </body>\n</opml>\n'
    )


def _attribute(text: str) -> str:
    return escape(" ".join(NO_XML.sub("", text).split()))
