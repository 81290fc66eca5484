"""Answers a question with moments: passages, who says them, when, and a link that plays them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from index import scoring as rank
from index.chunk_arrays import hashed
from index.embed.rerank import RERANKED, CrossReranker, Reranker
from index.embed.sentence_transformers import Embedder, SentenceEmbedder
from index.passages import Passage, Question, moments
from index.query import Answer, Coverage, Hit, Query, Scores
from index.store.hit_rows import Candidates
from index.store.lance import Store
from index.store.schema import Filters
from ingest.errors import IndexingError, IndexNotBuiltError
from ingest.ledger import Ledger
from ingest.settings import Settings
from ingest.times import iso, play_url

DEPTH = 25  # chunks of each leg: of 4,400, from 10 to 80 find the same (measured)
EXPORTS = "encoder"  # folder beside the index where models run from


def as_dict(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON data, with the same names."""
    plain: dict[str, Any] = asdict(answer)
    hits = [{**hit, "highlights": [list(span) for span in hit["highlights"]]} for hit in plain["hits"]]
    return {**plain, "hits": hits}


class Searcher:
    """Asks one store; `counts` gives the episodes pending and failed. Many threads may use one."""

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
        """The best moments. Raises `IndexNotBuiltError`, `IndexMismatchError`, `IndexingError`."""
        started = time.perf_counter()
        for attempt in (1, 2):
            folder = self.store.opened
            try:
                hits = self._hits(query)
                indexed = self.store.size()
                break
            except IndexingError:
                if attempt == 2 or folder == self.store.folder:  # else a rebuild took the index's place meanwhile
                    raise
        pending, failed = self.counts()
        weak = query.mode != "text" and all(hit.score < self.embedder.floor for hit in hits)
        took = round((time.perf_counter() - started) * 1000, 1)
        return Answer(query.text, query.mode, took, tuple(hits), Coverage(indexed, pending, failed), weak)

    def _hits(self, query: Query) -> list[Hit]:
        question, mode, limit = query.words, query.mode, query.limit
        speaker = " ".join(query.speaker.split())
        filters = Filters(query.podcast_slug, speaker, query.published_from, query.published_before)
        vector = None
        if mode != "text":
            self.store.require(self.embedder.name, self.embedder.dimension)
            vector = self.embedder.embed_query(question)
        terms = list(dict.fromkeys(rank.stems(question)))
        near = self.store.candidates(vector, [] if mode == "vector" else terms, filters, max(DEPTH, 2 * limit))
        if near.found is None:
            if not self.store.size():
                raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
            return []
        known, power = near.known, rank.SHARPER if mode == "hybrid" else 1
        asked = Question(
            [hashed(term) for term in terms], [known.weight(term) ** power for term in terms],
            known.length / max(1, known.passages), vector, mode != "vector", query.adverts,
            hashed(speaker.casefold()) if speaker else None,
        )  # fmt: skip
        best = moments(near.found, asked, max(limit, RERANKED) if self.reranker else limit)
        hits = _shown(best, near, frozenset(terms))
        return _reranked(question, hits, self.reranker)[:limit] if self.reranker else hits


def _reranked(question: str, hits: Sequence[Hit], reranker: Reranker) -> list[Hit]:
    """The first `RERANKED` hits by the reranker's scores, the others after them."""
    scores = reranker.scores(question, [hit.text for hit in hits[:RERANKED]])
    scored = [
        replace(hit, scores=replace(hit.scores, rerank=_rounded(score)))
        for hit, score in zip(hits, scores, strict=False)
    ]
    ordered = [scored[i] for i in sorted(range(len(scored)), key=lambda i: -scores[i])]
    return [replace(hit, rank=n) for n, hit in enumerate([*ordered, *hits[RERANKED:]], 1)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _shown(best: Sequence[Passage], near: Candidates, terms: frozenset[str]) -> list[Hit]:
    rows = near.show([one.chunk for one in best], [(one.begin, one.end - 1, one.nearest) for one in best])
    texts = [_text(row) for row in rows]
    marked = rank.marked(texts, terms)
    return [_hit(n, *one) for n, one in enumerate(zip(best, rows, texts, marked, strict=True), 1)]


def _text(row: dict[str, Any]) -> str:
    """What is said in a passage, by whom it begins first."""
    first, last, _ = row["marks"]
    label = f"{first['speaker']}: " if first["speaker"] else ""
    said: str = row["text"][first["begin"] : last["end"]]
    return label + said


def _hit(place: int, passage: Passage, row: dict[str, Any], text: str, marked: list[tuple[int, int]]) -> Hit:
    published, (first, last, nearest) = row["published"], row["marks"]
    return Hit(
        rank=place,
        score=round(passage.score, 4),
        scores=Scores(_rounded(passage.cosine), _rounded(passage.share)),
        podcast=row["podcast"],
        episode_id=row["guid"],
        key=row["key"],
        title=row["title"],
        published=iso(published),
        speaker=nearest["speaker"],
        start=first["start"],
        end=last["stop"],
        text=text,
        snippet=row["text"][nearest["begin"] : nearest["end"]],
        snippet_start=nearest["start"],
        snippet_end=nearest["stop"],
        highlights=tuple(marked),
        link=row["link"],
        audio_url=row["audio_url"],
        play_url=play_url(row["audio_url"], first["start"], last["stop"]),
        approximate=row["approximate"],
        advert=passage.advert,
    )


def open_searcher(settings: Settings) -> Searcher:
    """A searcher over a home; nothing is loaded before the first question."""

    def counts() -> tuple[int, int]:
        return Ledger(settings.ledger_path).counts() if settings.ledger_path.exists() else (0, 0)

    store = Store(settings.index_dir, memory=settings.memory_chunks)
    reranker = CrossReranker(settings.rerank_model) if settings.rerank_model else None
    return Searcher(store, open_embedder(settings), counts, reranker)


def open_embedder(settings: Settings) -> SentenceEmbedder:
    """The embedding model of the settings; it is not loaded yet."""
    return SentenceEmbedder(
        settings.embedding_model, settings.index_dir / EXPORTS, settings.query_prefix, settings.passage_prefix
    )
