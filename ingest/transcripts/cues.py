"""Turns cues into segments: plain text, times and speakers, for every caption format.

A Cue is what a file says, which may be nonsense; a Segment is what we take it to mean.
"""

import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from ingest.identity import one_line
from ingest.models import Segment
from ingest.sentences import STOPS, without_spaces, word_count
from ingest.transcripts.document import name_of

WORDS_PER_SECOND = 2.5  # 150 words a minute, an ordinary speaking rate; used only where a file gives no end
LAST_SECOND = 360_000.0  # 100 hours: more than the two digits of an SRT hour can say

_TAG = re.compile(r"</?[a-zA-Z0-9][^<>]*>")
# `<b>so </b>.`: the space is the tag's
LOOSE_STOP = re.compile(rf"(?<![ \t])[ \t]+((?:</?[a-zA-Z][^<>]*>)+)(?=[.,;:۔{STOPS}])")  # noqa: RUF001 - Urdu
_JOINED = re.compile(rf"[.,;:%、۔)\]{STOPS}]|'\w")  # noqa: RUF001 - what stands after a word without a space
_STYLE_CODE = re.compile(r"\{\\[^{}]*\}")  # `{\an8}`, carried over from another subtitle format
BIDI = "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of the direction in which a line is written
CHANGE = re.compile(r"(?m)^[ \t]*>>+[ \t]*")  # a change of speaker in American captions


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
    bare = _TAG.sub("", LOOSE_STOP.sub(r"\1", markup))
    return collapse_spaces(html.unescape(_STYLE_CODE.sub("", bare)))


def join_words(words: Iterable[str]) -> str:
    """Words as a recogniser lists them, as text: no space before punctuation, nor in scripts without spaces."""
    parts = list(words)
    if any(part and not part.strip() for part in parts) or sum(part[:1] == " " for part in parts) * 2 > len(parts):
        return collapse_spaces("".join(parts))  # the list has its own spaces
    text = ""
    for part in (collapse_spaces(part) for part in parts):
        apart = text and not _JOINED.match(part) and not (without_spaces(text[-1]) and without_spaces(part[:1]))
        text += f" {part}" if apart else part
    return text


def collapse_spaces(text: str) -> str:
    """The text on one line without control characters, with single spaces."""
    return " ".join(one_line(text).split())


def to_segments(cues: Iterable[Cue]) -> tuple[Segment, ...]:
    """The segments that the cues mean: 0 <= start <= end, sorted by start, plain text with words in it, none twice.

    A time is estimated from its neighbours where it is missing, not a number or beyond 100 hours, and an end also where
    it lies before its start. A time below zero becomes zero. Where no cue has a start, all times are zero (see `timed`).
    """
    plain = [replace(cue, text=collapse_spaces(CHANGE.sub("", cue.text))) for cue in cues]
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


def _bounded(time: float | None) -> float | None:
    """The time if it is plausible; zero for one below zero."""
    return None if time is None or math.isnan(time) or time > LAST_SECOND else max(0.0, float(time))


def _speaking_time(text: str) -> float:
    """About how long the words take to say, in seconds."""
    return round(word_count(text) / WORDS_PER_SECOND, 3)


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
