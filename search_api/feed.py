"""A question as an RSS feed: what answers it is an item, and new episodes bring new ones. Pure."""

from collections.abc import Mapping
from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from index.query import Answer, Hit
from ingest.links import web_address
from ingest.times import clock, parse_date
from search_api.display import hit_view

ATOM = "http://www.w3.org/2005/Atom"


def feed_of(answer: Answer | None, base: str, address: str, podcasts: Mapping[str, str]) -> str:
    """RSS 2.0 with the moments of an answer, newest episodes first; none where even the best may not answer.

    `base` is the server's address, `address` that of the page with the same question.
    """
    rss = Element("rss", {"version": "2.0"})
    channel = SubElement(rss, "channel")
    question = answer.query if answer else "Soundbite"
    for name, text in (
        ("title", f"{question} · Soundbite"),
        ("link", address),
        ("description", f"What is said about: {question}"),
    ):
        SubElement(channel, name).text = _printable(text)
    hits = list(answer.hits) if answer and not answer.weak else []
    for hit in sorted(hits, key=lambda one: one.published or "", reverse=True):
        _add_item(channel, hit, base, podcasts)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(rss, encoding="unicode")


def _add_item(channel: Element, hit: Hit, base: str, podcasts: Mapping[str, str]) -> None:
    view = hit_view(hit, podcasts)
    item = SubElement(channel, "item")
    who = f"{hit.answer.speaker}: " if hit.answer.speaker else ""
    where = f"{view.podcast}{f', at {clock(hit.answer.start)}' if hit.answer.start is not None else ''}"
    for name, text in (
        ("title", f"{who}{hit.title}"),
        ("link", f"{base}{view.page}"),
        ("description", f"“{hit.answer.text}” — {where}"),
    ):
        SubElement(item, name).text = _printable(text)
    # One passage stays one item, however its episode's title or the ranking changes.
    SubElement(item, "guid", {"isPermaLink": "false"}).text = _printable(
        f"{hit.key}#{hit.answer.start}#{hit.answer.text[:80]}"
    )
    if published := parse_date(hit.published or ""):
        SubElement(item, "pubDate").text = format_datetime(published)
    if audio := web_address(view.audio):
        SubElement(item, "enclosure", {"url": audio, "type": "audio/mpeg", "length": "0"})


def _printable(text: str) -> str:
    """The text without characters that XML 1.0 does not allow."""
    return "".join(
        c for c in text if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )
