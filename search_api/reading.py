"""How a transcript reads on its page: paragraphs of one speaker and one chapter, in sentences that have a time if known. Pure."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise

from ingest.links import web_address
from ingest.models import Chapter, Episode, Segment, Transcript
from ingest.sentences import is_ended, sentence_ends, split_sentences, word_spans

PARAGRAPH_CHARACTERS = 420  # about 75 words: half a minute of speech, and four lines of a page
# Seconds by which a chapter's first sentence may start before it: publishers round to whole seconds, and a sentence's own
# start is estimated.
EARLY = 1.0


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or what of it stands in one segment; `start` in seconds, None where unknown."""

    text: str
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences of one speaker, who is empty where unknown; `chapters` are those that start with it."""

    speaker: str
    sentences: tuple[Sentence, ...]
    chapters: tuple[Chapter, ...] = ()

    @property
    def start(self) -> float | None:
        """When it begins, in seconds; None where unknown."""
        return self.sentences[0].start


def paragraphs(transcript: Transcript) -> list[Paragraph]:
    """The transcript by its timed segments where there are some, else by its turns, in paragraphs that can be read."""
    if transcript.segments:
        said = ((segment.speaker, one) for segment in transcript.segments for one in timed_sentences(segment))
        return list(_by_chapters(said, listed_chapters(transcript.episode)))
    found: list[Paragraph] = []
    for turn in transcript.turns:
        for part in turn.text.split("\n\n"):
            found += _paragraphs(
                (turn.speaker, Sentence(one)) for one in split_sentences(" ".join(part.split())) if one
            )
    return found


def listed_chapters(episode: Episode) -> tuple[Chapter, ...]:
    """The chapters in order, with web addresses only: a sidecar may have been written by hand, or elsewhere."""
    usable = (one for one in episode.chapters if math.isfinite(one.start) and one.start >= 0)
    return tuple(replace(one, url=web_address(one.url)) for one in sorted(usable, key=lambda one: one.start))


def timed_sentences(segment: Segment) -> Iterator[Sentence]:
    """The sentences of a segment, which share its time by their characters, as in the index: long ones are whole turns."""
    text = segment.text.strip()
    spans = word_spans(text)
    pace = max(0.0, segment.end - segment.start) / max(1, len(text))
    for begin, end in pairwise([0, *sentence_ends([text[slice(*span)] for span in spans])]):
        first, last = spans[begin][0], spans[end - 1][1]
        yield Sentence(text[first:last], round(segment.start + first * pace, 3))


def _by_chapters(said: Iterable[tuple[str, Sentence]], chapters: tuple[Chapter, ...]) -> Iterator[Paragraph]:
    """Paragraphs of timed sentences, none of which runs from one chapter into the next."""
    starts, spoken, shown = [one.start for one in chapters], list(said), 0
    begun = accumulate((bisect_right(starts, (one.start or 0.0) + EARLY) for _, one in spoken), max)
    for number, run in groupby(zip(begun, spoken, strict=True), key=lambda one: one[0]):
        opening, *rest = _paragraphs(one for _, one in run)
        yield replace(opening, chapters=chapters[shown:number])
        yield from rest
        shown = number


def _paragraphs(said: Iterable[tuple[str, Sentence]]) -> Iterator[Paragraph]:
    """Runs of one speaker's sentences, cut once they are as long as a paragraph and a sentence has ended."""
    group: list[Sentence] = []
    speaker = ""
    for who, sentence in said:
        if group and (who != speaker or _is_full(group)):
            yield Paragraph(speaker, tuple(group))
            group = []
        speaker = who
        group.append(sentence)
    if group:
        yield Paragraph(speaker, tuple(group))


def _is_full(group: list[Sentence]) -> bool:
    length = sum(len(sentence.text) for sentence in group)
    return length > PARAGRAPH_CHARACTERS and is_ended(group[-1].text)
