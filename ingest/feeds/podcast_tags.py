"""Reads what feedparser does not give: every `podcast:` tag of a feed, Podlove's chapters, and each guid verbatim.

feedparser 6.0.14 keeps only the last of several `podcast:transcript` tags, drops the names in `podcast:person` and the
number in `podcast:season`, and its keys follow the prefix that the feed happens to use. The tags are described at
https://podcasting2.org/docs/podcast-namespace.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from ingest.errors import FeedError
from ingest.feeds.chapters import MAX_CHAPTERS
from ingest.models import TranscriptLink

DECLARATION = re.compile(rb"""xmlns:([\w.-]{1,40})\s*=\s*["']([^"'<>]{1,200})["']""")
PODLOVE = b"podlove.org/simple-chapters"
NAMESPACES = (b"podcastindex.org/namespace", b"github.com/podcastindex-org/podcast-namespace")
ITEM = re.compile(rb"<((?:[\w.-]{1,40}:)?(?:item|entry))[\s>].*?(?:</\1\s*>|(?=<\1[\s>])|\Z)", re.DOTALL)
TEXTS = ("person", "season", "episode", "guid", "txt")
HOSTS = frozenset({"host", "co-host"})  # of the roles at podcasttaxonomy.com; "guest host" stands in for one
MAX_DEPTH = 100  # elements inside elements: feeds have five or six, and some parsers slow down with each
MAX_ATTRIBUTES = 1000  # of one element, namespaces among them: feeds have about 30, parsers copy them several times
MAX_PEOPLE = 100  # of one item, or of the channel: each episode's document names them
MAX_TEXT = 1000  # characters of a person's name


@dataclass(slots=True)
class AlternateEnclosure:
    """One `podcast:alternateEnclosure`: the same episode in another format, at each of its `urls`."""

    type: str
    default: bool = False
    urls: list[str] = field(default_factory=list)


@dataclass(slots=True)
class PodcastTags:
    """What one item, or the channel, says in the `podcast:` namespace; `guid` is the item's, or the `podcast:guid`.

    `hosts` are those of the `people` whose role is host, as it is where none is given. `texts` are the `podcast:txt` tags as (purpose, text).
    `chapters_url` is where a JSON file of chapters lies, `chapters` are Podlove's as (start, title, address), verbatim.
    """

    guid: str = ""
    season: str = ""
    episode: str = ""
    people: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    transcripts: list[TranscriptLink] = field(default_factory=list)
    alternates: list[AlternateEnclosure] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    chapters_url: str = ""
    chapters: list[tuple[str, str, str]] = field(default_factory=list)


class _TagHandler(ContentHandler):
    """Collects the tags of each item in one pass over the elements."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self.channel = PodcastTags()
        self.items: list[PodcastTags] = []
        self.excess = ""  # why the feed is refused
        self._names = names
        self._purpose = ""  # of the podcast:txt that is open
        self._role = ""  # of the podcast:person that is open
        self._current = self.channel
        self._depth = 0
        self._item_depth = -1  # of the item that is open
        self._tag = ""  # the tag whose text is being collected
        self._text: list[str] = []

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 -- SAX's name
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"has elements nested more than {MAX_DEPTH} deep: refused")
        if len(attrs) > MAX_ATTRIBUTES:
            self._refuse(f"has an element with more than {MAX_ATTRIBUTES} attributes: refused")
        local = name.rpartition(":")[2]
        if local in ("item", "entry") and self._item_depth < 0:
            self._item_depth, self._current = self._depth, PodcastTags()
            self.items.append(self._current)
        elif tag := self._names.get(name):
            self._start(tag, attrs)
        elif local in ("guid", "id") and self._depth == self._item_depth + 1 and self._item_depth > 0:
            self._start("guid", attrs)

    def _refuse(self, reason: str) -> None:
        self.excess = reason
        raise SAXException(reason)

    def _start(self, tag: str, attrs: AttributesImpl) -> None:
        current = self._current
        if tag == "alternateEnclosure":
            default = attrs.get("default", "").strip().lower() == "true"
            current.alternates.append(AlternateEnclosure(attrs.get("type", "").strip().lower(), default))
        elif tag == "source":
            if current.alternates and (url := attrs.get("uri", "").strip()):
                current.alternates[-1].urls.append(url)
        elif tag == "chapter":
            if len(current.chapters) < MAX_CHAPTERS:
                current.chapters.append((attrs.get("start", ""), attrs.get("title", ""), attrs.get("href", "")))
        elif tag == "chapters":
            current.chapters_url = current.chapters_url or attrs.get("url", "").strip()
        elif tag != "transcript":
            self._tag, self._text, self._purpose = tag, [], attrs.get("purpose", "")
            self._role = attrs.get("role", "").strip().lower() or "host"
        elif url := attrs.get("url", "").strip():
            rest = [attrs.get(name, "").strip() for name in ("type", "language", "rel")]
            current.transcripts.append(TranscriptLink(url, *rest))

    def characters(self, content: str) -> None:
        if self._tag:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 -- as SAX has it
        if self._tag:
            self._end(self._tag, "".join(self._text).strip())
        if self._depth == self._item_depth:
            self._item_depth, self._current = -1, self.channel
        self._depth -= 1

    def _end(self, tag: str, text: str) -> None:
        self._tag = ""
        if tag == "person":
            name = " ".join(text.split())[:MAX_TEXT]
            if name and len(self._current.people) < MAX_PEOPLE and name not in self._current.people:
                self._current.people.append(name)
                self._current.hosts += [name] if self._role in HOSTS else []
        elif tag == "txt":
            self._current.texts.append((self._purpose[:MAX_TEXT], text[:MAX_TEXT]))
        elif not getattr(self._current, tag):
            setattr(self._current, tag, text)


