"""Sound is cut in pauses, all speech is kept, and no window is longer than the model hears."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.windows import LONG_PAUSE, PADDING, Span, cut_point, gaps, pack


def middle(start, end):
    return (start + end) / 2


@st.composite
def speech(draw):
    """Spans of speech and how much sound there is in all."""
    spans, now = [], 0.0
    for pause, length in draw(st.lists(st.tuples(st.floats(0.16, 20), st.floats(0.1, 90)), max_size=30)):
        spans.append(Span(now + pause, now + pause + length))
        now += pause + length
    return spans, now + draw(st.floats(0, 5))


@given(speech(), st.sampled_from([6.0, 12.0, 30.0]))
def test_windows_hold_all_speech_do_not_overlap_and_are_no_longer_than_asked(case, length):
    spans, total = case
    windows = pack(spans, total, middle, length)
    assert all(0 <= window.start < window.end <= total + 1e-6 for window in windows)
    assert all(window.length <= length + 1e-6 for window in windows)
    assert all(before.end <= after.start + 1e-6 for before, after in pairwise(windows))
    for span in spans:
        inside = sum(max(0.0, min(span.end, w.end) - max(span.start, w.start)) for w in windows)
        assert inside == pytest.approx(span.length, abs=1e-6)


def test_a_window_ends_in_a_pause_between_sentences_rather_than_full_where_that_costs_no_window():
    spans = [Span(0, 10), Span(10.2, 24), Span(24.8, 27), Span(27.2, 29), Span(29.2, 35)]
    assert [round(window.end, 1) for window in pack(spans, 40, middle)] == [24.2, 35.2]


def test_windows_are_as_few_as_can_be():
    sentences = [Span(start, start + 1.5) for start in range(0, 120, 2)]
    windows = pack(sentences, 120, middle, 10.0)
    assert len(windows) == 12
    assert {round(window.end % 2, 1) for window in windows} == {1.7}


def test_a_long_silence_is_left_out():
    windows = pack([Span(1, 3), Span(3 + LONG_PAUSE + 1, 9)], 12, middle)
    assert [Span(1 - PADDING, 3 + PADDING), Span(7 - PADDING, 9 + PADDING)] == windows


def test_speech_without_a_pause_is_cut_where_it_is_quietest():
    windows = pack([Span(0, 50)], 50, lambda start, end: 25.0 if start < 25 < end else middle(start, end))
    assert [window.end for window in windows] == [25.0, 50.0]


def test_no_speech_gives_no_window():
    assert pack([], 60, middle) == []


def test_a_stretch_ends_in_the_middle_of_its_longest_late_pause():
    spans = [Span(0, 100), Span(105, 275), Span(276, 290), Span(290.5, 300)]
    assert cut_point(spans, 300, 30, middle) == 275.5
    assert cut_point([Span(0, 40)], 300, 30, middle) == 285
    assert cut_point([], 300, 30, middle) == 285


def test_a_stretch_of_nothing_but_speech_ends_where_it_is_quietest():
    assert cut_point([Span(0, 300)], 300, 30, lambda start, _: start + 1) == 271


def test_gaps_are_what_is_left():
    assert [Span(0, 1), Span(2, 3)] == gaps([Span(1, 2), Span(3, 4)], 4)
