from dataclasses import replace
from datetime import UTC, datetime

import pytest

from index.query import Excerpt, Hit, Provenance, Scores
from ingest.links import moment, playing
from search_api.display import (
    PassageParagraph,
    around_answer,
    citation,
    hit_view,
    host_name,
    long_date,
    passage_paragraphs,
    podcast_title,
    reasons,
    unlabelled,
    with_neighbours,
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


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (
            [PassageParagraph("One. Two. Three. ", "Yes.", " Four. Five. Six.")],
            [PassageParagraph("Two. Three. ", "Yes.", " Four. Five.")],
        ),
        (
            [PassageParagraph("One. Two.", speaker="Ann"), PassageParagraph("Three. ", "Yes.", "", "Ben"), PassageParagraph("No. No. No.", speaker="Ann")],
            [PassageParagraph("Two.", speaker="Ann"), PassageParagraph("Three. ", "Yes.", "", "Ben"), PassageParagraph("No. No.", speaker="Ann")],
        ),
        ([PassageParagraph("", "Yes.", "")], [PassageParagraph("", "Yes.", "")]),
        ([PassageParagraph("One. Two. Three.")], [PassageParagraph("One. Two. Three.")]),
        (
            [PassageParagraph("One. ", "Yes.", ""), PassageParagraph("", "And yes.", " Two.")],
            [PassageParagraph("One. ", "Yes.", ""), PassageParagraph("", "And yes.", " Two.")],
        ),
    ],
)  # fmt: skip
def test_an_answer_is_shown_with_two_sentences_before_and_after_it(passage, expected):
    assert around_answer(passage) == expected


def test_a_label_is_left_out_where_the_heading_says_it():
    both = [PassageParagraph("Why?", speaker="Ann"), PassageParagraph("", "So.", "", "Ben")]
    assert unlabelled(both, "Ben") == both
    assert [one.speaker for one in unlabelled(both[1:], "Ben")] == [""]


def test_a_citation_is_one_line_and_leaves_out_what_is_not_known():
    line = citation("Ask\n for more.", ("Dana", "", "“Selling”", "3 May 2025"), "https://a.example/1#t=5")
    assert line == "“Ask for more.” — Dana, “Selling”, 3 May 2025. https://a.example/1#t=5"


@pytest.mark.parametrize(
    ("slug", "titles", "shown"),
    [("the-quota-room", {"the-quota-room": "The Quota Room"}, "The Quota Room"), ("selling-well", {}, "Selling well"), ("x", {"x": ""}, "X")],
)  # fmt: skip
def test_a_podcast_is_called_by_its_title(slug, titles, shown):
    assert podcast_title(slug, titles) == shown


@pytest.mark.parametrize(
    ("address", "host"),
    [("https://www.youtube.com/watch?v=1", "youtube.com"), ("http://a.example:81/x", "a.example"), ("", "")],
)
def test_a_link_leads_to_a_host(address, host):
    assert host_name(address) == host


VIDEO, FILE, NOTES = "https://youtu.be/abc", "https://a.example/1.mp3", "https://a.example/notes"


def hit_of(link="", audio="", start=None, *, text="Yes.", highlights=(), cosine=0.5):
    lead = None if start is None else start - 2
    excerpt = Excerpt(text, "", start, start)
    return Hit(
        "i", "/v1/passages/i", 1, 0.5, Scores(cosine, 0.5), "p", "P", "g", "k", "t", None, excerpt, excerpt, highlights,
        moment(link, lead), audio, playing(audio, lead), False, False, Provenance("", "", ""),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "highlights", "cosine", "why"),
    [
        ("A discount, no Discount.", ((2, 10), (15, 23)), 0.5, "Says “discount”; close in meaning"),
        ("One two three four", ((0, 3), (4, 7), (8, 13), (14, 18)), 0.4, "Says “one”, “two”, “three”; near in meaning"),
        ("Something else.", (), 0.6, "Close in meaning"),
        ("A price", ((2, 7),), None, "Says “price”"),
        ("Calls, call, caller.", ((0, 5), (7, 11), (13, 19)), None, "Says “calls”, “caller”"),
        ("Alpha beta. Yes.", ((0, 5), (12, 15)), None, "Says “alpha”, “yes”"),
        ("Far away", (), 0.2, ""),
    ],
)
def test_why_a_hit_was_found_is_said_in_words(text, highlights, cosine, why):
    assert reasons(hit_of(text=text, highlights=highlights, cosine=cosine)) == why


