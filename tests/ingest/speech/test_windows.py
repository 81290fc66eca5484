"""Sound is cut in pauses, all speech is kept, and no window is longer than the model hears."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.speech.windows import LONG_PAUSE, PADDING, Span, cut_point, pack


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


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([Span(0, 29), Span(29.6, 58), Span(59, 60)], 58.5),  # the last one may still grow
        ([Span(0, 29), Span(29, 60)], 29),  # speech without a pause
        ([Span(40, 60)], 39),
        ([Span(0, 29), Span(30, 50)], 59),  # nothing can be added after so long a silence
        ([], 59),
        ([Span(0, 60)], 60),
    ],
)
def test_a_stretch_ends_in_a_pause_with_a_full_window(windows, expected):
    assert expected == pytest.approx(cut_point(windows, 60))


def test_stretches_cost_no_windows():
    sentences = [Span(start, start + 1.5) for start in range(0, 1000, 2)]
    whole, done, parts = pack(sentences, 1000, middle, 10.0), 0.0, 0
    while done < 1000:
        length = min(100, 1000 - done)
        heard = [Span(s.start - done, min(s.end - done, length)) for s in sentences if done <= s.start < done + length]
        windows = pack(heard, length, middle, 10.0)
        cut = cut_point(windows, length) if done + length < 1000 else length
        parts += sum(window.start < cut for window in windows)
        done += cut
    assert len(whole) == parts
