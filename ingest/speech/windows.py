"""Joins speech into windows of the length that a model reads at once; times are seconds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest.audio.decode import RATE, Samples

WINDOW = 30.0  # seconds that Whisper decodes at once
PADDING = 0.4  # seconds kept around speech, as faster-whisper does: with 0.2, first sounds were lost
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
    """Spans of speech that are decoded at once, one after the other: Whisper loses its place in long silence."""

    spans: tuple[Span, ...]

    @property
    def start(self) -> float:
        """Where the first span starts."""
        return self.spans[0].start

    @property
    def end(self) -> float:
        """Where the last span ends."""
        return self.spans[-1].end

    @property
    def length(self) -> float:
        """Seconds of sound, without what lies between the spans."""
        return sum(span.length for span in self.spans)

    def sound(self, samples: Samples) -> Samples:
        """The sound of the spans, joined."""
        return np.concatenate([samples[round(span.start * RATE) : round(span.end * RATE)] for span in self.spans])

    def shift(self, moment: float) -> float:
        """The seconds to add to a moment of the joined sound to have that of the whole sound."""
        before = 0.0
        for span in self.spans:
            if moment < before + span.length:
                break
            before += span.length
        else:
            before -= span.length
        return span.start - before


def pack(speech: Sequence[Span], total: float, length: float = WINDOW) -> list[Window]:
    """Windows of at most `length` seconds that hold all of the speech, each as full as it gets.

    The spans are widened into the pauses beside them; none is longer than `length` less twice `PADDING`.
    """
    windows: list[list[Span]] = []
    for span in padded(speech, total):
        if windows and sum(one.length for one in windows[-1]) + span.length <= length:
            windows[-1].append(span)
        else:
            windows.append([span])
    return [Window(tuple(spans)) for spans in windows]


def padded(speech: Sequence[Span], total: float) -> list[Span]:
    """Each span widened by `PADDING`, at most to the middle of the pause to the next one."""
    borders = pairwise([0.0, *((before.end + after.start) / 2 for before, after in pairwise(speech)), total])
    return [
        Span(max(left, span.start - PADDING), min(right, span.end + PADDING))
        for span, (left, right) in zip(speech, borders, strict=False)
    ]


def within(speech: Sequence[Span], window: Window) -> list[Span]:
    """The speech from a window's start to its end."""
    cut = [Span(max(span.start, window.start), min(span.end, window.end)) for span in speech]
    return [span for span in cut if span.length > 0]


def cut_point(windows: Sequence[Window], total: float) -> float:
    """Where to cut `total` seconds of sound of which more follows: before the last window, which may still grow.

    Sound that ends in a long silence is cut in that silence.
    """
    if total - (windows[-1].end if windows else 0.0) > LONG_PAUSE:
        return total - 1.0
    return windows[-1].start or total
