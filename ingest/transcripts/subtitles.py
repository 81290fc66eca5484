"""Reads timed text that is neither a list of entries nor WebVTT: TTML and YouTube's XML, Aegisub's ASS, lyrics (LRC)."""

import re
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
    for element in root.iter():  # names without their namespaces
        element.tag = _local(element.tag)
        element.attrib = {_local(name): value for name, value in element.attrib.items()}
    agents = {agent.get("id", ""): collapse_spaces(agent.findtext("name", "")) for agent in root.iter("agent")}
    given = [root.get(name, "") for name in ("frameRate", "tickRate")]
    frame_rate, tick_rate = (float(rate) if re.fullmatch(r"[1-9]\d{0,8}", rate) else 0.0 for rate in given)
    cues = []
    for element in root.iter():
        youtube = "t" in element.attrib or "start" in element.attrib
        if element.tag == "p" or (element.tag == "text" and youtube):
            words = strip_markup(_words_of(element)) if youtube else _words_of(element)
            said_by = next((agent for each in element.iter() if (agent := each.get("agent"))), "")
            span = _span(element, frame_rate or 30.0, tick_rate or 1.0)
            cues.append(Cue(words, agents.get(said_by) or said_by, *span))
    if not cues and root.tag not in {"tt", "timedtext", "transcript"}:
        raise UnknownFormatError(subject, f"is XML of a kind that is not read (<{root.tag[:40]}>); TTML is")
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
    return sorted(cues, key=lambda cue: cue.start or 0.0)


def _span(element: Element, frame_rate: float, tick_rate: float) -> tuple[float | None, float | None]:
    """When the words of an element begin and end; where it does not say so itself, as its parts say."""
    timed = [each for each in element.iter() if "begin" in each.attrib]
    if timed and timed[0] is not element:
        return _span(timed[0], frame_rate, tick_rate)[0], _span(timed[-1], frame_rate, tick_rate)[1]
    begin = element.get("begin") or element.get("start") or element.get("t")
    lasting = element.get("dur") or element.get("d")
    given = (begin, element.get("end"), lasting)
    start, end, duration = (parse_time_expression(one or "", frame_rate, tick_rate) for one in given)
    if end is None and start is not None and duration is not None:
        end = start + duration
    scale = 0.001 if "t" in element.attrib else 1.0
    return start and start * scale, end and end * scale


def _words_of(element: Element) -> str:
    """The text of a paragraph: a line break is a space, and so is the border of two spans that have their own times."""
    for each in list(element.iter())[1:]:
        if each.tag == "br" or ("begin" in each.attrib and not any("begin" in part.attrib for part in each)):
            each.text, each.tail = f"\0{each.text or ''}", f"\0{each.tail or ''}"
    pieces = map(collapse_spaces, "".join(element.itertext()).split("\0"))
    return collapse_spaces(join_words(filter(None, pieces)))


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
