"""What a speech model must do to be used here, and the form of its results. Another speech model goes beside this file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.audio.decode import Samples
from ingest.speech.segments import Word


@dataclass(frozen=True, slots=True)
class Options:
    """How to transcribe. No earlier text is a prompt, so that the same sound gives the same words.

    `language` is what the user said is spoken, empty where it is to be detected; `likely` the language of most of the
    episode, for sound whose own is doubtful. `careful` asks for the slower way, where the first gave wrong words.
    """

    language: str = ""
    likely: str = ""
    beam_size: int = 5
    hotwords: str = ""
    careful: bool = False


@dataclass(frozen=True, slots=True)
class Recognized:
    """The words of one piece of sound, times from its start, and the language they were taken for.

    `log_prob` is the mean over `tokens` tokens, `no_speech` the probability that nobody speaks.
    """

    words: tuple[Word, ...]
    language: str
    log_prob: float = 0.0
    tokens: int = 0
    no_speech: float = 0.0


class Recognizer(Protocol):
    """A speech model; its methods raise `TranscriptionError`.

    `facts` say what transcribes, as plain JSON data for the provenance; `changes` what had to be changed on the way.
    `batch_size` is how many pieces it is best given at once.
    """

    name: str
    facts: dict[str, str]
    changes: list[str]
    batch_size: int

    def known_language(self, wanted: str) -> str:
        """The model's code for a language tag such as `en-US`; empty for an empty tag."""

    def transcribe(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """The words of each piece of sound of at most `WINDOW` seconds."""
