from itertools import pairwise

from index.text.timing import word_times
from ingest.models import Segment


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
