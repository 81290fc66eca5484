"""Sound is cut in pauses, all speech is kept, and no window is longer than the model hears."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.audio.decode import RATE
from ingest.speech.windows import PADDING, Span, Window, cut_point, pack


def spans(window):
    return [(round(span.start, 2), round(span.end, 2)) for span in window.spans]


@st.composite
def speech(draw):
    """Spans of speech and how much sound there is in all."""
    made, now = [], 0.0
    for pause, length in draw(st.lists(st.tuples(st.floats(0, 20), st.floats(0.1, 29.2)), max_size=30)):
        made.append(Span(now + pause, now + pause + length))
        now += pause + length
    return made, now + draw(st.floats(0, 5))


@given(speech(), st.sampled_from([30.0, 40.0]))
def test_windows_hold_all_speech_do_not_overlap_and_are_no_longer_than_asked(case, length):
    said, total = case
    windows = pack(said, total, length)
    parts = [span for window in windows for span in window.spans]
    assert all(0 <= part.start < part.end <= total + 1e-6 for part in parts)
    assert all(sum(span.length for span in window.spans) <= length + 1e-6 for window in windows)
    assert all(before.end <= after.start + 1e-6 for before, after in pairwise(parts))
    for span in said:
        inside = sum(max(0.0, min(span.end, part.end) - max(span.start, part.start)) for part in parts)
        assert inside == pytest.approx(span.length, abs=1e-6)


def test_a_window_holds_as_much_speech_as_fits_and_no_long_silence():
    windows = pack([Span(10, 20), Span(60, 70), Span(100, 112)], 120)
    assert [spans(window) for window in windows] == [[(9.6, 20.4), (59.6, 70.4)], [(99.6, 112.4)]]


@pytest.mark.parametrize(
    ("pause", "expected"),
    [(0.2, [(0.6, 3.1), (3.1, 5.6)]), (0.8, [(0.6, 3.4), (3.4, 6.2)]), (2, [(0.6, 3.4), (4.6, 7.4)])],
)
def test_first_and_last_sounds_are_kept_and_no_sound_is_in_twice(pause, expected):
    (window,) = pack([Span(1, 3), Span(3 + pause, 5 + pause)], 60)
    assert spans(window) == expected


@pytest.mark.parametrize(("moment", "expected"), [(0, 9.6), (10.7, 20.3), (10.9, 59.7), (21, 69.8), (25, 73.8)])
def test_a_moment_of_the_joined_sound_is_one_of_the_whole_sound(moment, expected):
    window = Window((Span(10, 20), Span(60, 70)), (Span(9.6, 20.4), Span(59.6, 70.4)))
    assert moment + window.shift(moment) == pytest.approx(expected)


def test_the_sound_of_a_window_is_that_of_its_spans():
    numbers = np.arange(10 * RATE, dtype=np.float32)
    sound = Window((), (Span(1, 2), Span(5, 5.5))).sound(numbers)
    assert (len(sound), sound[0], sound[RATE], sound[-1]) == (1.5 * RATE, RATE, 5 * RATE, 5.5 * RATE - 1)


def test_no_speech_gives_no_window():
    assert pack([], 60) == []


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [([0.2, 0.9, 0.2], 2), ([0.2, 0.2, 0.2], 2), ([2.0, 0.2, 0.2], 1), ([0.2, 0.2, 3.0], 3)],
)
def test_a_window_is_halved_in_its_longest_pause_or_the_middle(pauses, expected):
    said, now = [Span(0.0, 3.0)], 3.0
    for pause in pauses:
        said.append(Span(now + pause, now + pause + 3))
        now += pause + 3
    whole = Window(tuple(said), tuple(said))
    first, second = whole.halves()
    assert (len(first.spans), first.spans + second.spans) == (expected, whole.spans)
    assert (first.speech, second.speech) == (first.spans, second.spans)


@pytest.mark.parametrize("spans", [(Span(0, 29),), (Span(0, 1.5), Span(2, 3.5))])
def test_a_window_that_is_short_or_has_no_pause_has_no_halves(spans):
    assert Window(spans, spans).halves() == []


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([Span(0, 29), Span(29.6, 58), Span(59, 60)], 59),  # the last one may still grow
        ([Span(0, 29), Span(29, 60)], 29),  # speech without a pause
        ([Span(40, 60)], 40),
        ([Span(0, 29), Span(30, 50)], 59),  # nothing can be added after so long a silence
        ([], 59),
        ([Span(0, 60)], 60),
    ],
)
def test_a_stretch_ends_in_a_pause_with_a_full_window(windows, expected):
    assert expected == pytest.approx(cut_point([Window((span,), (span,)) for span in windows], 60))


@pytest.mark.parametrize("pause", [0.3, 0.7, 2.0])
def test_stretches_have_the_windows_of_the_whole(pause):
    said = [Span(start * (3 + pause), start * (3 + pause) + 3) for start in range(200)]
    total, done, parts = 200 * (3 + pause), 0.0, []
    while done < total:
        length = min(100.0, total - done)
        heard = [Span(s.start - done, min(s.end - done, length)) for s in said if done <= s.start < done + length]
        cut = cut_point(pack(heard, length), length) if done + length < total else length
        parts += [done + w.start for w in pack([span for span in heard if span.start < cut], cut)]
        done += cut
    assert [pytest.approx(window.start, abs=1e-6) for window in pack(said, total)] == parts
    assert PADDING == 0.4
