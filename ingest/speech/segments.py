"""Joins timed words into segments: sentences of speakable length. Pure; times in seconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.models import Segment
from ingest.sentences import sentence_ends, without_spaces

MAX_SECONDS = 15.0  # of a segment
MAX_CHARACTERS = 240  # of a segment: two lines of a transcript, six of captions
PAUSE = 1.2  # seconds of silence that end a segment within a sentence: the speaker or the thought changes
SHORT = 1.0  # seconds below which a sentence joins the next: "Yes." alone is hard to find and to play
SHORT_GAP = 0.5  # seconds of silence within which a short sentence joins the next
COMMA = 0.5  # seconds of pause that a comma is worth when a long sentence is cut


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word with the space before it and its punctuation; seconds; `probability` as the model gives it."""

    start: float
    end: float
    text: str
    probability: float = 1.0
    language: str = ""  # a code; empty where the model did not say

    def moved(self, seconds: float) -> "Word":
        """The same word so much later."""
        return replace(self, start=round(self.start + seconds, 2), end=round(self.end + seconds, 2))


def sentences(words: Sequence[Word]) -> list[Segment]:
    """Words in the order of time as segments of one language, cut after sentences, at long pauses, where too long."""
    groups = [part for group in _sentence_groups(words) for part in _short_enough(group)]
    return [Segment(group[0].start, group[-1].end, text(group), language=group[0].language) for group in groups]


def text(words: Sequence[Word]) -> str:
    """The words as written."""
    return "".join(word.text for word in words).strip()


def in_order(words: Sequence[Word]) -> list[Word]:
    """The same words with times that never run backwards."""
    ordered, latest = list[Word](), 0.0
    for word in words:
        start = max(word.start, latest)
        latest = max(word.end, start)
        ordered.append(replace(word, start=start, end=latest))
    return ordered


def _sentence_groups(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    ends = set(sentence_ends([word.text.strip() for word in words]))
    begin = 0
    for end in range(1, len(words) + 1):
        apart = end == len(words) or words[end].language != words[end - 1].language
        pause = PAUSE if apart else words[end].start - words[end - 1].end
        short = words[end - 1].end - words[begin].start < SHORT and pause < SHORT_GAP
        if pause >= PAUSE or (end in ends and not short):
            yield words[begin:end]
            begin = end


def _short_enough(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The group, or its parts where it is too long: cut where the pause is longest."""
    while len(words) > 1 and (words[-1].end - words[0].start > MAX_SECONDS or len(text(words)) > MAX_CHARACTERS):
        cut = max(range(1, len(words)), key=lambda index: _cut_score(words, index))
        yield from _short_enough(words[:cut])
        words = words[cut:]
    yield words


def _cut_score(words: Sequence[Word], index: int) -> float:
    """How good a cut before word `index` is: its pause in seconds, more after a comma, less near the ends."""
    before, after = words[index - 1], words[index]
    # A space is a comma in scripts that have none between words
    parted = after.text[:1] == " " and without_spaces(before.text[-1:]) and without_spaces(after.text)
    comma = parted or before.text.rstrip().endswith((",", ";", ":", "、", "，", "；"))  # noqa: RUF001
    return after.start - before.end + COMMA * comma - abs(index / len(words) - 0.5)
