"""Joins speech into windows of the length that a model reads at once; times are seconds. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from ingest.audio.decode import RATE, Samples, skipped

WINDOW = 30.0  # seconds that Whisper decodes at once
PADDING = 0.4  # seconds around speech that its spans hold, as faster-whisper has it: with 0.2, first sounds were lost
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
    """Spans of speech that are decoded at once, one after the other: Whisper loses its place in long silence."""

    spans: tuple[Span, ...]

    def sound(self, samples: Samples) -> Samples:
        """The sound of the spans, joined."""
        return np.concatenate([samples[round(span.start * RATE) : round(span.end * RATE)] for span in self.spans])

    def halves(self) -> list["Window"]:
        """The window cut in its best pause: a long one near the middle; none where it is short or has no pause."""
        length = sum(span.length for span in self.spans)
        if len(self.spans) < 2 or length < MIN_SPLIT:
            return []
        done = accumulate(span.length for span in self.spans)
        pauses = [after.start - before.end for before, after in pairwise(self.spans)]
        scores = [pause - abs(end / length - 0.5) for pause, end in zip(pauses, done, strict=False)]
        cut = scores.index(max(scores)) + 1
        return [Window(self.spans[:cut]), Window(self.spans[cut:])]

    def shift(self, moment: float) -> float:
        """The seconds to add to a moment of the joined sound to have that of the whole sound."""
        ends = list(accumulate(span.length for span in self.spans))
        place = bisect_right(ends, moment, hi=len(ends) - 1)  # what lies behind the end belongs to the last span
        return self.spans[place].end - ends[place]


def pack(speech: Sequence[Span], length: float = WINDOW) -> list[Window]:
    """Windows of at most `length` seconds, each as full as it gets, that hold all of the speech; a longer span is one."""
    windows: list[list[Span]] = []
    room = 0.0
    for span in speech:
        if span.length > room:
            windows.append([])
            room = length
        windows[-1].append(span)
        room -= span.length
    return [Window(tuple(spans)) for spans in windows]


def stretches(
    blocks: Iterator[Samples], find_speech: Callable[[Samples], list[Span]], length: float, *, done: int = 0
) -> Iterator[tuple[int, Samples, list[Window]]]:
    """Cut sound into stretches of at most `length` seconds: the first sample of each, its sound, and its windows.

    Each ends in a pause, and with a full window, so that stretches cost no windows. The first `done` samples are left
    out; where they end a stretch, the stretches that follow are the same.
    """
    held: Samples = np.empty(0, np.float32)
    size = round(length * RATE)
    for block in skipped(blocks, done):
        held = np.concatenate([held, block])
        while len(held) >= size:
            speech = find_speech(held[:size])
            cut = round(_cut_point(speech, length) * RATE)
            yield done, held[:cut], pack([span for span in speech if round(span.start * RATE) < cut])
            done += cut
            held = held[cut:]
    if len(held):
        yield done, held, pack(find_speech(held))


def _cut_point(speech: Sequence[Span], total: float) -> float:
    """Where to cut sound of which more follows: in a long silence at its end, or before the last window, which may grow."""
    if not speech or total - speech[-1].end > LONG_PAUSE:
        return total - 1.0
    return pack(speech, min(WINDOW, total / 2))[-1].spans[0].start or total
