"""Audio: downloaded whole or not at all, never spliced from two answers, and looked at before anything trusts it."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from ingest import client as web
from ingest.errors import AudioError, FetchError
from ingest.models import parse_date

ACCEPT = "audio/*, video/*;q=0.9, application/octet-stream;q=0.8, */*;q=0.1"
PIECE = 2**20  # bytes at once
HEAD = 16  # bytes that tell what a file is
SPARE_DISK = 64 * 2**20  # left free for everybody else
MAX_SECONDS = 4 * 3600.0  # a gigabyte at 70 kB/s
KEPT_HEADERS = ("content-type", "content-length", "etag", "last-modified", "date", "server")
NOT_AUDIO = re.compile(r"text/(?!plain)|image/|application/(?:json|xml|xhtml|pdf|zip|rss|atom|problem)", re.IGNORECASE)
SIGNATURES = (
    (rb"ID3", "mp3"),
    (rb"OggS", "ogg"),
    (rb"fLaC", "flac"),
    (rb"RIFF....(?:WAVE|AVI )", "wav"),
    (rb"....ftyp", "mp4"),
    (rb"\x1aE\xdf\xa3", "matroska"),
    (rb"FORM....AIF[FC]", "aiff"),
    (rb"\x30\x26\xb2\x75", "asf"),
    (rb"caff\0", "caf"),
    (rb"\0*\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]", "mp3"),  # frame sync, MPEG 1, 2 and 2.5, layers II and III
    (rb"\xff[\xf0\xf1\xf8\xf9]", "aac"),  # ADTS
    (rb"ADIF", "aac"),
)
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Audio:
    """A downloaded file: `bytes` long, `headers` a few of the answer's with lower-case names."""

    path: Path
    bytes: int
    sha256: str
    content_type: str
    final_url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notes:
    """What must be known of a part to go on with it: kept beside it, as JSON.

    `validator` is a strong ETag or Last-Modified (RFC 9110, 8.8), empty where the host gave none; `total` the bytes
    promised for the whole.
    """

    url: str
    final_url: str
    validator: str
    total: int | None
    headers: dict[str, str]


def sniff(head: bytes) -> str:
    """The container that a file's first 16 bytes show, empty where it is none that holds audio."""
    return next((name for pattern, name in SIGNATURES if re.match(pattern, head, re.DOTALL)), "")


def free_disk(folder: Path) -> int:
    """Bytes that may still be written."""
    return shutil.disk_usage(folder).free


