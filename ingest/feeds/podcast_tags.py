"""What feedparser does not give: every `podcast:` tag of a feed, and each guid as it stands.

feedparser 6.0.14 keeps only the last of several `podcast:transcript` tags, drops the names in `podcast:person` and the
number in `podcast:season`, and its keys follow the prefix the feed happens to use. The tags are described at
https://podcasting2.org/docs/podcast-namespace.
"""

import re
from dataclasses import dataclass, field
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from ingest.errors import FeedError
from ingest.models import TranscriptLink

DECLARATION = re.compile(rb"""xmlns:([\w.-]{1,40})\s*=\s*["']([^"'<>]{1,200})["']""")
ADDRESSES = (b"podcastindex.org/namespace", b"github.com/podcastindex-org/podcast-namespace")
ITEM = re.compile(rb"<((?:[\w.-]{1,40}:)?(?:item|entry))[\s>].*?(?:</\1\s*>|(?=<\1[\s>])|\Z)", re.DOTALL)
TEXTS = ("person", "season", "episode", "guid")
MAX_DEPTH = 100  # elements inside elements: feeds have five or six, and some parsers slow down with each
MAX_TEXT = 1000  # of one tag: names and numbers


@dataclass(slots=True)
class Marks:
    """What one item, or the channel, says in the `podcast:` namespace; `guid` is the item's, or the `podcast:guid`."""

    guid: str = ""
    season: str = ""
    episode: str = ""
    chapters: str = ""
    people: list[str] = field(default_factory=list)
    transcripts: list[TranscriptLink] = field(default_factory=list)


class _Reader(ContentHandler):
    """Walks the elements once; knows of each only its name and depth."""

    def __init__(self, prefixes: set[str]) -> None:
        super().__init__()
        self.channel = Marks()
        self.items: list[Marks] = []
        self._names = {f"{prefix}:{name}": name for prefix in prefixes for name in (*TEXTS, "transcript", "chapters")}
        self._at = self.channel
        self._depth = self.deepest = 0
        self._item_depth = -1  # of the item we are in
        self._into = ""
        self._text: list[str] = []

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 -- SAX's name
        self._depth += 1
        self.deepest = max(self.deepest, self._depth)
        if self._depth > MAX_DEPTH:
            raise SAXException("nested too deeply")
        local = name.rpartition(":")[2]
        if local in ("item", "entry") and self._item_depth < 0:
            self._item_depth, self._at = self._depth, Marks()
            self.items.append(self._at)
        elif kind := self._names.get(name):
            self._start(kind, attrs)
        elif local in ("guid", "id") and self._depth == self._item_depth + 1 and self._item_depth > 0:
            self._start("guid", attrs)

    def _start(self, kind: str, attrs: AttributesImpl) -> None:
        url = attrs.get("url", "").strip()
        if kind == "chapters":
            self._at.chapters = self._at.chapters or url
        elif kind != "transcript":
            self._into, self._text = kind, []
        elif url:
            words = [attrs.get(name, "").strip() for name in ("type", "language", "rel")]
            self._at.transcripts.append(TranscriptLink(url, *words))

    def characters(self, content: str) -> None:
        if self._into:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 -- as SAX has it
        if self._into:
            self._end(self._into, "".join(self._text).strip())
        if self._depth == self._item_depth:
            self._item_depth, self._at = -1, self.channel
        self._depth -= 1

    def _end(self, kind: str, text: str) -> None:
        self._into = ""
        if kind == "person":
            name = " ".join(text.split())[:MAX_TEXT]
            if name and name not in self._at.people:
                self._at.people.append(name)
        elif not getattr(self._at, kind):
            setattr(self._at, kind, text)


def read_marks(url: str, data: bytes) -> tuple[Marks, list[Marks], bool]:
    """The channel's marks, those of each item in the order of the document, and whether all of it could be read.

    Where the document is not well-formed each item is read by itself, so that a fault costs one item's marks only.
    Raises FeedError for elements nested without end.
    """
    prefixes = {
        found[1].decode() for found in DECLARATION.finditer(data) if any(part in found[2].lower() for part in ADDRESSES)
    } or {"podcast"}
    reader = _Reader(prefixes)
    if _walk(reader, data):
        return reader.channel, reader.items, True
    if reader.deepest > MAX_DEPTH:
        raise FeedError(url, f"has elements nested more than {MAX_DEPTH} deep: refused")
    whole = True
    items = []
    for found in ITEM.finditer(data):
        alone = _Reader(prefixes)
        whole = _walk(alone, found[0]) and whole
        items.append(alone.items[0] if alone.items else Marks())
    return reader.channel, items, whole


def _walk(reader: _Reader, data: bytes) -> bool:
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(reader)
    try:
        parser.feed(data)
        parser.close()
    except (SAXException, DefusedXmlException):
        return False
    return True
