"""Answers a question with moments: passages, who says them, when, and a link that plays them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as midnight
from typing import Any, Literal, get_args
from urllib.parse import urldefrag

from index import scoring as rank
from index.chunk_arrays import hashed
from index.embed.rerank import RERANKED, CrossReranker, Reranker
from index.embed.sentence_transformers import Embedder, SentenceEmbedder
from index.passages import Passage, Question, moments
from index.store.hit_rows import Candidates
from index.store.lance import Store
from index.store.schema import Filters
from ingest.errors import IndexingError, IndexNotBuiltError, QueryError
from ingest.ledger import Ledger
from ingest.settings import Settings
from ingest.transcripts.document import slug

Mode = Literal["hybrid", "vector", "text"]

LONGEST_QUERY = 1_000  # characters; a model reads no more than about that of it
MOST_HITS = 100
DEPTH = 25  # chunks of each leg: of 4,400, from 10 to 80 find the same (measured)
EXPORTS = "encoder"  # folder beside the index where models run from


@dataclass(frozen=True, slots=True)
class Scores:
    """Parts of a hit's score: the cosine, and the share of the question's information said word for word.

    `rerank` is no part of it: a re-ranking model's score, by which hits are ordered where one is set.
    """

    vector: float | None
    text: float | None
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One moment: `start` and `end` of `text` in seconds; `snippet` is the sentence nearest the question, by `speaker`.

    `highlights` are begin and end of the question's words in `text`, in characters. `advert` tells that it mostly sells
    something or is read out in many episodes. `approximate` says that times may be off, since the audio's length differs from the feed's (adverts).
    """

    rank: int
    score: float
    scores: Scores
    podcast: str
    episode_id: str
    key: str
    title: str
    published: str | None
    speaker: str
    start: float | None
    end: float | None
    text: str
    snippet: str
    snippet_start: float | None
    snippet_end: float | None
    highlights: tuple[tuple[int, int], ...]
    link: str
    audio_url: str
    play_url: str
    approximate: bool
    advert: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many episodes the answer rests on, and how many it could not."""

    indexed: int
    pending: int
    failed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first; `weak` when even the best may not answer the question."""

    query: str
    mode: Mode
    took_ms: float
    hits: tuple[Hit, ...]
    coverage: Coverage
    weak: bool = False


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

    def search(  # noqa: PLR0917 - a question and its options, by name
        self,
        query: str,
        limit: int = 10,
        mode: Mode = "hybrid",
        podcast: str = "",
        speaker: str = "",
        since: date | None = None,
        until: date | None = None,
        adverts: bool = False,
    ) -> Answer:
        """The best moments; `podcast` is a slug or a name, a plain date in `until` is itself included.

        Adverts and what is read out in many episodes rank low, unless `adverts` asks for them like anything else.

        Raises `QueryError`, `IndexNotBuiltError`, `IndexMismatchError`.
        """
        started = time.perf_counter()
        question = _checked(query, limit, mode)
        filters = Filters(slug(podcast) if podcast.strip() else "", " ".join(speaker.split()), _from(since), _to(until))
        for attempt in (1, 2):
            folder = self.store.opened
            try:
                hits = self._hits(question, limit, mode, filters, adverts)
                indexed = self.store.size()
                break
            except IndexingError:
                if attempt == 2 or folder == self.store.folder:  # else a rebuild took the index's place meanwhile
                    raise
        pending, failed = self.counts()
        weak = mode != "text" and all(hit.score < self.embedder.floor for hit in hits)
        took = round((time.perf_counter() - started) * 1000, 1)
        return Answer(query, mode, took, tuple(hits), Coverage(indexed, pending, failed), weak)

    def _hits(self, question: str, limit: int, mode: Mode, filters: Filters, adverts: bool) -> list[Hit]:
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
            known.length / max(1, known.passages), vector, mode != "vector", adverts,
            hashed(filters.speaker.casefold()) if filters.speaker else None,
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


def _checked(query: str, limit: int, mode: str) -> str:
    question = " ".join(query.split())
    if not any(c.isalnum() for c in question):
        raise QueryError("", "the question is empty; ask with at least one word")
    if len(query) > LONGEST_QUERY:
        raise QueryError("", f"the question has {len(query):,} characters; ask with at most {LONGEST_QUERY:,}")
    if not 1 <= limit <= MOST_HITS:
        raise QueryError("", f"the limit is {limit}; it must be 1 to {MOST_HITS}")
    if mode not in get_args(Mode):
        raise QueryError("", f"there is no mode {mode!r}; choose hybrid, vector or text")
    return question


def _from(day: date | None) -> datetime | None:
    if day is None or isinstance(day, datetime):
        return day if day is None or day.tzinfo else day.replace(tzinfo=UTC)
    return datetime.combine(day, midnight(), UTC)


def _to(day: date | None) -> datetime | None:
    """The moment before which an episode must be published: the end of a plain date, a moment itself."""
    return _from(day if day is None or isinstance(day, datetime) else day + timedelta(days=1))


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
        published=published.isoformat().replace("+00:00", "Z") if published else None,
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


def play_url(audio_url: str, start: float | None, end: float | None) -> str:
    """A link that plays the moment: a media fragment, `#t=start,end` in seconds (www.w3.org/TR/media-frags)."""
    if not audio_url or start is None:
        return audio_url
    stop = "" if end is None or end <= start else f",{_seconds(end)}"
    return f"{urldefrag(audio_url).url}#t={_seconds(start)}{stop}"


def _seconds(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


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
