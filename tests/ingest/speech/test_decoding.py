"""A window that looks wrong is decoded again, more carefully, and the better result is kept and recorded."""

from dataclasses import replace

import numpy as np
import pytest

from ingest.audio.decode import RATE
from ingest.speech.decoding import decode, retry_strategies, within
from ingest.speech.recognizer import Options
from ingest.speech.windows import Span
from tests.fakes import ForgetfulWhisper

SOUND = np.zeros(60 * RATE, np.float32)
SPEECH = [Span(start, start + 4.5) for start in range(1, 56, 5)]
HOT = Options("en", beam_size=1, batch_size=4, hotwords="Laura")


def heard(hears_first, **more):
    whisper = ForgetfulWhisper(hears_first, **more)
    (batch,) = decode(whisper, SOUND, SPEECH, HOT)
    return batch.words, batch.figures, whisper, batch.end


def test_what_looks_right_is_decoded_once():
    words, figures, whisper, end = heard(lambda words: words)
    assert [options for options, _ in whisper.asked] == [HOT]
    assert len(words) == figures["words"] > 100
    assert figures["redecoded"] == []
    assert 0 == figures["failed"] == figures["left_out"]
    assert end / RATE == pytest.approx(55.7)


@pytest.mark.parametrize(
    ("hears_first", "problem"),
    [(lambda words: words[: len(words) // 2], "speech left out"), (lambda words: (*words[:6], *words), "echo")],
)
def test_what_looks_wrong_is_decoded_again_in_shorter_windows(hears_first, problem):
    whole, _, _, _ = heard(lambda words: words)
    words, figures, whisper, _ = heard(hears_first)
    assert figures["failed"] == 0
    assert all(problem in again["problems"] and again["left"] == [] for again in figures["redecoded"])
    assert {"shorter windows"} == {again["kept"] for again in figures["redecoded"]}
    assert len(words) == pytest.approx(len(whole), rel=0.1)
    careful = [(options, windows) for options, windows in whisper.asked if options.batch_size == 1]
    assert careful
    assert all(not options.hotwords and options.beam_size == 5 for options, _ in careful)
    assert all(window.length <= 12 for _, windows in careful for window in windows)


def test_a_window_in_another_language_is_decoded_as_that():
    _, figures, _, _ = heard(lambda _: (), own_language=("de", 0.95))
    assert {"as de"} == {again["kept"] for again in figures["redecoded"]}


@pytest.mark.parametrize(
    ("log_prob", "own", "expected"),
    [(-0.6, ("de", 0.95), {"another language"}), (-0.6, ("en", 1.0), set()), (-0.3, ("de", 0.95), set())],
)
def test_a_fluent_window_in_another_language_is_noticed_where_the_words_are_doubtful(log_prob, own, expected):
    _, figures, _, _ = heard(lambda words: words, own_language=own, log_prob=log_prob)
    assert expected == {problem for again in figures["redecoded"] for problem in again["problems"]}
    assert {"as de"} >= {again["kept"] for again in figures["redecoded"]}
    assert figures["failed"] == 0


def test_a_window_whose_language_is_not_sure_keeps_the_episodes():
    _, _, whisper, _ = heard(lambda _: (), own_language=("de", 0.5))
    assert {"en"} == {options.language for options, _ in whisper.asked}


def test_a_loop_is_met_with_a_ban_on_repeats_at_last():
    assert [name for name, _ in retry_strategies(HOT, ["speech left out"], "en")] == ["shorter windows"]
    assert [name for name, _ in retry_strategies(HOT, ["loop"], "de")] == ["as de", "shorter windows", "no repeats"]
    assert retry_strategies(HOT, ["loop"], "en")[-1][1].no_repeat_ngram_size == 5


def test_what_stays_wrong_counts_as_failed():
    _, figures, _, _ = heard(lambda _: (), long=0.0)
    assert (figures["windows"], figures["failed"], figures["words"]) == (2, 2, 0)
    assert figures["redecoded"][0]["left"] == ["speech left out"]


def test_what_was_done_before_is_left_out_and_the_rest_is_the_same():
    one_by_one = replace(HOT, batch_size=1)
    whole = list(decode(ForgetfulWhisper(tuple), SOUND, SPEECH, one_by_one))
    assert len(whole) == 2
    (rest,) = decode(ForgetfulWhisper(tuple), SOUND, SPEECH, one_by_one, round(whole[0].end / RATE, 4))
    assert (whole[1].end, whole[1].words) == (rest.end, rest.words)


def test_no_speech_asks_nothing_of_the_model():
    whisper = ForgetfulWhisper(tuple)
    assert list(decode(whisper, SOUND, [], HOT)) == []
    assert whisper.asked == []


def test_speech_is_clipped_to_its_window():
    assert [Span(2, 3), Span(4, 5)] == within([Span(0, 1), Span(1, 3), Span(4, 9)], Span(2, 5))
