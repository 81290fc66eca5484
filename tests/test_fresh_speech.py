"""The small speech model on sentences synthesised while the test runs; needs espeak-ng, which CI installs."""

import ctypes.util

import pytest
from faster_whisper import WhisperModel

from tests.speech.evaluate import STEADY, compressed, singles, unseen
from tests.speech.scores import total, word_errors
from tests.test_speech_model import MODEL, text

pytestmark = pytest.mark.skipif(not ctypes.util.find_library("espeak-ng"), reason="espeak-ng is not installed")
FEW, MANY = 12, 120  # sentences: in a few, one wrong word is a whole percent


@pytest.mark.parametrize(
    ("count", "altered", "wanted"),
    [
        pytest.param(FEW, lambda speech: speech, 15, id="few"),
        pytest.param(MANY, lambda speech: speech, 5, id="many", marks=pytest.mark.slow),
        pytest.param(MANY, compressed, 8, id="many, mp3", marks=pytest.mark.slow),
    ],
)
def test_sentences_nobody_has_heard_before_are_written_with_few_wrong_words(count, altered, wanted):
    model = WhisperModel(str(MODEL), device="cpu", compute_type="int8", cpu_threads=1)
    errors = []
    for recording in map(altered, singles(unseen(count, 1))):
        segments, _ = model.transcribe(recording.samples, **STEADY)
        errors.append(word_errors(recording.text, text(list(segments))))

    assert total(errors).rate <= wanted
