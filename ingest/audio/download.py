"""Downloads audio: whole or not at all, never spliced from two answers, checked before anything trusts it."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ingest.audio.partial import DownloadState, PartialDownload, continues
from ingest.errors import AudioError, FetchError
from ingest.times import now, parse_date
from ingest.web import client as web
from ingest.web.headers import retry_after, strong_validator, whole_number

ACCEPT = "audio/*, video/*;q=0.9, application/octet-stream;q=0.8, */*;q=0.1"
HEAD = 16  # bytes at the start of a file that tell its container
SPARE_DISK = 64 * 2**20  # bytes left free for other programs
SPARE_BYTES = 2**20  # of the client's limit above ours, so that our error message comes first
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
    """The audio container that a file's first 16 bytes show; empty for anything else."""
    return next((name for pattern, name in SIGNATURES if re.match(pattern, head, re.DOTALL)), "")


def lengths_differ(decoded: float, declared: float | None) -> bool:
    """Whether the audio is longer or shorter than the feed declares, in seconds: by over 1 % and over 2 s (rounding)."""
    return declared is not None and abs(decoded - declared) > max(2.0, 0.01 * declared)


def drop_oldest(folder: Path, max_bytes: int) -> list[Path]:
    """Delete the oldest episodes' files until the folder holds at most `max_bytes`; the files deleted."""
    files = [(path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*") if path.is_file()]
    size, dropped = sum(size for _, size, _ in files), list[Path]()
    for _, _, oldest in sorted(files):
        if size <= max_bytes:
            break
        key = oldest.name.partition(".")[0]  # an unfinished download, its state and its checkpoint go together
        for _, its_size, path in files:
            if path.name.partition(".")[0] == key and path not in dropped:
                path.unlink(missing_ok=True)
                dropped.append(path)
                size -= its_size
    return dropped


def free_disk(folder: Path) -> int:
    """Bytes free on the folder's disk."""
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
    """Fetch audio to `target`, in one request where nothing goes wrong.

    `progress` is told the bytes received and the bytes promised. A download that broke off is resumed, if the host can
    prove that the file is still the same one. Raises FetchError where the host refuses; AudioError where the answer is
    not audio, too large, or shorter than promised.
    """
    part = PartialDownload(target)
    fields = {"accept": ACCEPT, "accept-encoding": "identity"} | {name.lower(): text for name, text in headers.items()}
    request = DownloadRequest(client, episode_url, fields, max_bytes, max_seconds, free, progress)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        state = part.resumable(episode_url)
        if state and part.size != state.total:  # the same where a run stopped between the last byte and the new name
            state = _resume(request, part, state)
        if state is None:
            with request.send() as (answer, chunks):
                state = _whole(request, part, answer, chunks)
        return _finish(part, state)
    except OSError as error:
        raise AudioError(part.path, f"cannot be written ({error.strerror}); make room and try again") from error


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """What to fetch, and within which limits."""

    client: web.Client
    url: str
    headers: Mapping[str, str]
    max_bytes: int
    max_seconds: float
    free: Callable[[Path], int]
    progress: Progress | None

    def send(self, **more: str) -> AbstractContextManager[tuple[web.Response, Iterator[bytes]]]:
        """One request, with more headers."""
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
        limit = self.max_bytes + SPARE_BYTES
        return web.stream(self.client, self.url, headers=headers, max_bytes=limit, max_seconds=self.max_seconds)


def _finish(part: PartialDownload, state: DownloadState) -> Audio:
    size, digest = part.size, part.sha256()
    part.finish()
    kept = {name: value for name, value in state.headers.items() if name in KEPT_HEADERS}
    return Audio(part.target, size, digest, kept.get("content-type", ""), state.final_url, kept)


def _resume(request: DownloadRequest, part: PartialDownload, state: DownloadState) -> DownloadState | None:
    """Fetch the rest, or the whole where the host sends that; None where it sends something else."""
    received = part.size
    with request.send(range=f"bytes={received}-", if_range=state.validator) as (answer, chunks):
        if continues(answer, state, received):
            _check_room(request, part.path.parent, state.total, received)
            _write(request, part, state, chunks)
            return state
        return None if answer.status in (206, 416) else _whole(request, part, answer, chunks)


def _whole(
    request: DownloadRequest, part: PartialDownload, answer: web.Response, chunks: Iterator[bytes]
) -> DownloadState:
    """Fetch the file from its first byte; bytes received before are dropped once the new ones are seen to be audio."""
    _check_answer(request.url, answer)
    total = None if "content-encoding" in answer.headers else whole_number(answer.headers.get("content-length", ""))
    _check_room(request, part.path.parent, total, 0)
    head = _head(request.url, chunks)
    if not sniff(head):
        page = head.lstrip()[:1] in (b"<", b"{")
        found = "it is a web page or an error message" if page else f"it begins with {head[:HEAD]!r}"
        raise AudioError(request.url, f"is not audio: {found}; the publisher must fix that")
    state = DownloadState(request.url, answer.url, strong_validator(answer.headers), total, dict(answer.headers))
    part.begin(state)
    _write(request, part, state, chain([head], chunks))
    return state


def _write(request: DownloadRequest, part: PartialDownload, state: DownloadState, chunks: Iterable[bytes]) -> None:
    """Append chunks to the part; one that is shorter than promised is kept only if it can be resumed."""
    try:
        with part.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
                if file.tell() > request.max_bytes:
                    part.drop()
                    raise AudioError(state.url, _too_large(request.max_bytes))
                if request.progress:
                    request.progress(file.tell(), state.total)
    except FetchError as error:
        raise _broken_off(part, state, error.message) from error
    if state.total is not None and part.size != state.total:
        raise _broken_off(part, state, "ended at the wrong place")


def _broken_off(part: PartialDownload, state: DownloadState, reason: str) -> AudioError:
    """The error of a download that broke off; a part that cannot be resumed is dropped."""
    size = part.size
    promised = f" of {state.total}" if state.total is not None else ""
    resumable = bool(state.validator) and (state.total is None or size < state.total)
    if not resumable:
        part.drop()
    then = "goes on from there" if resumable else "begins anew"
    return AudioError(state.url, f"{reason}: {size}{promised} bytes came; the next try {then}", transient=True)


def _check_answer(url: str, answer: web.Response) -> None:
    if answer.status != 200:
        then = "the publisher took it away" if answer.status in (404, 410) else "it is tried again later"
        sent = parse_date(answer.headers.get("date", "")) or now()
        wait = retry_after(answer.headers.get("retry-after", ""), sent)
        raise FetchError(url, f"answered with HTTP status {answer.status}; {then}", answer.status, wait)
    kind = answer.headers.get("content-type", "")
    if NOT_AUDIO.match(kind):
        raise AudioError(url, f"is not audio but {kind[:60]}; the publisher must fix that")


def _check_room(request: DownloadRequest, folder: Path, total: int | None, received: int) -> None:
    if (total or 0) > request.max_bytes:
        raise AudioError(request.url, _too_large(request.max_bytes))
    needed = (total or 0) - received
    if request.free(folder) < needed + SPARE_DISK:
        raise AudioError(folder, f"has no room for {needed / 2**20:.0f} MiB more; make room and try again")


def _too_large(max_bytes: int) -> str:
    return f"is larger than {max_bytes / 2**20:g} MiB, the most that is kept; SOUNDBITE_MAX_AUDIO_MB raises that"


def _head(url: str, chunks: Iterator[bytes]) -> bytes:
    """The first chunks, up to the `HEAD` bytes that tell the container."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break
    if not head:
        raise AudioError(url, "is empty; the publisher must fix that")
    return head
