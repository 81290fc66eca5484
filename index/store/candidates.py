"""First-stage retrieval: the chunks that may answer, by vector search and full-text search side by side."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from index.chunk_arrays import ChunkArrays
from index.embed.base import Vectors
from index.query import Query
from index.scoring import TermFrequencies
from index.store import maintenance, term_counts
from index.store.generations import Tables
from index.store.schema import HIT_COLUMNS, SCORING_COLUMNS, chunk_arrays, quoted, restriction
from ingest.errors import IndexMismatchError

_COLUMNS = list(dict.fromkeys(("id", "speaker_names", *SCORING_COLUMNS, *HIT_COLUMNS)))


@dataclass(frozen=True)
class Candidates:
    """The chunks that may answer; `indexed` is how many episodes were searched."""

    frequencies: TermFrequencies
    indexed: int
    _rows: Any

    @cached_property
    def arrays(self) -> ChunkArrays | None:
        """The chunks as arrays; None where there are none."""
        return chunk_arrays(self._rows) if self._rows else None

    def rows(self, chunks: Sequence[int]) -> list[dict[str, Any]]:
        """`HIT_COLUMNS` of these chunks, numbered as in `arrays`."""
        return self._rows.select(HIT_COLUMNS).take(list(chunks)).to_pylist() if chunks else []


async def retrieve(
    tables: Tables, query: Query, vector: Vectors | None, terms: Sequence[str], depth: int
) -> Candidates:
    """The `depth` chunks nearest to the vector, if any, and as many that match the terms best, if any.

    All is read from one generation. Raises `IndexMismatchError` where a rebuild has brought vectors of another length.
    """
    if vector is not None and len(vector) != tables.dimension:
        raise IndexMismatchError(tables.path, "was rebuilt with another model meanwhile; start again")
    frequencies, indexed = await asyncio.gather(
        term_counts.frequencies(tables.terms, terms), tables.episodes.count_rows()
    )
    rows = await nearest(tables.chunks, restriction(query), vector, terms, depth, frequencies)
    return Candidates(frequencies, indexed, rows)


async def nearest(  # noqa: PLR0917 - a question and its restrictions
    chunks: Any, where: str, vector: Vectors | None, terms: Sequence[str], depth: int, frequencies: TermFrequencies
) -> Any:
    """Rows of the candidates ordered by id, with `HIT_COLUMNS` and `SCORING_COLUMNS`; None if both searches are empty."""
    searches = []
    if vector is not None:
        searches.append(await _vector_search(chunks, vector, where))
    if terms:
        if frequencies.passages > maintenance.MIN_INDEXED:
            terms = maintenance.distinctive(terms, frequencies.containing, frequencies.passages)
        searches.append(chunks.query().nearest_to_text(" ".join(terms), columns=["indexed_text"]))
    found = await asyncio.gather(*(_ids(search, where, depth) for search in searches))
    rows = {name: row for ids in found for name, row in ids.items()}
    return await _read(chunks, dict(sorted(rows.items()))) if rows else None  # sorted: ties fall one way only


async def _ids(search: Any, where: str, depth: int) -> dict[str, int]:
    """The row id of each chunk found, by its id."""
    search = search.where(where) if where else search
    found = await search.select(["id"]).with_row_id().limit(depth).to_arrow()
    return dict(zip(found["id"].to_pylist(), found["_rowid"].to_pylist(), strict=True))


async def _vector_search(chunks: Any, vector: Vectors, where: str) -> Any:
    """Exhaustive unless there is a vector index that loses few."""
    search = chunks.query().nearest_to(vector).distance_type("cosine")
    if maintenance.VECTOR_INDEX not in await maintenance.index_names(chunks):
        return search
    if where and await chunks.count_rows(where) <= maintenance.MAX_EXHAUSTIVE:
        return search.bypass_vector_index()
    return search.nprobes(maintenance.probes(await chunks.count_rows(), bool(where))).refine_factor(maintenance.REFINE)


async def _read(chunks: Any, wanted: dict[str, int]) -> Any:
    """One row for each id, in this order; a chunk replaced meanwhile is left out.

    By row id, which is read at once where a search for ids reads all chunks; but compaction gives new ones.
    """
    import pyarrow as pa

    try:
        rows = await chunks.take_row_ids(list(wanted.values())).select(_COLUMNS).to_arrow()
    except RuntimeError:
        rows = None
    place = {name: i for i, name in enumerate(rows["id"].to_pylist())} if rows else {}
    if not place.keys() >= wanted.keys():
        where = f"id IN ({', '.join(map(quoted, wanted))})"
        rows = await chunks.query().where(where).select(_COLUMNS).to_arrow()
        place = {name: i for i, name in enumerate(rows["id"].to_pylist())}
    return rows.take(pa.array([place[name] for name in wanted if name in place], pa.int64()))
