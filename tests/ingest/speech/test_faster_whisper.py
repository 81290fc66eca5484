"""Segments find their windows."""

from types import SimpleNamespace

import numpy as np

from ingest.speech.faster_whisper import Whisper
from ingest.speech.recognizer import Options
from ingest.speech.windows import Span


class OtherPipeline:
    """A batched pipeline that names windows in its own way, and gives segments in its own order."""

    def __init__(self, _model):
        pass

    def transcribe(self, _samples, *, clip_timestamps, **_options):
        figures = {"start": 0.0, "end": 99.0, "tokens": [1], "avg_logprob": -0.2, "no_speech_prob": 0.0}
        segments = [
            SimpleNamespace(**figures, seek=-1 - number, text=f" w{number}", words=[
                SimpleNamespace(start=start, end=start + 0.9, word=f" w{number}", probability=1.0)])
            for number, clip in enumerate(clip_timestamps)
            for start in (round(clip["start"], 2), clip["end"] - 0.3)
        ]  # fmt: skip
        return reversed(segments), None


def test_a_segment_belongs_to_the_window_of_its_words_however_the_pipeline_names_windows(monkeypatch):
    monkeypatch.setattr("faster_whisper.BatchedInferencePipeline", OtherPipeline)
    whisper = Whisper.__new__(Whisper)  # not loaded: only the pipeline is asked
    whisper.name, whisper._model = "stand-in", None
    windows = [Span(0.0, 4.0043), Span(4.0043, 9.0), Span(30.0, 31.5)]
    found = whisper.decode(np.zeros(0, np.float32), windows, Options(batch_size=8))
    assert [{word.text for part in parts for word in part.words} for parts in found] == [{" w0"}, {" w1"}, {" w2"}]
    assert [len(parts) for parts in found] == [2, 2, 2]
