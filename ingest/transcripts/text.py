"""Reads transcripts in running text, where the speaker and perhaps a time stand before what is said.

A line may start with a time or a range (`[0:05]`, `(0:05 - 0:10)`, `0:05`), then a name (`Name:`, `**Name**`, `Name (0:05)`,
`Name - 0:05`), then the words; a time or a name may also stand alone above them, and times within them. What looks like a
time or a name without brackets, or colon, is one only where the file does so again and again.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ingest.models import Turn
from ingest.times import CLOCK, parse_clock
from ingest.transcripts.cues import Cue
from ingest.transcripts.lines import Line, markdown_lines, plain, text_line
from ingest.transcripts.speakers import clean_name, is_name, is_short, is_strange, prefix_of, prefixes

_SPAN = rf"(-?{CLOCK})(?:\s{{0,9}}(?:-{{1,2}}>|[-\u2013\u2014]|to)\s{{0,9}}({CLOCK}))?"
_NAME = r"[^\n:()\[\]]{0,80}?"
_BRACKETED = rf"[\[(<{{]{{1,2}}\s?{_SPAN}\s?[\])>}}]{{1,2}}"
_STAMP = re.compile(rf"{_BRACKETED}(?![\w%])\s*(?:[-\u2013\u2014|:]\s*)?")
_BARE = re.compile(rf"{_SPAN}(?:\s*[-\u2013\u2014|:]?\s*$|(\s*[-\u2013\u2014|])?\s+)")
_NAME_STAMP = re.compile(rf"({_NAME})[\s,|@\u2013\u2014-]{{0,9}}{_BRACKETED}\s*(:?)\s*")
_NAME_BARE = re.compile(rf"({_NAME})[\s,|@\u2013\u2014-]{{1,9}}{_SPAN}(?:\s*:?\s*$|:?\s+)")
_LATE = re.compile(rf"(?:{_BRACKETED}\s*|{_SPAN}\s*$)")
_INLINE = re.compile(rf"(?:\[\[?\s?(-?{CLOCK})\s?\]\]?|\((\d\d:\d\d:\d\d(?:[.,]\d{{1,3}})?)\))")
_LABEL = re.compile(r"([^\n:：]{1,80}?)\s?[:：]")  # noqa: RUF001 - full-width colons are meant
_BOLD = re.compile(r"(?:[-*+] )?(?:\*\*|__)([^*_\n]{1,80}?)(?:\*\*|__)(?!\s?[:：])\s*(.*)")  # noqa: RUF001
_BRACKET_NAME = re.compile(r"\[([^\[\]\d][^\[\]]{0,79})\]\s+(\S.*)")
_HEADING = re.compile(r"#{1,6}(?:\s+(.*?)[\s#]*)?")
# What stands alone in a transcript and is not said: `[INTRODUCTION]`, and the line that Otter adds
_NOT_SAID = re.compile(r"\[[A-Z][A-Z -]{3,60}\]|Transcribed by https?://\S+")
_SENTENCE_END = re.compile(r"[.!?,;]$")


@dataclass(slots=True)
class _ProseReader:
    """The cues read so far, and the paragraph being read."""

    names: frozenset[str]
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

    def start_paragraph(self, speaker: str, start: float | None, end: float | None = None) -> None:
        self.end_paragraph()
        self.speaker, self.starts_turn = speaker or self.speaker, self.starts_turn or bool(speaker)
        self.start, self.end = (self.start, self.end) if start is None else (start, end)

    def read(self, line: Line) -> None:
        """Read one line: a blank one, one that starts a turn, or one more of the paragraph."""
        if line.stamped or line.speaker:
            self.start_paragraph(clean_name(line.speaker), line.start, line.end)
        if line.ends_turn:
            self.end_paragraph()
            self.speaker, self.starts_turn = "", True
        if not line.text:
            if not (line.stamped or line.speaker):
                self.end_paragraph()
            return
        text = line.text
        if prefix := prefix_of(text, self.names):
            text = text[prefix.end() :]
            late = _LATE.match(text)  # `Name: [00:01:02] text`
            times = [parse_clock(one) if one else None for one in late.groups()] if late else [None, None]
            start, end = (times[0], times[1]) if times[0] is not None else (times[-2], times[-1])
            self.start_paragraph(clean_name(prefix[1]), start, end)
            text = text[late.end() :] if late else text
        elif (label := _LABEL.fullmatch(text)) and label[1] in self.names:
            self.start_paragraph(clean_name(label[1]), None)
            return
        elif not line.speaker and is_strange(text, self.names):
            self.end_paragraph()
            self.speaker, self.starts_turn = "", True
        self.add(text)

    def add(self, text: str) -> None:
        """Add words to the paragraph; a time within them ends it."""
        at = 0
        for stamp in _INLINE.finditer(text):
            if words := text[at : stamp.start()].strip():
                self.lines.append(words)
            self.start_paragraph("", parse_clock(stamp[1] or stamp[2]))
            at = stamp.end()
        if words := text[at:].strip():
            self.lines.append(words)


def read_prose(text: str, *, markdown: bool = False) -> list[Cue]:
    """One cue for each paragraph, in the order of the text; `starts_turn` where the text names the speaker.

    With `markdown`, headings are left out unless they are speakers, and everything before a heading `Transcript`.
    """
    raw: list[str | Line] = list(markdown_lines(text)) if markdown else [text_line(line) for line in text.split("\n")]
    bare = _consistent(raw, _BARE, lambda found: (found[1], not found[3] and found.end() < len(found.string)))
    named = _consistent(raw, _NAME_BARE, lambda found: (found[2], is_name(found[1].strip())))
    lines = [line if isinstance(line, Line) else _parse(line, bare=bare, named=named) for line in raw]
    labels = _labels(lines)
    if _names_alone(lines):
        lines = [_named(line) for line in lines]
    for number in _names_below(lines):
        lines[number] = Line("", lines[number].text)
    by_headings = any(line.label.removeprefix("# ") in labels for line in lines if line.label.startswith("# "))
    lines = [_labelled(line, labels, by_headings=by_headings) for line in lines]
    reader = _ProseReader(_names(lines))
    for line in [*lines, Line("")]:
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


def _consistent(
    lines: Sequence[str | Line], pattern: re.Pattern[str], read: Callable[[re.Match[str]], tuple[str, bool]]
) -> bool:
    """Whether times stand so at the start of two lines or more, and go up, as they do in a transcript."""
    found = [
        read(match) for line in lines if isinstance(line, str) and ":" in line and (match := pattern.match(plain(line)))
    ]
    times = [parse_clock(clock) or 0.0 for clock, counts in found if counts]
    rising = sum(later >= earlier for earlier, later in pairwise(times))
    return len(times) > 1 and rising >= 0.8 * (len(times) - 1)


def _parse(line: str, *, bare: bool, named: bool, timed: bool = True, labels: bool = True) -> Line:
    """A line with its time at the start, or after its name, taken off, and what may be a name without a colon."""
    if _NOT_SAID.fullmatch(line):
        return Line("", label="# ")
    if heading := _HEADING.fullmatch(line):
        inner = _parse(plain(heading[1] or "").lstrip("# "), bare=True, named=True)  # not a heading again
        return replace(inner, text="", label=inner.label or f"# {inner.text}" if inner.text else "")
    text = plain(line)
    if timed and ":" in text:
        start_of = _STAMP.match(text)
        loose = None if start_of else _BARE.match(text)
        if loose and (bare or loose.end() == len(text) or loose[3]):
            start_of = loose
        if start_of:
            rest = _parse(_after(line, text, start_of.end()), bare=False, named=False, timed=False)
            times = [parse_clock(one) if one else None for one in start_of.groups()[:2]]
            return replace(rest, start=times[0], end=times[1], stamped=True)
        if turn := _name_and_time(text, named=named):
            return turn
    for pattern in (_BOLD, _BRACKET_NAME) if labels else ():
        if (found := pattern.fullmatch(line)) and not found[1].rstrip().endswith((":", "：")):  # noqa: RUF001
            rest = (
                _parse(found[2], bare=False, named=False, timed=timed and pattern is _BOLD, labels=False)
                if found[2]
                else Line("")
            )
            return replace(rest, label=plain(found[1]))
    return Line(text)


def _after(line: str, text: str, end: int) -> str:
    """What follows the time at the start of a line, with its bold marks where it has any."""
    rest = text[end:]
    at = line.find("**")
    return line[at:] if rest and at >= 0 and plain(line[at:]) == rest else rest


def _name_and_time(text: str, *, named: bool) -> Line | None:
    """A line that starts with a name and a time; None for any other."""
    if found := _NAME_STAMP.match(text):
        name, colon, words = found[1].strip(), found[4], text[found.end() :]
        if name and (is_name(name) or (colon and len(name.split()) < 5)):
            return Line(words, name, parse_clock(found[2]), parse_clock(found[3] or ""), stamped=True)
    if (found := _NAME_BARE.match(text)) and is_name(found[1].strip()) and (named or found.end() == len(text)):
        name, words = found[1].strip(), text[found.end() :]
        return Line(words, name, parse_clock(found[2]), parse_clock(found[3] or ""), stamped=True)
    return None


def _names_alone(lines: Sequence[Line]) -> bool:
    """Whether what follows the time at the start of a line is the speaker's name, and the words stand below."""
    following = pairwise([line for line in lines if line.text or line.stamped or line.label])
    said = [(line, after) for line, after in following if line.stamped and line.text and not line.speaker]
    bare = [after for line, after in said if is_name(line.text) and not _SENTENCE_END.search(line.text)]
    return len(bare) > 1 and len(bare) >= 0.8 * len(said) and sum(not after.stamped for after in bare) > len(bare) / 2


