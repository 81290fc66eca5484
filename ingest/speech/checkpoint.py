"""Keeps the progress of a long transcription in one JSON file, so that a killed run resumes where it stopped."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ingest.speech.segments import Word
from ingest.storage import home_error, write_atomically

FORMAT = 5  # goes up when figures or words change their form: a file of another form is not read


@dataclass(frozen=True, slots=True)
class Progress:
    """The samples done, their words and sums of figures, what had to be changed on the way, the seconds it took."""

    samples: int = 0
    words: tuple[Word, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _File:
    format: int
    identity: dict[str, Any]
    progress: Progress


@cache
def _adapter() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def load(path: Path, identity: dict[str, Any]) -> Progress:
    """The progress with the same audio, model and options; none where the file is missing or says otherwise."""
    try:
        file = _adapter().validate_json(path.read_bytes())
    except (OSError, ValueError):  # starting anew is always right
        return Progress()
    return file.progress if (file.format, file.identity) == (FORMAT, identity) else Progress()


def save(path: Path, identity: dict[str, Any], progress: Progress) -> None:
    """Write the progress, whole or not at all. Raises `HomeError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _adapter().dump_json(_File(FORMAT, identity, progress)).decode())
    except OSError as error:
        raise home_error(path, error) from error
