"""What the small speech model can do, as bounds on committed recordings; tests/speech/README.md has the full table.

The bounds are on synthetic speech, which is all the model is good for. No test asks for an exact text. Minutes of sound
take long: five of them, and the sample podcast in every way, are heard with `--runslow`; tests/test_main_job.py holds
what our own path makes of the podcast to its bound in every run.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import WhisperModel, decode_audio
from faster_whisper.transcribe import Segment

from tests.speech.evaluate import STEADY, Recording, compressed, sample_episodes, ways
from tests.speech.scores import Word, middle, nearest_starts, time_errors, total, word_errors

SPEECH = Path(__file__).parent / "speech"
MODEL, FIXTURES, SAMPLE = SPEECH / "model", SPEECH / "fixtures", Path(__file__).parent / "sample"
NOTES = json.loads((FIXTURES / "recordings.json").read_text(encoding="utf-8"))
MEGABYTE = 1_000_000
RATE = 16_000  # Hz, what Whisper hears
WAYS = ("sequential", "batched", "batched, timestamps")
GAP = 0.6  # seconds between the recordings of the long one


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    return WhisperModel(str(MODEL), device="cpu", compute_type="int8", cpu_threads=1)


@pytest.fixture(scope="module")
def heard(model: WhisperModel) -> dict[str, list[Segment]]:
    """The segments of every recording, each transcribed once."""
    return {n: transcribed(model, str(FIXTURES / n), "batched, timestamps") for n in NOTES}


def transcribed(model: WhisperModel, sound: str | np.ndarray, way: str) -> list[Segment]:
    """The segments with their words; `way` is one of those the model card has figures for."""
    return list(ways(model)[way](sound)[0])


def text(segments: list[Segment]) -> str:
    return " ".join(s.text for s in segments)


def rate(heard: dict[str, list[Segment]], kind: str) -> float:
    """Word error rate in percent over the recordings whose name begins with `kind`."""
    return total(word_errors(NOTES[n]["text"], text(heard[n])) for n in NOTES if n.startswith(kind)).rate


def five_minutes() -> tuple[str, np.ndarray]:
    """All recordings one after the other, then again in another order."""
    names = [*NOTES, *sorted(NOTES, reverse=True)]
    silence = np.zeros(round(GAP * RATE), np.float32)
    parts = [part for n in names for part in (decode_audio(str(FIXTURES / n)), silence)]
    return " ".join(NOTES[n]["text"] for n in names), np.concatenate(parts)


def test_the_model_is_no_larger_than_five_megabytes():
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 5 * MEGABYTE


def test_known_voices_are_heard(heard: dict[str, list[Segment]]):
    assert (
        rate(heard, "known") <= 8
    )  # of 86 words 6 are wrong; tests/test_fresh_speech.py holds a thousand to the wanted 5


def test_mp3_at_64_kilobits_is_heard(heard: dict[str, list[Segment]]):
    assert rate(heard, "mp3") <= 8


def test_free_english_is_heard(heard: dict[str, list[Segment]]):
    assert rate(heard, "free") <= 12


def test_an_unseen_speed_is_heard(heard: dict[str, list[Segment]]):
    assert rate(heard, "speed") <= 15


def test_an_unseen_voice_is_heard(heard: dict[str, list[Segment]]):
    assert rate(heard, "voice") <= 15


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_five_minutes_are_heard_to_the_end(model: WhisperModel, way: str):
    said, sound = five_minutes()
    assert len(sound) / RATE >= 290
    assert word_errors(said, text(transcribed(model, sound, way))).rate <= 10


@pytest.mark.slow
@pytest.mark.parametrize("altered", [lambda recording: recording, compressed], ids=["committed", "mp3"])
@pytest.mark.parametrize("way", WAYS)
def test_the_sample_podcast_is_heard(model: WhisperModel, way: str, altered: Callable[[Recording], Recording]):
    recordings = [altered(recording) for _, recording in sample_episodes()]
    results = [word_errors(r.text, text(transcribed(model, r.samples, way))) for r in recordings]
    assert total(results).rate <= 5


def test_segments_start_where_sentences_do(heard: dict[str, list[Segment]]):
    off = [x for n in NOTES for x in nearest_starts(NOTES[n]["starts"], [s.start for s in heard[n]])]
    assert middle(off) <= 0.3


def test_words_are_timed(heard: dict[str, list[Segment]]):
    pairs = [
        ([Word(*w) for w in NOTES[n]["words"]], [Word(w.word, w.start, w.end) for s in heard[n] for w in s.words])
        for n in NOTES
    ]
    off = [x for spoken, words in pairs for x in time_errors(spoken, words)]
    assert middle(off) <= 0.1
    assert len(off) >= 0.7 * sum(len(spoken) for spoken, _ in pairs)


@pytest.mark.parametrize("voice_activity", [False, True])
@pytest.mark.parametrize("sound", ["silence", "noise", "tone"])
def test_what_is_no_speech_gives_no_segments(model: WhisperModel, sound: str, voice_activity: bool):
    samples = {
        "silence": np.zeros(12 * RATE, np.float32),
        "noise": (np.random.default_rng(0).standard_normal(12 * RATE) * 0.02).astype(np.float32),
        "tone": (0.2 * np.sin(np.arange(12 * RATE) * 0.17)).astype(np.float32),
    }
    assert not list(model.transcribe(samples[sound], vad_filter=voice_activity, **STEADY)[0])
