"""Cuts sound into windows that end in pauses, never in a word. Pure; all times in seconds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

WINDOW = 30.0  # seconds that Whisper decodes at once
LONG_PAUSE = 3.0  # seconds; longer silence is left out, since Whisper invents words for it
PADDING = 0.2  # seconds kept around speech: the VAD cuts soft first and last sounds
SENTENCE_PAUSE = 0.6  # seconds; a pause this long is likely the end of a sentence
SENTENCE_COST = 0.3  # of a window, for an end inside a sentence; a window itself costs 1, full or not
EARLIEST_CUT = 0.7  # of the length: long speech without a pause is cut after this point


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in seconds."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start


def cut_point(windows: Sequence[Span], total: float) -> float:
    """Where to cut `total` seconds of sound of which more follows: before the last window, which may still grow.

    Sound that ends in a long silence is cut in that silence. `windows` are those of `pack`.
    """
    before, last = ([Span(0.0, 0.0)] * 2 + list(windows))[-2:]
    if total - last.end > LONG_PAUSE:
        return total - 1.0
    return last.start - min(1.0, (last.start - before.end) / 2) or total


def pack(
    speech: Sequence[Span], total: float, quietest: Callable[[float, float], float], window: float = WINDOW
) -> list[Span]:
    """Windows of at most `window` seconds that hold all speech; each starts and ends in a pause where there is one.

    Speech without a pause is cut at the moment that `quietest(from, to)` gives. Windows do not overlap.
    """
    room = window - 2 * PADDING
    spans = [part for span in speech for part in _cut_long(span, room, quietest)]
    return _padded([Span(spans[first].start, spans[last].end) for first, last in _best_ends(spans, room)], total)


def _best_ends(spans: Sequence[Span], room: float) -> list[tuple[int, int]]:
    """The first and last span of each window: few windows, and few that end inside a sentence.

    Exact, by dynamic programming: `costs[n]` is the least cost of windows that hold the first `n` spans.
    """
    costs, starts = [0.0], [0]
    for end, span in enumerate(spans):
        cost, start = min((costs[start] + 1, start) for start in _fitting_starts(spans, end, room))
        pause = spans[end + 1].start - span.end if end + 1 < len(spans) else SENTENCE_PAUSE
        costs.append(cost + SENTENCE_COST * max(0.0, 1 - pause / SENTENCE_PAUSE))
        starts.append(start)
    windows, end = [], len(spans)
    while end:
        windows.append((starts[end], end - 1))
        end = starts[end]
    return windows[::-1]


def _fitting_starts(spans: Sequence[Span], end: int, room: float) -> Iterator[int]:
    """The numbers of the spans with which a window that ends with span `end` may start."""
    for start in range(end, -1, -1):
        if start < end and (
            spans[end].end - spans[start].start > room or spans[start + 1].start - spans[start].end > LONG_PAUSE
        ):
            return
        yield start


def _cut_long(span: Span, room: float, quietest: Callable[[float, float], float]) -> list[Span]:
    parts = []
    while span.length > room:
        cut = quietest(span.start + room * EARLIEST_CUT, span.start + room)
        parts.append(Span(span.start, cut))
        span = Span(cut, span.end)
    return [*parts, span]


def _padded(windows: Sequence[Span], total: float) -> list[Span]:
    """Each window widened into the pauses beside it, at most to the middle of a pause between two windows."""
    borders = pairwise([0.0, *((before.end + after.start) / 2 for before, after in pairwise(windows)), total])
    return [
        Span(max(left, window.start - PADDING), min(right, window.end + PADDING))
        for window, (left, right) in zip(windows, borders, strict=False)
    ]
