"""Published speech models: which there are, where they lie on this machine, and whether their files are whole.

A model that was fetched lies in `models_dir/NAME` beside a record of its files' SHA-256. They are compared before each
loading, which takes a second for each gigabyte or two: reading the weights takes as long.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import file_digest
from pathlib import Path

from ingest.errors import TranscriptionError

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
    own = Path(name).expanduser()
    if path is not None:
        if problem := fault(path):
            todo = "put the files there again" if own == path else f"fetch it again with `soundbite model pull {name}`"
            raise TranscriptionError(name, f"is damaged ({problem}); {todo}")
        return path
    if own.is_dir():
        raise TranscriptionError(name, f"is no speech model; it needs {', '.join(MODEL_FILES)} in CTranslate2 form")
    if name.startswith(("/", ".", "~")):
        raise TranscriptionError(name, "is no directory; set SOUNDBITE_WHISPER_MODEL to one, or to a published name")
    check_name(name)
    todo = f"fetch it with `soundbite model pull {name}` or set SOUNDBITE_WHISPER_MODEL to a directory"
    raise TranscriptionError(name, f"is not on this machine; {todo}")


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
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
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
        files = json.loads((path / RECORD).read_text("utf-8"))["files"]
        return {name: file["sha256"] for name, file in files.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}
