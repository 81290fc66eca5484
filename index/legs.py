"""Asks LanceDB for the chunks that may answer, by meaning and by words side by side; used by `index.store` alone."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from index import rank, upkeep
from index.records import SCORED, SHOWN, quoted

if TYPE_CHECKING:
    from index.records import Vectors


async def nearest(  # noqa: PLR0917 - a question and its restrictions
    chunks: Any, vector: "Vectors | None", words: Sequence[str], where: str, depth: int, known: rank.Frequencies
) -> Any:
    """Rows, by id, of the `depth` chunks nearest to the vector and of as many that hold the words best; None for neither.

    Beside `SCORED` they have `id` and `_rowid`, by which `shown` finds them again.
    """
    import pyarrow as pa

    asked = []
    if vector is not None:
        asked.append((await _by_meaning(chunks, vector, where), "_distance"))
    if words:
        large = known.passages > upkeep.INDEXED
        terms = " ".join(upkeep.telling(words, known.containing, known.passages) if large else words)
        asked.append((chunks.query().nearest_to_text(terms, columns=["indexed_text"]), "_score"))
    legs = await asyncio.gather(
        *(
            (leg.where(where) if where else leg).select(["id", *SCORED, score]).with_row_id().limit(depth).to_arrow()
            for leg, score in asked
        )
    )
    if not legs:
        return None
    rows = pa.concat_tables([leg.drop_columns([score]) for leg, (_, score) in zip(legs, asked, strict=True)])
    first = {name: i for i, name in enumerate(rows["id"].to_pylist())}
    return rows.take(pa.array([first[name] for name in sorted(first)], pa.int64()))  # so that ties fall one way only


async def _by_meaning(chunks: Any, vector: "Vectors", where: str) -> Any:
    """The query for the nearest chunks: all are looked at unless there is an index that loses few."""
    leg = chunks.query().nearest_to(vector).distance_type("cosine")
    if upkeep.VECTORS not in await upkeep.names(chunks):
        return leg
    if where and await chunks.count_rows(where) <= upkeep.FEW:
        return leg.bypass_vector_index()
    return leg.nprobes(upkeep.probes(await chunks.count_rows()))


async def shown(chunks: Any, names: Sequence[tuple[str, int]]) -> Any:
    """One row for each id and row id, in their order, with what hits show.

    Row ids are read at once where looking for ids reads those of all chunks; but compacting gives new ones. Raises
    `ValueError` for a chunk that has gone.
    """
    import pyarrow as pa

    columns = ["id", "key", "marks", *SHOWN]
    wanted = [name for name, _ in names]
    try:
        rows = await chunks.take_row_ids([number for _, number in names]).select(columns).to_arrow()
    except RuntimeError:
        rows = None
    place = {name: i for i, name in enumerate(rows["id"].to_pylist())} if rows else {}
    if not place.keys() >= set(wanted):
        where = f"id IN ({', '.join(quoted(name) for name in set(wanted))})"
        rows = await chunks.query().where(where).select(columns).to_arrow()
        place = {name: i for i, name in enumerate(rows["id"].to_pylist())}
    if not place.keys() >= set(wanted):
        raise ValueError("an episode was replaced meanwhile, ask again")
    return rows.combine_chunks().take(pa.array([place[name] for name in wanted], pa.int64()))
