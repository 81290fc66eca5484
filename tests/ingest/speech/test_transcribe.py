"""Hours of audio become timed sentences, the same ones however often the run was killed, with honest figures.

What the model writes is held to bounds, never to exact words.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import numpy as np
import pytest

from ingest.audio.decode import RATE, Recording
from ingest.errors import AudioError, TranscriptionError
from ingest.speech.transcribe import Progress, Transcriber, load_progress, save_progress
from ingest.speech.windows import Span, stretches
from ingest.weights.files import model_path
from tests.conftest import MODELS_DIR, SPEECH_MODEL
from tests.flac import write_flac

TESTS = Path(__file__).parents[2]
EPISODE = "pipeline-review"
TRUTH = json.loads((TESTS / "sample" / "times.json").read_text("utf-8"))[EPISODE]


def transcriber(**options):
    return Transcriber(
        SPEECH_MODEL, **{"models_dir": MODELS_DIR, "beam_size": 1, "threads": 1, "stretch": 20.0} | options
    )


@pytest.fixture(scope="session")
def sound():
    with Recording(TESTS / "sample" / "audio" / f"{EPISODE}.mp3") as recording:
        return np.concatenate(list(recording.blocks()))


@pytest.fixture(scope="session")
def clip(sound, tmp_path_factory):
    """Half a minute of the sample podcast."""
    return write_flac(tmp_path_factory.mktemp("clip") / "clip.flac", sound[: 27 * RATE])


@pytest.fixture(scope="session")
def short(sound, tmp_path_factory):
    """Three sentences."""
    return write_flac(tmp_path_factory.mktemp("short") / "short.flac", sound[: 10 * RATE])


@pytest.fixture(scope="session")
def told():
    """What `transcription` told of its progress."""
    return []


@pytest.fixture(scope="session")
def transcription(clip, told):
    return transcriber().transcribe(clip, progress=lambda done, total: told.append((round(done), round(total))))


def word_set(text):
    return {word.strip(".,?!").lower() for word in text.split()}


def test_most_of_what_was_said_is_there_in_sentences(transcription):
    spoken = " ".join(line["text"] for line in TRUTH if line["end"] < 27)
    written = " ".join(segment.text for segment in transcription.segments)
    assert len(word_set(spoken) & word_set(written)) > 0.85 * len(word_set(spoken))
    assert 4 <= len(transcription.segments) <= 14


def test_segments_start_when_their_sentences_do(transcription):
    starts = [segment.start for segment in transcription.segments]
    errors = [min(abs(start - line["start"]) for start in starts) for line in TRUTH if line["end"] < 27]
    assert median(errors) < 0.5


def test_times_are_in_order_and_within_the_audio(transcription):
    segments = transcription.segments
    assert all(0 <= segment.start < segment.end <= transcription.duration for segment in segments)
    assert all(before.end <= after.start for before, after in pairwise(segments))


def test_the_provenance_says_what_made_the_text_and_how_good_it_is(transcription):
    provenance = json.loads(json.dumps(transcription.provenance))
    assert transcription.provenance == provenance
    assert {"model", "en", "cpu", "int8"} <= {value for value in provenance.values() if isinstance(value, str)}
    assert provenance["duration"] == pytest.approx(27, abs=0.01)
    assert len(provenance["audio_sha256"]) == len(provenance["model_sha256"]) == 64
    assert provenance["figures"]["coverage"] > 0.85
    assert provenance["figures"]["words"] == len(transcription.words)
    assert 0 < provenance["figures"]["real_time_factor"] < 10
    assert not provenance["truncated"]


@pytest.fixture(scope="session")
def one_by_one(clip, tmp_path_factory):
    """The clip transcribed window by window in short stretches, and the checkpoint that is left."""
    checkpoint = tmp_path_factory.mktemp("checkpoint") / "c.json"
    return transcriber(stretch=8.0).transcribe(clip, checkpoint=checkpoint), checkpoint


def test_batched_and_one_by_one_hear_nearly_the_same(transcription, one_by_one):
    batched, single = (
        word_set(" ".join(segment.text for segment in found.segments)) for found in (transcription, one_by_one[0])
    )
    assert len(batched & single) > 0.8 * len(batched)


def test_hotwords_and_language_are_taken_and_recorded(short):
    provenance = transcriber().transcribe(short, language="en-US", hotwords=["Laura", "Ben"]).provenance
    assert (provenance["options"]["language"], provenance["options"]["hotwords"]) == ("en", "Laura, Ben")


def test_a_language_that_the_model_does_not_know_is_one_clear_error(short):
    with pytest.raises(TranscriptionError, match="does not know the language 'de'"):
        transcriber().transcribe(short, language="de")


def test_progress_runs_to_the_end(transcription, told):
    assert told == sorted(told)
    assert round(transcription.duration) == told[-1][0] == told[-1][1]
    assert len(told) >= 2


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_silence_and_noise_give_no_words(tmp_path, noise):
    samples = noise * np.random.default_rng(1).standard_normal(40 * RATE).clip(-3, 3)
    found = transcriber().transcribe(write_flac(tmp_path / "a.flac", samples))
    assert found.segments == ()
    assert found.provenance["flag"] == "no speech was found"


def test_a_file_that_was_cut_off_is_transcribed_up_to_the_cut_and_flagged(short, tmp_path):
    raw = short.read_bytes()
    (tmp_path / "cut.flac").write_bytes(raw[: len(raw) // 2])
    found = transcriber().transcribe(tmp_path / "cut.flac")
    assert found.segments
    assert found.provenance["truncated"]
    assert "the audio ends early" in found.provenance["flag"]


CHILD = """
import sys
from pathlib import Path
from tests.ingest.speech.test_transcribe import transcriber
transcriber(stretch=8.0).transcribe(Path(sys.argv[1]), checkpoint=Path(sys.argv[2]))
"""


def seconds_kept(checkpoint):
    """Where the stretch begins with which a killed run would go on."""
    return json.loads(checkpoint.read_text("utf-8"))[2]["samples"] / RATE if checkpoint.exists() else 0.0


def test_a_killed_run_goes_on_and_gives_the_text_of_an_undisturbed_one(sound, tmp_path):
    audio, checkpoint = write_flac(tmp_path / "long.flac", sound[: 24 * RATE]), tmp_path / "work" / "c.json"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(audio), str(checkpoint)], cwd=TESTS.parent)
    until = monotonic() + 120
    while seconds_kept(checkpoint) < 8 and child.poll() is None and monotonic() < until:
        sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert 8 <= seconds_kept(checkpoint) < 22
    told = []
    resuming, fresh = transcriber(stretch=8.0), transcriber(stretch=8.0)
    resumed = resuming.transcribe(audio, checkpoint=checkpoint, progress=lambda done, _: told.append(done))
    undisturbed = fresh.transcribe(audio)
    assert min(told) > 8
    assert undisturbed.segments == resumed.segments
    assert undisturbed.words == resumed.words


def test_a_killed_run_goes_on_in_the_language_it_had_come_to(clip, tmp_path, one_by_one):
    whole, finished = one_by_one
    identity = json.loads(finished.read_text("utf-8"))[1]
    done = load_progress(finished, identity)
    german = tuple(replace(word, language="de") for word in done.words if word.end < 16)
    save_progress(tmp_path / "c.json", identity, replace(done, words=german, samples=16 * RATE))
    made = transcriber(stretch=8.0).transcribe(clip, checkpoint=tmp_path / "c.json")
    assert len(german) < len(made.words) < len(whole.words) + 9
    assert made.language == "de"
    assert list(made.provenance["languages"]) == ["de", "en"]
    assert sum(made.provenance["languages"].values()) == pytest.approx(1, abs=0.001)
    # what another language than the episode's is said in
    assert {one.language for one in made.segments if one.start > 16} == {"en"}


MEASURED = """
import sys
from pathlib import Path
from tests.ingest.speech.test_transcribe import transcriber
found = transcriber(stretch=300.0).transcribe(Path(sys.argv[1]))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, len(found.segments), found.duration)
"""


def measured(audio):
    """Peak megabytes, segments and seconds of transcribing a file in a process of its own."""
    out = subprocess.run([sys.executable, "-c", MEASURED, str(audio)], cwd=TESTS.parent, stdout=-1, check=True).stdout
    return [float(figure) for figure in out.split()]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the peak memory")
def test_three_hours_take_no_more_memory_than_a_few_minutes(sound, tmp_path):
    minutes = np.zeros(180 * RATE, np.float32)
    minutes[: 11 * RATE] = sound[: 11 * RATE]  # an island of speech every three minutes
    few, _, _ = measured(write_flac(tmp_path / "few.flac", minutes, times=3))
    peak, segments, seconds = measured(write_flac(tmp_path / "long.flac", minutes, times=60))
    assert seconds == 3 * 3600
    assert 60 * 2 <= segments <= 60 * 6
    assert peak < few + 200  # the whole of it would be 690
    assert peak < 600


def test_a_cancelled_run_keeps_what_was_done(clip, tmp_path):
    def cancel(done, _):
        if done > 10:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "c.json"
    with pytest.raises(KeyboardInterrupt):
        transcriber().transcribe(clip, checkpoint=checkpoint, progress=cancel)
    assert 10 < seconds_kept(checkpoint) <= 20


def test_a_finished_checkpoint_gives_the_text_at_once_and_one_of_other_options_does_not(short, tmp_path):
    checkpoint, told = tmp_path / "c.json", []

    def run():
        told.clear()
        found = transcriber().transcribe(short, checkpoint=checkpoint, progress=lambda done, _: told.append(done))
        return found.segments, len(told)

    segments, steps = run()
    assert steps > 1
    assert (segments, 1) == run()
    other = checkpoint.read_text("utf-8").replace('"beam_size":1', '"beam_size":3')
    checkpoint.write_text(other, "utf-8")
    assert (segments, steps) == run()


def test_stretches_start_anywhere_and_are_the_same():
    loud = np.random.default_rng(2).standard_normal(95 * RATE).astype(np.float32)
    blocks = [loud[start : start + 70_000] for start in range(0, len(loud), 70_000)]

    def hear(samples):  # a pause every 7 seconds of the sound that is given
        return [Span(start, min(start + 6.5, len(samples) / RATE)) for start in range(0, len(samples) // RATE, 7)]

    whole = [(start, len(samples)) for start, samples, _ in stretches(iter(blocks), hear, 20.0)]
    assert sum(length for _, length in whole) == len(loud)
    for number, (start, _) in enumerate(whole):
        rest = [(start, len(samples)) for start, samples, _ in stretches(iter(blocks), hear, 20.0, done=start)]
        assert whole[number:] == rest


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("small", "soundbite model pull small"),
        ("a/b", "soundbite model pull a/b"),
        ("no-such-size", "no published model"),
        ("/no/such/directory", "is no directory"),
        ("/", r"is no directory with model\.bin, config\.json, tokenizer\.json"),
    ],
)
def test_a_model_that_is_not_here_is_an_error_that_says_what_to_do(tmp_path, name, message):
    with pytest.raises(TranscriptionError, match=message) as error:
        Transcriber(name, models_dir=tmp_path).load()
    assert "\n" not in str(error.value)


def test_a_broken_model_is_a_transcription_error(tmp_path):
    model = model_path(SPEECH_MODEL, MODELS_DIR)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_bytes((model / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((model / "model.bin").read_bytes()[:100_000])
    with pytest.raises(TranscriptionError) as error:
        Transcriber(str(tmp_path), models_dir=tmp_path).load()
    assert "\n" not in str(error.value)


def test_a_device_or_type_that_this_machine_lacks_is_a_transcription_error():
    with pytest.raises(TranscriptionError, match="compute type"):
        transcriber(compute_type="silly").load()


@pytest.mark.parametrize("content", [None, b"<!doctype html>"])
def test_what_is_no_audio_is_an_audio_error(tmp_path, content):
    if content:
        (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(AudioError):
        transcriber().transcribe(tmp_path / "a.mp3", checkpoint=tmp_path / "c.json")
    assert Progress() == load_progress(tmp_path / "c.json", {})
