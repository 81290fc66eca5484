"""First-stage retrieval: the chunks that may answer, by vector search and full-text search side by side."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any

from index.chunk_arrays import ChunkArrays
from index.embed.base import Vectors
from index.query import Query
from index.scoring import TermFrequencies
from index.speakers import Speakers, meant
from index.speakers import near as near_names
from index.store import maintenance
from index.store.generations import Tables
from index.store.questions import Asked
from index.store.schema import HIT_COLUMNS, SCORING_COLUMNS, chunk_arrays, quoted, restriction
from index.text.question import Question, Row
from ingest.errors import IndexMismatchError

PHRASE_DEPTH = 5  # times as many candidates with phrases
MAX_WAYS = 8  # to write the phrases of a question, each a search
_COLUMNS = list(dict.fromkeys(("id", "speaker_names", *SCORING_COLUMNS, *HIT_COLUMNS)))


@dataclass(frozen=True)
class Candidates:
    """The chunks that may answer; `indexed` is how many episodes were searched.

    `speakers` are those who are meant by the query's, None where it names nobody; where nobody is meant `near` are names
    that are written like it.
    """

    frequencies: TermFrequencies
    indexed: int
    _rows: Any
    speakers: frozenset[str] | None = None
    near: tuple[str, ...] = ()

    @cached_property
    def arrays(self) -> ChunkArrays | None:
        """The chunks as arrays; None where there are none."""
        return chunk_arrays(self._rows) if self._rows else None

    def rows(self, chunks: Sequence[int]) -> list[dict[str, Any]]:
        """`HIT_COLUMNS` of these chunks, numbered as in `arrays`."""
        return self._rows.select(HIT_COLUMNS).take(list(chunks)).to_pylist() if chunks else []


async def retrieve(tables: Tables, query: Query, vector: Vectors | None, asked: Asked, depth: int) -> Candidates:
    """The `depth` chunks nearest to the vector, if any, and as many that match the words best, if any.

    With phrases, only chunks that have them, and more of them, since the best may not come first.

    All is read from one generation. Raises `IndexMismatchError` where a rebuild has brought vectors of another length.
    """
    if vector is not None and len(vector) != tables.dimension:
        raise IndexMismatchError(tables.path, "was rebuilt with another model meanwhile; start again")
    speakers, near = await _speakers(tables, query)
    question = asked.question if query.mode != "vector" else Question(asked.question.text)
    terms = [form for term in question.terms for form in term.forms]
    where = restriction(query, speakers)
    rows, indexed = await asyncio.gather(
        nearest(tables.chunks, where, vector, terms, depth, asked.frequencies, question.phrases),
        tables.episodes.count_rows(),
    )
    return Candidates(asked.frequencies, indexed, rows, speakers.all if speakers else None, near)


async def _speakers(tables: Tables, query: Query) -> tuple[Speakers | None, tuple[str, ...]]:
    """Who is meant by the query's speaker, and names close to it if that is nobody."""
    if not query.speaker.strip():
        return None, ()
    rows = await tables.episodes.query().select(["podcast", "speakers"]).to_list()
    known = [(row["podcast"], name) for row in rows for name in row["speakers"]]
    who = meant(query.speaker, known)
    return who, () if who.all else tuple(near_names(query.speaker, known))


async def nearest(  # noqa: PLR0917 - a question and its restrictions
    chunks: Any,
    where: str,
    vector: Vectors | None,
    terms: Sequence[str],
    depth: int,
    frequencies: TermFrequencies,
    phrases: Sequence[Sequence[Row]] = (),
) -> Any:
    """Rows of the candidates ordered by id, with `HIT_COLUMNS` and `SCORING_COLUMNS`; None if both searches are empty."""
    searches = []
    if phrases:
        searches = _phrase_searches(chunks, phrases, terms)
        depth *= PHRASE_DEPTH
    elif vector is not None:
        searches.append(await _vector_search(chunks, vector, where))
    if terms and not phrases:
        if frequencies.passages > maintenance.MIN_INDEXED:
            terms = maintenance.distinctive(terms, frequencies.containing, frequencies.passages)
        searches.append(chunks.query().nearest_to_text(" ".join(terms), columns=["indexed_text"]))
    found = await asyncio.gather(*(_ids(search, where, depth) for search in searches))
    rows = {name: row for ids in found for name, row in ids.items()}
    return await _read(chunks, dict(sorted(rows.items()))) if rows else None  # sorted: ties fall one way only


def _phrase_searches(chunks: Any, phrases: Sequence[Sequence[Row]], terms: Sequence[str]) -> list[Any]:
    """A search for each way to write all phrases, of at most `MAX_WAYS`."""
    from lancedb.query import BooleanQuery, MatchQuery, Occur, PhraseQuery

    column = "indexed_text"
    ways = list(islice(product(*phrases), MAX_WAYS))
    musts = [[(Occur.MUST, PhraseQuery(" ".join(row), column)) for row in rows] for rows in ways]
    other = (Occur.SHOULD, MatchQuery(" ".join(terms), column))
    return [chunks.query().nearest_to_text(BooleanQuery([*must, other])) for must in musts]


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
