from datetime import UTC, datetime

import pytest

from ingest.models import Episode, Segment, Transcript, Turn
from search_api import display as wording


@pytest.mark.parametrize(
    ("time", "expected"),
    [(0, "0:00"), (75.9, "1:15"), (3599.99, "59:59"), (3675, "1:01:15"), (36000, "10:00:00"), (-1, "0:00")],
)
def test_a_time_reads_as_a_clock_and_never_later_than_it_is(time, expected):
    assert expected == wording.clock(time)


def test_a_date_reads_as_words_and_no_date_as_nothing():
    assert wording.day(datetime(2025, 2, 3, 23, 59, tzinfo=UTC)) == "3 February 2025"
    assert wording.day(None) == ""


@pytest.mark.parametrize(
    "hostile",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "//a.example/x",
        "/x",
        "",
        "http://[",
        "https:",
    ],
)
def test_only_web_addresses_can_be_followed(hostile):
    assert wording.web_address(hostile) == ""


def test_a_web_address_stays_as_it_is():
    assert wording.web_address(" https://a.example/x.mp3?y=1#t=1,2 ") == "https://a.example/x.mp3?y=1#t=1,2"


@pytest.mark.parametrize(
    ("text", "snippet", "expected"),
    [
        ("One two. Three four. Five.", "Three four.", ("One two. ", "Three four.", " Five.")),
        ("One two. Three\nfour. Five.", "… Three four …", ("One two. ", "Three\nfour.", " Five.")),
        ("One two.", "One two.", ("", "One two.", "")),
        ("One two.", "seven", ("One two.", "", "")),
        ("One two.", "…", ("One two.", "", "")),
        ("a.*b c", ".*b", ("a", ".*b", " c")),
    ],
)
def test_the_snippet_is_marked_where_it_stands_in_the_passage(text, snippet, expected):
    assert expected == wording.marked(text, snippet)


def test_a_passage_reads_by_turns_and_the_first_that_holds_the_snippet_is_marked():
    text = "Ann: Why now?\n\nBen: Because. Why now? Yes.\n\nAnd so on."
    assert wording.said(text, "Because.", "Ben") == [
        wording.Said("Why now?", speaker="Ann"),
        wording.Said("", "Because.", " Why now? Yes.", "Ben"),
        wording.Said("And so on."),
    ]
    assert [one.marked for one in wording.said(text, "Why now?", "Ann")] == ["Why now?", "", ""]


def test_a_passage_of_one_turn_leaves_its_speaker_to_the_heading():
    assert wording.said("Ann: Why now? Yes.", "Yes.", "Ann") == [wording.Said("Why now? ", "Yes.")]


def test_a_passage_without_speakers_is_taken_as_it_is():
    assert wording.said("Note: all is well.", "nothing", "") == [wording.Said("Note: all is well.")]


def test_an_address_takes_the_moment_as_its_fragment():
    assert wording.at("https://a.example/1#top", 75.4) == "https://a.example/1#t=75.4"
    assert wording.at("https://a.example/1", 12345.678, 12350.0) == "https://a.example/1#t=12345.68,12350"
    assert wording.at("https://a.example/1", None) == "https://a.example/1"
    assert wording.at("", 75.4) == ""


def test_a_citation_is_one_line_and_leaves_out_what_is_not_known():
    said = wording.citation("Ask\n for more.", ("Dana", "", "“Selling”", "3 May 2025"), "https://a.example/1#t=5")
    assert said == "“Ask for more.” — Dana, “Selling”, 3 May 2025. https://a.example/1#t=5"


def test_timed_segments_read_as_paragraphs_of_one_speaker():
    long = "word " * 100 + "end."
    segments = (
        Segment(0, 1, "Good.", "Ann"),
        Segment(1, 2, long, "Ann"),
        Segment(2, 3, "More.", "Ann"),
        Segment(3, 4, "Yes.", "Ben"),
    )
    read = wording.paragraphs(Transcript(Episode("p", "g", "t"), (), segments))
    assert [("Ann", segments[:2]), ("", segments[2:3]), ("Ben", segments[3:])] == [
        (p.speaker, p.segments) for p in read
    ]


def test_a_transcript_without_times_reads_by_its_turns():
    turns = (Turn("One.\n\nTwo.", "Ann"), Turn("Three.", "Ben"))
    read = wording.paragraphs(Transcript(Episode("p", "g", "t"), turns))
    assert [(p.speaker, p.text) for p in read] == [("Ann", "One."), ("", "Two."), ("Ben", "Three.")]
