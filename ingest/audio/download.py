"""Audio: downloaded whole or not at all, never spliced from two answers, and looked at before anything trusts it."""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.audio.partial import PIECE, Notes, Part, continues, strong_validator, whole_number
from ingest.errors import AudioError, FetchError
from ingest.feeds.schedule import retry_after
from ingest.times import parse_date
from ingest.web import client as web

ACCEPT = "audio/*, video/*;q=0.9, application/octet-stream;q=0.8, */*;q=0.1"
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
    (rb"\0*\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\0-\xef]", "mp3"),  # frame sync, MPEG 1, 2 and 2.5, layers II and III
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


def sniff(head: bytes) -> str:
    """The container that a file's first 16 bytes show, empty where it is none that holds audio."""
    return next((name for pattern, name in SIGNATURES if re.match(pattern, head, re.DOTALL)), "")


def lengths_differ(decoded: float, declared: float | None) -> bool:
    """Whether the audio has another length than the feed says, in seconds: by over 1 % and over the 2 of rounding."""
    return declared is not None and abs(decoded - declared) > max(2.0, 0.01 * declared)


def bound(folder: Path, max_bytes: int) -> list[Path]:
    """Drop the oldest episodes' files until the folder holds at most `max_bytes`; what was dropped."""
    files = [(path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*") if path.is_file()]
    size, dropped = sum(size for _, size, _ in files), list[Path]()
    for _, _, oldest in sorted(files):
        if size <= max_bytes:
            break
        key = oldest.name.partition(".")[0]  # a part, its notes and its checkpoint go together
        for _, its_size, path in files:
            if path.name.partition(".")[0] == key and path not in dropped:
                path.unlink(missing_ok=True)
                dropped.append(path)
                size -= its_size
    return dropped


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
    part = Part(target)
    asked = {"accept": ACCEPT, "accept-encoding": "identity"} | {name.lower(): value for name, value in headers.items()}
    order = _Order(client, episode_url, asked, max_bytes, max_seconds, free, progress or (lambda _have, _total: None))
    known = part.resumable(episode_url)
    if known and part.size == known.total:  # stopped between the last byte and the new name
        return _finish(part, known)
    return _finish(part, (_resume(order, part, known) if known else None) or _begin(order, part))


@dataclass(frozen=True, slots=True)
class _Order:
    """What is wanted, and within which order."""

    client: web.Client
    url: str
    headers: Mapping[str, str]
    max_bytes: int
    max_seconds: float
    free: Callable[[Path], int]
    progress: Progress

    def ask(self, **more: str) -> AbstractContextManager[tuple[web.Response, Iterator[bytes]]]:
        """One request; the client's cap lies a little above ours, so that ours is met first."""
        asked = {**self.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
        cap = self.max_bytes + 2 * PIECE
        return web.stream(self.client, self.url, headers=asked, max_bytes=cap, max_seconds=self.max_seconds)


def _finish(part: Part, notes: Notes) -> Audio:
    size, digest = part.size, part.digest()
    part.finish()
    kept = {name: value for name, value in notes.headers.items() if name in KEPT_HEADERS}
    return Audio(part.target, size, digest, kept.get("content-type", ""), notes.final_url, kept)


def _begin(order: _Order, part: Part) -> Notes:
    with order.ask() as (answer, chunks):
        return _whole(order, part, answer, chunks)


def _resume(order: _Order, part: Part, known: Notes) -> Notes | None:
    """The rest; the whole, where the host answers with that; None where it answers with something else."""
    have = part.size
    with order.ask(range=f"bytes={have}-", if_range=known.validator) as (answer, chunks):
        if continues(answer, known, have):
            _check_room(order, part.path.parent, known.total, have)
            _write(order, part, known, chunks)
            return known
        return None if answer.status in (206, 416) else _whole(order, part, answer, chunks)


def _whole(order: _Order, part: Part, answer: web.Response, chunks: Iterator[bytes]) -> Notes:
    """The file from its first byte; what was there before is given up once the new one is seen to be audio."""
    _check_answer(order.url, answer)
    total = None if "content-encoding" in answer.headers else whole_number(answer.headers.get("content-length", ""))
    _check_room(order, part.path.parent, total, 0)
    head, every = _look(order.url, chunks)
    if not sniff(head):
        raise AudioError(order.url, f"is not audio: {_begins(head)}; the publisher has to mend that")
    part.drop()
    notes = Notes(order.url, answer.url, strong_validator(answer.headers), total, dict(answer.headers))
    part.remember(notes)
    _write(order, part, notes, every)
    return notes


def _write(order: _Order, part: Part, notes: Notes, chunks: Iterator[bytes]) -> None:
    """Add chunks to the part; what falls short of the promise is kept only if it can be gone on with."""
    try:
        with part.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
                if file.tell() > order.max_bytes:
                    part.drop()
                    raise AudioError(notes.url, _too_large(order.max_bytes))
                order.progress(file.tell(), notes.total)
    except FetchError as error:
        _give_up(part, notes, error.message, error)
    except OSError as error:
        raise AudioError(part.path, f"cannot be written ({error.strerror}); make room and try again") from error
    if notes.total is not None and part.size != notes.total:
        _give_up(part, notes, "ended at the wrong place", None)


def _give_up(part: Part, notes: Notes, why: str, cause: Exception | None) -> None:
    size = part.size
    promised = f" of {notes.total}" if notes.total is not None else ""
    going_on = bool(notes.validator) and (notes.total is None or size < notes.total)
    if not going_on:
        part.drop()
    then = "goes on from there" if going_on else "begins anew"
    raise AudioError(notes.url, f"{why}: {size}{promised} bytes came; the next try {then}", transient=True) from cause


def _check_answer(url: str, answer: web.Response) -> None:
    if answer.status != 200:
        then = "the publisher took it away" if answer.status in (404, 410) else "it is tried again later"
        sent = parse_date(answer.headers.get("date", "")) or datetime.now(UTC)
        wait = retry_after(answer.headers.get("retry-after", ""), sent)
        raise FetchError(url, f"answered with HTTP status {answer.status}; {then}", answer.status, wait)
    kind = answer.headers.get("content-type", "")
    if NOT_AUDIO.match(kind):
        raise AudioError(url, f"is not audio but {kind[:60]}; the publisher has to mend that")


def _check_room(order: _Order, folder: Path, total: int | None, have: int) -> None:
    if (total or 0) > order.max_bytes:
        raise AudioError(order.url, _too_large(order.max_bytes))
    needed = (total or 0) - have
    if order.free(folder) < needed + SPARE_DISK:
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


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a file really holds: seconds of sound, and whether it ends before it should."""

    duration: float
    truncated: bool


def decode(path: Path) -> Decoded:
    """Decode all of a file once; a file that was cut off gives what it holds. Raises AudioError where it holds none."""
    from ingest.audio.decode import Recording

    with Recording(path) as recording:
        for _ in recording.blocks():
            pass
        return Decoded(recording.decoded, recording.truncated)
