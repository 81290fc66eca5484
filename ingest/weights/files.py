"""Where models lie on this machine, and whether they are whole.

A model that was fetched lies in `models_dir/NAME` beside a record of its files' SHA-256. Without a record that can be
read, they are compared with the published ones, if these are known, and the record is made anew. A speech model is compared with it
before each loading, which takes a second for each gigabyte or two: reading the weights takes as long. An embedding model is
compared by `soundbite doctor` alone: each search would pay for it, .3 s for 438 MB.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path

from ingest.errors import TranscriptionError
from ingest.weights.published import PUBLISHED, SPEECH, Kind, check_name

RECORD = "checked.json"


def model_path(name: str, models_dir: Path, kind: Kind = SPEECH) -> Path | None:
    """The directory of a model, whole or not: `name` itself or a folder of `models_dir`; None where neither is one."""
    for place in (Path(name).expanduser(), models_dir / name, models_dir / name.removeprefix(kind.publisher)):
        if kind.files[0] in _recorded(place) or all((place / file).is_file() for file in kind.files):
            return place
    return None


def located(name: str, models_dir: Path) -> Path:
    """The directory of a speech model whose files are what was fetched. Raises `TranscriptionError`: what to do."""
    path = model_path(name, models_dir)
    if path is None:
        if name.startswith(("/", ".", "~")):
            raise TranscriptionError(name, f"is no directory with {', '.join(SPEECH.files)} in CTranslate2 form")
        check_name(name)
        todo = f"fetch it with `soundbite model pull {name}` or set SOUNDBITE_WHISPER_MODEL to a directory"
        raise TranscriptionError(name, f"is not on this machine; {todo}")
    require_whole(name, path)
    return path


def require_whole(name: str, path: Path, kind: Kind = SPEECH) -> None:
    """Raises the kind's error, which says what to do, where the files of a model of that name are not what was fetched."""
    own = path == Path(name).expanduser()
    if problem := fault(path, kind, _recorded(path)) if own else damage(path, kind):
        todo = "put the files there again" if own else f"fetch it again with `soundbite model pull {name}`"
        raise kind.error(name, f"is damaged ({problem}); {todo}")


def damage(path: Path, kind: Kind = SPEECH) -> str:
    """What is wrong with a model in the folder of its name, by its record or the published hashes; empty where nothing is."""
    if wanted := _recorded(path):
        return fault(path, kind, wanted)
    wanted = PUBLISHED.get(path.name, {})
    problem = fault(path, kind, wanted)
    if wanted and not problem:
        with suppress(OSError):  # the folder may be another user's
            record(path)
    return problem


def fault(path: Path, kind: Kind, wanted: Mapping[str, str]) -> str:
    """What is wrong with a model's files; empty where nothing is.

    `wanted` are SHA-256 by file name. The other files that must be there must only hold something.
    """
    for name in dict.fromkeys((*kind.files, *wanted)):
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
    paths = sorted(file for file in path.rglob("*") if file.is_file() and file != path / RECORD)
    files = {file.relative_to(path).as_posix(): {"sha256": digest(file)} for file in paths}
    (path / RECORD).write_text(json.dumps({"files": files}, indent=1) + "\n", encoding="utf-8")


def fingerprint(path: Path) -> str:
    """The SHA-256 of a located speech model's weights."""
    return _recorded(path).get(SPEECH.files[0]) or digest(path / SPEECH.files[0])


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _recorded(path: Path) -> dict[str, str]:
    try:
        files = json.loads((path / RECORD).read_bytes())["files"]
        return {name: file["sha256"] for name, file in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
