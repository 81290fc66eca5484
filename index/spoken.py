"""A transcript as one run of words, each with its speaker and its time; what chunks, passages and quotes count in. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from index.query import Excerpt
from index.text.timing import Span, word_times
from ingest.models import Segment, Transcript, Turn
from ingest.sentences import sentence_ends, word_spans


def paragraphs(turns: Sequence[Turn]) -> Iterator[tuple[int, Turn, str]]:
    """The paragraphs of all turns, with single spaces: the turn's number, the turn, the text."""
    for number, turn in enumerate(turns):
        for paragraph in turn.text.replace("\r\n", "\n").split("\n\n"):
            if text := " ".join(paragraph.split()):
                yield number, turn, text


@dataclass(frozen=True)
class Spoken:
    """All words of a transcript; `gaps` stand before each (`""`, a space, or a blank line where a paragraph begins).

    `turns` are numbers, `speakers` names (empty where unknown), one a word.
    """

    words: list[str]
    gaps: list[str]
    turns: list[int]
    speakers: list[str]
    segments: Sequence[Segment]

    @cached_property
    def times(self) -> list[Span]:
        """Start and end of every word in seconds; empty where no times are known."""
        return word_times(self.words, self.segments)

    @cached_property
    def sentences(self) -> list[int]:
        """The word after each sentence, ascending; paragraphs end sentences."""
        ends: list[int] = []
        starts = [i for i, gap in enumerate(self.gaps) if gap == "\n\n"]
        for begin, end in zip([0, *starts], [*starts, len(self.words)], strict=True):
            ends += (begin + n for n in sentence_ends(self.words[begin:end]))
        return ends

    def text(self, first: int, last: int) -> str:
        """The words from `first` to before `last` as they stand in the transcript, without names of speakers."""
        return "".join(part for i in range(first, last) for part in (self.gaps[i] if i > first else "", self.words[i]))

    def excerpt(self, first: int, last: int) -> Excerpt:
        """The same with its first speaker and its times."""
        start, end = (self.times[first][0], self.times[last - 1][1]) if self.times else (None, None)
        return Excerpt(self.text(first, last), self.speakers[first], _rounded(start), _rounded(end))

    def by_turns(self, first: int, last: int) -> tuple[Excerpt, ...]:
        """The same parted by speaker turns."""
        runs = [list(run) for _, run in groupby(range(first, last), key=lambda i: self.turns[i])]
        return tuple(self.excerpt(run[0], run[-1] + 1) for run in runs)

    def word_at(self, seconds: float) -> int:
        """The word that is being said then, or the next; the last one after the end, the first where no times are known."""
        ends = [end for _, end in self.times]
        return min(bisect_right(ends, seconds), len(ends) - 1) if ends else 0

    def around(self, first: int, last: int, sentences: int) -> tuple[int, int]:
        """The words from so many sentences before to so many after."""
        ends = [0, *self.sentences]
        before = [end for end in ends if end <= first]
        after = [end for end in ends if end >= last]
        return before[max(0, len(before) - 1 - sentences)], after[min(sentences, len(after) - 1)]


def spoken(transcript: Transcript) -> Spoken:
    """A transcript's words."""
    words, gaps, turns, speakers = list[str](), list[str](), list[int](), list[str]()
    for number, turn, text in paragraphs(transcript.turns):
        end = -1
        for begin, stop in word_spans(text):
            words.append(text[begin:stop])
            gaps.append("\n\n" if end < 0 and len(words) > 1 else text[max(end, 0) : begin])
            turns.append(number)
            speakers.append(turn.speaker)
            end = stop
    return Spoken(words, gaps, turns, speakers, transcript.segments)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
