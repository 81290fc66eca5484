"""RSS made here: transcripts of episodes as `podcast:transcript`, and new moments of a standing question."""

from collections.abc import Iterable, Sequence
from email.utils import format_datetime
from xml.etree import ElementTree as ET  # writes only; what others wrote is never parsed here
from xml.sax.saxutils import escape

from index.catalogue import EpisodeStatus
from index.query import Hit
from ingest.identity import one_line
from ingest.times import clock, parse_date
from search_api.citations import cited_address
from search_api.responses import transcript_path

MEDIA_TYPE = "application/rss+xml"
PODCAST = "https://podcastindex.org/namespace/1.0"
ATOM = "http://www.w3.org/2005/Atom"
# The types that the namespace's document names for each format, the ones that players take first
TRANSCRIPTS = (("vtt", "text/vtt"), ("srt", "application/x-subrip"), ("json", "application/json"))
ET.register_namespace("podcast", PODCAST)
ET.register_namespace("atom", ATOM)


def transcript_feed(episodes: Iterable[EpisodeStatus], title: str, base: str, address: str) -> bytes:
    """Episodes that have a transcript, each with its enclosure and where its transcript lies; `base` is this server."""
    channel, root = _channel(title, base, address, "Transcripts of podcast episodes, made by Soundbite.")
    for episode in episodes:
        item = _item(channel, episode.title, episode.link, episode.guid, episode.published)
        if episode.audio_url:
            ET.SubElement(item, "enclosure", url=_clean(episode.audio_url), type="audio/mpeg", length="0")
        for suffix, media in TRANSCRIPTS if episode.duration is not None else TRANSCRIPTS[2:]:
            tag = ET.SubElement(item, f"{{{PODCAST}}}transcript", type=media)
            tag.set("url", f"{base}{transcript_path(episode.key, suffix)}")  # type: ignore[arg-type]
    return _bytes(root)


def alert_feed(question: str, hits: Sequence[Hit], base: str, address: str) -> bytes:
    """Moments that answer a standing question; each is told apart by the permanent name of its passage."""
    channel, root = _channel(f"“{question}”", base, address, f"New moments that answer “{question}”.")
    for hit in hits:
        answer = hit.answer
        link = cited_address(hit.link, hit.audio_url, answer.start) or f"{base}{hit.address}"
        who = ", ".join(
            filter(None, (answer.speaker, hit.podcast_title, "" if answer.start is None else clock(answer.start)))
        )
        item = _item(channel, f"{answer.speaker or hit.podcast_title}: {hit.title}", link, hit.id, hit.published)
        words = f"<blockquote>{escape(answer.text)}</blockquote><p>{escape(who)}</p>"
        ET.SubElement(item, "description").text = _clean(words)
    return _bytes(root)


def _channel(title: str, base: str, address: str, description: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    for name, text in (("title", title), ("link", base), ("description", description)):
        ET.SubElement(channel, name).text = _clean(text)
    ET.SubElement(channel, f"{{{ATOM}}}link", href=_clean(address), rel="self", type=MEDIA_TYPE)
    return channel, root


def _item(channel: ET.Element, title: str, link: str, guid: str, published: str | None) -> ET.Element:
    item = ET.SubElement(channel, "item")
    ET.SubElement(item, "title").text = _clean(title)
    if link:
        ET.SubElement(item, "link").text = _clean(link)
    ET.SubElement(item, "guid", isPermaLink="false").text = _clean(guid)
    if moment := parse_date(published or ""):
        ET.SubElement(item, "pubDate").text = format_datetime(moment)
    return item


def _clean(text: str) -> str:
    """On one line, without what XML cannot hold."""
    return one_line(text).replace("\ufffe", "").replace("\uffff", "")


def _bytes(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True))
