"""What a model left out, repeated or invented is noticed, and bad figures become a reason in plain words."""

import pytest

from ingest.speech.quality import check, echoes, is_silence, loops, missing, silent_words, verdict
from ingest.speech.segments import Word
from ingest.speech.windows import Span

GOOD = {
    "speech": 600.0,
    "coverage": 0.97,
    "windows": 30,
    "failed": 1,
    "damaged": 2,
    "words": 1500,
    "mean_log_prob": -0.3,
}


def words(text, start=0.0, each=0.3, gap=0.1):
    made = []
    for token in text.split():
        made.append(Word(start, start + each, f" {token}"))
        start += each + gap
    return made


def test_words_that_cover_the_speech_leave_nothing_out():
    assert missing([Span(0, 4)], words("we sell more every year than they do now", each=0.35)) == []


def test_speech_before_between_and_after_words_is_left_out():
    spans = missing([Span(0, 20)], [*words("we sell", start=5), *words("they buy", start=10)])
    assert [(round(span.start, 1), round(span.end, 1)) for span in spans] == [(0, 4.7), (6.0, 9.7), (11.0, 20)]


def test_pauses_and_breaths_are_not_left_out():
    assert missing([Span(0, 1), Span(9, 10)], [Word(0, 1, " hello"), Word(9.2, 10, " again")]) == []


def test_a_word_stretched_over_what_was_dropped_hides_nothing():
    assert sum(span.length for span in missing([Span(0, 10)], [Word(0, 10, " hello")])) > 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no no no", False),
        ("no no no no", True),
        ("thank you very much " * 4, True),
        ("Thank you. Thank you. Thank you.", False),
        ("we asked ten buyers what they need and eight of them said that the price did not matter at all", False),
        ("and so on and on " * 20, True),
        ("", False),
    ],
)
def test_loops_are_told_from_emphasis(text, expected):
    assert expected == loops(text)


def test_a_long_phrase_said_twice_is_an_echo():
    assert echoes("Good morning everyone, and welcome to the room. Booker. Good morning everyone and welcome to it.")
    assert not echoes("at the end of the day we sell, and at the end of the week we count")


def test_words_where_nobody_speaks_are_counted():
    speech = [Span(0, 2), Span(10, 12)]
    assert silent_words(speech, [*words("we sell more"), *words("thanks for watching", start=5)]) == 3
    assert silent_words([], words("one two")) == 2


@pytest.mark.parametrize(
    ("speech", "said", "log_prob", "expected"),
    [
        ([Span(0, 3)], words("we sell more every year now"), -0.2, ()),
        ([Span(0, 9)], words("we sell more every year now"), -0.2, ("speech left out",)),
        ([Span(0, 3)], words("no no no no no", each=0.5), -0.2, ("loop",)),
        ([Span(0, 3)], words("we sell more every year now"), -1.2, ("unsure",)),
        ([Span(0, 1)], [*words("we sell"), *words("thanks for watching", start=5)], -0.2, ("words in silence",)),
        ([Span(0, 3)], [], 0.0, ("speech left out",)),
        ([], [], 0.0, ()),
    ],
)
def test_a_window_is_judged_by_what_is_wrong_with_it(speech, said, log_prob, expected):
    assert expected == check(speech, said, log_prob).problems


def test_the_better_of_two_attempts_has_fewer_problems_then_less_left_out_then_more_certainty():
    speech = [Span(0, 3)]
    said = words("we sell more every year now")
    sure, unsure, short = check(speech, said, -0.2), check(speech, said, -0.5), check(speech, said[:4], -0.1)
    looping = check(speech, words("no no no no no no no no"), -0.1)
    assert [sure, unsure, short, looping] == sorted([looping, short, unsure, sure], key=lambda found: found.rank)


def test_the_models_own_doubt_silences_a_window_only_together_with_unsure_words():
    assert [is_silence(0.9, -1.5), is_silence(0.9, -0.3), is_silence(0.1, -1.5)] == [True, False, False]


def test_good_figures_raise_no_flag():
    assert not verdict(GOOD)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"truncated": True}, "the audio ends early"),
        ({"damaged": 300}, "300 parts of the audio are damaged"),
        ({"speech": 0.0}, "no speech was found"),
        ({"coverage": 0.71}, "only 71% of the speech became words"),
        ({"failed": 6}, "6 of 30 windows look wrong"),
        ({"mean_log_prob": -0.95}, "the model was unsure of most words"),
        ({"truncated": True, "coverage": 0.5}, "the audio ends early; only 50% of the speech became words"),
    ],
)
def test_bad_figures_say_why(figures, reason):
    assert reason == verdict(GOOD | figures)
