"""Reads transcript files of any format into segments: WebVTT, SRT, Podcasting 2.0 JSON, HTML and plain text.

The parsers are ours and read in one pass. Ready-made ones give up at the first fault, and the standard library's HTML
parser takes quadratic time on unclosed tags.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from html import unescape
from itertools import pairwise
from typing import Any, Literal

from ingest.errors import TranscriptError
from ingest.models import Segment
from ingest.times import CLOCK, parse_clock
from ingest.transcripts.cues import Cue, collapse_spaces, name_speakers, strip_markup, to_segments
from ingest.transcripts.text import read_prose

Kind = Literal["vtt", "srt", "json", "html", "txt", "md"]
SIZE_LIMIT = 20 * 1024 * 1024  # bytes; a day of speech is about one megabyte of text
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
VOICE_TAGS_NOTE = "NOTE Speakers are in voice tags only."  # in our own VTT: `Yes: …` is text there, not a name

_TYPES: dict[str, Kind] = {
    "text/vtt": "vtt", "text/webvtt": "vtt", "application/vtt": "vtt",
    "application/srt": "srt", "application/x-subrip": "srt", "text/srt": "srt", "application/x-srt": "srt",
    "application/json": "json", "text/json": "json",
    "text/html": "html", "application/xhtml+xml": "html",
    "text/markdown": "md", "text/x-markdown": "md",
}  # fmt: skip
_SUFFIXES: dict[str, Kind] = {
    "vtt": "vtt", "webvtt": "vtt", "srt": "srt", "json": "json", "html": "html", "htm": "html", "md": "md", "markdown": "md",
}  # fmt: skip
_TIMING = re.compile(rf"\s*(-?\s?{CLOCK})\s*--\s?>\s*(-?\s?{CLOCK})(?!\d)")
_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:\s+([^<>]*))?>|</v>")
_HTML_SIGN = re.compile(r"<(?:!doctype|html|body|head|p|div|cite|time|section|article)\b", re.IGNORECASE)
_HTML_TAG = re.compile(r"(<!--|-->|<[/!?a-zA-Z][^<>]*>)")
_HTML_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_INLINE = frozenset(
    re.findall(r"\w+", "a abbr b bdi bdo code del em font i ins kbd mark q s small span strong sub sup u var wbr")
)
_UNSPOKEN = frozenset({"script", "style", "head", "template", "svg", "noscript"})


def kind_of(media_type: str, name: str, data: bytes) -> Kind:
    """The format: by the media type if it says one, then by the suffix of the name or URL, then by the content.

    `text/plain` and `.txt` say nothing: publishers serve every format so.
    """
    declared = _TYPES.get(media_type.partition(";")[0].strip().lower())
    suffix = re.split(r"[?#]", name, maxsplit=1)[0].rpartition(".")[2].lower()
    return declared or _SUFFIXES.get(suffix) or _sniff(data[:4096])


def parse(data: bytes, kind: str, subject: str, *, limit: int = SIZE_LIMIT) -> tuple[Segment, ...]:
    """The segments of a transcript file of that kind, as `to_segments` promises them.

    Text without times gives segments at zero seconds (see `timed`). Raises TranscriptError if the data is larger than
    `limit` bytes, is not text, cannot be read as that kind or holds no words.
    """
    return segments_of(read_cues(decode(data, subject, limit=limit), kind, subject), kind, subject)


def segments_of(cues: Iterable[Cue], kind: str, subject: str) -> tuple[Segment, ...]:
    """The segments of the cues. Raises TranscriptError where they hold no words."""
    segments = to_segments(cues)
    if not segments:
        raise TranscriptError(subject, f"holds no words that can be read as {kind}; check that it is a transcript")
    return segments


def decode(data: bytes, subject: str, *, limit: int = SIZE_LIMIT) -> str:
    """The text, with one form of line end: UTF-16 by its mark, else the first that fits of UTF-8, cp1252 and Latin-1.

    Raises TranscriptError for data that is too large or not text.
    """
    if len(data) > limit:
        raise TranscriptError(subject, f"is larger than {limit} bytes, which no transcript is; it was not read")
    text = _to_text(data)
    sample = "" if data.startswith(UTF16_MARKS) else text[:4096]
    controls = sum(character < " " and character not in "\t\n\r\f\x0b\x1a" for character in sample)
    if controls > len(sample) / 20:
        raise TranscriptError(subject, "is not text; give a transcript, not an audio file or document")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _to_text(data: bytes) -> str:
    if data.startswith(UTF16_MARKS):
        return data.decode("utf-16", "replace").removeprefix("\ufeff")
    for encoding in ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding).removeprefix("\ufeff")
    return data.decode("latin-1")


def read_cues(text: str, kind: str, subject: str) -> list[Cue]:
    """The cues as the file gives them, in its order. Raises TranscriptError for broken JSON and unknown kinds."""
    match kind:
        case "vtt" | "srt":
            return _read_blocks(text.split("\n"), notes=kind == "vtt" or text.lstrip().startswith("WEBVTT"))
        case "json":
            return name_speakers(list(_read_json(text, subject)))
        case "html":
            return _read_html(text)
        case "txt" | "md":
            return read_prose(text, markdown=kind == "md")
    raise TranscriptError(subject, f"cannot be read as {kind!r}; the formats are vtt, srt, json, html, txt and md")


def _sniff(head: bytes) -> Kind:
    """The kind that the first bytes look like."""
    text = _to_text(head).lstrip()
    if text.startswith("WEBVTT"):
        return "vtt"
    if re.match(r"\{\s*[\"}]|\[\s*[{\"\]]", text):
        return "json"
    if any(_TIMING.match(line) for line in text.splitlines()):
        return "srt"
    if _HTML_SIGN.search(text):
        return "html"
    return "md" if re.match(r"---\s*\n|#{1,6} ", text) else "txt"


def _read_blocks(lines: Sequence[str], *, notes: bool) -> list[Cue]:
    """Read WebVTT or SRT: a line with two times starts a cue, whatever is around it."""
    times: list[tuple[float | None, float | None]] = []
    bodies: list[list[str]] = [[]]  # the first is the file's head, which nobody says
    last_number, after_blank, skipping = 0, True, False
    for line in lines:
        if timing := _TIMING.match(line):
            last_number = _drop_identifier(bodies[-1], last_number, notes=notes)
            times.append((parse_clock(timing[1]), parse_clock(timing[6])))
            bodies.append([])
            after_blank = skipping = False
            continue
        skipping = bool(line.strip()) and (skipping or (notes and after_blank and bool(_BLOCK.match(line))))
        after_blank = not line.strip()
        if not skipping:
            bodies[-1].append(line.strip())
    texts = ["\n".join(filter(None, body)) for body in bodies[1:]]
    cues = [Cue(text, "", *span) for text, span in zip(texts, times, strict=True) if text]
    cues = list(_voices(_unroll(cues)))
    return cues if VOICE_TAGS_NOTE in lines[:4] else name_speakers(cues)


def _drop_identifier(body: list[str], last_number: int, *, notes: bool) -> int:
    """Remove the next cue's identifier from the end of this cue's lines; the last number seen."""
    if not body:
        return last_number
    alone = len(body) == 1 or not body[-2]
    if body[-1].isdecimal() and len(body[-1]) < 10 and (alone or int(body[-1]) == last_number + 1):
        follows = len(body) > 1 or int(body[-1]) == last_number + 1 or not last_number
        return int(body.pop()) if follows else last_number
    if notes and len(body) > 1 and body[-1] and not body[-2]:
        body.pop()
    return last_number


def _unroll(cues: list[Cue]) -> list[Cue]:
    """Drop the lines that rolling captions repeat: each of their cues shows the last lines of the one before again."""
    lines = [[line for line in (strip_markup(line) for line in cue.text.split("\n")) if line] for cue in cues]
    repeats = [_repeated(before, now) for before, now in pairwise(lines)]
    carried = sum(0 < repeat < len(now) for repeat, now in zip(repeats, lines[1:], strict=True))
    if carried < 2 or 5 * carried < len(cues):
        return cues
    fresh = ["\n".join(now[repeat:]) for repeat, now in zip([0, *repeats], lines, strict=True)]
    # the markup is gone: what looks like a tag or an entity now is text
    safe = [text.replace("&", "&amp;").replace("<", "&lt;") for text in fresh]
    return [replace(cue, text=text) for cue, text in zip(cues, safe, strict=True) if text]


def _repeated(before: Sequence[str], now: Sequence[str]) -> int:
    """How many of the first lines are the last lines of the cue before; captions show at most four lines."""
    return next((count for count in range(min(len(before), len(now), 4), 0, -1) if before[-count:] == now[:count]), 0)


def _voices(cues: Iterable[Cue]) -> Iterator[Cue]:
    """One plain cue for each voice span; what two voices say in one cue keeps that cue's times."""
    for cue in cues:
        at, speaker = 0, ""
        for tag in _VOICE.finditer(cue.text):
            yield replace(cue, text=_plain_lines(cue.text[at : tag.start()]), speaker=speaker)
            at, speaker = tag.end(), strip_markup(tag[1] or "")
        yield replace(cue, text=_plain_lines(cue.text[at:]), speaker=speaker)


