"""Reads transcripts in running text, where the speaker and perhaps a time stand before what is said.

A line may start with a time or a range (`[0:05]`, `(0:05 - 0:10)`, `[0.00s -> 5.00s]`, `0:05`), then a name (`Name:`,
`**Name**`, `Name (0:05)`, `Name - 0:05`), then the words; a time or a name may also stand alone above them, and times within
or behind them. What looks like a time without brackets, or like a name without a colon, is one only where the file does so
again and again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ingest.models import Turn
from ingest.sentences import STOPS
from ingest.times import CLOCK, parse_time_expression
from ingest.transcripts.cues import Cue
from ingest.transcripts.lines import Line, plain, prepared
from ingest.transcripts.speakers import HEADING, LABEL, LABEL_END, Names, clean_name, find_names, is_name

_TO = r"\s{0,9}(?:-{1,2}>|[-\u2013\u2014\u2192]|to)\s{0,9}"
_SECONDS = rf"(\d{{1,6}}(?:\.\d{{1,3}})?\s?s|\d{{1,6}}\.\d{{1,3}}(?=\s?->))(?:{_TO}(\d{{1,6}}(?:\.\d{{1,3}})?\s?s?))?"  # of faster-whisper
_SPAN = rf"(-?{CLOCK})(?:{_TO}({CLOCK}))?"
_BRACKETED = rf"[\[(<{{]{{1,2}}\s?(?:{_SECONDS}|{_SPAN})\s?[\])>}}]{{1,2}}"
_NAME = r"[\[(]?([^\n:()\[\]]{0,80}?)[\])]?"
_STAMP = re.compile(rf"{_BRACKETED}(?![\w%])\s*(?:[-\u2013\u2014|:]\s*)?")
_BARE = re.compile(rf"{_SPAN}(?:\s*[-\u2013\u2014|:]?\s*$|(?:(\s*[-\u2013\u2014|])|:)?\s+|[:=](?=[^\s\d]))")
_NAME_STAMP = re.compile(rf"{_NAME}[\s,|@\u2013\u2014-]{{0,9}}{_BRACKETED}\s*(:?)\s*")
_NAME_BARE = re.compile(rf"{_NAME}(?:\s+at\s+|[\s,|@\u2013\u2014-]{{1,9}}){_SPAN}(?:\s*:?\s*$|:?\s+)")
_INSIDE = re.compile(
    rf"[\[(](?:{_SPAN}[\s,|-]{{1,9}}([^\n:()\[\]]{{1,80}})|([^\n:()\[\]]{{1,80}}?)[\s,|-]{{1,9}}{_SPAN})[\])]\s*:?\s*"
)
_LATE = re.compile(rf"(?:{_BRACKETED}\s*|{_SPAN}\s*$)")
_LATE_BARE = re.compile(rf"[^\n:]{{1,80}}:\s+({CLOCK})\s+")
_TURN_WITHIN = re.compile(
    rf"(?<=[^\s\d][.۔{STOPS}])[ \t]+(?=[\[(]?{CLOCK}[\])]?[ \t]+[^\W\d_a-z][^:\n.{STOPS}]{{0,60}}:\s)"  # noqa: RUF001 - Urdu
)
_BEHIND = re.compile(rf"(\S.*?)\s*[\[(]({CLOCK})[\])]$")
_INLINE = re.compile(rf"\[\[?\s?(-?{CLOCK})\s?\]\]?|\((\d\d:\d\d:\d\d(?:[.,]\d{{1,3}})?)\)")
# What stands alone in a transcript and is not said: `[INTRODUCTION]`, and the line that Otter adds
_NOT_SAID = re.compile(r"\[[A-Z][A-Z -]{3,60}\]|Transcribed by https?://\S+")
_SENTENCE_END = re.compile(rf"[.,;{STOPS}]$")


@dataclass(slots=True)
class _ProseReader:
    """The cues read so far, and the paragraph being read."""

    names: Names
    late: re.Pattern[str]  # the time between a name and the words
    by_headings: bool  # whether headings are speakers, so that another heading ends what the last one says
    cues: list[Cue] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    speaker: str = ""
    start: float | None = None
    end: float | None = None
    starts_turn: bool = False

    def end_paragraph(self) -> None:
        if text := " ".join(self.lines):
            self.cues.append(Cue(text, self.speaker, self.start, self.end, self.starts_turn))
            self.start, self.end, self.starts_turn = None, None, False
        self.lines = []

    def start_paragraph(self, speaker: str, start: float | None = None, end: float | None = None) -> None:
        self.end_paragraph()
        self.speaker, self.starts_turn = clean_name(speaker) or self.speaker, self.starts_turn or bool(speaker)
        self.start, self.end = (self.start, self.end) if start is None else (start, end)

    def end_turn(self) -> None:
        self.end_paragraph()
        self.speaker, self.starts_turn = "", True

    def read(self, line: Line) -> None:
        """Read one line: a blank one, one that starts a turn, or one more of the paragraph."""
        text, prefix = line.text, self.names.prefix_of(line.text)
        if line.stamped or line.speaker or not text:
            self.start_paragraph(line.speaker, line.start, line.end)
        if prefix:
            text = text[prefix.end() :]
            late = self.late.match(text)  # `Name: [00:01:02] text`
            self.start_paragraph(prefix[1], *_times(late.groups() if late else ()))
            text = text[late.end() :] if late else text
        elif text.startswith(HEADING):
            text = ""
            if self.by_headings:
                self.end_turn()
            self.end_paragraph()
        elif not line.speaker and self.names.is_strange(text):
            self.end_turn()
        self.add(plain(text))

    def add(self, text: str) -> None:
        """Add words to the paragraph; a time within them ends it."""
        at = 0
        for stamp in _INLINE.finditer(text):
            if words := text[at : stamp.start()].strip():
                self.lines.append(words)
            self.start_paragraph("", *_times(stamp.groups()))
            at = stamp.end()
        if words := text[at:].strip():
            self.lines.append(words)


def read_prose(text: str) -> list[Cue]:
    """One cue for each paragraph, in the order of the text; `starts_turn` where the text names the speaker.

    Headings are left out unless they are speakers, and everything before a heading `Transcript`.
    """
    raw = list(prepared(_TURN_WITHIN.sub("\n", text)))
    bare = bool(_rising(raw, _BARE, lambda m: (m[1], not m[3] and m.end() < len(m.string))))
    named = bool(_rising(raw, _NAME_BARE, lambda m: (m[2], is_name(m[1].strip()))))
    late = re.compile(rf"{_LATE.pattern}|{_SPAN}\s+") if _rising(raw, _LATE_BARE, lambda m: (m[1], True)) else _LATE
    behind = _rising(raw, _BEHIND, lambda m: (m[2], True))
    if 2 * len(behind) > sum(bool(line) for line in raw):
        place = r"[\2] \1" if behind[0] < 1 else r"\1 [\2]"  # what begins at zero are starts; else it ends a paragraph
        raw = [line if isinstance(line, Line) else _BEHIND.sub(place, line) for line in raw]
    lines = [line if isinstance(line, Line) else _parse(line, bare=bare, named=named) for line in raw]
    for number in _names_apart(lines):
        lines[number] = replace(lines[number], speaker=lines[number].text, text="")
    every = [f"{line.speaker}: {line.text}" if line.speaker else line.text for line in lines]
    opening = [line for before, line in pairwise([Line(), *lines]) if line.stamped or not before.text]
    first = [line.text for line in opening if not line.speaker]
    names = find_names(every, first if sum(map(bool, first)) > 1 else ())
    by_headings = any(line.text.startswith(HEADING) and names.prefix_of(line.text) for line in lines)
    reader = _ProseReader(names, late, by_headings)
    for line in [*lines, Line()]:
        reader.read(line)
    return reader.cues


def turns_of_cues(cues: list[Cue]) -> tuple[Turn, ...]:
    """Turns of one paragraph for each cue; a turn ends where a cue starts one or has another speaker."""
    turns: list[tuple[str, list[str]]] = []
    for cue in cues:
        if not turns or cue.starts_turn or cue.speaker != turns[-1][0]:
            turns.append((cue.speaker, []))
        turns[-1][1].append(cue.text)
    return tuple(Turn("\n\n".join(paragraphs), speaker) for speaker, paragraphs in turns)


def _rising(
    lines: Sequence[str | Line], pattern: re.Pattern[str], read: Callable[[re.Match[str]], tuple[str, bool]]
) -> list[float]:
    """The times that two lines or more have at that place, if they go up, as they do in a transcript; else none."""
    found = [read(match) for line in lines if isinstance(line, str) and (match := pattern.match(plain(line)))]
    times = [parse_time_expression(clock) or 0.0 for clock, counts in found if counts]
    rising = sum(later >= earlier for earlier, later in pairwise(times))
    return times if len(times) > 1 and rising >= 0.8 * (len(times) - 1) else []


def _parse(line: str, *, bare: bool, named: bool) -> Line:
    """A line with its time at the start, or beside its name, taken off, and a name with a time beside it."""
    if _NOT_SAID.fullmatch(line):
        return Line(HEADING + LABEL_END)
    if line.startswith(HEADING):
        inner = _parse(plain(line), bare=True, named=True)
        return replace(inner, text="" if inner.speaker else f"{HEADING}{inner.text}{LABEL_END}")
    text = plain(line)
    start_of = _STAMP.match(text)
    if not start_of and (loose := _BARE.match(text)) and (bare or loose.end() == len(text) or loose[3]):
        start_of = loose
    if start_of:
        rest, (start, end) = text[start_of.end() :], _times(start_of.groups())
        turn = _name_and_time(rest, named=False)  # a time before and behind the name
        if turn and turn.start is not None and turn.start >= (start or 0.0):
            return replace(turn, start=start, end=turn.start)
        marked = line[line.find(LABEL) :]
        return Line(marked if plain(marked) == rest else rest, "", start, end, stamped=True)
    return _name_and_time(text, named=named) or Line(line)


def _name_and_time(text: str, *, named: bool) -> Line | None:
    """A line that starts with a name and a time; None for any other."""
    if found := _NAME_STAMP.match(text):
        name, words = found[1].strip(), text[found.end() :]
        if name and (is_name(name) or (found[6] and len(name.split()) < 5)):
            return Line(words, name, *_times(found.groups()[1:]), stamped=True)
    if (found := _INSIDE.match(text)) and is_name(name := (found[3] or found[4]).strip()):  # `[0:05 Mia]`, `[Mia 0:05]`
        times = found.groups()[:2] if found[3] else found.groups()[4:]
        return Line(text[found.end() :], name, *_times(times), stamped=True)
    found = _NAME_BARE.match(text)
    if found and is_name(found[1].strip()) and (named or found.end() == len(text)):
        return Line(text[found.end() :], found[1].strip(), *_times(found.groups()[1:]), stamped=True)
    return None


def _times(clocks: Sequence[str | None]) -> tuple[float | None, float | None]:
    """The start and the end in a match's groups, in seconds."""
    start, end, *_ = *(parse_time_expression(one) for one in clocks if one), None, None
    return start, end


def _names_apart(lines: Sequence[Line]) -> list[int]:
    """The lines that hold a name alone: after a time, below one or above one, where the file has it so throughout."""
    filled = [number for number, line in enumerate(lines) if line.text or line.speaker or line.stamped]
    stamped = [n for n in filled if lines[n].stamped and not lines[n].speaker]
    before, after = dict(pairwise(reversed(filled))), dict(pairwise(filled))
    only_time = [n for n in stamped if not lines[n].text]
    beside = [n for n in stamped if lines[n].text]
    below = [after[n] for n in only_time if n in after and not lines[after[n]].stamped]
    above = [before[n] for n in only_time if n in before and not lines[before[n]].stamped]
    for places, words in ((beside, [after.get(n) for n in beside]), (below, []), (above, [])):
        names = [n for n in places if is_name(lines[n].text) and not _SENTENCE_END.search(lines[n].text)]
        apart = 2 * sum(n is None or lines[n].stamped for n in words) <= len(words)  # the words stand below
        if len(names) > 1 and len(names) >= 0.8 * len(places) and apart:
            return names
    return []
