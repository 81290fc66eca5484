"""One model call for several pieces of sound, each in its own language; where memory runs out, less at once."""

import numpy as np
import pytest

from ingest.audio.decode import RATE, Recording
from ingest.errors import TranscriptionError
from ingest.speech.faster_whisper import Whisper, find_speech
from ingest.speech.recognizer import Options
from ingest.speech.windows import PADDING
from tests.conftest import MODELS_DIR, SPEECH_MODEL
from tests.sample.host import HERE
from tests.speech.scores import word_errors

SAID = ["Hello and welcome to the Quota Room.", "I'm your host Laura, and today my guest is Ben."]
GPU_ERROR = "CUDA failed with error out of memory"  # CTranslate2's own words


@pytest.fixture(scope="module")
def sound():
    with Recording(HERE / "audio" / "pipeline-review.mp3") as recording:
        return next(recording.blocks())[: 6 * RATE]


@pytest.fixture(scope="module")
def whisper():
    return Whisper(SPEECH_MODEL, MODELS_DIR, "cpu", threads=1)


def text(found):
    return "".join(word.text for word in found.words).strip()


@pytest.mark.parametrize("careful", [False, True])
def test_each_piece_of_sound_has_its_own_words_with_times_from_its_start(whisper, sound, careful):
    pieces = [sound[: int(2.7 * RATE)], sound[int(2.7 * RATE) :]]
    found = whisper.transcribe(pieces, Options(careful=careful))
    assert all(word_errors(said, text(one)).wrong <= 1 for said, one in zip(SAID, found, strict=True))
    for one, length in zip(found, (2.7, 3.3), strict=True):
        assert all(0 <= word.start <= word.end <= length for word in one.words)
        assert one.words[0].start < 0.7
        assert one.language == "en"
        assert -0.5 < one.log_prob < 0
        assert one.no_speech < 0.5


def test_speech_is_found_to_a_third_of_a_second(sound):
    spans = find_speech(np.concatenate([np.zeros(5 * RATE, np.float32), sound]))
    assert spans[0].start == pytest.approx(5.6 - PADDING, abs=0.3)
    assert spans[-1].end == pytest.approx(5 + 5.4 + PADDING, abs=0.3)
    assert find_speech(np.zeros(5 * RATE, np.float32)) == []


class Short:
    """A loaded model whose device holds at most `room` windows at once; the rest is the real one."""

    def __init__(self, model, room, error=GPU_ERROR):
        self.real, self.room, self.error = model, room, error

    def __getattr__(self, name):
        return getattr(self.real, name)

    def encode(self, features):
        if features.shape[0] > self.room:
            raise RuntimeError(self.error)
        return self.real.encode(features)


@pytest.fixture(scope="module")
def pieces(sound):
    return [sound[: int(2.7 * RATE)], sound[int(2.7 * RATE) :]] * 2


@pytest.fixture(scope="module")
def usual(whisper, pieces):
    """What is said in the pieces by a machine that has memory enough."""
    return [text(one) for one in whisper.transcribe(pieces, Options(beam_size=1))]


@pytest.mark.parametrize("error", [GPU_ERROR, "cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED", "std::bad_alloc"])
def test_where_memory_runs_out_fewer_windows_are_transcribed_at_once_with_the_same_words(whisper, pieces, usual, error):
    short = Whisper(SPEECH_MODEL, MODELS_DIR, "cpu", threads=1)
    short._model = Short(whisper._model, 1, error)
    assert usual == [text(one) for one in short.transcribe(pieces, Options(beam_size=1))]
    assert ["2 windows at once", "1 windows at once"] == [change.partition(",")[0] for change in short.changes]
    assert all("memory ran out on cpu" in change for change in short.changes)


def test_where_one_window_is_too_much_for_the_gpu_the_cpu_goes_on(whisper, sound):
    short = Whisper(SPEECH_MODEL, MODELS_DIR, "cpu", threads=1)
    short._model, short._device = Short(whisper._model, 0), "cuda"
    assert word_errors(" ".join(SAID), text(short.transcribe([sound], Options())[0])).wrong <= 1
    assert short.changes == ["cpu, since the memory of the GPU ran out"]


@pytest.mark.parametrize(("room", "error"), [(0, GPU_ERROR), (0, "no such layer")])
def test_what_less_memory_does_not_cure_is_one_clear_error(whisper, sound, room, error):
    short = Whisper(SPEECH_MODEL, MODELS_DIR, "cpu", threads=1)
    short._model = Short(whisper._model, room, error)
    with pytest.raises(TranscriptionError, match=error) as raised:
        short.transcribe([sound], Options())
    assert "\n" not in str(raised.value)


class Multilingual:
    """The English model as one that knows more languages, and hears in each call what it is told to."""

    def __init__(self, model, heard):
        self.real, self.heard, self.is_multilingual = model, heard, True

    def __getattr__(self, name):
        return getattr(self.real, name)

    def detect_language(self, encoded):
        own, self.heard = self.heard[: encoded.shape[0]], self.heard[encoded.shape[0] :]
        return [[(f"<|{language}|>", probability)] for language, probability in own]


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([("de", 0.9), ("en", 0.99), ("de", 0.97)], ["de", "en"]),
        ([("de", 0.5), ("en", 0.99)], ["en", "en"]),  # not sure: what the episode is in
        ([("en", 0.6), ("en", 0.99)], ["en", "en"]),
    ],
)
def test_a_piece_that_is_surely_in_another_language_is_transcribed_as_that(
    whisper, monkeypatch, heard, expected, sound
):
    asked = []
    real = whisper._model.get_prompt

    def get_prompt(tokenizer, *arguments, **options):
        asked.append(tokenizer.language_code)
        tokenizer.language = None
        return real(tokenizer, *arguments, **options)

    monkeypatch.setattr(whisper._model, "get_prompt", get_prompt)
    monkeypatch.setattr(whisper._model, "model", Multilingual(whisper._model.model, heard))
    found = whisper.transcribe([sound[: 3 * RATE], sound[3 * RATE :]], Options(likely="en", beam_size=1))
    assert expected == [one.language for one in found]