@pytest.mark.parametrize(
    ("given", "cited", "play", "outside"),
    [
        ((VIDEO, FILE, 75.5), f"{VIDEO}?t=75", f"{FILE}#t=73.5", f"{VIDEO}?t=73"),
        ((NOTES, FILE, 75.5), f"{FILE}#t=75.5", f"{FILE}#t=73.5", NOTES),
        ((NOTES, VIDEO, 75.5), f"{VIDEO}?t=75", "", f"{VIDEO}?t=73"),
        ((VIDEO, "", 75.5), f"{VIDEO}?t=75", "", f"{VIDEO}?t=73"),
        ((NOTES, "", 75.5), NOTES, "", NOTES),
        ((NOTES, FILE, None), NOTES, FILE, NOTES),
        (("", FILE, None), FILE, FILE, ""),
    ],
)
def test_a_hit_plays_here_or_elsewhere_at_its_moment_and_is_cited_there(given, cited, play, outside):
    view = hit_view(hit_of(*given))
    assert (view.moment["citation"].rpartition(" ")[2], view.play, view.outside) == (cited, play, outside)
    assert view.start == (given[2] - 2 if play and given[2] else 0)


@pytest.mark.parametrize(
    ("text", "before", "after", "near"),
    [
        ("Ben: Yes.", [], [], ["Yes."]),
        ("Ben: Yes.", [("One. Two. Three.", "Ben")], [("Four. Five.", "Ben")], ["Two. Three. Yes. Four. Five."]),
        ("Ben: Yes.", [("Really?", "Ann")], [("Good.", "Ann")], ["Ann|Really?", "Ben|Yes.", "Ann|Good."]),
        ("Ben: One. Two. Yes. No.", [("Zero.", "Ben")], [("Four. Five.", "Ben")], ["One. Two. Yes. No. Four."]),
        ("Ann: Why?\n\nBen: Yes.", [("So.", "Ann")], [], ["Ann|So. Why?", "Ben|Yes."]),
    ],
)
def test_a_card_shows_two_sentences_around_the_answer_beyond_its_passage_too(text, before, after, near):
    hit = replace(
        hit_of(text=text), answer=said("Yes.", "Ben"),
        before=tuple(said(*one) for one in before), after=tuple(said(*one) for one in after),
    )  # fmt: skip
    shown = [(one.speaker, " ".join(f"{one.before}{one.marked}{one.after}".split())) for one in hit_view(hit).near]
    assert ["|".join(filter(None, one)) for one in shown] == near


@pytest.mark.parametrize(
    ("before", "text", "after", "near"),
    [
        ("我来。", "你来。", "他来。我去。他去。", "我来。你来。他来。我去。"),
        ("我来。你去。", "你来。", "", "我来。你去。你来。"),
        ("I came. We came.", "You came.", "He came.", "I came. We came. You came. He came."),
    ],
)
def test_what_stands_around_an_answer_joins_it_as_its_script_does(before, text, after, near):
    hit = replace(hit_of(text=text), before=(said(before),), after=(said(after),) if after else ())
    (shown,) = hit_view(hit).near
    assert near == shown.before + shown.marked + shown.after


@pytest.mark.parametrize("said_before", ["Yes!", "क्या?", "यह सच है।", "ነው።", "Լավ է։"])  # noqa: RUF001 - Armenian
def test_a_sentence_before_a_colon_is_no_label(said_before):
    (one,) = passage_paragraphs(f"{said_before} So: Yes.", said("Yes.", "Ann"))
    assert (f"{said_before} So: ", "Yes.", "") == (one.before, one.marked, one.speaker)


def test_a_passage_in_which_no_answer_is_marked_stays_as_it_is():
    passage = [PassageParagraph("Something else.")]
    assert with_neighbours(passage, replace(hit_of(), before=(said("Before."),))) == passage
