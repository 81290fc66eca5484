"""When each word of a transcript is spoken, from timed segments; pure."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby

from ingest.models import Segment
from ingest.sentences import between, word_spans

Span = tuple[float, float]  # start and end, seconds
MIN_COMMON = 0.5  # share of the words; with less the segments are of another text: no time is better than a wrong one


def word_times(words: Sequence[str], segments: Sequence[Segment]) -> list[Span]:
    """Start and end in seconds for every word; empty where the segments do not fit the words.

    Times are exact at a segment's borders and shared out by characters within it. Words that were edited by hand share
    the time between their unedited neighbours.
    """
    timed = list(_timed(segments))
    times: list[Span | None] = [None] * len(words)
    for place, other, length in _matches(words, [word for word, _ in timed]):
        times[place : place + length] = [span for _, span in timed[other : other + length]]
    if sum(span is not None for span in times) <= MIN_COMMON * len(words):
        return []
    return _interpolated(times)


def _timed(segments: Sequence[Segment]) -> Iterator[tuple[str, Span]]:
    """The words of the segments as they are joined in a transcript: in Chinese one may begin in the segment before."""
    text, starts, kept = "", list[int](), list[Segment]()
    for segment in segments:
        if said := segment.text.strip():
            same = bool(kept) and kept[-1].speaker == segment.speaker
            text += between(text, said) if same else " "
            starts.append(len(text))
            kept.append(segment)
            text += said
    for begin, end in word_spans(text):
        yield text[begin:end], (_moment(kept, starts, begin), _moment(kept, starts, end - 1, 1))


def _moment(segments: Sequence[Segment], starts: Sequence[int], place: int, more: int = 0) -> float:
    """When the character at `place` of the joined text is spoken; with `more` 1, when it ends."""
    number = bisect_right(starts, place) - 1
    segment = segments[number]
    length = len(segment.text.strip())
    done = place + more - starts[number]
    if done >= length:
        return segment.end
    return segment.start + done * max(0.0, segment.end - segment.start) / length


def _matches(words: Sequence[str], others: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal words as (place in words, place in others, length).

    Equal words at both ends are taken first: an edit is usually small, and difflib takes quadratic time.
    """
    shortest = min(len(words), len(others))
    head = next((i for i in range(shortest) if words[i] != others[i]), shortest)
    tail = next((i for i in range(shortest - head) if words[-1 - i] != others[-1 - i]), shortest - head)
    yield 0, 0, head
    between = SequenceMatcher(None, words[head : len(words) - tail], others[head : len(others) - tail])
    for a, b, length in between.get_matching_blocks():
        yield head + a, head + b, length
    yield len(words) - tail, len(others) - tail, tail


def _interpolated(times: list[Span | None]) -> list[Span]:
    """Every gap shared out evenly between the end of the word before it and the start of the word after it."""
    filled: list[Span] = []
    for known, group in groupby(times, lambda span: span is not None):
        spans = list(group)
        if known:
            filled += [span for span in spans if span]
            continue
        after = next((span for span in times[len(filled) + len(spans) :] if span), None)
        low = filled[-1][1] if filled else (after[0] if after else 0.0)
        step = (max(low, after[0] if after else low) - low) / len(spans)
        filled += [(low + n * step, low + (n + 1) * step) for n in range(len(spans))]
    return filled
