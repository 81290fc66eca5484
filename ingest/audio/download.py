"""Downloads audio: whole or not at all, never spliced from two answers, checked before anything trusts it."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ingest.audio.containers import MAX_HEAD, is_stream, sniff
from ingest.audio.partial import DownloadState, PartialDownload, continues
from ingest.errors import AudioError, DiskFullError, FetchError
from ingest.storage import home_error
from ingest.times import now, parse_date
from ingest.web import client as web
from ingest.web.credentials import NO_CREDENTIALS, NO_HEADERS, Credentials
from ingest.web.headers import retry_after, strong_validator, whole_number

ACCEPT = "audio/*, video/*;q=0.9, application/octet-stream;q=0.8, */*;q=0.1"
SHOWN = 16  # bytes of what is not audio that the error shows
SPARE_DISK = 64 * 2**20  # bytes left free for other programs
SPARE_BYTES = 2**20  # of the client's limit above ours, so that our error message comes first
MAX_SECONDS = 4 * 3600.0  # a gigabyte at 70 kB/s
WHOLE = re.compile(r"bytes 0-(\d{1,15})/(\d{1,15})")
KEPT_HEADERS = ("content-type", "content-length", "etag", "last-modified", "date", "server")
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


def lengths_differ(decoded: float, declared: float | None) -> bool:
    """Whether the audio is longer or shorter than the feed declares, in seconds: by over 1 % and over 2 s (rounding)."""
    return declared is not None and abs(decoded - declared) > max(2.0, 0.01 * declared)


def provenance(sound: Audio, decoded: float, declared: float | None) -> dict[str, object]:
    """Where the audio came from and how long it is, for a transcript's provenance; durations in seconds.

    Times are approximate where the feed's author had audio of another length: adverts are put in at each download.
    """
    facts: dict[str, object] = {
        "audio_url": sound.final_url,
        "audio_sha256": sound.sha256,
        "audio_bytes": sound.bytes,
        "audio_headers": sound.headers,
        "duration": round(decoded, 3),
        "declared_duration": declared,
    }
    return facts | ({"times": "approximate"} if lengths_differ(decoded, declared) else {})


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
    headers: Mapping[str, str] = NO_HEADERS,
    credentials: Credentials = NO_CREDENTIALS,
    progress: Progress | None = None,
    free: Callable[[Path], int] = free_disk,
) -> Audio:
    """Fetch audio to `target`, in one request where nothing goes wrong.

    `progress` is told the bytes received and the bytes promised. A download that broke off is resumed, if the host can
    prove that the file is still the same one. Raises FetchError where the host refuses; AudioError where the answer is
    not audio, too large, or shorter than promised; HomeError where the file cannot be written.
    """
    part = PartialDownload(target)
    fields = {"accept": ACCEPT, "accept-encoding": "identity"} | {name.lower(): text for name, text in headers.items()}
    request = DownloadRequest(client, episode_url, fields, credentials, max_bytes, max_seconds, free, progress)
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
        raise home_error(part.path, error) from error


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """What to fetch, and within which limits."""

    client: web.Client
    url: str
    headers: Mapping[str, str]
    credentials: Credentials
    max_bytes: int
    max_seconds: float
    free: Callable[[Path], int]
    progress: Progress | None

    def send(self, **more: str) -> AbstractContextManager[tuple[web.Response, Iterator[bytes]]]:
        """One request, with more headers."""
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
        limit = self.max_bytes + SPARE_BYTES
        return web.stream(
            self.client,
            self.url,
            headers=headers,
            credentials=self.credentials,
            max_bytes=limit,
            max_seconds=self.max_seconds,
        )


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
        raise AudioError(request.url, _not_audio(head, answer.headers.get("content-type", "")))
    kept = {name: value for name, value in answer.headers.items() if name in KEPT_HEADERS}
    state = DownloadState(request.url, answer.url, strong_validator(answer.headers), total, kept)
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


def _not_audio(head: bytes, kind: str) -> str:
    """What the first bytes show instead of sound."""
    if is_stream(head):
        return "is a stream (HLS), which is not read"
    page = head.lstrip()[:1] in (b"<", b"{")
    found = "it is a web page or an error message" if page else f"it begins with {head[:SHOWN]!r}"
    return f"is not audio: {found}{f', sent as {kind[:60]}' if kind else ''}; the publisher must fix that"


def _check_answer(url: str, answer: web.Response) -> None:
    """Raises FetchError for a status that brings no whole file; some hosts send one as a part (206) from end to end."""
    span = WHOLE.fullmatch(answer.headers.get("content-range", "").strip())
    whole = answer.status == 206 and span and int(span[1]) + 1 == int(span[2])
    if answer.status != 200 and not whole:
        then = "the publisher took it away" if answer.status in (404, 410) else "it is tried again later"
        sent = parse_date(answer.headers.get("date", "")) or now()
        wait = retry_after(answer.headers.get("retry-after", ""), sent)
        raise FetchError(url, f"answered with HTTP status {answer.status}; {then}", answer.status, wait)


def _check_room(request: DownloadRequest, folder: Path, total: int | None, received: int) -> None:
    if (total or 0) > request.max_bytes:
        raise AudioError(request.url, _too_large(request.max_bytes))
    needed = (total or 0) - received
    if request.free(folder) < needed + SPARE_DISK:
        raise DiskFullError(folder, f"has no room for {needed / 2**20:.0f} MiB more; make room and try again")


def _too_large(max_bytes: int) -> str:
    return f"is larger than {max_bytes / 2**20:g} MiB, the most that is kept; SOUNDBITE_MAX_AUDIO_MB raises that"


def _head(url: str, chunks: Iterator[bytes]) -> bytes:
    """The first chunks, up to those that show what the file is, at most about `MAX_HEAD` bytes."""
    head, size = b"", 64
    for chunk in chunks:
        head += chunk
        if len(head) >= MAX_HEAD or (len(head) >= size and sniff(head)):
            break
        size = max(size, 2 * len(head))  # what shows nothing yet is not looked at for every byte that comes
    if not head:
        raise AudioError(url, "is empty; the publisher must fix that")
    return head
