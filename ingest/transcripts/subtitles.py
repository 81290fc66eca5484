"""Reads timed text that is neither a list of entries nor WebVTT: TTML and YouTube's XML, Aegisub's ASS, lyrics (LRC)."""

import re
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingest.errors import TranscriptError, UnknownFormatError
from ingest.times import CLOCK, parse_clock, parse_time_expression
from ingest.transcripts.cues import Cue, collapse_spaces, join_words, strip_markup
from ingest.transcripts.entries import cues_of, is_header

_STAMPS = re.compile(rf"\A(?:\[{CLOCK}\])+")
_LRC_TAG = re.compile(r"\[[a-z#]+:[^\[\]]*\]", re.IGNORECASE)
_LRC_WORD = re.compile(rf"<{CLOCK}>")
_LRC_OFFSET = re.compile(r"(?mi)^\[offset:\s*([+-]?\d{1,7})\]")


def read_xml(text: str, subject: str) -> list[Cue]:
    """The cues of TTML (`<p begin end>`), or of YouTube's (`<text start dur>`, `<p t d>`). Raises TranscriptError."""
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise TranscriptError(subject, "is not XML that can be read; the file may be cut short") from error
    agents, rates = _agents(root), (_rate(root, "frameRate", 30.0), _rate(root, "tickRate", 1.0))
    cues = []
    for element in root.iter():
        tag, values = _local(element.tag), _attributes(element)
        youtube = bool({"t", "start"} & values.keys())
        if tag == "p" or (tag == "text" and youtube):
            words = strip_markup(_words_of(element)) if youtube else _words_of(element)
            start, end = _span(element, rates)
            said_by = next((agent for each in element.iter() if (agent := _attributes(each).get("agent"))), "")
            cues.append(Cue(words, agents.get(said_by, said_by), start, end))
    if not cues and _local(root.tag) not in {"tt", "timedtext", "transcript"}:
        raise UnknownFormatError(subject, f"is XML of a kind that is not read (<{_local(root.tag)[:40]}>); TTML is")
    return cues


def read_ass(text: str, subject: str) -> list[Cue]:
    """The cues of Advanced SubStation Alpha and its forerunner. Raises TranscriptError where no line says what is where."""
    names: list[str] = []
    rows = []
    for line in text.split("\n"):
        kind, _, rest = line.partition(":")
        if kind.strip() == "Format":
            names = [name.strip().lower() for name in rest.split(",")]
        elif kind.strip() == "Dialogue" and is_header(names):
            row = dict(zip(names, rest.split(",", len(names) - 1), strict=False))
            rows.append(row | {"text": strip_markup(re.sub(r"\\[Nnh]", " ", row.get("text", "").replace("{", "{\\")))})
    if not names:
        raise TranscriptError(subject, "is not a subtitle file of Aegisub: it has no `Format:` line")
    return cues_of(rows)


def read_lrc(text: str, _subject: str) -> list[Cue]:
    """The cues of timed lyrics: a line may have several times, which its words are said at."""
    found = _LRC_OFFSET.search(text)
    shift = int(found[1]) / 1000 if found else 0.0
    cues = []
    for line in text.split("\n"):
        rest = _STAMPS.sub("", line)
        words, stamps = collapse_spaces(_LRC_WORD.sub("", rest)), re.findall(CLOCK, line.removesuffix(rest))
        cues += [Cue(words, "", (parse_clock(stamp) or 0.0) - shift) for stamp in stamps]
        if words and not stamps and not _LRC_TAG.fullmatch(words):
            cues.append(Cue(words))
    ordered = sorted(cues, key=lambda cue: cue.start or 0.0)
    ends = [cue.start for cue in ordered[1:]] + [None]
    return [replace(cue, end=end) for cue, end in zip(ordered, ends, strict=False)]


def _span(element: Element, rates: tuple[float, float]) -> tuple[float | None, float | None]:
    """When the words of an element begin and end; where it does not say so itself, as its parts say."""
    values = _attributes(element)
    if "begin" not in values and (parts := [each for each in element.iter() if _is_timed(each)]):
        return _span(parts[0], rates)[0], _span(parts[-1], rates)[1]
    given = [
        values.get("begin") or values.get("start") or values.get("t"),
        values.get("end"),
        values.get("dur") or values.get("d"),
    ]
    start, end, duration = (parse_time_expression(one or "", *rates) for one in given)
    scale = 0.001 if "t" in values else 1.0
    if end is None and start is not None and duration is not None:
        end = start + duration
    return None if start is None else start * scale, None if end is None else end * scale


def _words_of(element: Element) -> str:
    """The text of a paragraph: a line break is a space, and so is the border of two spans that have their own times."""
    for each in list(element.iter())[1:]:
        if _local(each.tag) == "br" or (_is_timed(each) and not any(map(_is_timed, each))):
            each.text, each.tail = f"\0{each.text or ''}", f"\0{each.tail or ''}"
    pieces = map(collapse_spaces, "".join(element.itertext()).split("\0"))
    return collapse_spaces(join_words(filter(None, pieces)))


def _is_timed(element: Element) -> bool:
    return "begin" in map(_local, element.attrib)


def _attributes(element: Element) -> dict[str, str]:
    return {_local(name): value for name, value in element.attrib.items()}


def _agents(root: Element) -> dict[str, str]:
    """The names of the speakers that the head lists, by their ids."""
    agents = [element for element in root.iter() if _local(element.tag) == "agent"]
    names = {_attributes(agent).get("id", ""): agent.findtext("{*}name", "") for agent in agents}
    return {key: collapse_spaces(name) for key, name in names.items() if key and name.strip()}


def _rate(root: Element, name: str, default: float) -> float:
    value = _attributes(root).get(name, "")
    return float(value) if re.fullmatch(r"[1-9]\d{0,8}", value) else default


def _local(name: Any) -> str:
    """A name without its namespace."""
    return str(name).rpartition("}")[2]
