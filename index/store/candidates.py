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
from index.store import maintenance
from index.store.generations import Tables
from index.store.record import Records
from index.store.schema import EPISODES, LENGTH, PASSAGES, chunk_arrays, restriction
from ingest.errors import IndexMismatchError

ATTEMPTS = 3  # at reading what the searches found: compaction gives rows new ids, and those of before find nothing


@dataclass(frozen=True)
class Candidates:
    """The chunks that may answer; `indexed` is how many episodes were searched."""

    frequencies: TermFrequencies
    indexed: int
    records: Records | None

    @cached_property
    def arrays(self) -> ChunkArrays | None:
        """The chunks as arrays; None where there are none."""
        return chunk_arrays(self.records) if self.records else None

    def rows(self, chunks: Sequence[int]) -> list[dict[str, Any]]:
        """What a hit shows of these chunks, numbered as in `arrays`."""
        return [self.records.facts(number) for number in chunks] if self.records else []


async def retrieve(
    tables: Tables, query: Query, vector: Vectors | None, terms: Sequence[str], depth: int
) -> Candidates:
    """The `depth` chunks nearest to the vector, if any, and as many that match the terms best, if any.

    All is read from one generation. Raises `IndexMismatchError` where a rebuild has brought vectors of another length.
    """
    if vector is not None and len(vector) != tables.dimension:
        raise IndexMismatchError(tables.path, "was rebuilt with another model meanwhile; start again")
    counts = await tables.terms.lookup([*terms, EPISODES, PASSAGES, LENGTH])
    frequencies = TermFrequencies(counts.get(PASSAGES, 0), counts.get(LENGTH, 0), counts)
    for _ in range(ATTEMPTS):
        rows = await nearest(tables.chunks, restriction(query), vector, terms, depth, frequencies)
        read = await tables.chunks.take_row_ids(rows).select(["record"]).to_arrow() if rows else ()
        if len(read) == len(rows):
            break
    return Candidates(frequencies, counts.get(EPISODES, 0), Records(read["record"].to_pylist()) if read else None)


async def nearest(  # noqa: PLR0917 - a question and its restrictions
    chunks: Any, where: str, vector: Vectors | None, terms: Sequence[str], depth: int, frequencies: TermFrequencies
) -> list[int]:
    """Row ids of the candidates; none if both searches are empty."""
    searches = []
    if vector is not None:
        searches.append((await _vector_search(chunks, vector, where, frequencies.passages), "_distance"))
    if terms:
        if frequencies.passages > maintenance.MIN_INDEXED:
            terms = maintenance.distinctive(terms, frequencies.containing, frequencies.passages)
        searches.append((chunks.query().nearest_to_text(" ".join(terms), columns=["indexed_text"]), "_score"))
    found = await asyncio.gather(*(_row_ids(search, score, where, depth) for search, score in searches))
    return list({row for rows in found for row in rows})


async def _row_ids(search: Any, score: str, where: str, depth: int) -> list[int]:
    """The row ids of the chunks found; any other column would be read for a millisecond, row by row."""
    search = search.where(where) if where else search
    found = await search.select([score]).with_row_id().limit(depth).to_arrow()
    rows: list[int] = found["_rowid"].to_pylist()
    return rows


async def _vector_search(chunks: Any, vector: Vectors, where: str, rows: int) -> Any:
    """Exhaustive unless there are so many chunks, and so many left by the filters, that the index loses few."""
    search = chunks.query().nearest_to(vector).distance_type("cosine").nprobes(maintenance.probes(rows, bool(where)))
    if rows <= maintenance.MIN_INDEXED:
        return search
    if where and await chunks.count_rows(where) <= maintenance.MAX_EXHAUSTIVE:
        return search.bypass_vector_index()
    return search.refine_factor(maintenance.REFINE)
