"""How far a long transcription has come, kept in one JSON file, so that a killed one goes on where it stopped."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from ingest.errors import HomeError
from ingest.speech.segments import Word
from ingest.storage import write_atomically

FORMAT = 2  # counted up when figures or words change their form: a file of another form is not ours


@dataclass(frozen=True, slots=True)
class Part:
    """What became of some windows of sound: `end` in samples from the start of the audio, `figures` plain JSON data."""

    end: int
    words: tuple[Word, ...]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """The parts done, and the language once it is known.

    `start` is the sample with which the stretch of sound begins that is under way (of it the last parts may be done),
    `seconds` the time that all this took.
    """

    language: str = ""
    language_probability: float = 0.0
    parts: tuple[Part, ...] = ()
    start: int = 0
    seconds: float = 0.0

    @property
    def end(self) -> int:
        """Samples done."""
        return max(self.start, self.parts[-1].end if self.parts else 0)


def load(path: Path, identity: dict[str, Any]) -> Progress:
    """What was done of the same audio with the same model and options; nothing where the file says otherwise."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        if (kept["format"], kept["identity"]) != (FORMAT, identity):
            return Progress()
        parts = tuple(
            Part(item["end"], tuple(Word(*word) for word in item["words"]), item["figures"]) for item in kept["parts"]
        )
        return Progress(kept["language"], kept["language_probability"], parts, kept["start"], kept["seconds"])
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or not ours: starting anew is always right
        return Progress()


def save(path: Path, identity: dict[str, Any], progress: Progress) -> None:
    """Keep what was done, whole or not at all. Raises `HomeError`."""
    kept = {
        "format": FORMAT,
        "identity": identity,
        "language": progress.language,
        "language_probability": progress.language_probability,
        "parts": [_plain(part) for part in progress.parts],
        "start": progress.start,
        "seconds": progress.seconds,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(kept, ensure_ascii=False))
    except OSError as error:
        raise HomeError(path, f"cannot be written ({error.strerror}); check the disk and the permissions") from error


def _plain(part: Part) -> dict[str, Any]:
    words: Sequence[tuple[Any, ...]] = [astuple(word) for word in part.words]
    return {"end": part.end, "words": words, "figures": part.figures}
