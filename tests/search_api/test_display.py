from datetime import UTC, datetime

import pytest

from index.query import Excerpt, Hit, Provenance, Scores
from ingest.links import moment, playing
from ingest.models import Episode, Segment, Transcript, Turn
from search_api.display import (
    PassageParagraph,
    citation,
    hit_view,
    long_date,
    passage_paragraphs,
    transcript_paragraphs,
)


def test_a_date_reads_as_words_and_no_date_as_nothing():
    assert long_date(datetime(2025, 2, 3, 23, 59, tzinfo=UTC)) == "3 February 2025"
    assert long_date(None) == ""


def said(text, speaker=""):
    return Excerpt(text, speaker, None, None)


def test_a_passage_reads_by_turns_and_the_first_that_holds_the_answer_is_marked():
    text = "Ann: Why now?\n\nBen: Because. Why now? Yes.\n\nAnd so on."
    assert passage_paragraphs(text, said("Because.", "Ben")) == [
        PassageParagraph("Why now?", speaker="Ann"),
        PassageParagraph("", "Because.", " Why now? Yes.", "Ben"),
        PassageParagraph("And so on."),
    ]
    assert [one.marked for one in passage_paragraphs(text, said("Why now?", "Ann"))] == ["Why now?", "", ""]


def test_an_answer_of_two_paragraphs_is_marked_in_both():
    text = "Ann: Why now? Tell us.\n\nBen: Because. Yes.\n\nBen: And so on. The end."
    marked = [(one.before, one.marked) for one in passage_paragraphs(text, said("Yes.\n\nAnd so on.", "Ben"))]
    assert marked == [("Why now? Tell us.", ""), ("Because. ", "Yes."), ("", "And so on.")]


@pytest.mark.parametrize(
    ("text", "answer", "speaker", "expected"),
    [
        ("Ann: Why now? Yes.", "Yes.", "Ann", PassageParagraph("Why now? ", "Yes.")),
        ("Note: all is well.", "nothing", "", PassageParagraph("Note: all is well.")),
        ("a.*b c", ".*b", "", PassageParagraph("a", ".*b", " c")),
    ],
)
def test_a_passage_of_one_turn_leaves_its_speaker_to_the_heading(text, answer, speaker, expected):
    assert passage_paragraphs(text, said(answer, speaker)) == [expected]


def test_a_citation_is_one_line_and_leaves_out_what_is_not_known():
    line = citation("Ask\n for more.", ("Dana", "", "“Selling”", "3 May 2025"), "https://a.example/1#t=5")
    assert line == "“Ask for more.” — Dana, “Selling”, 3 May 2025. https://a.example/1#t=5"


def test_timed_segments_read_as_paragraphs_of_one_speaker():
    long = "word " * 100 + "end."
    segments = (
        Segment(0, 1, "Good.", "Ann"),
        Segment(1, 2, long, "Ann"),
        Segment(2, 3, "More.", "Ann"),
        Segment(3, 4, "Yes.", "Ben"),
    )
    read = transcript_paragraphs(Transcript(Episode("p", "g", "t"), (), segments))
    assert [(one.speaker, one.segments) for one in read] == [
        ("Ann", segments[:2]), ("Ann", segments[2:3]), ("Ben", segments[3:]),
    ]  # fmt: skip


def test_a_transcript_without_times_reads_by_its_turns():
    turns = (Turn("One.\n\nTwo.", "Ann"), Turn("Three.", "Ben"))
    read = transcript_paragraphs(Transcript(Episode("p", "g", "t"), turns))
    assert [(one.speaker, one.text) for one in read] == [("Ann", "One."), ("Ann", "Two."), ("Ben", "Three.")]


VIDEO, FILE, NOTES = "https://youtu.be/abc", "https://a.example/1.mp3", "https://a.example/notes"


@pytest.mark.parametrize(
    ("link", "audio", "start", "cited", "player"),
    [
        (VIDEO, FILE, 75.5, f"{VIDEO}?t=75", f"{FILE}#t=73.5"),
        (NOTES, FILE, 75.5, f"{FILE}#t=75.5", f"{FILE}#t=73.5"),
        (NOTES, VIDEO, 75.5, f"{VIDEO}?t=75", ""),
        (NOTES, "", 75.5, NOTES, ""),
        (NOTES, FILE, None, NOTES, FILE),
        ("", FILE, None, FILE, FILE),
    ],
)
def test_a_citation_leads_to_the_moment_where_any_address_can(link, audio, start, cited, player):
    lead = None if start is None else start - 2
    said = Excerpt("Yes.", "", start, start)
    hit = Hit(
        "i", "/v1/passages/i", 1, 0.5, Scores(0.5, 0.5), "p", "P", "g", "k", "t", None, said, said, (),
        moment(link, lead), audio, playing(audio, lead), False, False, Provenance("", "", ""),
    )  # fmt: skip
    view = hit_view(hit)
    assert (view.citation.rpartition(" ")[2], view.player) == (cited, player)
