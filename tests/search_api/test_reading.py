from dataclasses import replace
from math import inf, nan

import pytest

from ingest.models import Chapter, Episode, Segment, Transcript, Turn
from search_api.reading import Sentence, listed_chapters, paragraphs, timed_sentences

EPISODE = Episode("p", "g", "t")


def test_timed_segments_read_as_paragraphs_of_one_speaker():
    long = "word " * 100 + "end."
    segments = (
        Segment(0, 1, "Good.", "Ann"),
        Segment(1, 2, long, "Ann"),
        Segment(2, 3, "More.", "Ann"),
        Segment(3, 4, "Yes.", "Ben"),
    )
    read = paragraphs(Transcript(EPISODE, (), segments))
    assert [(one.speaker, one.start, len(one.sentences)) for one in read] == [
        ("Ann", 0, 2),
        ("Ann", 2, 1),
        ("Ben", 3, 1),
    ]


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (Segment(10, 20, "One two. Six six."), [("One two.", 10), ("Six six.", 10 + 10 * 9 / 17)]),
        (Segment(10, 20, "no end here"), [("no end here", 10)]),
        (Segment(5, 5, "A. B. Then more."), [("A. B. Then more.", 5)]),
        (Segment(1, 2, "  "), []),
    ],
)
def test_a_long_segment_is_split_into_sentences_that_share_its_time(segment, expected):
    found = [(one.text, one.start) for one in timed_sentences(segment)]
    assert found == [(text, pytest.approx(start, abs=0.001)) for text, start in expected]


def test_a_transcript_without_times_reads_by_its_turns_and_paragraphs():
    turns = (Turn("One.\n\nTwo.", "Ann"), Turn("Three.", "Ben"))
    read = paragraphs(Transcript(EPISODE, turns))
    assert [(one.speaker, one.sentences) for one in read] == [
        ("Ann", (Sentence("One."),)), ("Ann", (Sentence("Two."),)), ("Ben", (Sentence("Three."),)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sentence",
    [
        "It is so long that it says enough. ",
        "Ist das wirklich so? ",
        "これは長い文です。 ",
        "यह एक लंबा वाक्य है। ",
        "Είναι αλήθεια; ",
    ],
)
def test_a_wall_of_text_is_broken_at_the_ends_of_sentences(sentence):
    text = (sentence * 80).strip()
    read = paragraphs(Transcript(EPISODE, (Turn(text),)))
    assert len(read) > 1
    assert all(sum(map(len, (s.text for s in one.sentences))) < 500 for one in read)
    assert " ".join(s.text for one in read for s in one.sentences) == text


SAID = tuple(Segment(at, at + 9, f"From {at}.", who) for at, who in ((0, "Ann"), (10, "Ann"), (20, "Ann"), (30, "Ben")))


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ((0, 20), [((0,), [0, 10]), ((20,), [20]), ((), [30])]),
        ((0.9, 21), [((0.9,), [0, 10]), ((21,), [20]), ((), [30])]),  # rounded: the sentence starts just before
        ((12, 14, 29), [((), [0, 10]), ((12, 14), [20]), ((29,), [30])]),  # nothing is said between two
        ((5, 900), [((), [0]), ((5,), [10, 20]), ((), [30])]),  # the last lies after all words
        ((), [((), [0, 10, 20]), ((), [30])]),
    ],
)
def test_a_chapter_stands_before_the_paragraph_that_it_starts_with(starts, expected):
    episode = replace(EPISODE, chapters=tuple(Chapter(start, "x") for start in starts))
    read = paragraphs(Transcript(episode, (), SAID))
    assert [(tuple(c.start for c in one.chapters), [s.start for s in one.sentences]) for one in read] == expected


def test_times_that_run_backwards_lose_no_sentence_and_show_each_chapter_once():
    episode = replace(EPISODE, chapters=(Chapter(5, "x"), Chapter(15, "y")))
    read = paragraphs(Transcript(episode, (), (SAID[2], SAID[0], SAID[1])))
    assert [s.start for one in read for s in one.sentences] == [20, 0, 10]
    assert [c.title for one in read for c in one.chapters] == ["x", "y"]


def test_without_times_no_chapter_has_a_place():
    read = paragraphs(Transcript(replace(EPISODE, chapters=(Chapter(0, "x"),)), (Turn("One. Two."),)))
    assert [one.chapters for one in read] == [()]


@pytest.mark.parametrize("start", [nan, inf, -inf, -1.0])
def test_a_chapter_written_by_hand_that_starts_nowhere_is_left_out(start):
    assert listed_chapters(replace(EPISODE, chapters=(Chapter(start, "x"), Chapter(1, "y")))) == (Chapter(1, "y"),)
