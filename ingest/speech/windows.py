"""Joins speech into windows of the length that a model reads at once; times are seconds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest.audio.decode import RATE, Samples

WINDOW = 30.0  # seconds that Whisper decodes at once
PADDING = 0.4  # seconds kept around speech, as faster-whisper does: with 0.2, first sounds were lost
MIN_SPLIT = 4.0  # seconds of sound below which a window is not halved
LONG_PAUSE = 3.0  # seconds; sound that ends in a longer silence is cut there


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in seconds."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Window:
    """Spans of sound that are decoded at once, one after the other: Whisper loses its place in long silence.

    `speech` is where somebody speaks, each within the span of its place.
    """

    speech: tuple[Span, ...]
    spans: tuple[Span, ...]

    @property
    def start(self) -> float:
        """Where the first span starts."""
        return self.spans[0].start

    @property
    def end(self) -> float:
        """Where the last span ends."""
        return self.spans[-1].end

    def sound(self, samples: Samples) -> Samples:
        """The sound of the spans, joined."""
        return np.concatenate([samples[round(span.start * RATE) : round(span.end * RATE)] for span in self.spans])

    def halves(self) -> list["Window"]:
        """The window cut in its best pause: a long one near the middle; none where it is short or has no pause."""
        length = sum(span.length for span in self.spans)
        if len(self.spans) < 2 or length < MIN_SPLIT:
            return []
        done, scores = 0.0, []
        for before, after in pairwise(self.spans):
            done += before.length
            scores.append(after.start - before.end - abs(done / length - 0.5))
        cut = scores.index(max(scores)) + 1
        return [Window(self.speech[:cut], self.spans[:cut]), Window(self.speech[cut:], self.spans[cut:])]

    def shift(self, moment: float) -> float:
        """The seconds to add to a moment of the joined sound to have that of the whole sound."""
        before = 0.0
        for span in self.spans[:-1]:
            if moment < before + span.length:
                return span.start - before
            before += span.length
        return self.spans[-1].start - before


def pack(speech: Sequence[Span], total: float, length: float = WINDOW) -> list[Window]:
    """Windows of at most `length` seconds that hold all of the speech, each as full as it gets.

    The spans are widened into the pauses beside them; none is longer than `length` less twice `PADDING`.
    """
    windows: list[list[tuple[Span, Span]]] = []
    room = 0.0
    for said, span in zip(speech, padded(speech, total), strict=True):
        if span.length > room:
            windows.append([])
            room = length
        windows[-1].append((said, span))
        room -= span.length
    return [Window(*zip(*window, strict=True)) for window in windows]


def padded(speech: Sequence[Span], total: float) -> list[Span]:
    """Each span widened by `PADDING`, at most to the middle of the pause to the next one."""
    borders = pairwise([0.0, *((before.end + after.start) / 2 for before, after in pairwise(speech)), total])
    return [
        Span(max(left, span.start - PADDING), min(right, span.end + PADDING))
        for span, (left, right) in zip(speech, borders, strict=False)
    ]


def cut_point(windows: Sequence[Window], total: float) -> float:
    """Where to cut `total` seconds of sound of which more follows: before the last window, which may still grow.

    Sound that ends in a long silence is cut in that silence.
    """
    if total - (windows[-1].end if windows else 0.0) > LONG_PAUSE:
        return total - 1.0
    return windows[-1].start or total
