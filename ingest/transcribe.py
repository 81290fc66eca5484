"""From an audio file to timed words with figures that say how good they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ingest.models import Segment
from ingest.sound import RATE, Recording, Samples
from ingest.whisper import Options, Whisper
from ingest.windows import pack

Progress = Callable[[float, float], None]  # seconds of audio done, seconds in all


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was said in an audio file; `provenance` is plain JSON data, `duration` in seconds as decoded."""

    segments: tuple[Segment, ...]
    language: str
    duration: float
    provenance: dict[str, Any]


class Transcriber:
    """A speech model that is loaded at its first use."""

    def __init__(
        self,
        model: str,
        *,
        models_dir: Path,
        device: str = "auto",
        compute_type: str = "",
        beam_size: int = 5,
        batch_size: int = 0,
        threads: int = 0,
    ) -> None:
        self.model = model
        self._load = partial(Whisper, model, models_dir, device, compute_type, threads)
        self._beam_size = beam_size
        self._batch_size = batch_size
        self._whisper: Whisper | None = None

    def load(self) -> Whisper:
        """The model, loaded once. Raises `TranscriptionError`."""
        if self._whisper is None:
            self._whisper = self._load()
        return self._whisper

    def transcribe(
        self,
        audio: Path,
        *,
        language: str = "",
        hotwords: Sequence[str] = (),
        checkpoint: Path | None = None,  # noqa: ARG002 - kept for the next step
        progress: Progress | None = None,
    ) -> Transcription:
        """All speech of an audio file. Raises `AudioError` and `TranscriptionError`."""
        whisper = self.load()
        begun = perf_counter()
        with Recording(audio) as recording:
            samples = np.concatenate(list(recording.blocks()))
            speech = whisper.speech(samples)
            windows = pack(speech, recording.decoded, lambda start, end: quietest(samples, start, end))
            found = language or whisper.language(samples)[0]
            options = Options(found, self._beam_size, self._batch_size or 1, ", ".join(hotwords))
            decoded = [part for parts in whisper.decode(samples, windows, options) for part in parts]
        segments = tuple(
            Segment(part.words[0].start, part.words[-1].end, "".join(word.text for word in part.words).strip())
            for part in decoded
            if part.words
        )
        if progress:
            progress(recording.decoded, recording.decoded)
        provenance = {
            "source": "model",
            "model": whisper.name,
            "model_sha256": whisper.fingerprint,
            "language": found,
            "duration": recording.decoded,
            "truncated": recording.truncated,
            "seconds_taken": round(perf_counter() - begun, 2),
        }
        return Transcription(segments, found, recording.decoded, provenance)


def quietest(samples: Samples, start: float, end: float) -> float:
    """The middle of the quietest tenth of a second between two moments."""
    step = RATE // 10
    first = max(0, round(start * RATE))
    piece = samples[first : round(end * RATE)]
    if len(piece) < step:
        return end
    frames = piece[: len(piece) // step * step].reshape(-1, step)
    return (first + (int(np.argmin(np.square(frames).mean(axis=1))) + 0.5) * step) / RATE
