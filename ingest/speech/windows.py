"""Where to cut sound: stretches and windows end in pauses, never in a word. Pure; all times in seconds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WINDOW = 30.0  # what Whisper hears at once
LONG_PAUSE = 3.0  # silence longer than this is left out: Whisper invents words for it
PADDING = 0.2  # kept around speech: the VAD cuts soft first and last sounds
CLEAR = 0.6  # a pause this long is likely the end of a sentence
INSIDE = 0.3  # of a window: what an end inside a sentence is worth avoiding; every window costs the same, full or not


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
    """Where to part `total` seconds of sound of which more follows: before the last window, which what follows may fill.

    Sound that ends in a long silence is parted in that. `windows` are those of `pack`.
    """
    before, last = ([Span(0.0, 0.0)] * 2 + list(windows))[-2:]
    if total - last.end > LONG_PAUSE:
        return total - 1.0
    return last.start - min(1.0, (last.start - before.end) / 2) or total


def pack(
    speech: Sequence[Span], total: float, quietest: Callable[[float, float], float], window: float = WINDOW
) -> list[Span]:
    """Windows of at most `window` seconds that hold all speech; each starts and ends in a pause where there is one.

    Speech without a pause is cut at the moment that `quietest(from, to)` names. Windows do not overlap.
    """
    room = window - 2 * PADDING
    spans = [part for span in speech for part in _parted(span, room, quietest)]
    return _padded([Span(spans[first].start, spans[last].end) for first, last in _best_ends(spans, room)], total)


def _best_ends(spans: Sequence[Span], room: float) -> list[tuple[int, int]]:
    """The first and last span of each window: few windows, and few that end inside a sentence.

    Exact, by the cheapest way to reach each span: a window that starts with it follows the cheapest before it.
    """
    costs, starts = [0.0], [0]
    for end, span in enumerate(spans):
        ways = [(costs[start] + 1, start) for start in _fitting(spans, end, room)]
        cost, start = min(ways)
        pause = spans[end + 1].start - span.end if end + 1 < len(spans) else CLEAR
        costs.append(cost + INSIDE * max(0.0, 1 - pause / CLEAR))
        starts.append(start)
    windows, end = [], len(spans)
    while end:
        windows.append((starts[end], end - 1))
        end = starts[end]
    return windows[::-1]


def _fitting(spans: Sequence[Span], end: int, room: float) -> Iterator[int]:
    """The spans with which a window may start that ends with span `end`."""
    for start in range(end, -1, -1):
        if start < end and (
            spans[end].end - spans[start].start > room or spans[start + 1].start - spans[start].end > LONG_PAUSE
        ):
            return
        yield start


def _parted(span: Span, room: float, quietest: Callable[[float, float], float]) -> list[Span]:
    parts = []
    while span.length > room:
        cut = quietest(span.start + room * 0.7, span.start + room)
        parts.append(Span(span.start, cut))
        span = Span(cut, span.end)
    return [*parts, span]


def _padded(windows: Sequence[Span], total: float) -> list[Span]:
    """Each window widened into the pauses beside it, at most half of each."""
    padded = []
    for index, window in enumerate(windows):
        before = window.start - (windows[index - 1].end if index else 0.0)
        after = (windows[index + 1].start if index + 1 < len(windows) else total) - window.end
        share_before = 1.0 if index == 0 else 0.5
        share_after = 1.0 if index + 1 == len(windows) else 0.5
        padded.append(
            Span(
                window.start - max(0.0, min(PADDING, before * share_before)),
                window.end + max(0.0, min(PADDING, after * share_after)),
            )
        )
    return padded
