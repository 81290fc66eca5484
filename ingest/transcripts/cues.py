"""Turns cues into segments: plain text, times and speakers, for every caption format.

A Cue is what a file says, which may be nonsense; a Segment is what we take it to mean.
"""

import html
import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from ingest.identity import one_line
from ingest.models import Segment
from ingest.transcripts.document import NAME_LIMIT, name_of

WORDS_PER_SECOND = 2.5  # 150 words a minute, an ordinary speaking rate; used only where a file gives no end
LAST_SECOND = 360_000.0  # 100 hours: more than the two digits of an SRT hour can say

_TAG = re.compile(r"</?[a-zA-Z0-9][^<>]*>")
_STYLE_CODE = re.compile(r"\{\\[^{}]*\}")  # `{\an8}`, carried over from another subtitle format
PREFIX = re.compile(rf"(?:>>+\s*)?([^\W_][^:\n]{{0,{NAME_LIMIT - 1}}}):\s+(?=\S)")
_CHANGE = re.compile(r"(?m)^[ \t]*>>+[ \t]*")  # a change of speaker in American captions
_PARTICLES = frozenset(re.findall(r"\w+", "al and bin da de del della den der di dos du el la le of the van von y"))
# Words before a colon that are far more often the start of a sentence than a name
_ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """a answer but caution conclusion example fact hint important lesson listen look note now ok okay one point problem
        question quote remember result rule second so solution spoiler step summary then third tip true update warning""",
    )
)


@dataclass(frozen=True, slots=True)
class Cue:
    """One utterance as a file gives it, with its line breaks; None for a time that the file does not give.

    `starts_turn` says that a new turn begins, even one of the same speaker.
    """

    text: str
    speaker: str = ""
    start: float | None = None
    end: float | None = None
    starts_turn: bool = False


def strip_markup(markup: str) -> str:
    """The text without tags, entities, control characters or runs of spaces, on one line."""
    return collapse_spaces(html.unescape(_STYLE_CODE.sub("", _TAG.sub("", markup))))


def collapse_spaces(text: str) -> str:
    """The text on one line without control characters, with single spaces."""
    return " ".join(one_line(text).split())


def is_name(words: str) -> bool:
    """Whether the words look like a speaker's name: one to five, each capitalised or a number, no ordinary word."""
    parts = words.split()
    if not 1 <= len(parts) <= 5 or (len(parts) == 1 and parts[0].casefold() in _ORDINARY):
        return False
    return parts[0] not in _PARTICLES and all(part in _PARTICLES or part == "&" or _is_capital(part) for part in parts)


def name_speakers(cues: Sequence[Cue]) -> list[Cue]:
    """Where no cue names its speaker, take the name from prefixes `Name:`, if the file uses them (see `prefixes`).

    A cue without a prefix has the speaker of the cue before.
    """
    if any(cue.speaker for cue in cues):
        return list(cues)
    lines = [line for cue in cues for line in cue.text.split("\n")]
    names = prefixes(lines)
    named: list[Cue] = []
    speaker = ""
    for cue in cues:
        for line in _by_speaker(cue.text, names):
            prefix = prefix_of(line, names)
            changed = bool(names) and _CHANGE.match(line) is not None
            speaker = prefix[1] if prefix else "" if changed else speaker
            named.append(replace(cue, text=line[prefix.end() :] if prefix else line, speaker=speaker))
    return named


def to_segments(cues: Iterable[Cue]) -> tuple[Segment, ...]:
    """The segments that the cues mean: 0 <= start <= end, sorted by start, plain text with words in it, none twice.

    A time is estimated from its neighbours where it is missing, not a number or beyond 100 hours, and an end also where
    it lies before its start. A time below zero becomes zero. Where no cue has a start, all times are zero (see `timed`).
    """
    plain = [replace(cue, text=collapse_spaces(_CHANGE.sub("", cue.text))) for cue in cues]
    spoken = [cue for cue in plain if any(character.isalnum() for character in cue.text)]
    starts = [_bounded(cue.start) for cue in spoken]
    if all(start is None for start in starts):
        return tuple(Segment(0.0, 0.0, cue.text, name_of(cue.speaker)) for cue in spoken)
    order = sorted(zip(_fill(starts, spoken), spoken, strict=True), key=lambda pair: pair[0])
    segments = [
        Segment(start, _end(cue, start, following), cue.text, name_of(cue.speaker))
        for (start, cue), (following, _) in pairwise([*order, (0.0, Cue(""))])
    ]
    return tuple(dict.fromkeys(segments))


def timed(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments if their file gave times; none if it did not."""
    return segments if any(segment.end for segment in segments) else ()


def _is_capital(word: str) -> bool:
    """Whether the word starts with a capital, a digit, or a letter of a script without capitals."""
    first = word.lstrip("([\"'“#")[:1]
    return first.isdigit() or (first.isalpha() and (first != first.lower() or first.lower() == first.upper()))


def prefixes(lines: Sequence[str]) -> frozenset[str]:
    """The names before a colon at the start of lines, if this file names its speakers so; else none.

    It does if two names come again, or if its first line has a name and a name comes again, or there is only one name,
    or half of the lines have one.
    """
    names = [match[1] if (match := PREFIX.match(line)) and is_name(match[1]) else "" for line in lines if line.strip()]
    counts = Counter(name for name in names if name)
    repeated = sum(count > 1 for count in counts.values())
    opening = bool(names and names[0])
    consistent = opening and (repeated > 0 or len(counts) == 1 or 2 * counts.total() >= len(names))
    return frozenset(counts) if consistent or repeated > 1 else frozenset()


def prefix_of(line: str, names: Container[str]) -> re.Match[str] | None:
    """The prefix `Name:` at the start of a line, if it is one of the names; its group 1 is the name."""
    match = PREFIX.match(line)
    return match if match and match[1] in names else None


def _by_speaker(text: str, names: frozenset[str]) -> Iterator[str]:
    """The text cut before each line that starts with one of the names."""
    part: list[str] = []
    for line in text.split("\n"):
        if part and prefix_of(line, names):
            yield "\n".join(part)
            part = []
        part.append(line)
    yield "\n".join(part)


def _bounded(time: float | None) -> float | None:
    """The time if it is plausible; zero for one below zero."""
    return None if time is None or math.isnan(time) or time > LAST_SECOND else max(0.0, float(time))


def _speaking_time(text: str) -> float:
    """About how long the words take to say, in seconds."""
    return round(len(text.split()) / WORDS_PER_SECOND, 3)


def _fill(starts: Sequence[float | None], cues: Sequence[Cue]) -> list[float]:
    """The starts; a missing one is when the words before should be over, but not later than the next start."""
    following = accumulate(reversed(starts), lambda after, start: after if start is None else start, initial=math.inf)
    filled: list[float] = []
    over = 0.0
    for start, cue, known in zip(starts, cues, [*following][:0:-1], strict=True):
        filled.append(min(over, known) if start is None else start)
        over = round(filled[-1] + _speaking_time(cue.text), 3)
    return filled


def _end(cue: Cue, start: float, following: float) -> float:
    """The end that the file gives, else the next start, else when the words should be over."""
    end = _bounded(cue.end)
    if end is not None and end >= start:
        return end
    return following if following > start else round(start + _speaking_time(cue.text), 3)
