"""Runs feedparser's two parsers in time proportional to the feed.

feedparser 6.0.14 looks for each attribute among all of its element's, for each namespace among all that were declared, for
each category among all before it, and for e-mail addresses in an author's name from every letter on. By each of these a
feed of less than 1 MB takes a minute or more. `feedparser.parse` takes no parsers but its own, so its few steps are taken here.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from xml.sax import SAXException
from xml.sax.xmlreader import AttributesNSImpl

from defusedxml.expatreader import DefusedExpatParser
from feedparser.api import LooseFeedParser, StrictFeedParser

MAX_AUTHOR = 200  # characters of an author in which an e-mail address is looked for: 20,000 steps, about 0.1 ms
Name = tuple[str | None, str]  # of an element or attribute: its namespace, and its name there


@dataclass(frozen=True, slots=True)
class Parsed:
    """What feedparser makes of a feed, in its own dictionaries; `version` is empty for what it does not know."""

    feed: Any
    entries: list[Any]
    version: str
    well_formed: bool


class _Bounded:
    """What both parsers do less of, since nothing here reads it."""

    def _add_tag(self, term: object, scheme: object, label: object) -> None:
        """Of categories and keywords the last is kept: the end of its element looks for it."""
        self._get_context()["tags"] = []  # type: ignore[attr-defined]
        super()._add_tag(term, scheme, label)  # type: ignore[misc]

    def _sync_author_detail(self, key: str = "author") -> None:
        """A name too long to be one is not taken apart."""
        if len(self._get_context().get(key) or "") <= MAX_AUTHOR:  # type: ignore[attr-defined]
            super()._sync_author_detail(key)  # type: ignore[misc]


class _Attributes:
    """An element's attributes, found by their names as written without a search."""

    def __init__(self, attributes: AttributesNSImpl) -> None:
        self.items = attributes.items
        self._by_qname = {attributes.getQNameByName(name): value for name, value in attributes.items()}

    def getQNames(self) -> list[str]:  # noqa: N802 -- SAX's name
        return list(self._by_qname)

    def getValueByQName(self, name: str) -> str:  # noqa: N802 -- SAX's name
        return self._by_qname[name]


class _Strict(_Bounded, StrictFeedParser):  # type: ignore[misc]
    """For XML that is well-formed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._prefixes: dict[str, str] = {}

    def track_namespace(self, prefix: str | None, uri: str) -> None:
        super().track_namespace(prefix, uri)
        if prefix:
            self._prefixes.setdefault(uri, prefix)

    def startElementNS(self, name: Name, qname: str | None, attrs: AttributesNSImpl) -> None:  # noqa: ARG002, N802
        super().startElementNS(name, self._written(name), _Attributes(attrs))

    def endElementNS(self, name: Name, qname: str | None) -> None:  # noqa: ARG002, N802 -- expat gives no `qname`
        super().endElementNS(name, self._written(name))

    def _written(self, name: Name) -> str:
        """The name with its prefix."""
        prefix = self._prefixes.get(name[0] or "")
        return f"{prefix}:{name[1]}" if prefix else name[1]


class _Loose(_Bounded, LooseFeedParser):  # type: ignore[misc]
    """For everything else."""

    def handle_charref(self, ref: str) -> None:
        with suppress(ValueError):  # a number that is no character's is left out
            super().handle_charref(ref)


def run_parsers(data: bytes) -> Parsed:
    """What a feed in UTF-8 says, without declaration and DOCTYPE. Raises whatever feedparser trips over."""
    strict = _prepared(_Strict("", None, "utf-8"))
    try:
        reader = DefusedExpatParser(namespaceHandling=1, forbid_dtd=True)
        reader.setContentHandler(strict)
        reader.feed(data)
        reader.close()
    except SAXException:
        loose = _prepared(_Loose("", None, "utf-8", {}))
        loose.feed(data.decode("utf-8", "replace"))
        return Parsed(loose.feeddata, loose.entries, loose.version, well_formed=False)
    return Parsed(strict.feeddata, strict.entries, strict.version, well_formed=True)


def _prepared(parser: Any) -> Any:
    parser.resolve_relative_uris = False
    parser.sanitize_html = False  # `plain_text` removes all markup
    return parser
