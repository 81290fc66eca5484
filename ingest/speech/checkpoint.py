"""Keeps the progress of a long transcription in one JSON file, so that a killed run resumes where it stopped."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ingest.speech.decoding import BatchResult
from ingest.storage import home_error, write_atomically

FORMAT = 4  # goes up when figures or words change their form: a file of another form is not read


@dataclass(frozen=True, slots=True)
class Progress:
    """The batches done, and what had to be changed on the way.

    `start` is the first sample of the stretch of sound under way, of which the last batches may be done already.
    `seconds` is the time that all this took.
    """

    batches: tuple[BatchResult, ...] = ()
    changes: tuple[str, ...] = ()
    start: int = 0
    seconds: float = 0.0

    @property
    def end(self) -> int:
        """Samples done."""
        return max(self.start, self.batches[-1].end if self.batches else 0)


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
