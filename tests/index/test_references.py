"""Names of passages: good after edits elsewhere, honest after edits of what they name."""

import pytest

from index.references import parse_reference, refer, resolve
from index.spoken import spoken
from ingest.errors import PassageNotFoundError
from ingest.models import Episode, Segment, Transcript, Turn

EPISODE = Episode("Selling Well", "g", "T")
TURNS = (Turn("One two three. Four five six?\n\nSeven eight.", "Ann"), Turn("Nine ten. Eleven twelve.", "Ben"))


def words_of(*turns, segments=()):
    return spoken(Transcript(EPISODE, turns, segments))


def test_words_are_counted_through_all_turns_and_written_as_they_stand():
    words = words_of(*TURNS)
    assert words.text(3, 8) == "Four five six?\n\nSeven eight."
    assert words.sentences == [3, 6, 8, 10, 12]
    assert [(turn.speaker, turn.text) for turn in words.by_turns(6, 10)] == [
        ("Ann", "Seven eight."), ("Ben", "Nine ten."),
    ]  # fmt: skip
    assert words.excerpt(0, 3).start is None


def test_times_are_those_of_the_first_and_the_last_word():
    turn = Turn("One two. Three four.")
    said = words_of(turn, segments=(Segment(1.0, 2.0, "One two."), Segment(3.0, 5.0, "Three four."))).excerpt(2, 4)
    assert (said.start, said.end) == (3.0, 5.0)


@pytest.mark.parametrize(
    ("first", "last", "count", "around"),
    [
        (3, 6, 0, (3, 6)),
        (3, 6, 1, (0, 8)),
        (4, 5, 0, (3, 6)),
        (4, 5, 1, (0, 8)),
        (0, 12, 3, (0, 12)),
        (6, 8, 9, (0, 12)),
    ],
)
def test_what_is_around_is_whole_sentences(first, last, count, around):
    assert words_of(*TURNS).around(first, last, count) == around


@pytest.mark.parametrize("text", ["日本語の文です。二つ目の文。", "Ünïcode “quoted” words — here.", "a  b\n\n\n\nc"])
def test_a_name_is_read_again_and_finds_its_words(text):
    words = words_of(Turn(text))
    reference = refer(EPISODE.key, words, 0, len(words.words))
    assert parse_reference(str(reference)) == reference
    assert resolve(reference, words).state == "same"


@pytest.mark.parametrize(
    ("now", "state", "text"),
    [
        (TURNS, "same", "Four five six?"),
        ((Turn("Hello, and welcome.", "Eve"), *TURNS), "moved", "Four five six?"),
        ((Turn("Four five six?"),), "moved", "Four five six?"),
        ((Turn("One two three. Four five, six?"),), "changed", "Four five, six?"),
        ((Turn("One two three. Four, or five, or six? Seven."),), "changed", "Four, or five, or six?"),
        ((Turn("Short now."),), "changed", "Short now."),
    ],
)
def test_an_edit_is_told_from_words_that_stand_elsewhere(now, state, text):
    reference = refer(EPISODE.key, words_of(*TURNS), 3, 6)
    words = words_of(*now)
    place = resolve(reference, words)
    assert (place.state, words.text(place.first, place.last)) == (state, text)


def test_of_the_same_words_in_several_places_the_nearest_counts():
    before = words_of(Turn("Yes we can. No no no. Yes we can."))
    after = words_of(Turn("Yes we can. Oh. No no no. Yes we can."))
    assert resolve(refer(EPISODE.key, before, 6, 9), after).first == 7


@pytest.mark.parametrize(
    "name", ["", "x", "0" * 16, f"{'0' * 16}-1-0-{'0' * 8}", f"{'0' * 16}-1-2-xyz", "../../etc", "é" * 900]
)
def test_what_is_no_name_is_said_to_be_none(name):
    with pytest.raises(PassageNotFoundError):
        parse_reference(name)


def test_a_transcript_without_words_has_no_passages():
    with pytest.raises(PassageNotFoundError):
        resolve(refer(EPISODE.key, words_of(*TURNS), 0, 3), words_of())
