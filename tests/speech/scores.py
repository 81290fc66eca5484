"""How good a transcript is: word error rate, and how far segment and word times are from the true ones."""

import difflib
import re
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
FIGURES = {word: str(number) for number, word in enumerate(_NUMBERS)} | {
    word: str(number)
    for word, number in zip(
        ["twenty", "thirty", "forty", "fifty", "sixty"], range(20, 70, 10), strict=True
    )  # what is said
}


class Word(NamedTuple):
    """A spoken word; `start` and `end` in seconds."""

    text: str
    start: float
    end: float


class Errors(NamedTuple):
    """Wrong, missing and added words, and how many words were spoken."""

    wrong: int
    spoken: int

    @property
    def rate(self) -> float:
        """Word error rate in percent."""
        return 100 * self.wrong / self.spoken


def plain_words(text: str) -> list[str]:
    """Lower-case words without punctuation; a number is the same in letters and in figures."""
    plain = text.lower().replace("\u2019", "'").replace("%", " percent")
    return [FIGURES.get(word, word) for word in re.sub(r"[^a-z0-9' ]", " ", plain).split()]


def word_errors(spoken: str, heard: str) -> Errors:
    """Edit distance over words."""
    want, got = plain_words(spoken), plain_words(heard)
    row = list(range(len(got) + 1))
    for i, word in enumerate(want, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (word != other))
    return Errors(row[-1], len(want))


def total(errors: Iterable[Errors]) -> Errors:
    parts = list(errors)
    return Errors(sum(e.wrong for e in parts), sum(e.spoken for e in parts))


def time_errors(spoken: list[Word], heard: list[Word]) -> list[float]:
    """Seconds between true and heard starts of the words that are the same in both."""
    names = [["".join(plain_words(w.text)) for w in words] for words in (spoken, heard)]
    blocks = difflib.SequenceMatcher(None, *names, autojunk=False).get_matching_blocks()
    return [abs(spoken[b.a + i].start - heard[b.b + i].start) for b in blocks for i in range(b.size)]


def nearest_starts(spoken: list[float], heard: list[float]) -> list[float]:
    """For every heard segment, the seconds from its start to the nearest true start of a sentence."""
    return [min(abs(start - true) for true in spoken) for start in heard]


def middle(values: list[float]) -> float:
    """The median, infinite where there is nothing."""
    return median(values) if values else float("inf")
