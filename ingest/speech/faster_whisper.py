"""Wraps faster-whisper: loads models, detects speech and language, decodes windows."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.audio.decode import RATE, Samples
from ingest.errors import TranscriptionError
from ingest.speech.recognizer import DecodedSegment, Options
from ingest.speech.segments import Word
from ingest.speech.weights import fingerprint, located
from ingest.speech.windows import Span

MIN_SILENCE = 160  # milliseconds; faster-whisper's own value for cutting windows
MIN_SPEECH = 100  # milliseconds; less is a click
WORD_ROUNDING = 0.01  # seconds by which a rounded word may start before its window


def devices() -> int:
    """How many GPUs the speech library can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


class Whisper:
    """A `Recognizer` with faster-whisper; `window` is the model's own `chunk_length`."""

    def __init__(
        self, name: str, models_dir: Path, device: str = "auto", compute_type: str = "", threads: int = 0
    ) -> None:
        """Load the model. Raises `TranscriptionError`."""
        path = located(name, models_dir)
        from faster_whisper import WhisperModel

        self.name = name
        with _plain_errors(name):
            self.device = device if device != "auto" else "cuda" if devices() else "cpu"
            self.compute_type = compute_type or ("float16" if self.device == "cuda" else "int8")
            self._model: Any = WhisperModel(
                str(path),
                device=self.device,
                compute_type=self.compute_type,
                cpu_threads=threads,
                local_files_only=True,
            )
        self.window = float(self._model.feature_extractor.chunk_length)
        self.fingerprint = fingerprint(path)

    def speech(self, samples: Samples) -> list[Span]:
        """See `Recognizer`; by Silero's voice activity detection."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(min_speech_duration_ms=MIN_SPEECH, min_silence_duration_ms=MIN_SILENCE, speech_pad_ms=0)
        found = get_speech_timestamps(samples, options)
        return [Span(span["start"] / RATE, span["end"] / RATE) for span in found]

    def known_language(self, wanted: str) -> str:
        """See `Recognizer`."""
        code = re.split("[-_]", wanted.strip().lower())[0]
        known = self._model.supported_languages
        if code and code not in known:
            todo = "choose another model" if len(known) == 1 else "use a code such as en or de"
            raise TranscriptionError(self.name, f"does not know the language {wanted!r}; {todo}")
        return code

    def language(self, samples: Samples) -> tuple[str, float]:
        """See `Recognizer`."""
        if not self._model.model.is_multilingual:
            return "en", 1.0
        with _plain_errors(self.name):
            language, probability, _ = self._model.detect_language(audio=samples, language_detection_segments=4)
        return str(language), float(probability)

    def decode(self, samples: Samples, windows: Sequence[Span], options: Options) -> list[list[DecodedSegment]]:
        """See `Recognizer`."""
        with _plain_errors(self.name):
            if options.batch_size > 1:
                return self._batched(samples, windows, options)
            return [self._sequential(samples, window, options) for window in windows]

    def _sequential(self, samples: Samples, window: Span, options: Options) -> list[DecodedSegment]:
        piece = samples[int(window.start * RATE) : int(window.end * RATE)]
        segments, _ = self._model.transcribe(piece, vad_filter=False, **_arguments(options))
        return [_decoded(segment, window.start) for segment in segments]

    def _batched(self, samples: Samples, windows: Sequence[Span], options: Options) -> list[list[DecodedSegment]]:
        from faster_whisper import BatchedInferencePipeline

        clips = [{"start": window.start, "end": window.end} for window in windows]
        segments, _ = BatchedInferencePipeline(self._model).transcribe(
            samples, clip_timestamps=clips, batch_size=options.batch_size, **_arguments(options)
        )
        by_window: list[list[DecodedSegment]] = [[] for _ in windows]
        for segment in segments:
            decoded = _decoded(segment, 0.0)
            start = decoded.words[0].start if decoded.words else segment.start
            by_window[_window_at(windows, start + WORD_ROUNDING)].append(decoded)
        return by_window


def _window_at(windows: Sequence[Span], moment: float) -> int:
    """The number of the window that holds a moment, else of the nearest one: the pipeline does not tell the window."""
    return min(range(len(windows)), key=lambda i: max(windows[i].start - moment, moment - windows[i].end))


def _arguments(options: Options) -> dict[str, Any]:
    return {
        "language": options.language,
        "beam_size": options.beam_size,
        "temperature": 0.0,
        "condition_on_previous_text": False,
        "without_timestamps": False,
        "word_timestamps": True,
        "hotwords": options.hotwords or None,
        "repetition_penalty": options.repetition_penalty,
        "no_repeat_ngram_size": options.no_repeat_ngram_size,
    }


def _decoded(segment: Any, offset: float) -> DecodedSegment:
    words = [
        Word(round(offset + word.start, 2), round(offset + word.end, 2), word.word, float(word.probability))
        for word in segment.words or ()
    ]
    if not words and segment.text.strip():  # a model without alignment heads gives no word times
        words = [Word(round(offset + segment.start, 2), round(offset + segment.end, 2), segment.text)]
    return DecodedSegment(tuple(words), float(segment.avg_logprob), len(segment.tokens), float(segment.no_speech_prob))


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Turn the library's errors into a `TranscriptionError` that says what to do."""
    try:
        yield
    except (RuntimeError, ValueError, MemoryError) as error:
        what = _first_line(error)
        short = "memory" in what.lower()
        todo = "choose a smaller model or batch" if short else "check the model, device and compute type"
        raise TranscriptionError(name, f"the speech model failed ({what}); {todo}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
