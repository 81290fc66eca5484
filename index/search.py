"""Answers a query with passages: who says them, when, and a link that plays them."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from index.chunk_arrays import ChunkArrays
from index.embed.base import Embedder, Vectors
from index.embed.rerank import RERANKED, Reranker, part_to_read
from index.passages import Passage, PassageQuery, rank_passages
from index.query import Answer, Coverage, Excerpt, Hit, Query, Scores
from index.sentence_span import SentenceSpan
from index.store.candidates import Candidates
from index.store.lance import Store
from index.store.schema import comparable
from index.text.terms import hash_term, highlights, stems
from ingest.errors import IndexNotBuiltError
from ingest.links import moment, playing, web_address

GROUPED, MORE = 100, 4  # passages that are grouped by episode; hits folded into the first of an episode
DEPTH = 40  # candidates of each search, whatever the limit; over 4,400 chunks, 10 to 80 give the same quality


class Searcher:
    """Searches one store; many threads may use one. `counts` gives the numbers of episodes pending and failed."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        counts: Callable[[], tuple[int, int]] = lambda: (0, 0),
        reranker: Reranker | None = None,
    ) -> None:
        self.store = store
        self.embedder = embedder
        self.counts = counts
        self.reranker = reranker

    def search(self, query: Query) -> Answer:
        """The best passages. Raises `IndexNotBuiltError`, `IndexMismatchError`, `IndexingError`."""
        started = time.perf_counter()
        vector = None
        if query.mode != "text":
            self.store.require(self.embedder.name, self.embedder.dimension)
            vector = self.embedder.embed_query(query.words)
        terms = list(dict.fromkeys(stems(query.words)))
        found = self.store.candidates(query, vector, [] if query.mode == "vector" else terms, DEPTH)
        if not found.indexed:
            raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
        hits = self._hits(query, vector, terms, found)
        weak = query.mode != "text" and all(hit.score < self.embedder.no_answer_score for hit in hits)
        took = round((time.perf_counter() - started) * 1000, 1)
        return Answer(query.text, query.mode, took, tuple(hits), Coverage(found.indexed, *self.counts()), weak)

    def _hits(self, query: Query, vector: Vectors | None, terms: Sequence[str], found: Candidates) -> Sequence[Hit]:
        if not found.arrays:
            return ()
        limit = GROUPED if query.group_by else max(query.limit, RERANKED) if self.reranker else query.limit
        passages = rank_passages(found.arrays, _passage_query(query, vector, terms, found), limit)
        hits = _build_hits(
            passages, found.arrays, found.rows([passage.chunk for passage in passages]), _content(terms, found)
        )
        hits = _reranked(query.words, hits, self.reranker) if self.reranker else hits
        return (_grouped(hits) if query.group_by else hits)[: query.limit]


def _passage_query(query: Query, vector: Vectors | None, terms: Sequence[str], found: Candidates) -> PassageQuery:
    speaker = comparable(query.speaker)
    return PassageQuery(
        terms=[hash_term(term) for term in terms],
        weights=[found.frequencies.idf(term) for term in terms],
        mean_length=found.frequencies.mean_length,
        vector=vector,
        lexical=query.mode != "vector",
        lexical_weight=found.frequencies.lexical_weight(terms),
        adverts=query.adverts,
        speaker=hash_term(speaker) if speaker else None,
    )


def _content(terms: Sequence[str], found: Candidates) -> list[str]:
    """The terms worth a highlight: all but the common ones, unless all are common."""
    return [term for term in terms if not found.frequencies.is_common(term)] or list(terms)


def _reranked(question: str, hits: Sequence[Hit], reranker: Reranker) -> list[Hit]:
    """The first `RERANKED` hits by the reranker's scores, the others after them."""
    scores = reranker.scores(question, [part_to_read(hit.passage.text, hit.answer.text) for hit in hits[:RERANKED]])
    scored = [
        replace(hit, scores=replace(hit.scores, rerank=_rounded(score)))
        for hit, score in zip(hits, scores, strict=False)
    ]
    ordered = [scored[i] for i in sorted(range(len(scored)), key=lambda i: -scores[i])]
    return [replace(hit, rank=n) for n, hit in enumerate([*ordered, *hits[RERANKED:]], 1)]


def _grouped(hits: Sequence[Hit]) -> list[Hit]:
    """The best hit of each episode, with the next `MORE` folded into it."""
    episodes: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        episodes[hit.key].append(hit)
    return [
        replace(best, rank=n, moments=1 + len(rest), more=tuple(rest[:MORE]))
        for n, (best, *rest) in enumerate(episodes.values(), 1)
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _build_hits(
    passages: Sequence[Passage], arrays: ChunkArrays, rows: Sequence[dict[str, Any]], terms: Sequence[str]
) -> list[Hit]:
    hits = [_hit(rank, *one, arrays) for rank, one in enumerate(zip(passages, rows, strict=True), 1)]
    spans = highlights([hit.passage.text for hit in hits], frozenset(terms))
    return [replace(hit, highlights=tuple(own)) for hit, own in zip(hits, spans, strict=True)]


def _excerpt(row: dict[str, Any], spans: Sequence[SentenceSpan], text: str) -> Excerpt:
    names = [*row["speakers"], ""]  # nobody is number -1
    return Excerpt(text, names[spans[0].speaker], spans[0].start, spans[-1].stop)


def _joined(text: str, spans: Sequence[SentenceSpan]) -> str:
    """The sentences with what stands between them, without labels."""
    gaps = ["" if i == 0 else " " if span.begin - spans[i - 1].end == 1 else "\n\n" for i, span in enumerate(spans)]
    return "".join(gap + text[span.begin : span.end] for gap, span in zip(gaps, spans, strict=True))


def _hit(rank: int, passage: Passage, row: dict[str, Any], arrays: ChunkArrays) -> Hit:
    base = int(arrays.sentence_bounds[passage.chunk])
    spans = [arrays.sentences.span(base + n) for n in range(passage.begin, passage.end)]
    answer = spans[passage.answer_begin - passage.begin : passage.answer_end - passage.begin]
    whole = _excerpt(row, spans, row["text"][spans[0].begin : spans[-1].end])
    label = f"{whole.speaker}: " if whole.speaker else ""
    return Hit(
        rank=rank,
        score=round(passage.score, 4),
        scores=Scores(_rounded(passage.cosine), _rounded(passage.lexical)),
        podcast=row["podcast"],
        episode_id=row["guid"],
        key=row["key"],
        title=row["title"],
        published=row["published"],
        passage=replace(whole, text=label + whole.text),
        answer=_excerpt(row, answer, _joined(row["text"], answer)),
        highlights=(),
        link=moment(row["link"], answer[0].lead),
        audio_url=web_address(row["audio_url"]),
        play_url=playing(row["audio_url"], answer[0].lead, whole.end),
        approximate=row["approximate"],
        advert=passage.advert,
    )
