"""Runs LanceDB's asynchronous calls to their end; its errors become ours."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ingest.errors import IndexingError

T = TypeVar("T")


def wait(root: Path, work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, also where the caller is inside an event loop; LanceDB's errors become ours.

    Its asynchronous calls cost half of its synchronous ones, and let the two legs of a search run side by side.
    """
    try:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return _run(work)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_run, work).result()
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        if isinstance(error, IndexingError):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise IndexingError(
            root, f"the index cannot be used ({reason}); `soundbite index --rebuild` makes it anew"
        ) from error


def _run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, which in the main thread prints its task, result and all, on its way out: 40 ms a search."""
    made: list[T] = []

    async def keep() -> None:
        made.append(await work)

    asyncio.run(keep())
    return made[0]
