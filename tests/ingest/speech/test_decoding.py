"""A window that looks wrong is transcribed again, in parts or more carefully, and the better result is kept and told."""

from dataclasses import replace

import pytest

from ingest.speech.decoding import Decoder
from ingest.speech.recognizer import Options
from ingest.speech.windows import Span, pack
from tests.fakes import NUMBERED, ForgetfulWhisper

SPEECH = [Span(start, start + 4.5) for start in range(1, 56, 5)]
HOT = Options(likely="en", beam_size=1, hotwords="Laura")


def heard(hears_first, options=HOT, **more):
    whisper = ForgetfulWhisper(hears_first, **more)
    words, figures = Decoder(whisper, NUMBERED).decode(pack(SPEECH), options)
    return words, figures, whisper


def test_what_looks_right_is_transcribed_once():
    words, figures, whisper = heard(lambda words: words)
    assert [options for options, _ in whisper.asked] == [HOT]
    assert len(words) > 100
    assert 0 == figures["redecoded"] == figures["failed"] == figures["left_out"]


def test_words_have_the_times_of_the_whole_sound_although_pauses_are_left_out():
    speech = [Span(2, 6), Span(20, 24), Span(50, 53)]
    windows = pack(speech)
    assert len(windows) == 1
    words, _ = Decoder(ForgetfulWhisper(tuple, long=99), NUMBERED).decode(windows, HOT)
    assert len(words) > 25
    assert all(any(span.start - 0.41 < word.start < span.end + 0.4 for span in speech) for word in words)


@pytest.mark.parametrize(
    "hears_first",
    [
        lambda words: words[: len(words) // 2],
        lambda words: words[len(words) // 3 :],
        lambda words: [*words[:9], *(word for word in words[9:] for _ in range(4))],
    ],
)
def test_what_looks_wrong_is_transcribed_again_in_parts(hears_first):
    whole, _, _ = heard(lambda words: words)
    words, figures, whisper = heard(hears_first)
    assert (figures["failed"], figures["redecoded"]) == (0, 2)
    assert len(words) == pytest.approx(len(whole), rel=0.1)
    assert all(not options.hotwords and not options.careful for options, _ in whisper.asked[1:])


def test_what_parts_do_not_cure_the_careful_way_may():
    words, figures, _ = heard(lambda words: words[:3], long=0.0, careful=lambda words: words)
    assert figures["failed"] == 0
    assert len(words) > 100


@pytest.mark.parametrize("keeps", [5, 9, 14])
def test_where_the_language_is_known_the_careful_way_comes_first_and_parts_only_where_it_fails(keeps):
    known = replace(HOT, language="en")
    _, figures, whisper = heard(lambda words: words[:keeps], known, careful=lambda words: words)
    assert (figures["failed"], figures["redecoded"]) == (0, 2)
    assert [options.careful for options, _ in whisper.asked] == [False, True, True]
    _, figures, whisper = heard(lambda words: words[:keeps], known, careful=lambda words: words[:keeps])
    assert figures["failed"] == 0
    assert [options.careful for options, _ in whisper.asked][1:3] == [True, False]


def test_what_stays_wrong_counts_as_failed_and_costs_a_bounded_number_of_tries():
    words, figures, whisper = heard(lambda _: (), long=0.0)
    assert (figures["windows"], figures["failed"], words) == (2, 2, [])
    assert figures["left_out"] > 0.7 * figures["speech"]
    assert sum(len(lengths) for _, lengths in whisper.asked) <= 2 * (1 + 2 + 4 + 1)


def test_each_word_has_the_language_it_was_taken_for():
    assert {word.language for word in heard(lambda words: words, language="de")[0]} == {"de"}
