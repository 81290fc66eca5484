"""Reads timed text that is neither a list of entries nor WebVTT: TTML and YouTube's XML, Aegisub's ASS, lyrics (LRC)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingest.errors import TranscriptError, UnknownFormatError
from ingest.times import CLOCK, parse_clock, parse_time_expression
from ingest.transcripts.cues import Cue, collapse_spaces, join_words, strip_markup

_STAMP = re.compile(rf"\[({CLOCK})\]")
_LRC_TAG = re.compile(r"\[[a-z#]+:[^\[\]]*\]", re.IGNORECASE)
_LRC_WORD = re.compile(rf"<{CLOCK}>")
_LRC_OFFSET = re.compile(r"(?mi)^\[offset:\s*([+-]?\d{1,7})\]")


def read_xml(text: str, subject: str) -> list[Cue]:
    """The cues of TTML (`<p begin end>`), or of YouTube's (`<text start dur>`, `<p t d>`). Raises TranscriptError."""
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise TranscriptError(subject, "is not XML that can be read; the file may be cut short") from error
    agents = _agents(root)
    rates = [_rate(root, "frameRate", 30.0), _rate(root, "tickRate", 1.0)]
    cues = []
    for element in root.iter():
        values = {_local(name): value for name, value in element.attrib.items()}
        if _local(element.tag) == "text" and "start" in values:
            cues.append(_youtube(element, values.get("start", ""), values.get("dur", ""), 1.0))
        elif _local(element.tag) == "p" and "t" in values:
            cues.append(_youtube(element, values["t"], values.get("d", ""), 1000.0))
        elif _local(element.tag) == "p":
            start, end, duration = (
                parse_time_expression(values.get(name, ""), *rates) for name in ("begin", "end", "dur")
            )
            end = start + duration if end is None and start is not None and duration is not None else end
            agent = values.get("agent") or next(
                (v for e in element.iter() for k, v in e.attrib.items() if _local(k) == "agent"), ""
            )
            cues.append(Cue(_words_of(element), agents.get(agent, agent), start, end))
    if not cues and _local(root.tag) not in {"tt", "timedtext", "transcript"}:
        raise UnknownFormatError(subject, f"is XML of a kind that is not read (<{_local(root.tag)[:40]}>); TTML is")
    return cues


def read_ass(text: str, subject: str) -> list[Cue]:
    """The cues of Advanced SubStation Alpha and its forerunner. Raises TranscriptError where no line says what is where."""
    names: list[str] = []
    cues = []
    for line in text.split("\n"):
        kind, _, rest = line.partition(":")
        if kind.strip() == "Format":
            names = [name.strip().lower() for name in rest.split(",")]
        elif kind.strip() == "Dialogue" and {"start", "end", "text"} <= set(names):
            row = dict(zip(names, rest.split(",", len(names) - 1), strict=False))
            words = strip_markup(re.sub(r"\\[Nnh]", " ", row.get("text", "").replace("{", "{\\")))
            speaker = collapse_spaces(row.get("name", row.get("actor", "")))
            cues.append(Cue(words, speaker, parse_clock(row.get("start", "")), parse_clock(row.get("end", ""))))
    if not names:
        raise TranscriptError(subject, "is not a subtitle file of Aegisub: it has no `Format:` line")
    return cues


def read_lrc(text: str, _subject: str) -> list[Cue]:
    """The cues of timed lyrics: a line may have several times, which its words are said at."""
    found = _LRC_OFFSET.search(text)
    shift = int(found[1]) / 1000 if found else 0.0
    cues = []
    for line in text.split("\n"):
        at, starts = 0, list[float | None]()
        while stamp := _STAMP.match(line, at):
            starts.append(parse_clock(stamp[1]))
            at = stamp.end()
        words = collapse_spaces(_LRC_WORD.sub("", line[at:]))
        if starts:
            cues += [Cue(words, "", None if start is None else start - shift) for start in starts]
        elif words and not _LRC_TAG.fullmatch(words):
            cues.append(Cue(words))
    ordered = sorted(cues, key=lambda cue: cue.start or 0.0)
    ends = [cue.start for cue in ordered[1:]] + [None]
    return [replace(cue, end=end) for cue, end in zip(ordered, ends, strict=False)]


def _youtube(element: Element, start: str, duration: str, scale: float) -> Cue:
    first, length = parse_time_expression(start), parse_time_expression(duration)
    words = strip_markup(" ".join("".join(element.itertext()).split()))
    if first is None:
        return Cue(words)
    return Cue(words, "", first / scale, None if length is None else (first + length) / scale)


def _words_of(element: Element) -> str:
    """The text of a paragraph: a line break is a space, and so is the border of two spans that have their own times."""
    return collapse_spaces(join_words(_pieces(element)))


def _pieces(element: Element) -> Iterator[str]:
    timed = [each for each in element.iter() if each is not element and "begin" in map(_local, each.attrib)]
    lowest = {id(each) for each in timed if not any("begin" in map(_local, child.attrib) for child in each)}
    text = ""
    for event, each in _walk(element):
        if (event == "start" and (id(each) in lowest or _local(each.tag) == "br")) or (
            event == "end" and id(each) in lowest
        ):
            yield from filter(None, [collapse_spaces(text)])
            text = ""
        if event == "start":
            text += each.text or ""
        elif each is not element:
            text += each.tail or ""
    yield from filter(None, [collapse_spaces(text)])


def _walk(element: Element) -> Iterator[tuple[str, Element]]:
    """Start and end of an element and of all in it, in the order of the text."""
    stack: list[tuple[str, Element]] = [("start", element)]
    while stack:
        event, each = stack.pop()
        yield event, each
        if event == "start":
            stack.append(("end", each))
            stack += [("start", child) for child in reversed(each)]


def _agents(root: Element) -> dict[str, str]:
    """The names of the speakers that the head lists, by their ids."""
    names = {}
    for element in root.iter():
        if _local(element.tag) == "agent":
            called = next((child.text or "" for child in element if _local(child.tag) == "name"), "")
            names[element.attrib.get("{http://www.w3.org/XML/1998/namespace}id", "")] = collapse_spaces(called)
    return {key: name for key, name in names.items() if key and name}


def _rate(root: Element, name: str, default: float) -> float:
    value = next((value for key, value in root.attrib.items() if _local(key) == name), "")
    return float(value) if re.fullmatch(r"[1-9]\d{0,8}", value) else default


def _local(name: Any) -> str:
    """A name without its namespace."""
    return str(name).rpartition("}")[2]
