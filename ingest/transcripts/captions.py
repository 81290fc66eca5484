"""Reads transcript files of any format into segments. `READERS` is the table of formats, a function each.

The readers are ours and read in one pass. Ready-made ones give up at the first fault, and the standard library's HTML
parser takes quadratic time on unclosed tags.
"""

import re
from collections.abc import Callable, Iterable
from typing import Literal

from ingest.charset import wide
from ingest.errors import TranscriptError
from ingest.models import Segment
from ingest.times import CLOCK
from ingest.transcripts.blocks import COMMA, is_timing, read_blocks, unroll
from ingest.transcripts.cues import Cue, to_segments
from ingest.transcripts.decoding import SIZE_LIMIT, decode
from ingest.transcripts.entries import delimiter, is_header, read_json, read_table
from ingest.transcripts.speakers import name_speakers
from ingest.transcripts.subtitles import read_ass, read_lrc, read_xml
from ingest.transcripts.text import read_prose
from ingest.transcripts.web_page import read_html

Kind = Literal["vtt", "srt", "json", "html", "txt", "md", "ttml", "sbv", "tsv", "csv", "lrc", "ass"]
READERS: dict[str, Callable[[str, str], list[Cue]]] = {
    "vtt": lambda text, _: read_blocks(text, notes=True),
    "srt": lambda text, _: read_blocks(text, notes=text.lstrip().startswith("WEBVTT")),
    "sbv": lambda text, _: read_blocks(text.replace("[br]", " "), COMMA),
    "json": lambda text, subject: name_speakers(unroll(read_json(text, subject))),
    "tsv": lambda text, subject: name_speakers(unroll(read_table(text, subject))),
    "csv": lambda text, subject: name_speakers(unroll(read_table(text, subject))),
    "ttml": lambda text, subject: name_speakers(unroll(read_xml(text, subject))),
    "ass": lambda text, subject: name_speakers(unroll(read_ass(text, subject))),
    "lrc": lambda text, subject: name_speakers(read_lrc(text, subject)),
    "html": lambda text, _: read_html(text),
    "txt": lambda text, _: read_prose(text),
    "md": lambda text, _: read_prose(text),
}

# What the names of files end in, and the media types are called, without `x-` and `+xml`
NAMES: dict[Kind, str] = {
    "vtt": "vtt webvtt", "srt": "srt subrip", "json": "json jsonl ndjson json3", "html": "html htm xhtml", "md": "md markdown",
    "ttml": "ttml ttaf dfxp xml srv1 srv2 srv3", "sbv": "sbv", "tsv": "tsv tab-separated-values", "csv": "csv", "lrc": "lrc", "ass": "ass ssa",
}  # fmt: skip
SUFFIXES: dict[str, Kind] = {name: kind for kind, names in NAMES.items() for name in names.split()}
READABLE_SUFFIXES = frozenset(f".{suffix}" for suffix in (*SUFFIXES, "txt"))
_HTML_SIGN = re.compile(r"<(?:!doctype|html|body|head|p|div|cite|time|section|article)\b", re.IGNORECASE)
_XML_SIGN = re.compile(
    r"(?:<\?xml[^>]*>\s*)?(?:<!--.{0,400}?-->\s*)?<(?:\w{1,20}:)?(?:tt|timedtext|transcript)[\s>]", re.DOTALL
)


def kind_of(media_type: str, name: str, data: bytes) -> Kind:
    """The format: by the media type if it says one, then by the suffix of the name or URL, then by the content.

    `text/plain` and `.txt` say nothing: publishers serve every format so. WebVTT and TTML are known whatever they are called.
    """
    sniffed = _sniff(data[:4096]) if data else "txt"
    if sniffed == "ttml" or data.lstrip(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
        return sniffed
    called = re.match(r"\s*(?:text|application)/(?:x-)?(?!xml\b)([\w-]+)", media_type.lower())
    declared = SUFFIXES.get(called[1]) if called else None
    suffix = re.split(r"[?#]", name, maxsplit=1)[0].rpartition(".")[2].lower()
    return declared or SUFFIXES.get(suffix) or sniffed


def parse(data: bytes, kind: str, subject: str, *, limit: int = SIZE_LIMIT, charset: str = "") -> tuple[Segment, ...]:
    """The segments of a transcript file of that kind, as `to_segments` promises them.

    `charset` is what the HTTP header declares. Text without times gives segments at zero seconds (see `timed`). Raises
    TranscriptError if the data is larger than `limit` bytes, is not text, cannot be read as that kind or holds no words.
    """
    return segments_of(read_cues(decode(data, subject, limit=limit, charset=charset), kind, subject), kind, subject)


def segments_of(cues: Iterable[Cue], kind: str, subject: str) -> tuple[Segment, ...]:
    """The segments of the cues. Raises TranscriptError where they hold no words."""
    segments = to_segments(cues)
    if not segments:
        raise TranscriptError(subject, f"holds no words that can be read as {kind}; check that it is a transcript")
    return segments


def read_cues(text: str, kind: str, subject: str) -> list[Cue]:
    """The cues as the file gives them, in its order. Raises TranscriptError for what its reader refuses, and unknown kinds."""
    if kind not in READERS:
        raise TranscriptError(subject, f"cannot be read as {kind!r}; the formats are {', '.join(READERS)}")
    return READERS[kind](text, subject)


def _sniff(head: bytes) -> Kind:
    """The kind that the first bytes look like, the first sign that fits."""
    text = head.decode(wide(head) or "utf-8", "replace").lstrip("\ufeff \t\r\n")
    lines = text.splitlines() or [""]
    mark = delimiter(lines[0])
    table = mark in "\t,;" and is_header(lines[0].split(mark))
    signs: tuple[tuple[Kind, object], ...] = (
        ("vtt", text.startswith("WEBVTT")),
        ("lrc", re.match(r"\[(?:ti|ar|al|au|by|offset|length|re|ve):", text)),
        ("ass", text.startswith("[Script Info]")),
        ("json", re.match(r"\{\s*[\"}]|\[\s*[{\"\]]", text)),
        ("srt", any(map(is_timing, lines))),
        ("sbv", any(map(COMMA.match, lines))),
        ("ttml", _XML_SIGN.match(text)),
        ("html", _HTML_SIGN.search(text)),
        ("tsv", (table and mark == "\t") or re.match(rf"(?:{CLOCK}|\d+\.\d+)\t[^\t\n]+\t[^\t\n]", text)),
        ("csv", table),
        ("md", re.match(r"---\s*\n|#{1,6} ", text)),
    )
    return next((kind for kind, sign in signs if sign), "txt")
