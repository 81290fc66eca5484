"""When each word of a transcript is said, from timed segments; pure."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from ingest.models import Segment
from ingest.sentences import word_spans

Span = tuple[float, float]  # start and end, seconds
LEAST_SHARED = (
    0.5  # with less of the words in common the segments are of another text, and no time is better than a wrong one
)


def word_times(words: Sequence[str], segments: Sequence[Segment]) -> list[Span]:
    """Start and end in seconds for every word; empty where the segments do not fit the words.

    Within a segment time is shared out by characters, so it is exact at the segment's borders. Words that were edited
    by hand take what their unedited neighbours leave free.
    """
    spoken = [(word, span) for segment in segments for word, span in _within(segment)]
    known: list[Span | None] = [None] * len(words)
    for mine, theirs, length in _matches(words, [word for word, _ in spoken]):
        known[mine : mine + length] = [span for _, span in spoken[theirs : theirs + length]]
    if sum(span is not None for span in known) <= LEAST_SHARED * len(words):
        return []
    return _filled(known)


def _within(segment: Segment) -> Iterator[tuple[str, Span]]:
    text = segment.text.strip()
    pace = max(0.0, segment.end - segment.start) / max(1, len(text))
    for begin, end in word_spans(text):
        stop = segment.end if end == len(text) else segment.start + end * pace
        yield text[begin:end], (segment.start + begin * pace, stop)


def _matches(mine: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal words as (place in mine, place in theirs, length).

    What is equal at both ends is taken first: an edit is usually small, and difflib takes quadratic time.
    """
    shortest = min(len(mine), len(theirs))
    head = next((i for i in range(shortest) if mine[i] != theirs[i]), shortest)
    tail = next((i for i in range(shortest - head) if mine[-1 - i] != theirs[-1 - i]), shortest - head)
    yield 0, 0, head
    between = SequenceMatcher(None, mine[head : len(mine) - tail], theirs[head : len(theirs) - tail])
    for a, b, length in between.get_matching_blocks():
        yield head + a, head + b, length
    yield len(mine) - tail, len(theirs) - tail, tail


def _filled(known: list[Span | None]) -> list[Span]:
    """Every gap shared out evenly between the end of the word before it and the start of the word after it."""
    times: list[Span] = []
    i = 0
    while i < len(known):
        span = known[i]
        if span is not None:
            times.append(span)
            i += 1
            continue
        stop = next((j for j in range(i, len(known)) if known[j] is not None), len(known))
        after = known[stop] if stop < len(known) else None
        low = times[-1][1] if times else (after[0] if after else 0.0)
        step = (max(low, after[0] if after else low) - low) / (stop - i)
        times += [(low + n * step, low + (n + 1) * step) for n in range(stop - i)]
        i = stop
    return times
