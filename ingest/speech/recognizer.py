"""What a speech model must do to be used here, and the form of its results. Another speech model goes beside this file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.audio.decode import Samples
from ingest.speech.segments import Word
from ingest.speech.windows import Span


@dataclass(frozen=True, slots=True)
class DecodedSegment:
    """The words the model found in one window, or in a part of it; `log_prob` is the mean over `tokens` tokens."""

    words: tuple[Word, ...]
    log_prob: float
    tokens: int
    no_speech: float


@dataclass(frozen=True, slots=True)
class Options:
    """How to decode; temperature 0 and no earlier text as a prompt, so that the same sound gives the same words."""

    language: str = "en"
    beam_size: int = 5
    batch_size: int = 1
    hotwords: str = ""
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0


class Recognizer(Protocol):
    """A loaded speech model; its methods raise `TranscriptionError`.

    `device` and `compute_type` are what was chosen, `window` the seconds the model decodes at once, `fingerprint` the
    SHA-256 of its weights.
    """

    name: str
    device: str
    compute_type: str
    window: float
    fingerprint: str

    def speech(self, samples: Samples) -> list[Span]:
        """Where somebody speaks."""

    def known_language(self, wanted: str) -> str:
        """The model's code for a language tag such as `en-US`; empty for an empty tag."""

    def language(self, samples: Samples) -> tuple[str, float]:
        """The language of at most a few minutes of speech, and its probability."""

    def decode(self, samples: Samples, windows: Sequence[Span], options: Options) -> list[list[DecodedSegment]]:
        """The words of each window of at most `window` seconds; times are those of `samples`."""
