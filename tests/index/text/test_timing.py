from itertools import pairwise

import pytest

from index.text.timing import word_times
from ingest.models import Segment
from ingest.sentences import word_spans
from ingest.transcripts.document import turns_from_segments


def test_times_are_exact_at_segment_borders_and_shared_out_by_characters_within():
    segments = [Segment(10.0, 20.0, "aaaa bbbb"), Segment(20.0, 30.0, "cccc")]
    times = word_times(["aaaa", "bbbb", "cccc"], segments)
    assert [10.0, 15.556, 20.0] == [round(start, 3) for start, _ in times]
    assert [14.444, 20.0, 30.0] == [round(end, 3) for _, end in times]


def test_words_that_were_not_edited_keep_their_times():
    segments = [Segment(n * 10.0, n * 10.0 + 10.0, f"part{n} of the talk ends.") for n in range(40)]
    heard = " ".join(segment.text for segment in segments).split()
    edited = [*heard[:70], "ADDED", "WORDS", *heard[71:140], *heard[150:]]
    times, before = word_times(edited, segments), word_times(heard, segments)
    assert before[:70] == times[:70]
    assert before[150:] == times[-len(before[150:]) :]
    assert all(a[0] <= b[0] for a, b in pairwise(times))
    assert (before[70][0], before[71][0]) == (times[70][0], times[71][1])


def test_segments_of_another_text_give_no_times():
    assert [] == word_times(
        ["A", "transcript", "of", "something", "else."], [Segment(0.0, 60.0, "nothing here is in it")]
    )


def test_no_words_and_no_segments_have_no_times():
    assert [] == word_times([], [Segment(0.0, 1.0, "one")])
    assert [] == word_times(["one"], [])


@pytest.mark.parametrize(
    "said",
    [
        ["我们今天谈价格", "他们卖得很好", "明天再谈"],
        ["我们今天谈价格。", "他们卖得很好。", "明天再谈。"],
        ["営業は毎日", "話します", "そして聞きます。"],
        ["วันนี้เราจะพูด", "เรื่องราคา", "ขอบคุณ"],
    ],
)
def test_words_of_scripts_without_spaces_have_times_though_they_run_across_segments(said):
    segments = [Segment(10.0 * n, 10.0 * n + 9, text) for n, text in enumerate(said)]
    (turn,) = turns_from_segments(segments)
    words = [turn.text[begin:end] for begin, end in word_spans(turn.text)]
    times = word_times(words, segments)
    assert len(times) == len(words)
    assert (times[0][0], times[-1][1]) == (0.0, 29.0)
    assert all(start < end for start, end in times)


def test_a_change_of_speaker_parts_words_in_any_script():
    segments = [Segment(0.0, 2.0, "价格很高", "A"), Segment(2.0, 4.0, "我不同意", "B")]
    assert [(0.0, 2.0), (2.0, 4.0)] == word_times(["价格很高", "我不同意"], segments)
