"""Wraps faster-whisper: finds, fetches and loads models, finds speech, turns it into words."""

import logging
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from ingest.audio.decode import RATE, Samples
from ingest.errors import TranscriptionError
from ingest.speech.recognizer import Options, Recognized
from ingest.speech.segments import Word
from ingest.speech.windows import PADDING, WINDOW, Span

logger = logging.getLogger(__name__)

MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")  # without a tokenizer the library asks the network
MIN_SILENCE = 160  # milliseconds; faster-whisper's own value for cutting windows
BATCH = {"cpu": 4, "cuda": 8}  # windows at once
SURE = 0.8  # probability from which a window's own language counts more than the episode's
PREPENDED, APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # faster-whisper's own: marks that belong to a word
_OUT_OF_MEMORY = re.compile("out of memory|ALLOC_FAILED|bad_alloc|Unable to allocate", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One published model; `gigabytes` on disk, `memory` in GB at int8 on a CPU, from the published sizes.

    `speed` is relative to the large model, as the model's publishers state it.
    """

    name: str
    gigabytes: float
    memory: float
    speed: float
    choose: str


MODELS = (
    ModelFacts("tiny", 0.08, 0.5, 10, "a first try on a slow machine; many errors"),
    ModelFacts("base", 0.15, 0.6, 7, "clear speech on a slow machine"),
    ModelFacts("small", 0.49, 1.0, 4, "the default: good English on a laptop"),
    ModelFacts("medium", 1.53, 2.0, 2, "other languages and accents, with patience"),
    ModelFacts("large-v3", 3.09, 3.5, 1, "the best text; wants a GPU"),
    ModelFacts("turbo", 1.62, 2.2, 8, "nearly large-v3 and several times faster; the choice with a GPU"),
    ModelFacts("distil-large-v3", 1.51, 2.1, 6, "English only, fast; no other language"),
)


def model_path(name: str, models_dir: Path) -> Path | None:
    """The directory of a model: `name` itself, `models_dir/name`, or what `pull_model` fetched; None if there is none."""
    for place in (Path(name).expanduser(), models_dir / name):
        if _is_model(place):
            return place
    from faster_whisper import download_model

    try:
        found = Path(download_model(name, cache_dir=str(models_dir), local_files_only=True))
    except (ValueError, OSError):  # the hub's errors for "not on this machine" and "no such name"
        return None
    return found if _is_model(found) else None


def devices() -> int:
    """How many GPUs the speech library can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


def pull_model(name: str, models_dir: Path, progress: Callable[[int], None] | None = None) -> Path:
    """Fetch a published model into `models_dir`; the only use of the network here. Raises `TranscriptionError`.

    `progress` is told the bytes received, twice a second and from another thread.
    """
    from faster_whisper import download_model

    _check_name(name)
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with _watched(models_dir, progress):
            path = Path(download_model(name, cache_dir=str(models_dir)))
    except Exception as error:  # the hub's client raises its own, its HTTP library's and the system's
        todo = "check the network and try again"
        raise TranscriptionError(name, f"could not be fetched ({_first_line(error)}); {todo}") from error
    if not _is_model(path):
        raise TranscriptionError(name, f"was fetched but lacks one of {', '.join(MODEL_FILES)}; choose another model")
    return path


@contextmanager
def _watched(directory: Path, progress: Callable[[int], None] | None) -> Iterator[None]:
    """Tell how much a directory grows: the hub's client has no callback."""
    done = Event()
    before = _size(directory)

    def watch() -> None:
        while progress and not done.wait(0.5):
            progress(_size(directory) - before)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _size(directory: Path) -> int:
    """Bytes in a directory whose files may vanish meanwhile."""
    total = 0
    for path in directory.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    return total


def _is_model(path: Path) -> bool:
    return path.is_dir() and all((path / name).is_file() for name in MODEL_FILES)


def _located(name: str, models_dir: Path) -> Path:
    path = model_path(name, models_dir)
    if path is not None:
        return path
    if Path(name).expanduser().is_dir():
        raise TranscriptionError(name, f"is no speech model; it needs {', '.join(MODEL_FILES)} in CTranslate2 form")
    if name.startswith(("/", ".", "~")):
        raise TranscriptionError(name, "is no directory; set SOUNDBITE_WHISPER_MODEL to one, or to a published name")
    _check_name(name)
    todo = f"fetch it with `soundbite model pull {name}` or set SOUNDBITE_WHISPER_MODEL to a directory"
    raise TranscriptionError(name, f"is not on this machine; {todo}")


def _check_name(name: str) -> None:
    from faster_whisper import available_models

    if "/" not in name and name not in available_models():
        raise TranscriptionError(name, f"is no published model; known are {', '.join(available_models())}")


class Whisper:
    """A `Recognizer` with faster-whisper."""

    def __init__(
        self, name: str, models_dir: Path, device: str = "auto", compute_type: str = "", threads: int = 0
    ) -> None:
        """Load the model. Raises `TranscriptionError`."""
        self.name = name
        self._path = _located(name, models_dir)
        self._threads = threads
        self._most = sys.maxsize  # pieces at once
        self.changes: list[str] = []
        with _plain_errors(name):
            device = device if device != "auto" else "cuda" if devices() else "cpu"
        self._load(device, compute_type or ("float16" if device == "cuda" else "int8"))
        self.batch_size = BATCH[device]
        with (self._path / "model.bin").open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
        self.facts = {"model_sha256": sha256, "device": device, "compute_type": self._compute_type}

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
