"""Which folder of the index is in use, and its open tables: `CURRENT` names it, so one write swaps a rebuild in."""

import asyncio
import os
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from threading import Thread
from typing import Any, TypeVar

from index.store.record import RecordCache
from index.store.schema import LAYOUT, schemas
from index.store.term_counts import Terms
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError
from ingest.object_storage import client_options, explained
from ingest.storage import Storage

T = TypeVar("T")
Generation = tuple[str, str]  # a folder's name, and what tells it from an earlier folder of that name
POINTER = "CURRENT"


def current(storage: Storage) -> Generation:
    """The generation in use; its name is empty where nothing is built. Raises `IndexingError`, `StorageError`."""
    try:
        content, version = storage.read(POINTER)
        name = content.decode().partition(" ")[0].strip()
    except FileNotFoundError:
        return "", ""
    except (OSError, UnicodeDecodeError) as error:
        raise IndexingError(storage.where(POINTER), f"cannot be read ({error}); check the permissions") from error
    return (name, version) if name.startswith("index-") and "/" not in name else ("", "")


def unused(storage: Storage) -> str:
    """A name for one more folder; what interrupted rebuilds have left is removed."""
    _sweep(storage)
    serials = [int(name[6:]) for name in _generations(storage) if name[6:].isdecimal()]
    return f"index-{max(serials, default=0) + 1}"


def publish(storage: Storage, name: str) -> None:
    """Make a folder the one in use, and remove all others. Raises `ConflictError` where another has published one."""
    storage.check_exclusive()
    # A bucket's versions may be hashes of the content: of two folders of one name the time tells which is meant.
    content = f"{name} {time.time_ns()}" if storage.remote else name
    storage.put(POINTER, content.encode(), over=storage.version(POINTER))
    _sweep(storage)


def _sweep(storage: Storage) -> None:
    used, _ = current(storage)
    for other in _generations(storage):
        if other != used:
            storage.check_exclusive()
            storage.delete_folder(other)


def _generations(storage: Storage) -> list[str]:
    return [name for name in storage.folders() if name.startswith("index-")]


# -- LanceDB


@dataclass(frozen=True, slots=True)
class Tables:
    """The open tables of one generation; `model` and `dimension` are what it was built for.

    `folder` is the name of its folder in `storage`.
    """

    generation: Generation
    storage: Storage
    folder: str
    chunks: Any
    episodes: Any
    terms: Terms
    records: RecordCache
    model: str
    dimension: int


def run(storage: Storage, work: Coroutine[Any, Any, T]) -> T:
    """Run LanceDB's asynchronous calls to their end, also inside an event loop. Raises `IndexingError`.

    They cost half of its synchronous ones, and let the two searches of a query run side by side.
    """
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        if isinstance(error, IndexingError):
            raise
        if storage.remote and (cause := explained(str(error))):
            raise IndexingError(storage.where(), cause) from None  # the error's own text quotes the request
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        hint = "`soundbite index --rebuild` makes it anew"
        raise IndexingError(storage.where(), f"the index cannot be used ({reason}); {hint}") from error
    finally:
        future.cancel()  # what a keyboard interrupt has left unfinished


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="index", daemon=True).start()
    return loop


def open_tables(storage: Storage, generation: Generation, max_age: float = 0.0) -> Tables:
    """The tables, which show what is written within `max_age` seconds.

    Raises `IndexNotBuiltError`, `IndexMismatchError`, `IndexingError`.
    """
    name = generation[0]
    if not name or not storage.listing(f"{name}/episodes.lance"):
        raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
    return run(storage, _open(storage, generation, max_age))


async def _open(storage: Storage, generation: Generation, max_age: float) -> Tables:
    name = generation[0]
    connection = await _connect(storage, name, max_age)
    chunks, episodes, terms = [await connection.open_table(name) for name in ("chunks", "episodes", "terms")]
    stamp = {key.decode(): value.decode() for key, value in ((await chunks.schema()).metadata or {}).items()}
    if stamp.get("layout") != LAYOUT:
        hint = "was built by another version of soundbite; run `soundbite index --rebuild`"
        raise IndexMismatchError(storage.where(), hint)
    return Tables(
        generation,
        storage,
        name,
        chunks,
        episodes,
        Terms(terms),
        RecordCache(),
        stamp["model"],
        int(stamp["dimension"]),
    )


def create_tables(storage: Storage, name: str, model: str, dimension: int) -> None:
    """Make the empty tables of a new generation. Raises `IndexingError`."""
    storage.delete_folder(name)
    run(storage, _create(storage, name, model, dimension))


async def _create(storage: Storage, folder: str, model: str, dimension: int) -> None:
    connection = await _connect(storage, folder)
    for name, schema in schemas(model, dimension).items():
        await connection.create_table(name, schema=schema)


async def _connect(storage: Storage, folder: str, max_age: float = 0.0) -> Any:
    os.environ.setdefault("LANCEDB_LOG", "error")  # else it warns on stderr at every query; read when first imported
    import lancedb

    return await lancedb.connect_async(
        storage.where(folder),
        read_consistency_interval=timedelta(seconds=max_age),
        storage_options=client_options() if storage.remote else None,
    )
