"""Wraps faster-whisper: loads models, finds speech, turns it into words."""

import logging
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ingest.audio.decode import RATE, Samples
from ingest.errors import TranscriptionError
from ingest.speech.recognizer import Options, Recognized
from ingest.speech.segments import Word
from ingest.speech.weights import fingerprint, located
from ingest.speech.windows import PADDING, WINDOW, Span

logger = logging.getLogger(__name__)

MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")  # without a tokenizer the library asks the network
MIN_SILENCE = 160  # milliseconds; faster-whisper's own value for cutting windows
BATCH = {"cpu": 4, "cuda": 8}  # windows at once
SURE = 0.8  # probability from which a window's own language counts more than the episode's
PREPENDED, APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # faster-whisper's own: marks that belong to a word
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
        self._path = located(name, models_dir)
        self._threads = threads
        self._most = sys.maxsize  # pieces at once
        self.changes: list[str] = []
        with _plain_errors(name):
            device = device if device != "auto" else "cuda" if devices() else "cpu"
        self._load(device, compute_type or ("float16" if device == "cuda" else "int8"))
        self.batch_size = BATCH[device]
        self.facts = {"model_sha256": fingerprint(self._path), "device": device, "compute_type": self._compute_type}

    def _load(self, device: str, compute_type: str) -> None:
        from faster_whisper import WhisperModel

        self._device, self._compute_type = device, compute_type
        with _plain_errors(self.name):
            self._model: Any = WhisperModel(
                str(self._path),
                device=device,
                compute_type=compute_type,
                cpu_threads=self._threads,
                local_files_only=True,
            )

    def known_language(self, wanted: str) -> str:
        """See `Recognizer`."""
        code = re.split("[-_]", wanted.strip().lower())[0]
        known = self._model.supported_languages
        if code and code not in known:
            todo = "choose another model" if len(known) == 1 else "use a code such as en or de"
            raise TranscriptionError(self.name, f"does not know the language {wanted!r}; {todo}")
        return code

    def transcribe(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """See `Recognizer`; where memory runs out, fewer pieces at once, and then the CPU."""
        found: list[Recognized] = []
        while len(found) < len(sounds):
            piece = sounds[len(found) : len(found) + min(self._most, len(sounds))]
            try:
                with _plain_errors(self.name):
                    found += self._one_by_one(piece, options) if options.careful else self._batched(piece, options)
            except TranscriptionError as error:
                if not _OUT_OF_MEMORY.search(str(error.__cause__)) or not self._reduce(len(piece)):
                    raise
        return found

    def _reduce(self, pieces: int) -> bool:
        """Ask for less memory than `pieces` at once took; False where there is nothing left to reduce."""
        if pieces > 1:
            self._most = pieces // 2
            self.changes.append(f"{self._most} windows at once, since memory ran out on {self._device}")
        elif self._device != "cpu":
            self._load("cpu", "int8")
            self.changes.append("cpu, since the memory of the GPU ran out")
        else:
            return False
        logger.warning("%s: going on with %s", self.name, self.changes[-1])
        return True

    def _batched(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """All at once, without timestamp tokens: they cost words, and the times come from the words' alignment."""
        from faster_whisper.audio import pad_or_trim

        extract = self._model.feature_extractor
        encoded = self._model.encode(np.stack([pad_or_trim(extract(sound)[..., :-1]) for sound in sounds]))
        languages = self._languages(encoded, options)
        chosen = {language for language, _ in languages}
        if len(chosen) == 1:
            return self._decoded(sounds, encoded, languages, options)
        found: dict[int, Recognized] = {}
        for language in sorted(chosen):  # the tokens, and what a word is, depend on the language
            numbers = [number for number, (own, _) in enumerate(languages) if own == language]
            same = self._batched([sounds[number] for number in numbers], replace(options, language=language))
            found |= {
                number: replace(one, language_probability=languages[number][1])
                for number, one in zip(numbers, same, strict=True)
            }
        return [found[number] for number in range(len(sounds))]

    def _languages(self, encoded: Any, options: Options) -> list[tuple[str, float]]:
        """The language of each piece, and the probability of what is heard in it; the likely one where that is low."""
        pieces = encoded.shape[0]
        if not self._model.model.is_multilingual or options.language:
            return [(options.language or "en", 1.0)] * pieces
        heard = [
            {token[2:-2]: float(probability) for token, probability in one}
            for one in self._model.model.detect_language(encoded)
        ]
        sums: Counter[str] = Counter()
        for one in heard:
            sums.update(one)
        likely = options.likely or max(sums, key=lambda language: sums[language])
        best = [max(one, key=lambda language: one[language]) for one in heard]
        return [
            (language if one[language] >= SURE else likely, one[language if one[language] >= SURE else likely])
            for language, one in zip(best, heard, strict=True)
        ]

    def _decoded(
        self, sounds: Sequence[Samples], encoded: Any, languages: Sequence[tuple[str, float]], options: Options
    ) -> list[Recognized]:
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        model, language = self._model, languages[0][0]
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=options.hotwords or None)
        results = model.model.generate(
            encoded,
            [prompt] * len(sounds),
            beam_size=options.beam_size,
            max_length=model.max_length,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
        )
        lengths = [len(sound) / RATE for sound in sounds]
        parts = [  # one after the other in time, as the library wants them
            [{"seek": round(number * WINDOW * model.frames_per_second), "tokens": one.sequences_ids[0],
              "start": number * WINDOW, "end": number * WINDOW + length}]
            for number, (one, length) in enumerate(zip(results, lengths, strict=True))
        ]  # fmt: skip
        frames = [math.ceil(length) * model.frames_per_second for length in lengths]
        model.add_word_timestamps(parts, tokenizer, encoded, frames, PREPENDED, APPENDED, 0.0)
        return [
            Recognized(
                tuple(
                    Word(max(0.0, word["start"] - start), word["end"] - start, word["word"], float(word["probability"]))
                    for word in part[0]["words"]
                ),
                language,
                probability,
                one.scores[0] * len(one.sequences_ids[0]) / (len(one.sequences_ids[0]) + 1),
                len(one.sequences_ids[0]),
                float(one.no_speech_prob),
            )
            for one, part, start, (_, probability) in zip(
                results, parts, (number * WINDOW for number in range(len(sounds))), languages, strict=True
            )
        ]

    def _one_by_one(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """The library's sequential way: time stamps, and higher temperatures where the words look wrong."""
        import ctranslate2

        found = []
        for sound in sounds:
            ctranslate2.set_random_seed(1)  # the same sound gives the same words
            segments, info = self._model.transcribe(
                sound,
                language=options.language or options.likely or None,
                beam_size=options.beam_size,
                condition_on_previous_text=False,
                word_timestamps=True,
            )
            parts = list(segments)
            tokens = sum(len(part.tokens) for part in parts)
            words = [
                Word(word.start, word.end, word.word, float(word.probability))
                for part in parts
                for word in part.words or ()
            ]
            log_prob = sum(part.avg_logprob * len(part.tokens) for part in parts) / max(tokens, 1)
            no_speech = min((part.no_speech_prob for part in parts), default=0.0)
            found.append(Recognized(tuple(words), info.language, 1.0, log_prob, tokens, no_speech))
        return found


def find_speech(samples: Samples) -> list[Span]:
    """Where somebody speaks, by Silero's voice activity detection; what is longer than a window is cut in a pause."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        min_silence_duration_ms=MIN_SILENCE, max_speech_duration_s=WINDOW - 2 * PADDING, speech_pad_ms=0
    )
    return [Span(found["start"] / RATE, found["end"] / RATE) for found in get_speech_timestamps(samples, options)]


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
