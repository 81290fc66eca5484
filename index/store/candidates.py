"""First-stage retrieval: the chunks that may answer, by vector search and full-text search side by side."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any

import numpy as np

from index.chunk_arrays import BoolArray, ChunkArrays
from index.embed.base import Vectors
from index.phrases import contains_phrases
from index.query import Query
from index.scoring import TermFrequencies
from index.speakers import Speakers, meant
from index.speakers import near as near_names
from index.store import maintenance
from index.store.generations import Tables
from index.store.questions import Asked
from index.store.record import Records
from index.store.schema import chunk_arrays, restriction
from index.text.phrases import Row, said
from index.text.question import Question
from index.text.terms import hash_term
from ingest.errors import IndexMismatchError

PHRASE_DEPTH = 5  # times as many candidates with phrases
MAX_WAYS = 8  # to write the phrases of a question, each a search
ATTEMPTS = 3  # at reading what the searches found: compaction gives rows new ids, and those of before find nothing


@dataclass(frozen=True)
class Candidates:
    """The chunks that may answer; `indexed` is how many episodes there are, `searched` how many the filters leave.

    `speakers` are those who are meant by the query's, None where it names nobody; where nobody is meant, `near` are names
    that are written like it.
    """

    frequencies: TermFrequencies
    indexed: int
    searched: int
    records: Records | None
    speakers: Speakers | None = None
    near: tuple[str, ...] = ()

    @property
    def chunks(self) -> int:
        """How many chunks."""
        return len(self.records.episode) if self.records else 0

    @cached_property
    def arrays(self) -> ChunkArrays | None:
        """The chunks as arrays; None where there are none."""
        return chunk_arrays(self.records) if self.records else None

    @property
    def speaks(self) -> BoolArray | None:
        """Which sentences those say who are meant by the query's speaker; None where it names nobody."""
        if self.speakers is None or self.arrays is None:
            return None
        speaks: BoolArray = np.isin(self.arrays.speaker, [hash_term(name) for name in self.speakers.names])
        podcast = [facts["podcast"] for facts in self.rows(range(self.chunks))] if self.speakers.aliases else []
        for number, one in enumerate(podcast):  # an alias is another person elsewhere
            own = slice(*self.arrays.sentence_bounds[number : number + 2])
            others = [hash_term(name) for name in self.speakers.aliases.get(one, ())]
            speaks[own] |= np.isin(self.arrays.speaker[own], others)
        return speaks

    def having(self, phrases: Sequence[Sequence[Row]]) -> BoolArray | None:
        """Which passages have a row of each phrase; None where there are no chunks."""
        return contains_phrases(self.arrays, self.rows(range(self.chunks)), phrases) if self.arrays else None

    def rows(self, chunks: Sequence[int]) -> list[dict[str, Any]]:
        """What a hit shows of these chunks, numbered as in `arrays`."""
        return [self.records.facts(number) for number in chunks] if self.records else []


async def retrieve(tables: Tables, query: Query, vector: Vectors | None, asked: Asked, depth: int) -> Candidates:
    """The `depth` chunks nearest to the vector, if any, and as many that match the words best, if any.

    With phrases, only chunks that have them, and more of them, since the best may not come first.

    All is read from one generation. Raises `IndexMismatchError` where a rebuild has brought vectors of another length.
    """
    if vector is not None and len(vector) != tables.dimension:
        raise IndexMismatchError(
            tables.storage.where(tables.folder), "was rebuilt with another model meanwhile; start again"
        )
    speakers, near = await _speakers(tables, query)
    question = asked.question if query.mode != "vector" else Question(asked.question.text)
    terms = [form for term in question.terms for form in term.forms]
    where = restriction(query, speakers)
    for _ in range(ATTEMPTS):
        rows = await nearest(tables.chunks, where, vector, terms, depth, asked.frequencies, question.phrases)
        read = await tables.records.read(tables.chunks, rows)
        if len(read) == len(rows):
            break
    records = Records(read) if read else None
    searched = await _searched(tables, query, where) if where else asked.episodes
    return Candidates(asked.frequencies, asked.episodes, searched, records, speakers, near)


async def _searched(tables: Tables, query: Query, where: str) -> int:
    """How many episodes a query's filters leave; who speaks in one is known by its chunks."""
    if not query.speaker.strip():
        return int(await tables.episodes.count_rows(where))
    return len(set((await tables.chunks.query().where(where).select(["key"]).to_arrow())["key"].to_pylist()))


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
) -> list[int]:
    """Row ids of the candidates; none if both searches are empty. A phrase of stop words alone cannot be searched for."""
    searches = []
    phrases = [rows for phrase in phrases if (rows := list(dict.fromkeys(filter(None, map(said, phrase)))))]
    if phrases:
        searches = [(search, "_score") for search in _phrase_searches(chunks, phrases, terms)]
        depth *= PHRASE_DEPTH
    elif vector is not None:
        searches.append((await _vector_search(chunks, vector, where, frequencies.passages), "_distance"))
    if terms and not phrases:
        if frequencies.passages > maintenance.MIN_INDEXED:
            terms = maintenance.distinctive(terms, frequencies.containing, frequencies.passages)
        searches.append((chunks.query().nearest_to_text(" ".join(terms), columns=["indexed_text"]), "_score"))
    found = await asyncio.gather(*(_row_ids(search, score, where, depth) for search, score in searches))
    return list({row for rows in found for row in rows})


def _phrase_searches(chunks: Any, phrases: Sequence[Sequence[Row]], terms: Sequence[str]) -> list[Any]:
    """A search for each way to write all phrases, of at most `MAX_WAYS`."""
    from lancedb.query import BooleanQuery, MatchQuery, Occur, PhraseQuery

    column = "indexed_text"
    ways = list(islice(product(*phrases), MAX_WAYS))
    musts = [[(Occur.MUST, PhraseQuery(" ".join(row), column)) for row in rows] for rows in ways]
    other = (Occur.SHOULD, MatchQuery(" ".join(terms), column))
    return [chunks.query().nearest_to_text(BooleanQuery([*must, other])) for must in musts]


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
