"""Reads transcripts in running text, where the speaker, and perhaps a time, stands before what is said.

The reader knows `Name (00:01:02):` and `Name 0:10` before the text, `[00:01:02] text`, a line `Name:`, and `Name: text`
where the file uses it consistently; it ignores Markdown's bold marks around any of them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.identity import one_line
from ingest.models import Turn
from ingest.times import CLOCK, parse_clock
from ingest.transcripts.cues import Cue, is_name, prefix_of, prefixes

_NAME = r"[^\n:()\[\]]{0,80}?"
_IN_BRACKETS = re.compile(rf"({_NAME})\s{{0,9}}[(\[]{{1,2}}(-?{CLOCK})[)\]]{{1,2}}\s*(:?)\s*(.*)")
_BARE_TIME = re.compile(rf"({CLOCK})(?:\s*[-\u2013\u2014|]\s+(.*))?")
_NAME_AND_TIME = re.compile(rf"({_NAME})[\s|\u2013\u2014-]{{1,9}}({CLOCK})")
_LABEL = re.compile(r"([^\n:]{1,80}):")
_HEADING = re.compile(r"#{1,6}(?:\s.*)?")
_TRANSCRIPT_HEADING = re.compile(r"#{1,6}\s*(?:full\s+)?transcript\W*", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]{0,500})\]\([^()\s]{0,2000}\)")


@dataclass(slots=True)
class _ProseReader:
    """The cues read so far, and the paragraph being read."""

    names: frozenset[str]
    cues: list[Cue] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    speaker: str = ""
    start: float | None = None
    starts_turn: bool = False

    def end_paragraph(self) -> None:
        if text := " ".join(self.lines):
            self.cues.append(Cue(text, self.speaker, self.start, starts_turn=self.starts_turn))
            self.start, self.starts_turn = None, False
        self.lines = []

    def start_paragraph(self, speaker: str, start: float | None) -> None:
        self.end_paragraph()
        self.speaker, self.starts_turn = speaker or self.speaker, self.starts_turn or bool(speaker)
        self.start = self.start if start is None else start

    def read(self, line: str) -> None:
        """Read one line: a blank one, one that starts a turn, or one more of the paragraph."""
        if not line:
            self.end_paragraph()
            return
        if turn_start := _turn_start(line, self.names):
            speaker, start, line = turn_start
            self.start_paragraph(speaker, start)
        if prefix := prefix_of(line, self.names):
            line = line[prefix.end() :]
            late = _IN_BRACKETS.fullmatch(line)  # `Name: [00:01:02] text`
            start, line = (parse_clock(late[2]), late[8]) if late and not late[1] else (None, line)
            self.start_paragraph(prefix[1], start)
        if line:
            self.lines.append(line)


def read_prose(text: str, *, markdown: bool = False) -> list[Cue]:
    """One cue for each paragraph, in the order of the text; `starts_turn` where the text names the speaker.

    With `markdown`, headings are left out, and everything before a heading `Transcript`.
    """
    lines = list(_markdown_lines(text) if markdown else (one_line(line.replace("**", "")) for line in text.split("\n")))
    reader = _ProseReader(_names(lines))
    for line in [*lines, ""]:
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


def _markdown_lines(text: str) -> Iterator[str]:
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if _TRANSCRIPT_HEADING.fullmatch(line)), -1)
    for line in lines[start + 1 :] if any(line.strip() for line in lines[start + 1 :]) else lines:
        bare = one_line(line).removeprefix("> ").replace("**", "").replace("__", "")
        yield "" if _HEADING.fullmatch(bare) else _LINK.sub(_link_text, bare)


def _link_text(link: re.Match[str]) -> str:
    """The text of a link; a clock stays in brackets, by which it is known."""
    return f"[{link[1]}]" if parse_clock(link[1]) is not None else link[1]


def _names(lines: list[str]) -> frozenset[str]:
    """The names that stand alone on lines `Name:`, or before text where `prefixes` finds them."""
    alone = Counter(label[1] for line in lines if (label := _LABEL.fullmatch(line)))
    labels = {name for name, count in alone.items() if is_name(name) or (count > 1 and len(name.split()) < 5)}
    brackets = (_IN_BRACKETS.fullmatch(line) or line for line in lines)
    said = [line if isinstance(line, str) else f"{line[1] and line[1] + ': '}{line[8]}" for line in brackets]
    return frozenset(labels | prefixes(said))


def _turn_start(line: str, names: frozenset[str]) -> tuple[str, float | None, str] | None:
    """The speaker, start and words of a line that starts a turn or gives a time; None for any other line."""
    if ":" not in line:
        return None
    if found := _IN_BRACKETS.fullmatch(line):
        name, clock, colon, words = found[1].strip(), found[2], found[7], found[8]
        if not name or is_name(name) or (colon and len(name.split()) < 5):
            return name, parse_clock(clock), words
    if found := _BARE_TIME.fullmatch(line):
        return "", parse_clock(found[1]), found[6] or ""
    if (found := _NAME_AND_TIME.fullmatch(line)) and is_name(found[1]):
        return found[1], parse_clock(found[2]), ""
    if (found := _LABEL.fullmatch(line)) and found[1] in names:
        return found[1], None, ""
    return None