def _plain_lines(markup: str) -> str:
    return "\n".join(text for line in markup.split("\n") if (text := strip_markup(line)))


def _read_json(text: str, subject: str) -> Iterator[Cue]:
    """Read Podcasting 2.0 (`startTime`, `endTime`, `body`), and the names that Whisper's programs use."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TranscriptError(subject, "is not JSON that can be read; the file may be cut short") from error
    entries = document.get("segments") if isinstance(document, dict) else document
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield Cue(
                collapse_spaces(_string(entry.get("body", entry.get("text")))),
                collapse_spaces(_string(entry.get("speaker"))),
                _number(entry.get("startTime", entry.get("start"))),
                _number(entry.get("endTime", entry.get("end"))),
            )


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """Seconds from a number, or from text that is a number or a clock."""
    if isinstance(value, str) and (clock := parse_clock(value)) is not None:
        return clock
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _read_html(text: str) -> list[Cue]:
    """Read HTML: `<cite>` is who speaks, `<time>` when, `<p>` what; other pages are read as plain text by blocks."""
    paragraphs: list[Cue] = []
    others: list[str] = []
    speaker, start, inside, in_paragraph, pieces = "", None, "", False, list[str]()
    for piece, tag, closing in [*_html_pieces(text), ("", "p", True)]:
        words = collapse_spaces(unescape("".join(pieces))) if tag else ""
        if not tag:
            pieces.append(piece)
        elif tag in {"cite", "time"} and not inside and in_paragraph and words:
            continue  # within a paragraph: the title of a work, or a date
        else:
            pieces = []
            if inside == "cite":
                speaker = words.rstrip(": ") or speaker
            elif inside == "time":
                start = parse_clock(words.strip("[]()"))
            elif words and in_paragraph:
                paragraphs.append(Cue(words, speaker, start))
                start = None
            others.append(words)
            inside = tag if tag in {"cite", "time"} and not closing else ""
            in_paragraph = not closing if tag == "p" else in_paragraph
    marked = any(cue.speaker or cue.start is not None for cue in paragraphs)
    return paragraphs if marked else read_prose("\n\n".join([cue.text for cue in paragraphs] or others))


def _html_pieces(text: str) -> Iterator[tuple[str, str, bool]]:
    """Text as (text, "", False), block tags as ("", name, closing); without comments, scripts and the like."""
    unspoken = ""
    for piece in _HTML_TAG.split(text):
        name = _HTML_NAME.match(piece)
        tag, closing = (name[2].lower(), bool(name[1])) if name and piece.endswith(">") else ("", False)
        if unspoken:
            unspoken = "" if piece == unspoken or (closing and tag == unspoken) else unspoken
        elif piece == "<!--" or tag in _UNSPOKEN:
            unspoken = "" if closing else "-->" if piece == "<!--" else tag
        elif tag and tag not in _INLINE:
            yield ("", tag, closing) if tag != "br" else (" ", "", False)
        elif not tag and not _HTML_TAG.fullmatch(piece):
            yield piece, "", False
