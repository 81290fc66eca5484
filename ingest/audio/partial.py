"""An unfinished download, and what must be known of it so that no two answers are ever spliced."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from ingest.times import parse_date
from ingest.web.client import Response

PIECE = 2**20  # bytes at once
SETTLED = 60  # seconds between Last-Modified and Date after which the former proves something (RFC 9110, 8.8.2.2)


@dataclass(frozen=True, slots=True)
class Notes:
    """What is known of a part: kept beside it, as JSON.

    `validator` is a strong ETag or Last-Modified, empty where the host gave none; `total` the bytes promised for the
    whole; `headers` are the first answer's, with lower-case names.
    """

    url: str
    final_url: str
    validator: str
    total: int | None
    headers: dict[str, str]


class Part:
    """The unfinished file of `target`, and the notes beside it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.notes_path = target.with_name(target.name + ".part.json")

    @property
    def size(self) -> int:
        """Bytes that are here already."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str) -> Notes | None:
        """The notes, where they belong to this address and prove enough to go on."""
        try:
            notes = Notes(**json.loads(self.notes_path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        short = notes.total is None or self.size <= notes.total
        return notes if notes.url == url and notes.validator and self.size and short else None

    def remember(self, notes: Notes) -> None:
        """Write the notes, before the first byte of what they are about."""
        self.notes_path.write_text(json.dumps(asdict(notes)))

    def drop(self) -> None:
        """Forget what is here."""
        self.path.unlink(missing_ok=True)
        self.notes_path.unlink(missing_ok=True)

    def digest(self) -> str:
        """SHA-256 of what is here, as hex."""
        found = sha256()
        with self.path.open("rb") as file:
            while block := file.read(PIECE):
                found.update(block)
        return found.hexdigest()

    def finish(self) -> None:
        """Give the whole file its name."""
        self.path.replace(self.target)
        self.notes_path.unlink(missing_ok=True)


def continues(answer: Response, notes: Notes, have: int) -> bool:
    """Whether an answer is the rest of what we have: partial, from the right byte, of the same file, not packed."""
    found = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", answer.headers.get("content-range", "").strip())
    if answer.status != 206 or not found or "content-encoding" in answer.headers:
        return False
    promised = whole_number(found[3])
    return (
        int(found[1]) == have
        and promised in (None, notes.total)
        and (promised is None or int(found[2]) == promised - 1)
        and answer.headers.get("content-type", "") == notes.headers.get("content-type", "")
        and all(answer.headers.get(name) in (None, notes.headers.get(name)) for name in ("etag", "last-modified"))
    )


def whole_number(text: str) -> int | None:
    """A count as HTTP writes it; None for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


def strong_validator(headers: Mapping[str, str]) -> str:
    """What proves that a file is byte for byte the same (RFC 9110, 8.8): an ETag not marked weak, or a Last-Modified.

    A Last-Modified proves it only if it lies at least a minute before the answer's Date.
    """
    etag = headers.get("etag", "").strip()
    if re.fullmatch(r'"[^"]*"', etag):
        return etag
    modified, sent = parse_date(headers.get("last-modified", "")), parse_date(headers.get("date", ""))
    settled = not etag and modified and sent and (sent - modified).total_seconds() >= SETTLED
    return headers["last-modified"] if settled else ""
