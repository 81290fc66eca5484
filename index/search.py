"""Answers a question with moments: passages, who says them, when, and a link that plays them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as midnight
from typing import Any, Literal, get_args
from urllib.parse import urldefrag

from index import rank
from index.embed import Embedder, SentenceEmbedder
from index.records import Candidates, Filters
from index.store import Store
from ingest.errors import IndexingError, IndexNotBuiltError, QueryError
from ingest.ledger import Ledger
from ingest.settings import Settings
from ingest.transcript import slug

Mode = Literal["hybrid", "vector", "text"]

LONGEST_QUERY = 1_000  # characters; a model reads no more than about that of it
MOST_HITS = 100
DEPTH = 50  # candidates of each leg: a right passage among the first ten is in there (RETRIEVAL measurements)
SAME = 0.5  # hits that share more than this of the shorter one's words are one moment
EXPORTS = "encoder"  # folder beside the index where models run from


@dataclass(frozen=True, slots=True)
class Scores:
    """Parts of a hit's score: the cosine, and the share of the question's information said word for word."""

    vector: float | None
    text: float | None


@dataclass(frozen=True, slots=True)
class Hit:
    """One moment: `start` and `end` of `text` in seconds; `snippet` is the sentence nearest the question, by `speaker`.

    `approximate` says that times may be off, since the audio's length differs from the feed's (adverts).
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
    link: str
    audio_url: str
    play_url: str
    approximate: bool


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
    return {**plain, "hits": list(plain["hits"])}


class Searcher:
    """Asks one store; `counts` gives the episodes pending and failed. Many threads may use one."""

    def __init__(
        self, store: Store, embedder: Embedder, counts: Callable[[], tuple[int, int]] = lambda: (0, 0)
    ) -> None:
        self.store = store
        self.embedder = embedder
        self.counts = counts

    def search(  # noqa: PLR0917 - a question and its options, by name
        self,
        query: str,
        limit: int = 10,
        mode: Mode = "hybrid",
        podcast: str = "",
        speaker: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> Answer:
        """The best moments; `podcast` is a slug or a name, a plain date in `until` is itself included.

        Raises `QueryError`, `IndexNotBuiltError`, `IndexMismatchError`.
        """
        started = time.perf_counter()
        question = _checked(query, limit, mode)
        filters = Filters(slug(podcast) if podcast.strip() else "", " ".join(speaker.split()), _from(since), _to(until))
        for attempt in (1, 2):
            folder = self.store.folder
            try:
                hits = self._hits(question, limit, mode, filters)
                indexed = self.store.counts()["episodes"]
                break
            except IndexingError:
                if attempt == 2 or folder == self.store.folder:  # else a rebuild took the index's place meanwhile
                    raise
        pending, failed = self.counts()
        weak = mode != "text" and not (hits and hits[0].score >= rank.WEAK)
        took = round((time.perf_counter() - started) * 1000, 1)
        return Answer(query, mode, took, tuple(hits), Coverage(indexed, pending, failed), weak)

    def _hits(self, question: str, limit: int, mode: Mode, filters: Filters) -> list[Hit]:
        if not self.store.counts()["episodes"]:
            raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
        vector = None
        if mode != "text":
            self.store.require(self.embedder.name, self.embedder.dimension)
            vector = self.embedder.embed_query(question)
        terms = list(dict.fromkeys(rank.stems(question)))
        found = self.store.candidates(vector, [] if mode == "vector" else terms, filters, max(DEPTH, 2 * limit))
        cosines: Sequence[float] = [] if vector is None else (found.vectors @ vector).tolist()
        scored = []
        for i, stems in enumerate(found.stems):
            text = None if mode == "vector" else rank.share(terms, stems, found.known)
            cosine = cosines[i] if cosines else None
            scored.append((_score(cosine, text), i, Scores(_rounded(cosine), _rounded(text))))
        scored.sort(key=lambda item: (-item[0], item[1]))
        return _moments(scored, found, terms, filters.speaker, limit)


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


def _score(cosine: float | None, text: float | None) -> float:
    if cosine is None:
        return text or 0.0
    return cosine if text is None else rank.fused(cosine, text)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _moments(
    scored: Sequence[tuple[float, int, Scores]], found: Candidates, terms: Sequence[str], speaker: str, limit: int
) -> list[Hit]:
    """The best `limit`, leaving out what overlaps a better one by more than half."""
    hits: list[Hit] = []
    kept: list[dict[str, Any]] = []
    for score, i, scores in scored:
        if len(hits) == limit:
            break
        row = found.row(i)
        if all(_overlap(row, other) <= SAME for other in kept):
            kept.append(row)
            hits.append(_hit(len(hits) + 1, round(score, 4), scores, row, _spoken(row, terms, speaker, found.known)))
    return hits


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> float:
    if one["key"] != other["key"]:
        return 0.0
    shared = min(one["last"], other["last"]) - max(one["first"], other["first"])
    shorter: int = min(one["last"] - one["first"], other["last"] - other["first"])
    return float(shared / max(1, shorter))


def _spoken(row: dict[str, Any], terms: Sequence[str], speaker: str, known: rank.Frequencies) -> dict[str, Any]:
    """The mark of the sentence nearest the question; only that speaker's where one is asked for."""
    wanted = speaker.casefold()
    marks = [mark for mark in row["marks"] if not wanted or mark["speaker"].casefold() == wanted] or row["marks"]
    sentences = [row["text"][mark["begin"] : mark["end"]] for mark in marks]
    best = rank.closest(terms, sentences, known, [mark["speaker"] == row["speaker"] for mark in marks])
    nearest: dict[str, Any] = marks[best]
    return nearest


def _hit(place: int, score: float, scores: Scores, row: dict[str, Any], spoken: dict[str, Any]) -> Hit:
    published = row["published"]
    return Hit(
        rank=place,
        score=score,
        scores=scores,
        podcast=row["podcast"],
        episode_id=row["guid"],
        key=row["key"],
        title=row["title"],
        published=published.isoformat().replace("+00:00", "Z") if published else None,
        speaker=spoken["speaker"],
        start=row["start"],
        end=row["end"],
        text=row["text"],
        snippet=row["text"][spoken["begin"] : spoken["end"]],
        snippet_start=spoken["start"],
        snippet_end=spoken["stop"],
        link=row["link"],
        audio_url=row["audio_url"],
        play_url=play_url(row["audio_url"], row["start"], row["end"]),
        approximate=row["approximate"],
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

    embedder = SentenceEmbedder(settings.embedding_model, settings.index_dir / EXPORTS)
    return Searcher(Store(settings.index_dir), embedder, counts)
