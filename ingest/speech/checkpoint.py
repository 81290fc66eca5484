"""Keeps the progress of a long transcription in one JSON file, so that a killed run resumes where it stopped."""

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from ingest.speech.decoding import BatchResult
from ingest.speech.segments import Word
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


def load(path: Path, identity: dict[str, Any]) -> Progress:
    """The progress with the same audio, model and options; none where the file is missing or says otherwise."""
    try:
        content = json.loads(path.read_text("utf-8"))
        if (content["format"], content["identity"]) != (FORMAT, identity):
            return Progress()
        fields = content["progress"]
        batches = tuple(
            BatchResult(batch["end"], tuple(Word(*word) for word in batch["words"]), batch["figures"])
            for batch in fields["batches"]
        )
        return Progress(**fields | {"batches": batches, "changes": tuple(fields["changes"])})
    except (OSError, ValueError, KeyError, TypeError):  # starting anew is always right
        return Progress()


def save(path: Path, identity: dict[str, Any], progress: Progress) -> None:
    """Write the progress, whole or not at all. Raises `HomeError`."""
    fields = {
        "batches": [
            {"end": batch.end, "words": [astuple(word) for word in batch.words], "figures": batch.figures}
            for batch in progress.batches
        ],
        "changes": progress.changes,
        "start": progress.start,
        "seconds": progress.seconds,
    }
    content = {"format": FORMAT, "identity": identity, "progress": fields}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(content, ensure_ascii=False))
    except OSError as error:
        raise home_error(path, error) from error