def download(
    client: web.Client,
    episode_url: str,
    target: Path,
    *,
    max_bytes: int,
    max_seconds: float = MAX_SECONDS,
    headers: Mapping[str, str] = web.NO_HEADERS,
    progress: Progress | None = None,
    free: Callable[[Path], int] = free_disk,
) -> Audio:
    """Fetch audio to `target`, by way of `target` + `.part`, in one request where nothing goes wrong.

    `progress` is told the bytes so far and the bytes promised. A download that broke off goes on where it was, if the
    host can prove that the file is still the same one. Raises FetchError where the host refuses, AudioError where
    what comes is not audio, too large, or less than was promised.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(target)
    notes = part.resumable(episode_url)
    if notes and part.size == notes.total:  # stopped between the last byte and the new name
        return part.finish(notes)
    limits = _Limits(max_bytes, max_seconds, free, progress or (lambda _so_far, _promised: None))
    asked = {"accept": ACCEPT, "accept-encoding": "identity"} | {name.lower(): value for name, value in headers.items()}
    done = _request(client, episode_url, part, notes, asked, limits) if notes else None
    return part.finish(done or _request(client, episode_url, part, None, asked, limits))


@dataclass(frozen=True, slots=True)
class _Limits:
    max_bytes: int
    max_seconds: float
    free: Callable[[Path], int]
    progress: Progress


class _Part:
    """The unfinished file and the notes beside it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.notes_path = target.with_name(target.name + ".part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str) -> Notes | None:
        """The notes, where they belong to this address and prove enough to go on."""
        try:
            notes = Notes(**json.loads(self.notes_path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return notes if notes.url == url and notes.validator and self.size else None

    def remember(self, notes: Notes) -> None:
        self.notes_path.write_text(json.dumps(asdict(notes)))

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.notes_path.unlink(missing_ok=True)

    def finish(self, notes: Notes) -> Audio:
        """Give the whole file its name."""
        with self.path.open("rb") as file:
            digest = _digest(file)
        size = self.size
        self.path.replace(self.target)
        self.notes_path.unlink(missing_ok=True)
        kept = {name: value for name, value in notes.headers.items() if name in KEPT_HEADERS}
        return Audio(self.target, size, digest, kept.get("content-type", ""), notes.final_url, kept)


def _digest(file: Any) -> str:
    found = sha256()
    while block := file.read(PIECE):
        found.update(block)
    return found.hexdigest()


def _request(
    client: web.Client, url: str, part: _Part, notes: Notes | None, asked: Mapping[str, str], limits: _Limits
) -> Notes | None:
    """One request: for the rest where there are notes, else for the whole; None where the rest cannot be had."""
    have = part.size if notes else 0
    rest = {"range": f"bytes={have}-", "if-range": notes.validator} if notes else {}
    cap = limits.max_bytes + 2 * PIECE  # our own cap, in `_write`, is met first
    with web.stream(client, url, headers={**asked, **rest}, max_bytes=cap, max_seconds=limits.max_seconds) as (
        answer,
        chunks,
    ):
        if notes and _continues(answer, notes, have):
            _check_room(url, part.path.parent, notes.total, have, limits)
            _write(part, chunks, notes, limits)
            return notes
        if notes and answer.status in (206, 416):
            return None
        return _start(url, part, answer, chunks, limits)


def _start(url: str, part: _Part, answer: web.Response, chunks: Iterator[bytes], limits: _Limits) -> Notes:
    """The whole file from its first byte; what was there before is given up once the new one is seen to be audio."""
    _check_answer(url, answer)
    total = None if "content-encoding" in answer.headers else _whole(answer.headers.get("content-length", ""))
    _check_room(url, part.path.parent, total, 0, limits)
    head, whole = _look(url, chunks)
    if not sniff(head):
        raise AudioError(url, f"is not audio: {_begins(head)}; the publisher has to mend that")
    part.drop()
    notes = Notes(url, answer.url, strong_validator(answer.headers), total, dict(answer.headers))
    part.remember(notes)
    _write(part, whole, notes, limits)
    return notes


def _continues(answer: web.Response, notes: Notes, have: int) -> bool:
    """Whether an answer is the rest of what we have: 206, the right range, the same file, unpacked, not a web page."""
    found = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", answer.headers.get("content-range", "").strip())
    if answer.status != 206 or not found or "content-encoding" in answer.headers:
        return False
    promised = _whole(found[3])
    return (
        int(found[1]) == have
        and (promised is None or notes.total is None or promised == notes.total)
        and (promised is None or int(found[2]) == promised - 1)
        and not NOT_AUDIO.match(answer.headers.get("content-type", ""))
        and answer.headers.get("etag", notes.validator) in (notes.validator, notes.headers.get("etag"))
    )


def _write(part: _Part, chunks: Iterator[bytes], notes: Notes, limits: _Limits) -> None:
    """Add chunks to the part; what falls short of the promise is kept only if it can be gone on with."""
    try:
        with part.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
                if file.tell() > limits.max_bytes:
                    part.drop()
                    raise AudioError(notes.url, _too_large(limits.max_bytes))
                limits.progress(file.tell(), notes.total)
    except FetchError as error:
        _give_up(part, notes, error.message, error)
    except OSError as error:
        raise AudioError(part.path, f"cannot be written ({error.strerror}); make room and try again") from error
    if notes.total is not None and part.size != notes.total:
        _give_up(part, notes, "ended at the wrong place", None)


def _give_up(part: _Part, notes: Notes, why: str, cause: Exception | None) -> None:
    size = part.size
    promised = f" of {notes.total}" if notes.total is not None else ""
    going_on = bool(notes.validator) and (notes.total is None or size < notes.total)
    if not going_on:
        part.drop()
    then = "goes on from there" if going_on else "begins anew"
    raise AudioError(notes.url, f"{why}: {size}{promised} bytes came; the next try {then}") from cause


def _check_answer(url: str, answer: web.Response) -> None:
    if answer.status != 200:
        then = "the publisher took it away" if answer.status in (404, 410) else "it is tried again later"
        raise FetchError(url, f"answered with HTTP status {answer.status}; {then}", answer.status)
    kind = answer.headers.get("content-type", "")
    if NOT_AUDIO.match(kind):
        raise AudioError(url, f"is not audio but {kind[:60]}; the publisher has to mend that")


def _check_room(url: str, folder: Path, total: int | None, have: int, limits: _Limits) -> None:
    if (total or 0) > limits.max_bytes:
        raise AudioError(url, _too_large(limits.max_bytes))
    needed = (total or 0) - have
    if limits.free(folder) < needed + SPARE_DISK:
        raise AudioError(folder, f"has no room for {needed / 2**20:.0f} MiB more; make room and try again")


def _too_large(max_bytes: int) -> str:
    return f"is larger than {max_bytes / 2**20:g} MiB, the most that is kept; SOUNDBITE_MAX_AUDIO_MB raises that"


def _look(url: str, chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all chunks still to come with these in front."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= HEAD:
            break
    if not start:
        raise AudioError(url, "is empty; the publisher has to mend that")
    return start, _with_first(start, chunks)


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _begins(head: bytes) -> str:
    page = head.lstrip()[:1] in (b"<", b"{")
    return "it is a web page or an error message" if page else f"it begins with {head[:HEAD]!r}"


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a file really holds: seconds of sound, and whether it ends before it should."""

    duration: float
    truncated: bool


def decode(path: Path) -> Decoded:
    """Decode all of a file once; a file that was cut off gives what it holds. Raises AudioError where it holds none."""
    from ingest.sound import Recording

    with Recording(path) as recording:
        for _ in recording.blocks():
            pass
        return Decoded(recording.decoded, recording.truncated)


def strong_validator(headers: Mapping[str, str]) -> str:
    """What proves that a file is byte for byte the same (RFC 9110, 8.8): an ETag not marked weak, or a Last-Modified.

    A Last-Modified proves it only if it lies at least a minute before the answer's Date.
    """
    etag = headers.get("etag", "").strip()
    if re.fullmatch(r'"[^"]*"', etag):
        return etag
    modified, sent = parse_date(headers.get("last-modified", "")), parse_date(headers.get("date", ""))
    settled = not etag and modified and sent and (sent - modified).total_seconds() >= 60
    return headers["last-modified"] if settled else ""