def read_tags(url: str, data: bytes) -> tuple[PodcastTags, list[PodcastTags], bool]:
    """The channel's tags, those of each item in the document's order, and whether all of it is well-formed.

    Where it is not, each item is read by itself, so that a fault costs the tags of one item only.
    Raises FeedError for elements nested more than `MAX_DEPTH` deep, or of more than `MAX_ATTRIBUTES` attributes.
    """
    names = _names(data)
    handler = _TagHandler(names)
    if _well_formed(handler, data):
        return handler.channel, handler.items, True
    if handler.excess:
        raise FeedError(url, handler.excess)
    items, all_well_formed = list[PodcastTags](), True
    for found in ITEM.finditer(data):
        alone = _TagHandler(names)
        all_well_formed = _well_formed(alone, found[0]) and all_well_formed
        items.append(alone.items[0] if alone.items else PodcastTags())
    return handler.channel, items, all_well_formed


def _names(data: bytes) -> dict[str, str]:
    """The elements to collect as this feed writes them, each with its name in its namespace."""
    prefixes, podlove = _prefixes(data, NAMESPACES) or {"podcast"}, _prefixes(data, (PODLOVE,)) or {"psc"}
    names = (*TEXTS, "transcript", "alternateEnclosure", "source", "chapters")
    found = {f"{prefix}:{name}": name for prefix in prefixes for name in names}
    return found | {f"{prefix}:chapter": "chapter" for prefix in podlove}


def _prefixes(data: bytes, namespaces: Iterable[bytes]) -> set[str]:
    """The prefixes that a feed declares for namespaces, of which parts of their addresses are given."""
    declared = DECLARATION.finditer(data)
    return {one[1].decode() for one in declared if any(part in one[2].lower() for part in namespaces)}


def _well_formed(handler: ContentHandler, data: bytes) -> bool:
    """Feed the data to the handler; whether that went well to the end."""
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(handler)
    try:
        parser.feed(data)
        parser.close()
    except (SAXException, DefusedXmlException):
        return False
    return True
