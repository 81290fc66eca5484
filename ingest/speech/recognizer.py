"""What a speech model must do to be used here, and the form of its results. Another speech model goes beside this file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.audio.decode import Samples
from ingest.speech.segments import Word


@dataclass(frozen=True, slots=True)
class Options:
    """How to transcribe. No earlier text is a prompt, so that the same sound gives the same words."""

    language: str = ""  # what the user said is spoken; empty where it is to be detected
    likely: str = ""  # the language of most of the episode, for sound whose own is doubtful
    beam_size: int = 5
    hotwords: str = ""
    careful: bool = False  # the slower way, for sound of which the first gave wrong words


@dataclass(frozen=True, slots=True)
class Recognized:
    """The words of one piece of sound, times from its start, and the language they were taken for."""

    words: tuple[Word, ...]
    language: str
    log_prob: float = 0.0  # the mean over the tokens
    tokens: int = 0
    no_speech: float = 0.0  # the probability that nobody speaks


class Recognizer(Protocol):
    """A speech model; its methods raise `TranscriptionError`."""

    name: str
    facts: dict[str, str]  # what transcribes, for the provenance
    changes: list[str]  # what had to be changed on the way
    batch_size: int  # how many pieces it is best given at once

    def known_language(self, wanted: str) -> str:
        """The model's code for a language tag such as `en-US`; empty for an empty tag."""

    def transcribe(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """The words of each piece of sound of at most `WINDOW` seconds."""
