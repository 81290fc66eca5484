"""From timed words to segments: sentences of speakable length, each with its start and end. Pure; times in seconds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.models import Segment

LONGEST = 15.0  # seconds a segment may last
MOST = 240  # characters a segment may have: two lines of a transcript, six of captions
PAUSE = 1.2  # seconds of silence that part speech even within a sentence: a change of speaker, or of thought
STUB = 1.0  # seconds below which a sentence joins the next: "Yes." alone is hard to find and to play
STUB_GAP = 0.5  # seconds within which it joins

_END = re.compile(r"[.!?…。！？]+[\"'”’»)\]]*$")  # noqa: RUF001 - full-width marks end sentences too
_ABBREVIATION = re.compile(r"^(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|No|approx|e\.g|i\.e)\.$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word with the space before it and its punctuation; seconds; `probability` as the model gives it."""

    start: float
    end: float
    text: str
    probability: float = 1.0


def sentences(words: Sequence[Word]) -> list[Segment]:
    """Words in the order of time as segments: cut after sentences and at long pauses, long ones in their best pause."""
    groups = [part for group in _joined(_sentence_groups(words)) for part in _short_enough(group)]
    return [Segment(group[0].start, group[-1].end, text(group)) for group in groups]


def text(words: Sequence[Word]) -> str:
    """The words as written."""
    return "".join(word.text for word in words).strip()


def in_order(words: Sequence[Word]) -> list[Word]:
    """The same words with times that never run backwards."""
    ordered: list[Word] = []
    latest = 0.0
    for word in words:
        start = max(word.start, latest)
        latest = max(word.end, start)
        ordered.append(Word(start, latest, word.text, word.probability))
    return ordered


def _sentence_groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word, following in pairwise([*words, None]):
        assert word is not None
        group.append(word)
        if following is None or following.start - word.end >= PAUSE or _ends_sentence(word.text, following.text):
            yield group
            group = []


def _ends_sentence(word: str, following: str) -> bool:
    word = word.strip()
    return bool(_END.search(word)) and not _ABBREVIATION.match(word) and not following.strip()[:1].islower()


def _joined(groups: Iterator[list[Word]]) -> Iterator[list[Word]]:
    """The groups, a very short one together with its successor where that follows at once."""
    held: list[Word] = []
    for group in groups:
        if held and group[0].start - held[-1].end < STUB_GAP and _fits([*held, *group]):
            group = [*held, *group]  # noqa: PLW2901 - the group, with what came just before it
        elif held:
            yield held
        if group[-1].end - group[0].start < STUB:
            held = group
        else:
            held = []
            yield group
    if held:
        yield held


def _fits(words: Sequence[Word]) -> bool:
    return words[-1].end - words[0].start <= LONGEST and len(text(words)) <= MOST


def _short_enough(words: list[Word]) -> Iterator[list[Word]]:
    """The group, or its parts where it is too long: cut where the pause is longest, commas counting as pauses."""
    while len(words) > 1 and not _fits(words):
        cut = max(range(1, len(words)), key=lambda index: _worth(words, index))
        yield from _short_enough(words[:cut])
        words = words[cut:]
    yield words


def _worth(words: Sequence[Word], index: int) -> float:
    """How good a cut before word `index` is: its pause in seconds, half a second more for a comma, less near the ends."""
    before = words[index - 1]
    pause = words[index].start - before.end + (0.5 if before.text.rstrip().endswith((",", ";", ":")) else 0.0)
    return pause - abs(index / len(words) - 0.5)
