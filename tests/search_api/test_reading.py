import pytest

from ingest.models import Episode, Segment, Transcript, Turn
from search_api.reading import Sentence, paragraphs, timed_sentences

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
    "sentence", ["It is so long that it says enough. ", "Ist das wirklich so? ", "これは長い文です。 "]
)
def test_a_wall_of_text_is_broken_at_the_ends_of_sentences(sentence):
    text = (sentence * 80).strip()
    read = paragraphs(Transcript(EPISODE, (Turn(text),)))
    assert len(read) > 1
    assert all(sum(map(len, (s.text for s in one.sentences))) < 500 for one in read)
    assert " ".join(s.text for one in read for s in one.sentences) == text
