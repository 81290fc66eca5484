"""Repairs feeds into UTF-8 that an XML parser accepts; turns markup into plain text.

Every pattern here ends at a character that cannot occur inside it, or at the end of the data: time stays linear.
"""

import codecs
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from html.entities import html5

from ingest.charset import KNOWN, told, western
from ingest.entities import unescaped
from ingest.errors import FeedError
from ingest.web.encodings import GZIP, gunzip

DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
CONTROLS = bytes(code for code in range(1, 32) if code not in b"\t\n\r")  # XML 1.0, section 2.2
PROLOG = re.compile(rb"\s+|<\?.*?(?:\?>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
DOCTYPE = re.compile(rb"<!DOCTYPE[^\[>]*(?:\[(.*?)(?:\]\s*>|\Z)|>|\Z)", re.DOTALL | re.IGNORECASE)
ENTITY = re.compile(rb"""<!ENTITY\s+(\w{1,40})\s+(?:"([^"&%<]{0,40})"|'([^'&%<]{0,40})'|["']&#(\d{1,6});["'])\s*>""")
ROOT = re.compile(rb"<((?:[A-Za-z_][\w.-]{0,40}:)?([A-Za-z_][\w.-]{0,40}))(?=[\s/>])")
STRAY = re.compile(rb"</?(?:b|br|p|div|font|span)[\s/>]", re.IGNORECASE)  # a server's warning in front of the feed
CDATA = rb"<!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+(?:\]\]>|\Z)"
QUOTED = CDATA + rb"|<!--(?:(?!-->).)*+(?:-->|\Z)"  # what it holds is text, whatever it looks like
ITEM_END = re.compile(CDATA + rb"|</(?:item|entry)>")
LOOSE_AMPERSAND = re.compile(
    QUOTED + rb"|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)([A-Za-z][A-Za-z0-9]{0,31};)?",
    re.DOTALL,
)
BAD_NUMBERS = re.compile(  # control characters, and emoji written as two surrogates
    rb"&#(?:0{0,99}(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F])"
    rb"|5[5-7]\d{3}|[xX][dD][89a-fA-F][0-9a-fA-F]{2});(?:&#(?:5[67]\d{3}|[xX][dD][c-fC-F][0-9a-fA-F]{2});)?"
)
LIVE = rb"(?:[\w.-]{1,40}:)?liveItem"
ATTRIBUTES = rb"""(?=[\s/>])(?:[^<>"'/]++|"[^"<]*+"|'[^'<]*+'|["']|/(?!>))*+"""
LIVE_ITEM = re.compile(  # one that is never closed ends where an item begins or ends, and takes no episode with it
    QUOTED + rb"|<" + LIVE + ATTRIBUTES + rb"(?:/>|>"
    rb"(?:[^<]++|" + QUOTED + rb"|<(?!/?(?:" + LIVE + rb"|item|entry|channel)[\s/>]))*+(?:</" + LIVE + rb"\s*>)?)",
    re.DOTALL,
)
PREFIX = re.compile(rb"<([A-Za-z_][\w.-]{0,40}):[A-Za-z_]")
NAMESPACES = {
    b"itunes": b"http://www.itunes.com/dtds/podcast-1.0.dtd",
    b"podcast": b"https://podcastindex.org/namespace/1.0",
    b"content": b"http://purl.org/rss/1.0/modules/content/",
    b"atom": b"http://www.w3.org/2005/Atom",
    b"media": b"http://search.yahoo.com/mrss/",
    b"dc": b"http://purl.org/dc/elements/1.1/",
}
CUT_OFF = "is cut off: only the items that are whole were read"
MAX_JUNK = 50  # broken tags in front of the feed that are skipped, such as a server's warnings
MAX_BYTES = 50 * 2**20  # of an unpacked feed: as many as are fetched


@dataclass(frozen=True, slots=True)
class RepairedFeed:
    """UTF-8 without XML declaration or DOCTYPE; `root` is the outermost element's local name."""

    data: bytes
    root: str
    warnings: tuple[str, ...] = ()


def repair(url: str, body: bytes, charset: str = "", max_bytes: int = MAX_BYTES) -> RepairedFeed:
    """Decode a feed, and repair what can be repaired without guessing; `charset` is what the HTTP header declares.

    Raises FeedError for what is no text, no XML, or an attempt to fill the memory.
    """
    text, warnings = to_utf8(_unpack(url, body, max_bytes), charset)
    if b"\0" in text:
        raise FeedError(url, "holds null bytes: this is not a feed, or it was damaged on the way")
    clean = text.translate(None, CONTROLS).replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    if len(clean) != len(text):
        warnings.append("holds control characters that XML forbids: they were left out")
    at, entities, junk = _prolog(url, clean)
    root = ROOT.match(clean, at)
    if root is None:
        raise FeedError(url, _no_markup(clean))
    if junk:
        warnings.append("has text in front of the feed: it was left out")
    data, cut = _close(clean[at:], root[1], root[2].lower())
    valid = BAD_NUMBERS.sub(_valid_characters, LIVE_ITEM.sub(_quoted, data))
    escaped = LOOSE_AMPERSAND.sub(lambda found: _ampersand(found, entities), valid)
    if escaped != valid and not entities:
        warnings.append("has bare & signs or entities that XML does not know: read all the same")
    data, undeclared = _declare_prefixes(escaped, len(root[1]) + 1)
    return RepairedFeed(data, root[2].decode().lower(), (*warnings, *cut, *undeclared))


def _unpack(url: str, body: bytes, max_bytes: int) -> bytes:
    """The body, unpacked where it is gzip: some hosts send it so without declaring it."""
    if not body.startswith(GZIP):
        return body
    pieces, size = list[bytes](), 0
    try:
        for piece in gunzip([body]):
            size += len(piece)
            if size > max_bytes:
                raise FeedError(url, f"unpacks to more than {max_bytes / 2**20:g} MiB: refused")
            pieces.append(piece)
    except EOFError as error:
        raise FeedError(url, "was cut off: its compressed data ends too early; it is tried again later") from error
    except zlib.error as error:
        raise FeedError(url, "is compressed data that cannot be unpacked") from error
    return b"".join(pieces)


def to_utf8(body: bytes, charset: str = "") -> tuple[bytes, list[str]]:
    """The text as UTF-8, and what was wrong; what the bytes show counts more than what is declared."""
    found = DECLARED.match(body[:400])
    declared = found[1].decode().lower() if found else ""
    with suppress(UnicodeDecodeError):
        body = body[: codecs.utf_8_decode(body)[1]]  # without a last character that was cut in two
    text = told(body, (declared, charset))
    if text is None:
        return western(body).encode(), ["holds bytes that are not UTF-8: read as Windows-1252"]
    wrong = declared and KNOWN.match(declared) and not body.isascii() and text.encode() == body
    return text.encode(), [f"is declared as {declared} but is UTF-8: read as UTF-8"] if wrong else []


def _prolog(url: str, data: bytes) -> tuple[int, dict[bytes, bytes], bool]:
    """Where the root element begins, the harmless entities declared before it, and whether junk was skipped."""
    at, junk, entities = 0, 0, dict[bytes, bytes]()
    while at < len(data) and junk < MAX_JUNK:
        if skipped := PROLOG.match(data, at):
            at = skipped.end()
        elif doctype := DOCTYPE.match(data, at):
            entities |= _entities(url, doctype[1] or b"")
            at = doctype.end()
        elif ROOT.match(data, at) and not STRAY.match(data, at):
            return at, entities, bool(junk)
        else:
            junk += 1
            following = data.find(b"<", at + 1)
            at = len(data) if following < 0 else following
    return len(data), entities, bool(junk)


def _entities(url: str, subset: bytes) -> dict[bytes, bytes]:
    """The entities that stand for a few characters. Raises FeedError where there are others."""
    simple = {
        found[1]: chr(int(found[4])).encode("utf-8", "replace") if found[4] else found[2] or found[3] or b""
        for found in ENTITY.finditer(subset)
        if not found[4] or 31 < int(found[4]) < 0x110000
    }
    if subset.count(b"<!ENTITY") != len(simple):
        raise FeedError(url, "declares entities of its own, which can be made to fill the memory: refused")
    return simple


def _no_markup(data: bytes) -> str:
    start = data[:200].strip()
    if not start:
        return "is empty: there is no feed at this address"
    if start.startswith((b"{", b"[")):
        return "is JSON, not RSS or Atom: look for the address of the podcast's RSS feed"
    return "is not a feed: it holds no XML; look for the address of the podcast's RSS feed"


def _close(data: bytes, name: bytes, local: bytes) -> tuple[bytes, list[str]]:
    """The root element from start to end; a feed that was cut off is closed after its last whole item."""
    end = data.rfind(b"</" + name + b">")
    if end >= 0:
        return data[:end] + b"</" + name + b">", []
    ends = (found.end() for found in ITEM_END.finditer(data) if found[0].startswith(b"</"))  # not in somebody's text
    starts = [at for tag in (b"<item", b"<entry") if (at := data.find(tag)) >= 0]
    at = max(ends, default=min(starts, default=len(data)))
    tail = b"</channel></" + name + b">" if local == b"rss" else b"</" + name + b">"
    return data[:at] + tail, [CUT_OFF]


def _quoted(found: re.Match[bytes]) -> bytes:
    """CDATA and comments as they are, nothing of a live item."""
    return found[0] if found[0].startswith(b"<!") else b""


def _ampersand(found: re.Match[bytes], entities: dict[bytes, bytes]) -> bytes:
    """A bare `&` becomes `&amp;`, an entity that XML does not know becomes its character."""
    if not found[0].startswith(b"&"):
        return found[0]
    name = (found[1] or b"")[:-1]
    if name in entities:
        return entities[name]
    character = html5.get(name.decode() + ";") if name else None
    return character.encode() if character else b"&amp;" + (found[1] or b"")


def _valid_characters(found: re.Match[bytes]) -> bytes:
    """The character of a numeric reference that XML forbids: empty for a control character."""
    codes = [
        int(code[1:], 16) if code[:1] in b"xX" else int(code) for code in re.findall(rb"#([xX]?[0-9a-fA-F]+)", found[0])
    ]
    high = 0xD800 <= codes[0] < 0xDC00
    if len(codes) == 2 and high and 0xDC00 <= codes[1] < 0xE000:  # a surrogate pair
        return chr(0x10000 + ((codes[0] - 0xD800) << 10) + codes[1] - 0xDC00).encode()
    return b"".join(chr(code).encode() for code in codes if code > 31 and not 0xD800 <= code < 0xE000)


def _declare_prefixes(data: bytes, at: int) -> tuple[bytes, list[str]]:
    """The data with every prefix declared, and a warning where one was not."""
    used = set(PREFIX.findall(data)) - {b"xml"} - set(re.findall(rb"xmlns:([\w.-]{1,40})\s*=", data))
    if not used:
        return data, []
    names = sorted(used)[:50]
    known = [b' xmlns:%s="%s"' % (name, NAMESPACES.get(name, b"urn:undeclared:" + name)) for name in names]
    listed = b", ".join(names).decode()
    return data[:at] + b"".join(known) + data[at:], [f"uses prefixes it does not declare ({listed}): read all the same"]


BLOCK_NAMES = "blockquote br center dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table tbody td tfoot th thead tr ul"
INLINE_NAMES = "a abbr b big cite code em font i iframe img q s small span strike strong sub sup u"
BLOCK_TAG = re.compile(rf"</?(?:{BLOCK_NAMES.replace(' ', '|')})(?:\s[^<>]*)?/?>", re.IGNORECASE)
INLINE_TAG = re.compile(rf"</?(?:{INLINE_NAMES.replace(' ', '|')})(?:\s[^<>]*)?/?>|<!--[^<>]*-->", re.IGNORECASE)
HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def plain_text(text: str, limit: int = 10_000) -> str:
    """Text without tags, entities or line breaks, at most `limit` characters; `5 < 6` and `<T>` stay as they are."""
    text = text[: 20 * limit]
    if "<" in text:
        text = HIDDEN.sub(" ", text)
        text = INLINE_TAG.sub("", BLOCK_TAG.sub(" ", text))
    if "&" in text:
        text = unescaped(text).replace("&amp;", "&")
    return " ".join(text.split())[:limit].rstrip()
