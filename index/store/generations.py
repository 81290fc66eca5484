"""Which folder of the index is in use, and its open tables: `root/CURRENT` names it, so one rename swaps a rebuild in."""

import asyncio
import os
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from index.store.schema import LAYOUT, schemas
from index.store.term_counts import Terms
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError
from ingest.storage import write_atomically

T = TypeVar("T")
Generation = tuple[str, int]  # a folder's name, and what tells it from an earlier folder of that name


def current(root: Path) -> Generation:
    """The generation in use; its name is empty where nothing is built. Raises `IndexingError`."""
    try:
        with (root / "CURRENT").open(encoding="utf-8") as file:
            name, stamp = file.read().strip(), os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return "", 0
    except (OSError, UnicodeDecodeError) as error:
        raise IndexingError(root / "CURRENT", f"cannot be read ({error}); check the permissions") from error
    return (name, stamp) if name.startswith("index-") and Path(name).name == name else ("", 0)


def unused(root: Path) -> str:
    """A name for one more folder; what interrupted rebuilds have left is removed."""
    _sweep(root)
    serials = [int(path.name[6:]) for path in root.glob("index-*") if path.name[6:].isdecimal()]
    return f"index-{max(serials, default=0) + 1}"


def publish(root: Path, name: str) -> None:
    """Make a folder the one in use, and remove all others."""
    write_atomically(root / "CURRENT", name)
    _sweep(root)


def _sweep(root: Path) -> None:
    used, _ = current(root)
    for other in root.glob("index-*"):
        if other.name != used:
            shutil.rmtree(other, ignore_errors=True)


# -- LanceDB


@dataclass(frozen=True, slots=True)
class Tables:
    """The open tables of one generation; `model` and `dimension` are what it was built for."""

    generation: Generation
    path: Path
    chunks: Any
    episodes: Any
    terms: Terms
    model: str
    dimension: int


def run(root: Path, work: Coroutine[Any, Any, T]) -> T:
    """Run LanceDB's asynchronous calls to their end, also inside an event loop. Raises `IndexingError`.

    They cost half of its synchronous ones, and let the two searches of a query run side by side.
    """
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        if isinstance(error, IndexingError):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        hint = "`soundbite index --rebuild` makes it anew"
        raise IndexingError(root, f"the index cannot be used ({reason}); {hint}") from error
    finally:
        future.cancel()  # what a keyboard interrupt has left unfinished


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="index", daemon=True).start()
    return loop


def open_tables(root: Path, generation: Generation) -> Tables:
    """Raises `IndexNotBuiltError`, `IndexMismatchError`, `IndexingError`."""
    name = generation[0]
    if not name or not (root / name).is_dir():
        raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
    return run(root, _open(root, generation))


async def _open(root: Path, generation: Generation) -> Tables:
    path = root / generation[0]
    connection = await _connect(path)
    chunks, episodes, terms = [await connection.open_table(name) for name in ("chunks", "episodes", "terms")]
    stamp = {key.decode(): value.decode() for key, value in ((await chunks.schema()).metadata or {}).items()}
    if stamp.get("layout") != LAYOUT:
        raise IndexMismatchError(root, "was built by another version of soundbite; run `soundbite index --rebuild`")
    return Tables(generation, path, chunks, episodes, Terms(terms), stamp["model"], int(stamp["dimension"]))


def create_tables(root: Path, name: str, model: str, dimension: int) -> None:
    """Make the empty tables of a new generation. Raises `IndexingError`."""
    try:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    except OSError as error:
        raise IndexingError(root, f"cannot be written ({error.strerror}); choose another --home") from error
    run(root, _create(root / name, model, dimension))


async def _create(path: Path, model: str, dimension: int) -> None:
    connection = await _connect(path)
    for name, schema in schemas(model, dimension).items():
        await connection.create_table(name, schema=schema)


async def _connect(path: Path) -> Any:
    os.environ.setdefault("LANCEDB_LOG", "error")  # else it warns on stderr at every query; read when first imported
    import lancedb

    return await lancedb.connect_async(str(path), read_consistency_interval=timedelta(0))
