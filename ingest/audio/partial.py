"""Keeps an unfinished download, and what must be known of it so that no two answers are ever spliced."""

import json
import os
import re
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path

from ingest.storage import rename_durably, write_atomically
from ingest.web.client import Response
from ingest.web.headers import whole_number


@dataclass(frozen=True, slots=True)
class DownloadState:
    """What is known of an unfinished download: kept beside it, as JSON.

    `validator` is a strong ETag or Last-Modified, empty where the host gave none. `total` is the bytes promised for the
    whole. `headers` are those of the first answer.
    """

    url: str
    final_url: str
    validator: str
    total: int | None
    headers: dict[str, str]


class PartialDownload:
    """The unfinished file of `target`, and its state beside it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.state_path = target.with_name(target.name + ".part.json")

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str) -> DownloadState | None:
        """The state, where it belongs to this address and proves enough to resume."""
        try:
            state = DownloadState(**json.loads(self.state_path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        fits = state.total is None or self.size <= state.total
        return state if state.url == url and state.validator and self.size and fits else None

    def begin(self, state: DownloadState) -> None:
        """Start anew: drop what was received before, and write the state, durably, before the first byte arrives.

        Bytes without a state are never resumed; bytes beside the state of another answer could be spliced.
        """
        self.drop()
        write_atomically(self.state_path, json.dumps(asdict(state)))

    def drop(self) -> None:
        """Delete the bytes, then the state."""
        self.path.unlink(missing_ok=True)
        self.state_path.unlink(missing_ok=True)

    def sha256(self) -> str:
        """SHA-256 of the bytes received, as hex."""
        with self.path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    def finish(self) -> None:
        """Give the whole file its name, durably, then delete the state.

        A crash in between costs nothing. In the other order it would leave bytes that cannot be resumed.
        """
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        rename_durably(self.path, self.target)
        self.state_path.unlink(missing_ok=True)


def continues(answer: Response, state: DownloadState, received: int) -> bool:
    """Whether an answer is the rest of a download: partial, from the right byte, of the same file, not compressed."""
    span = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", answer.headers.get("content-range", "").strip())
    if answer.status != 206 or not span or "content-encoding" in answer.headers:
        return False
    total = whole_number(span[3])
    return (
        int(span[1]) == received
        and total in (None, state.total)
        and (total is None or int(span[2]) == total - 1)
        and answer.headers.get("content-type", "") == state.headers.get("content-type", "")
        and all(answer.headers.get(name) in (None, state.headers.get(name)) for name in ("etag", "last-modified"))
    )
