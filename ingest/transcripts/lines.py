"""Prepares running text line by line: Markdown's marks, escapes, lists, links and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.identity import one_line
from ingest.times import parse_clock
from ingest.transcripts.entries import entry_cue, is_header

_TRANSCRIPT_HEADING = re.compile(r"#{1,6}\s*(?:full\s+)?transcript\W*", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]{0,500})\]\([^()\s]{0,2000}\)")
_ITALIC = re.compile(r"^([*_])(?=\S)([^*_\n]{1,80}?)(:?)\1(?=\s*(?:[:\s]|$))")
_LIST = re.compile(r"^(?:[-*+]|\d{1,3}\.)\s+(?=\*\*|__|[\[(]?\d{1,3}:\d\d)")
# HTML in a line, and code marks around a time
_INLINE_TAG = re.compile(
    r"</?(?:sub|sup|small|span|time|font|kbd|code|mark|cite|strong|em|[abiu])(?:\s[^<>]*)?>|`(?=\[?\d+:\d)|(?<=\d\d)`|(?<=\d\])`"
)
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!&<>~|:])")
_ROW_RULE = re.compile(r"\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?")


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart; `label` is what stands where a name may stand, without a colon: bold, in brackets, a heading."""

    text: str
    speaker: str = ""
    start: float | None = None
    end: float | None = None
    label: str = ""
    stamped: bool = False
    ends_turn: bool = False  # whoever spoke last does not say what follows


def markdown_lines(text: str) -> Iterator[str | Line]:
    """The lines of Markdown after a heading `Transcript`, one line for each row of a table."""
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if _TRANSCRIPT_HEADING.fullmatch(line)), -1)
    header: list[str] = []
    for line in lines[start + 1 :] if any(line.strip() for line in lines[start + 1 :]) else lines:
        bare = _LINK.sub(_link_text, _INLINE_TAG.sub("", one_line(line).removeprefix("> ").replace("***", "**")))
        if not bare.startswith("|"):
            header = []
            yield _ITALIC.sub(r"\2\3", _LIST.sub("", bare))
            continue
        cells = [cell.strip() for cell in bare.strip("|").split("|")]
        if is_header(cells):
            header = cells
        elif not _ROW_RULE.fullmatch(bare):
            yield _row(cells, header)


def _row(cells: list[str], header: list[str]) -> Line:
    """A row of a table: by the names of its columns, else time, speaker and words."""
    names = header or (["time", "speaker", "text"] if len(cells) > 2 else ["time", "text"])
    cue = entry_cue(dict(zip(names, map(plain, cells), strict=False)))
    if cue.start is None or not cue.text:
        return Line(plain(" ".join(cells)))
    return Line(cue.text, cue.speaker.rstrip(":"), cue.start, cue.end, stamped=True)


def _link_text(link: re.Match[str]) -> str:
    """The text of a link; a clock stays in brackets, by which it is known."""
    return f"[{link[1]}]" if parse_clock(link[1]) is not None else link[1]


def _bracket(escape: re.Match[str]) -> str:
    """A bracket without its backslash; other characters keep theirs, outside Markdown."""
    return escape[1] if escape[1] in "[]" else escape[0]


def text_line(line: str) -> str:
    """A line of plain text, with brackets that were escaped for Markdown."""
    return one_line(_ESCAPE.sub(_bracket, line))


def plain(text: str) -> str:
    """The words without Markdown's bold marks and escapes."""
    return one_line(_ESCAPE.sub(r"\1", text.replace("**", "").replace("__", "")))
