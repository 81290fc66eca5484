"""Which voice says which word, and where the text is cut for it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cli.transcribe import of_file
from ingest.models import Episode
from ingest.speech.attribution import overlap, told_apart, voices_of, with_speakers
from ingest.speech.diarize import VoiceTurn
from ingest.speech.segments import Word
from ingest.speech.speaker_names import shares
from ingest.speech.transcribe import Transcriber, Transcription
from tests.conftest import MODELS_DIR, ROOT, SPEECH_MODEL
from tests.fakes import TwoVoices


def words(text, start=0.0, each=0.4, gap=0.1):
    """The words of a text, one after the other."""
    return [
        Word(start + place * (each + gap), start + place * (each + gap) + each, f" {word}")
        for place, word in enumerate(text.split())
    ]


def turns(*given):
    return [VoiceTurn(*one) for one in given]


def told(said, *given):
    return [(one.speaker, one.text) for one in told_apart(said, turns(*given))]


def test_a_sentence_is_cut_where_another_voice_goes_on_with_it():
    said = words("I would say that this is a very good idea and we should do it now")
    assert [
        ("Speaker 1", "I would say that this"),
        ("Speaker 2", "is a very good idea and we should do it now"),
    ] == told(said, (0, 2.5, "b"), (2.5, 9, "a"))


@pytest.mark.parametrize("edge", [1.1, 1.5, 1.9, 2.4, 2.8])
def test_a_change_near_the_end_of_a_sentence_is_at_its_end(edge):
    said = words("How are you today? Very well and thank you.")  # the question ends at 1.9 s
    assert [("Speaker 1", "How are you today?"), ("Speaker 2", "Very well and thank you.")] == told(
        said, (0, edge, "x"), (edge, 9, "y")
    )


def test_an_interjection_between_two_sentences_stays_where_it_is():
    said = words("That is what I did. Yes. Then I went home again.")
    found = told(said, (0, 2.5, "x"), (2.5, 2.95, "y"), (2.95, 9, "x"))
    assert [
        ("Speaker 1", "That is what I did."),
        ("Speaker 2", "Yes."),
        ("Speaker 1", "Then I went home again."),
    ] == found


@pytest.mark.parametrize(
    ("given_turns", "expected"),
    [
        ([(0, 10, "long"), (0, 1, "short")], "long"),  # both all the time: the one with the longer turn
        ([(0, 0.1, "little"), (0.1, 1, "most")], "most"),
        ([(3, 4, "near"), (20, 30, "far")], "near"),  # in no turn
        ([], ""),
    ],
)
def test_a_word_has_one_voice(given_turns, expected):
    assert [expected] == voices_of([Word(0.0, 0.5, " hm")], turns(*given_turns))


def test_speakers_are_numbered_as_they_are_heard():
    said = words("One two. Three four. Five six.")
    assert ["Speaker 1", "Speaker 2", "Speaker 3"] == [
        speaker for speaker, _ in told(said, (0, 1, "VOICE_7"), (1, 2, "VOICE_0"), (2, 3, "VOICE_3"))
    ]


@pytest.mark.parametrize(
    ("given_turns", "seconds"),
    [
        ([(0, 2, "a"), (2, 4, "b")], 0.0),
        ([(0, 3, "a"), (2, 4, "b")], 1.0),
        ([(0, 9, "a"), (1, 2, "b"), (1, 3, "c")], 2.0),
    ],
)
def test_overlapping_speech_is_counted(given_turns, seconds):
    assert seconds == overlap(turns(*given_turns))


def test_shares_of_time_sum_to_one():
    segments = told_apart(words("One two three four. Five six. Seven eight."), turns((0, 2, "a"), (2, 4, "b")))
    assert {"Speaker 1": 0.5, "Speaker 2": 0.5} == {name: round(share, 1) for name, share in shares(segments).items()}


spans = st.tuples(st.floats(0, 60), st.floats(0.01, 20), st.sampled_from("abc"))


@given(
    st.lists(st.sampled_from(["yes.", "and", "so", "Why?", "Mr.", "no,"]), max_size=40), st.lists(spans, max_size=12)
)
def test_no_word_is_lost_added_or_moved(text, given_turns):
    found = turns(*sorted((start, start + length, voice) for start, length, voice in given_turns))
    assert " ".join(text).split() == " ".join(one.text for one in told_apart(words(" ".join(text)), found)).split()


@given(st.lists(spans, min_size=1, max_size=12), st.floats(0, 80))
def test_the_voice_is_the_one_that_holds_most_of_the_word(given_turns, start):
    found = turns(*sorted((begin, begin + length, voice) for begin, length, voice in given_turns))
    word = Word(start, start + 0.5, " hm")
    best = max(min(one.end, word.end) - max(one.start, word.start) for one in found)
    heard = voices_of([Word(start / 2, start / 2, " a"), word], found)[1]
    assert (
        best in [min(one.end, word.end) - max(one.start, word.start) for one in found if one.voice == heard] or best < 0
    )


def test_progress_says_that_voices_are_told_apart():
    told = []
    made = Transcription((), (Word(0.0, 0.5, " hm"),), "en", 1.0, {})
    with_speakers(TwoVoices(), Path("a.mp3"), made, Episode("q", "g", "Calls"), lambda *one: told.append(one))
    assert told == [(1.0, 2.0, "telling voices apart")]


def context(folder, diarizer):
    """As much of a run's context as one local file needs."""
    transcriber = Transcriber(SPEECH_MODEL, models_dir=MODELS_DIR, beam_size=1, threads=1, stretch=20.0)
    return SimpleNamespace(
        transcriber=transcriber, audio_dir=folder, glossary_dir=folder, language="", diarizer=diarizer
    )


CHILD = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from tests.ingest.speech.test_attribution import EPISODE, context, of_file
def diarize(audio, progress):
    Path(sys.argv[1], "voices").touch()
    time.sleep(600)
of_file(context(Path(sys.argv[1]), SimpleNamespace(name="slow", diarize=diarize)), EPISODE, lambda *_: None)
"""
EPISODE = ROOT / "tests" / "sample" / "audio" / "pipeline-review.mp3"


def test_a_run_killed_while_voices_are_told_apart_keeps_its_transcription(tmp_path, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT)
    until = monotonic() + 240
    while not (tmp_path / "voices").exists() and child.poll() is None and monotonic() < until:
        sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert (tmp_path / "voices").exists()

    resumed = context(tmp_path, TwoVoices(change=20.0))
    monkeypatch.setattr(resumed.transcriber.load(), "transcribe", lambda *_: pytest.fail("it was transcribed again"))
    transcript = of_file(resumed, EPISODE, lambda *_: None)
    assert len(transcript.segments) > 10
    assert len({one.speaker for one in transcript.segments}) == 2
    assert not list(tmp_path.glob("*.checkpoint.json"))
