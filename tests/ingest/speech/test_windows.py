"""Sound is cut in pauses, all speech is kept, and no window is longer than the model hears."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.audio.decode import RATE
from ingest.speech.windows import Span, Window, pack, stretches


def spans(window):
    return [(round(span.start, 2), round(span.end, 2)) for span in window.spans]


@st.composite
def speech(draw):
    """Spans of speech."""
    made, now = [], 0.0
    for pause, length in draw(st.lists(st.tuples(st.floats(0, 20), st.floats(0.1, 30)), max_size=30)):
        made.append(Span(now + pause, now + pause + length))
        now += pause + length
    return made


@given(speech(), st.sampled_from([30.0, 40.0]))
def test_windows_hold_all_speech_in_order_and_are_no_longer_than_asked(said, length):
    windows = pack(said, length)
    assert said == [span for window in windows for span in window.spans]
    assert all(sum(span.length for span in window.spans) <= length + 1e-6 for window in windows)
    for before, after in pairwise(windows):
        assert sum(span.length for span in (*before.spans, after.spans[0])) > length


def test_a_window_holds_as_much_speech_as_fits_and_no_long_silence():
    windows = pack([Span(9.6, 20.4), Span(59.6, 70.4), Span(99.6, 112.4)])
    assert [spans(window) for window in windows] == [[(9.6, 20.4), (59.6, 70.4)], [(99.6, 112.4)]]


@pytest.mark.parametrize(("moment", "expected"), [(0, 9.6), (10.7, 20.3), (10.9, 59.7), (21, 69.8), (25, 73.8)])
def test_a_moment_of_the_joined_sound_is_one_of_the_whole_sound(moment, expected):
    window = Window((Span(9.6, 20.4), Span(59.6, 70.4)))
    assert moment + window.shift(moment) == pytest.approx(expected)


def test_the_sound_of_a_window_is_that_of_its_spans():
    numbers = np.arange(10 * RATE, dtype=np.float32)
    sound = Window((Span(1, 2), Span(5, 5.5))).sound(numbers)
    assert (len(sound), sound[0], sound[RATE], sound[-1]) == (1.5 * RATE, RATE, 5 * RATE, 5.5 * RATE - 1)


def test_no_speech_gives_no_window():
    assert pack([]) == []


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [([0.2, 0.9, 0.2], 2), ([0.2, 0.2, 0.2], 2), ([2.0, 0.2, 0.2], 1), ([0.2, 0.2, 3.0], 3)],
)
def test_a_window_is_halved_in_its_longest_pause_or_the_middle(pauses, expected):
    said, now = [Span(0.0, 3.0)], 3.0
    for pause in pauses:
        said.append(Span(now + pause, now + pause + 3))
        now += pause + 3
    whole = Window(tuple(said))
    first, second = whole.halves()
    assert (len(first.spans), first.spans + second.spans) == (expected, whole.spans)


@pytest.mark.parametrize("spans", [(Span(0, 29),), (Span(0, 1.5), Span(2, 3.5))])
def test_a_window_that_is_short_or_has_no_pause_has_no_halves(spans):
    assert Window(spans).halves() == []


def cut(said, total, length=60.0):
    """The first sample and the windows' spans of each stretch of sound, by what is said in it."""
    sound = np.arange(round(total * RATE), dtype=np.float32)

    def hear(samples):
        start, end = samples[0] / RATE, (samples[0] + len(samples)) / RATE
        return [
            Span(max(one.start, start) - start, min(one.end, end) - start)
            for one in said
            if start - 1e-3 <= one.start < end
        ]

    blocks = iter(np.split(sound, range(70_000, len(sound), 70_000)))
    found = []
    for start, samples, windows in stretches(blocks, hear, length):
        assert samples[0] == start
        found.append((start / RATE, [spans(window) for window in windows]))
    return found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([Span(0, 29), Span(29.1, 58.5), Span(59, 61)], 59),  # the last window may still grow
        ([Span(0, 29), Span(29, 61)], 29),  # speech without a pause
        ([Span(40, 62)], 40),
        ([Span(0, 29), Span(30, 50)], 59),  # nothing can be added after so long a silence
        ([], 59),
        ([Span(0, 62)], 60),
    ],
)
def test_a_stretch_ends_in_a_pause_with_a_full_window(said, expected):
    assert expected == pytest.approx(cut(said, 70)[1][0])


@pytest.mark.parametrize("pause", [0.3, 0.7, 2.0])
def test_stretches_have_the_windows_of_the_whole(pause):
    said = [Span(start * (3 + pause), start * (3 + pause) + 2.9) for start in range(100)]
    starts = [start + window[0][0] for start, windows in cut(said, 100 * (3 + pause), 100.0) for window in windows]
    assert [pytest.approx(window.spans[0].start, abs=0.02) for window in pack(said)] == starts
