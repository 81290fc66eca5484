"""A window that looks wrong is transcribed again, in parts or more carefully, and the better result is kept and told."""

import pytest

from ingest.audio.decode import RATE
from ingest.speech.decoding import decode, halves
from ingest.speech.recognizer import Options
from ingest.speech.windows import Span, Window, pack
from tests.fakes import NUMBERED, ForgetfulWhisper

SPEECH = [Span(start, start + 4.5) for start in range(1, 56, 5)]
HOT = Options("en", beam_size=1, hotwords="Laura")


def heard(hears_first, **more):
    whisper = ForgetfulWhisper(hears_first, **more)
    batch = decode(whisper, NUMBERED, pack(SPEECH, 60), SPEECH, HOT)
    return batch.words, batch.figures, whisper, batch.end


def test_what_looks_right_is_transcribed_once():
    words, figures, whisper, end = heard(lambda words: words)
    assert [options for options, _ in whisper.asked] == [HOT]
    assert len(words) == figures["words"] > 100
    assert figures["redecoded"] == []
    assert 0 == figures["failed"] == figures["left_out"]
    assert end / RATE == pytest.approx(55.9)


def test_words_have_the_times_of_the_whole_sound_although_pauses_are_left_out():
    speech = [Span(2, 6), Span(20, 24), Span(50, 53)]
    windows = pack(speech, 60)
    assert len(windows) == 1
    words = decode(ForgetfulWhisper(tuple, long=99), NUMBERED, windows, speech, HOT).words
    assert len(words) > 25
    assert all(any(span.start - 0.41 < word.start < span.end + 0.4 for span in speech) for word in words)


@pytest.mark.parametrize(
    ("hears_first", "problem"),
    [
        (lambda words: words[: len(words) // 2], "speech left out"),
        (lambda words: words[len(words) // 3 :], "speech left out"),
        (lambda words: [*words[:9], *(word for word in words[9:] for _ in range(4))], "loop"),
    ],
)
def test_what_looks_wrong_is_transcribed_again_in_parts(hears_first, problem):
    whole, _, _, _ = heard(lambda words: words)
    words, figures, whisper, _ = heard(hears_first)
    assert figures["failed"] == 0
    assert all(problem in again["problems"] and again["left"] == [] for again in figures["redecoded"])
    assert {"in parts"} == {again["kept"] for again in figures["redecoded"]}
    assert len(words) == pytest.approx(len(whole), rel=0.1)
    assert all(not options.hotwords for options, _ in whisper.asked[1:])


def test_what_parts_do_not_cure_the_careful_way_may():
    words, figures, _, _ = heard(lambda words: words[:3], long=0.0, careful=lambda words: words)
    assert {"careful"} == {again["kept"] for again in figures["redecoded"]}
    assert figures["failed"] == 0
    assert len(words) > 100


def test_what_stays_wrong_counts_as_failed_and_costs_a_bounded_number_of_tries():
    _, figures, whisper, _ = heard(lambda _: (), long=0.0)
    assert (figures["windows"], figures["failed"], figures["words"]) == (3, 3, 0)
    assert figures["redecoded"][0]["left"] == ["speech left out"]
    assert sum(len(lengths) for _, lengths in whisper.asked) <= 3 * (1 + 2 + 4 + 1)


def test_the_languages_are_counted_by_what_was_said():
    assert heard(lambda words: words, language="de")[1]["languages"] == {"de": 30}
    assert {word.language for word in heard(lambda words: words, language="de")[0]} == {"de"}


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [([0.2, 0.9, 0.2], 2), ([0.2, 0.2, 0.2], 2), ([2.0, 0.2, 0.2], 1), ([0.2, 0.2, 3.0], 3)],
)
def test_a_window_is_halved_in_its_longest_pause_or_the_middle(pauses, expected):
    spans, now = [Span(0.0, 3.0)], 3.0
    for pause in pauses:
        spans.append(Span(now + pause, now + pause + 3))
        now += pause + 3
    first, second = halves(Window(tuple(spans)))
    assert (len(first.spans), first.spans + second.spans) == (expected, tuple(spans))


@pytest.mark.parametrize("spans", [(Span(0, 29),), (Span(0, 1.5), Span(2, 3.5))])
def test_a_window_that_is_short_or_has_no_pause_stays_whole(spans):
    assert [Window(spans)] == halves(Window(spans))
