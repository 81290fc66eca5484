"""Lists of feeds (OPML), in and out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from ingest.entities import unescaped
from ingest.errors import FeedError
from ingest.feeds.addresses import read_address
from ingest.feeds.repair import plain_text, to_utf8
from ingest.web.credentials import without_userinfo

MAX_BYTES = 10 * 2**20  # about 50,000 feeds
NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML 1.0 cannot hold
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Apps write lists that are no XML: each outline is read by itself. No part of a pattern runs over a `<`.
OUTLINE = re.compile(r"""<outline\b((?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+)>""", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"<]*+)"|'([^'<]*+)'|([^\s"'<>]+))""")
ADDRESSES = ("xmlurl", "feedurl", "rssurl")  # what apps call the address of a feed
FEED_TYPES = frozenset({"", "rss", "rss1", "rss2", "atom", "feed", "podcast"})
NAMED = 5  # feeds that are left out and named one by one


@dataclass(frozen=True, slots=True)
class FeedList:
    """Title and address of each feed, in the list's order, each address once, and what was left out and why."""

    feeds: list[tuple[str, str]]
    warnings: tuple[str, ...] = ()


def read_feed_list(data: bytes, name: str = "the list") -> FeedList:
    """Every feed of a list, nested or not, as far as it can be read; addresses may hold a user and password.

    `name` is what the list is called in errors. Raises FeedError for what is no list of feeds.
    """
    if len(data) > MAX_BYTES:
        raise FeedError(name, f"is larger than {MAX_BYTES / 2**20:g} MiB; split it")
    encoded, _ = to_utf8(data.lstrip(b"\r\n\t "))
    if b"<!ENTITY" in encoded:
        raise FeedError(name, "declares entities of its own, which can be made to fill the memory: refused")
    text = COMMENT.sub("", encoded.decode())
    outlines = [_attributes(found[1]) for found in OUTLINE.finditer(text)]
    is_opml = bool(re.search(r"<opml[\s>/]", text, re.IGNORECASE))
    cut_off = is_opml and not re.search(r"</opml\s*>|<opml[^<>]*/>", text, re.IGNORECASE)
    if not is_opml and not outlines:
        raise FeedError(name, "is not a list of feeds: OPML with xmlUrl attributes was expected")
    listed = _listed(outlines)
    if cut_off and not listed.feeds:
        raise FeedError(name, "is cut off before the end of its first feed; export it again")
    found = ["is cut off: only the feeds that are whole are read"] if cut_off else []
    broken = len(re.findall(r"<outline\b", text, re.IGNORECASE)) - len(outlines) - cut_off
    found += [f"left out (broken, check its quotes): {broken} of its outlines"] if broken > 0 else []
    if not listed.feeds and not listed.warnings and (outlines or broken > 0):
        raise FeedError(name, "names no feed: its outlines have no xmlUrl that can be read; export it again")
    return FeedList(listed.feeds, (*found, *listed.warnings))


def _listed(outlines: Iterable[dict[str, str]]) -> FeedList:
    titles, left_out = dict[str, str](), dict[str, list[str]]()
    for said in outlines:
        kind = said.get("type", "").lower()
        stated = next((said[key] for key in ADDRESSES if said.get(key)), "")
        address = stated or (said.get("url", "") if "enclosureurl" not in said else "")
        if not address or (kind not in FEED_TYPES and not stated):
            if kind in FEED_TYPES - {""}:
                left_out.setdefault("no address of a feed", []).append(said.get("text", "") or "without a title")
            elif kind == "include" and address:
                left_out.setdefault("another list, which is not read", []).append(without_userinfo(address))
            continue
        text = said.get("text") or said.get("title") or ""
        title = text if text == address else plain_text(text, limit=500)  # `&gt` in an address is no entity
        urls = read_address(address)
        if not urls:
            left_out.setdefault("no web address", []).append(without_userinfo(address)[:100])
        elif said.get("subscribed", "").strip().lower() in {"0", "false", "no"}:
            left_out.setdefault("marked as not subscribed to", []).append(title or without_userinfo(urls[0]))
        else:
            titles.setdefault(urls[0], title)
    warnings = tuple(_left_out(reason, names) for reason, names in left_out.items())
    return FeedList([(title, url) for url, title in titles.items()], warnings)


def _left_out(reason: str, names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"left out ({reason}): {', '.join(names[:NAMED])}{more}"


def _attributes(text: str) -> dict[str, str]:
    """An outline's attributes by lower-case name; the first of two counts."""
    said = dict[str, str]()
    for name, *values in ATTRIBUTE.findall(text):
        said.setdefault(name.lower(), unescaped("".join(values)).strip())
    return said


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