def _names_below(lines: Sequence[Line]) -> list[int]:
    """The lines that hold a name alone, below one that holds a time alone, where the file has it so throughout."""
    below = [n for n, (line, after) in enumerate(pairwise(lines), 1) if _only_time(line) and not after.stamped]
    names = [n for n in below if is_name(lines[n].text) and not _SENTENCE_END.search(lines[n].text)]
    return names if len(names) > 1 and len(names) >= 0.8 * len(below) else []


def _only_time(line: Line) -> bool:
    return line.stamped and not (line.text or line.speaker or line.label)


def _named(line: Line) -> Line:
    if line.stamped and line.text and not line.speaker and is_name(line.text):
        return replace(line, text="", speaker=line.text)
    return line


def _labels(lines: Sequence[Line]) -> frozenset[str]:
    """The labels without a colon that are names: one comes again, and these come again or look like a full name."""
    counts = Counter(label for line in lines if (label := line.label.removeprefix("# ")))
    again = {label for label, count in counts.items() if count > 1 and (is_name(label) or len(label.split()) < 5)}
    once = {label for label in counts if is_short(label) or (is_name(label) and len(label.split()) > 1)}
    spoken = sum(bool(line.text or line.label) for line in lines)
    brackets = sum(counts.values()) * 3 >= spoken  # else `[Laughter]`, or the bold first words of sections
    return frozenset(again | once) if again and brackets else frozenset()


def _labelled(line: Line, names: frozenset[str], *, by_headings: bool) -> Line:
    """The line with its label as speaker, as words where it is none, or left out where it is a heading."""
    if not line.label:
        return line
    heading, label = line.label.startswith("# "), line.label.removeprefix("# ")
    if label in names:
        return replace(line, speaker=label, label="")
    if heading:
        return replace(line, text="", label="", ends_turn=by_headings)
    return replace(line, text=f"{label} {line.text}".strip(), label="")


def _names(lines: Sequence[Line]) -> frozenset[str]:
    """The names that stand alone on lines `Name:`, or before text where `prefixes` finds them."""
    alone = Counter(label[1] for line in lines if (label := _LABEL.fullmatch(line.text)))
    labels = {name for name, count in alone.items() if is_name(name) or (count > 1 and len(name.split()) < 5)}
    starts = [line for before, line in pairwise([Line(""), *lines]) if line.text and (line.stamped or not before.text)]
    every = [line for line in lines if line.text]
    said = [f"{line.speaker}: {line.text}" if line.speaker else line.text for line in every]
    first = [line.text for line in starts if not line.speaker]
    return frozenset(labels | prefixes(said) | (prefixes(first) if len(first) > 1 else frozenset()))
