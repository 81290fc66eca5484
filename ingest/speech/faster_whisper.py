"""Wraps faster-whisper: loads models, finds speech, turns it into words."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ingest.audio.decode import RATE, Samples
from ingest.errors import TranscriptionError, first_line
from ingest.speech.recognizer import Options, Recognized
from ingest.speech.segments import Word
from ingest.speech.windows import WINDOW, Span
from ingest.weights.files import fingerprint, located

logger = logging.getLogger(__name__)

BATCH = {"cpu": 4, "cuda": 8}  # windows at once
SURE = 0.8  # probability from which a window's own language counts more than the episode's
_OUT_OF_MEMORY = re.compile("out of memory|ALLOC_FAILED|bad_alloc|Unable to allocate", re.IGNORECASE)


def devices() -> int:
    """How many GPUs the speech library can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


class Whisper:
    """A `Recognizer` with faster-whisper."""

    def __init__(
        self, name: str, models_dir: Path, device: str = "auto", compute_type: str = "", threads: int = 0
    ) -> None:
        """Load the model. Raises `TranscriptionError`."""
        self.name = name
        self.changes: list[str] = []
        self._path = located(name, models_dir)
        self._threads = threads
        with _plain_errors(name):
            self._load(device if device != "auto" else "cuda" if devices() else "cpu", compute_type)
        self.batch_size = self._at_once = BATCH[self._device]

    def _load(self, device: str, compute_type: str = "") -> None:
        from faster_whisper import WhisperModel

        kind = compute_type or ("float16" if device == "cuda" else "int8")
        self._model: Any = WhisperModel(
            str(self._path), device=device, compute_type=kind, cpu_threads=self._threads, local_files_only=True
        )
        self._device = device
        self.facts = {"model_sha256": fingerprint(self._path), "device": device, "compute_type": kind}

    def known_language(self, wanted: str) -> str:
        """See `Recognizer`; a model that knows one language knows it without being told."""
        code = re.split("[-_]", wanted.strip().lower())[0]
        known = self._model.supported_languages
        if code and code not in known:
            todo = "choose another model" if len(known) == 1 else "use a code such as en or de"
            raise TranscriptionError(self.name, f"does not know the language {wanted!r}; {todo}")
        return known[0] if len(known) == 1 else code

    def transcribe(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """See `Recognizer`; where memory runs out, fewer pieces at once, and then the CPU."""
        while True:
            try:
                with _plain_errors(self.name):
                    if options.careful:
                        return [self._careful(sound, options) for sound in sounds]
                    return self._batched(sounds, options)
            except TranscriptionError as error:
                if not _OUT_OF_MEMORY.search(str(error.__cause__)):
                    raise
                self._reduce(min(self._at_once, len(sounds)), error)

    def _reduce(self, pieces: int, error: TranscriptionError) -> None:
        """Ask for less memory than `pieces` at once took; raises the error where there is nothing left to reduce."""
        if pieces > 1:
            self._at_once = pieces // 2
            self.changes.append(f"{self._at_once} windows at once, since memory ran out on {self._device}")
        elif self._device != "cpu":
            with _plain_errors(self.name):
                self._load("cpu")
            self.changes.append("cpu, since the memory of the GPU ran out")
        else:
            raise error
        logger.warning("%s: goes on with %s", self.name, self.changes[-1])

    def _batched(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """All at once, without timestamp tokens: they cost words, and the times come from the words' alignment."""
        pipeline, heard = _pipeline(self._model)
        ends = list(accumulate((len(sound) / RATE for sound in sounds), initial=0.0))
        segments, info = pipeline.transcribe(
            np.concatenate(sounds),
            language=options.language or options.likely or None,
            clip_timestamps=[{"start": start, "end": end} for start, end in pairwise(ends)],
            batch_size=self._at_once,
            beam_size=options.beam_size,
            hotwords=options.hotwords or None,
            word_timestamps=True,
        )
        found = [_recognized([segment], info.language, start) for segment, start in zip(segments, ends, strict=False)]
        for number, ((token, probability), *_) in enumerate([] if options.language else heard):
            own = token[2:-2]
            if own != info.language and probability >= SURE:  # the first guess was wrong here
                (found[number],) = self._batched([sounds[number]], replace(options, language=own))
        return found

    def _careful(self, sound: Samples, options: Options) -> Recognized:
        """The library's sequential way: timestamp tokens, and higher temperatures where the words look wrong."""
        import ctranslate2

        ctranslate2.set_random_seed(1)  # the same sound gives the same words
        segments, info = self._model.transcribe(
            sound,
            language=options.language or options.likely or None,
            beam_size=options.beam_size,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        return _recognized(list(segments), info.language, 0.0)


def _pipeline(model: Any) -> tuple[Any, list[Any]]:
    """The library's batched pipeline, and a list that gets the languages heard in each piece, the likeliest first."""
    from faster_whisper import BatchedInferencePipeline

    pipeline, heard = BatchedInferencePipeline(model), list[Any]()
    generate = pipeline.generate_segment_batched

    def generate_and_hear(features: Any, tokenizer: Any, options: Any) -> Any:
        # From what the encoder has made already: asking the library for languages costs a third of transcribing
        encoded, output = generate(features, tokenizer, options)
        heard.extend(model.model.detect_language(encoded) if model.model.is_multilingual else ())
        return encoded, output

    pipeline.generate_segment_batched = generate_and_hear
    return pipeline, heard


def _recognized(segments: Sequence[Any], language: str, start: float) -> Recognized:
    """What the library says of one piece of sound that starts at `start`."""
    words = [
        Word(max(0.0, float(word.start) - start), max(0.0, float(word.end) - start), word.word, float(word.probability))
        for segment in segments
        for word in segment.words or ()
    ]
    tokens = sum(len(segment.tokens) for segment in segments)
    log_prob = sum(segment.avg_logprob * len(segment.tokens) for segment in segments) / max(tokens, 1)
    no_speech = min((float(segment.no_speech_prob) for segment in segments), default=0.0)
    return Recognized(tuple(words), language, log_prob, tokens, no_speech)


def find_speech(samples: Samples) -> list[Span]:
    """Where somebody speaks, with .4 s around it, by Silero's voice activity detection; spans are at most `WINDOW`."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=160, max_speech_duration_s=WINDOW)
    return [Span(found["start"] / RATE, found["end"] / RATE) for found in get_speech_timestamps(samples, options)]


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Turn the library's errors into a `TranscriptionError` that says what to do."""
    try:
        yield
    except (RuntimeError, ValueError, MemoryError) as error:
        what = first_line(error)
        todo = "choose a smaller model or batch" if "memory" in what.lower() else "check model, device and compute type"
        raise TranscriptionError(name, f"the speech model failed ({what}); {todo}") from error
