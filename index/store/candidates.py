"""Asks LanceDB for the chunks that may answer, by meaning and by words side by side; used by `index.store` alone."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from index import scoring as rank
from index.store import maintenance as upkeep
from index.store.schema import SCORED, SHOWN, quoted

if TYPE_CHECKING:
    from index.store.schema import Vectors


async def nearest(  # noqa: PLR0917 - a question and its restrictions
    chunks: Any, vector: "Vectors | None", words: Sequence[str], where: str, depth: int, known: rank.Frequencies
) -> Any:
    """Rows, by id, of the `depth` chunks nearest to the vector and of as many that hold the words best; None for neither.

    They have what chunks are `SCORED` by and all that hits show, read once for both legs: a column costs a millisecond.
    """
    asked = []
    if vector is not None:
        asked.append(await _by_meaning(chunks, vector, where))
    if words:
        large = known.passages > upkeep.INDEXED
        terms = " ".join(upkeep.telling(words, known.containing, known.passages) if large else words)
        asked.append(chunks.query().nearest_to_text(terms, columns=["indexed_text"]))
    legs = await asyncio.gather(
        *((leg.where(where) if where else leg).select(["id"]).with_row_id().limit(depth).to_arrow() for leg in asked)
    )
    names = {
        name: row for leg in legs for name, row in zip(leg["id"].to_pylist(), leg["_rowid"].to_pylist(), strict=True)
    }
    return await _read(chunks, sorted(names.items())) if names else None  # sorted, so that ties fall one way only


async def _by_meaning(chunks: Any, vector: "Vectors", where: str) -> Any:
    """The query for the nearest chunks: all are looked at unless there is an index that loses few."""
    leg = chunks.query().nearest_to(vector).distance_type("cosine")
    if upkeep.VECTORS not in await upkeep.names(chunks):
        return leg
    if where and await chunks.count_rows(where) <= upkeep.FEW:
        return leg.bypass_vector_index()
    return leg.nprobes(upkeep.probes(await chunks.count_rows(), bool(where))).refine_factor(upkeep.REFINED)


async def _read(chunks: Any, names: Sequence[tuple[str, int]]) -> Any:
    """One row for each id and row id, in their order; what has been replaced meanwhile is left out.

    Row ids are read at once where looking for ids reads those of all chunks; but compacting gives new ones.
    """
    import pyarrow as pa

    columns = ["id", *SCORED, "marks", *SHOWN]
    wanted = [name for name, _ in names]
    try:
        rows = await chunks.take_row_ids([number for _, number in names]).select(columns).to_arrow()
    except RuntimeError:
        rows = None
    place = {name: i for i, name in enumerate(rows["id"].to_pylist())} if rows else {}
    if not place.keys() >= set(wanted):
        where = f"id IN ({', '.join(quoted(name) for name in wanted)})"
        rows = await chunks.query().where(where).select(columns).to_arrow()
        place = {name: i for i, name in enumerate(rows["id"].to_pylist())}
    return rows.take(pa.array([place[name] for name in wanted if name in place], pa.int64()))
