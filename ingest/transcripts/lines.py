"""Prepares running text line by line: Markdown's marks, escapes, lists, links and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ingest.identity import one_line
from ingest.times import CLOCK, parse_clock
from ingest.transcripts.cues import BIDI
from ingest.transcripts.entries import entry_cue, is_header
from ingest.transcripts.speakers import HEADING, LABEL, LABEL_END

_TRANSCRIPT = re.compile(r"#{1,6}\s*(?:full\s+)?transcript\W*", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}(?:\s+(.*?)[\s#]*)?")
_LINK = re.compile(r"\[([^\[\]\n]{0,500})\]\([^()\s]{0,2000}\)")
# Bold or italic words that may be a name: first on their line or after a time, not before a colon; italics end in one
_BOLD = re.compile(r"([\W\d_]{0,40}?)(\*\*|__)(?=[^*_\n]{0,80}[^\W\d_])([^*_\n]{1,80}?)\2(?!\s?[:：])")  # noqa: RUF001
_ITALIC = re.compile(r"^([*_])(?=\S)([^*_\n]{1,80}?)(:?)\1(?=\s*(?:[:\s]|$))")
_LIST = re.compile(r"^(?:[-*+]|\d{1,3}\.)\s+(?=\*\*|__|[\[(]?\d{1,3}:\d\d)")
# HTML in a line, and code marks around a time
_INLINE_TAG = re.compile(
    r"</?(?:sub|sup|small|span|time|font|kbd|code|mark|cite|strong|em|[abiu])(?:\s[^<>]*)?>|`(?=\[?\d+:\d)|(?<=\d\d)`|(?<=\d\])`"
)
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!&<>~|:])")
_RULE = re.compile(r"\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?")
# Of a quotation or a list, of the direction in which a line is written, and a word that says that a time follows
_FIRST_MARKS = re.compile(rf"\A(?:> |>$|[{BIDI}\u2022\u00b7]\s*|(?i:timestamp|timecode)\s*:?\s+(?=\d)){{1,4}}")
_TIME_CELL = re.compile(rf"\W*{CLOCK}\W*(?:(?:to|\W)\s*{CLOCK}\W*)?")


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart: its time, its speaker and its words, which may begin with a label (see `speakers.LABEL`)."""

    text: str = ""
    speaker: str = ""
    start: float | None = None
    end: float | None = None
    stamped: bool = False


def prepared(text: str) -> Iterator[str | Line]:
    """The lines after a heading `Transcript`, if there is one; rows of tables are taken apart already."""
    lines = [one_line(line) for line in text.split("\n")]
    start = next((number for number, line in enumerate(lines, 1) if _TRANSCRIPT.fullmatch(line)), 0)
    lines = lines[start:] if any(lines[start:]) else lines
    header: list[str] = []
    for line, below in pairwise([*lines, ""]):
        said = _FIRST_MARKS.sub("", line).replace("***", "**")
        bare = _LINK.sub(_link_text, _INLINE_TAG.sub("", said))
        cells = [plain(cell) for cell in re.split(r"(?<!\\)\|", bare.strip("|"))] if "|" in bare else []
        timed = any(map(_TIME_CELL.fullmatch, cells))
        above_rule = bool(cells) and "|" in below and _RULE.fullmatch(below) is not None
        if not (bare.startswith("|") or above_rule or (cells and (header or (timed and len(cells) > 2)))):
            header = []
            yield _marked(bare)
        elif is_header(cells) or (above_rule and not timed):
            header = cells
        elif not _RULE.fullmatch(bare):
            yield _row(cells, header)


def plain(text: str) -> str:
    """The words without Markdown's bold marks and escapes, and without the marks of a label."""
    return one_line(_ESCAPE.sub(r"\1", text.replace("**", "").replace("__", "")))


def _marked(line: str) -> str:
    """A line with a heading, or bold words at its start, marked as what may be a name; other marks are taken off."""
    if heading := _HEADING.fullmatch(line):
        return f"{HEADING}{plain(heading[1] or '').lstrip('# ')}{LABEL_END}"
    line = _ITALIC.sub(r"\2\3", _LIST.sub("", line))
    bold = _BOLD.match(line)
    if not bold or bold[3].rstrip().endswith((":", "：")):  # noqa: RUF001 - a full-width colon is meant
        return plain(line)
    return f"{plain(bold[1])}{LABEL}{plain(bold[3])}{LABEL_END}{plain(line[bold.end() :])}"


def _row(cells: list[str], header: list[str]) -> Line:
    """A row of a table: by the names of its columns, else the times, then the speaker, and the words last."""
    cue = entry_cue(dict(zip(header, cells, strict=False)))
    if cue.text and cue.speaker and cue.start is None:
        return Line(cue.text, cue.speaker)
    if not is_header(header):
        times = [cell for cell in cells if _TIME_CELL.fullmatch(cell)]
        others = [cell for cell in cells if cell not in times and not cell.isdigit()]
        cells = [*times[:2], *others[:1], *others[-1:]]
        header = [*("time", "end")[: len(times)], *("speaker", "text")[2 - len(others[:2]) :]]
    cue = entry_cue(dict(zip(header, cells, strict=False)))
    if cue.start is None or not cue.text:
        return Line(plain(" ".join(cells)))
    return Line(cue.text, cue.speaker.rstrip(":"), cue.start, cue.end, stamped=True)


def _link_text(link: re.Match[str]) -> str:
    """The text of a link; a clock stays in brackets, by which it is known."""
    return f"[{link[1]}]" if parse_clock(link[1]) is not None else link[1]
