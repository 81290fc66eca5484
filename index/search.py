"""Answers a query with passages: who says them, when, and a link that plays them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from index.calibration import DEFAULT_SCALE, CosineScale
from index.embed.base import Embedder, Vectors
from index.embed.languages import knows, unknown_languages
from index.embed.rerank import RERANKED, Reranker, part_to_read
from index.hits import build_hits, places_of, rounded, with_context
from index.passages import PassageQuery, rank_passages
from index.query import Answer, Coverage, Explanation, Hit, Query
from index.scoring import ANSWERED, evidence
from index.stopwatch import Stopwatch
from index.store.candidates import Candidates
from index.store.lance import Store
from index.store.questions import Asked
from index.text.highlights import highlights
from index.text.language import script_language, stemmed_as
from index.text.question import Question
from index.text.terms import hash_term, stems
from ingest.errors import CursorError, IndexingError, IndexMismatchError, IndexNotBuiltError, QueryError

GROUPED, MORE = 100, 4  # passages that are grouped by episode; hits folded into the first of an episode
DEPTH = 40  # candidates of each search, whatever the limit; over 4,400 chunks, 10 to 80 give the same quality
TOGETHER = 4  # threads for a batch, as many as the server has for all; more want the interpreter's lock at once
LOOKED_AT = 10  # hits that tell whether an answer is weak, whatever the limit
# Without a vector, what part of a question's information must be in one of the first passages so that it may answer.
MIN_SAID, MAX_SAID = 0.5, 3


class Searcher:
    """Searches one store; many threads may use one.

    `counts` gives the numbers of episodes pending and failed of the podcasts with these slugs (none: of all), `titles` the
    names of podcasts by slug. `other` finds a model by the name that the index was built with, where that is not `embedder`.
    `observe` is told the milliseconds of each stage.
    """

    def __init__(  # noqa: PLR0917 - what it searches with, each with its default
        self,
        store: Store,
        embedder: Embedder,
        counts: Callable[[Collection[str]], tuple[int, int]] = lambda _: (0, 0),
        reranker: Reranker | None = None,
        titles: Callable[[], Mapping[str, str]] = dict,
        other: Callable[[str], Embedder | None] = lambda _: None,
    ) -> None:
        self.store = store
        self.counts = counts
        self.reranker = reranker
        self.titles = titles
        self.observe: Callable[[Mapping[str, float]], None] = lambda _: None
        self._embedder = embedder
        self._other = other
        self._others: dict[str, Embedder] = {}

    @property
    def embedder(self) -> Embedder:
        """The model that the index was built with, where it is here; else the one given."""
        try:
            model = self.store.model
        except IndexingError:  # which the next look at the index says
            return self._embedder
        if model == (self._embedder.name, self._embedder.dimension):
            return self._embedder
        if model[0] not in self._others and (found := self._other(model[0])):
            self._others[model[0]] = found
        return self._others.get(model[0], self._embedder)

    @embedder.setter
    def embedder(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def search(self, query: Query) -> Answer:
        """The best passages. Raises `QueryError`, `IndexNotBuiltError`, `IndexMismatchError`, `IndexingError`."""
        (answer,) = self.search_all([query])
        if isinstance(answer, QueryError):
            raise answer
        return answer

    def search_all(self, queries: Sequence[Query]) -> list[Answer | QueryError]:
        """An answer to each, or what is wrong with the query; all are embedded together. Raises as `search`, but `QueryError`."""
        while True:
            embedder = self.embedder
            try:
                answers = self._search_all(queries, embedder)
            except IndexMismatchError:
                if self.embedder is embedder:
                    raise
            else:
                if self.embedder is embedder:  # else an index of another model was swapped in meanwhile
                    return answers

    def _search_all(self, queries: Sequence[Query], embedder: Embedder) -> list[Answer | QueryError]:
        if any(query.mode != "text" for query in queries):
            self.store.require(embedder.name, embedder.dimension)
        if len(queries) == 1:
            watch = Stopwatch()
            asked = self.store.ask(queries[0].text)
            watch("understand")
            vectors = _vectors(queries, [asked], embedder)
            watch("embed")
            return [self._settled(queries[0], asked, vectors[0], embedder=embedder, watch=watch)]
        # What is native runs beside the interpreter: two threads answer 100 questions faster than one after the other
        with ThreadPoolExecutor(TOGETHER) as pool:
            each = list(pool.map(lambda query: self.store.ask(query.text), queries))
            vectors = _vectors(queries, each, embedder)
            answer = partial(self._settled, embedder=embedder)
            return list(pool.map(lambda *one: answer(*one, watch=Stopwatch()), queries, each, vectors))

    def _settled(
        self, query: Query, asked: Asked, vector: Vectors | None, *, embedder: Embedder, watch: Stopwatch
    ) -> Answer | QueryError:
        """The answer, or what is wrong with the query."""
        try:
            return self._answer(query, asked, vector, embedder, watch)
        except QueryError as error:
            return error
        finally:
            self.observe(watch.stages)

    def _answer(
        self, query: Query, asked: Asked, vector: Vectors | None, embedder: Embedder, watch: Stopwatch
    ) -> Answer:
        if query.offset and query.cursor_version != asked.version:
            raise CursorError("", "the index has changed since the cursor was given; begin without it")
        language = query.language_code or script_language(asked.question.text)
        found = self.store.candidates(query, vector, asked, DEPTH)
        if not found.indexed:
            raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
        watch("retrieve")
        scale = DEFAULT_SCALE if vector is None else embedder.cosine_scale
        best = self._hits(query, _passage_query(query, vector, scale, asked.question, found), asked.question, found)
        end = query.offset + query.limit
        hits = best[:end]
        weak = not best or (query.mode != "text" and _is_weak(best[:LOOKED_AT], asked, by_words=vector is None))
        shown = tuple(_highlighted(hits[query.offset :], asked.question, found))
        watch("rank")
        if query.context:
            sentences = self.store.sentences(places_of(shown), query.context)
            shown = tuple(with_context(hit, sentences, query.context) for hit in shown)
            watch("context")
        coverage = Coverage(found.indexed, found.searched, *self.counts(query.podcast_slugs))
        return Answer(
            query=query.text, mode=query.mode, took_ms=watch.total,
            index_version=asked.version, embedding_model=embedder.name, hits=shown, coverage=coverage, weak=weak,
            suggestion=asked.question.suggestion, notes=tuple(_notes(query, asked, found, hits, language, embedder.name)),
            cursor=query.cursor_at(end, asked.version) if len(best) > end else "",
            explanation=Explanation(dict(watch.stages), found.chunks) if query.explain else None,
        )  # fmt: skip

    def _hits(self, query: Query, ranked: PassageQuery, question: Question, found: Candidates) -> Sequence[Hit]:
        """The best hits: those asked for, those before them, and more: one at least, and all that tell whether they are weak."""
        if not found.arrays:
            return ()
        asked = query.offset + query.limit + 1
        limit = GROUPED if query.group_by else max(asked, RERANKED if self.reranker else LOOKED_AT)
        passages = rank_passages(found.arrays, ranked, limit)
        rows = found.rows([passage.chunk for passage in passages])
        hits = build_hits(passages, found.arrays, rows, self.titles())
        hits = _reranked(question.text, hits, self.reranker) if self.reranker else hits
        if query.min_score is not None:
            hits = [replace(hit, rank=n) for n, hit in enumerate((h for h in hits if h.score >= query.min_score), 1)]
        return _grouped(hits) if query.group_by else hits


def _vectors(queries: Sequence[Query], asked: Sequence[Asked], embedder: Embedder) -> list[Vectors | None]:
    """The vector of each question; None where words alone are asked for, or its script is none of the model's."""
    wanted = [
        query.mode == "vector" or (query.mode == "hybrid" and knows(embedder.name, script_language(one.question.text)))
        for query, one in zip(queries, asked, strict=True)
    ]
    texts = list(dict.fromkeys(one.question.text for one, is_wanted in zip(asked, wanted, strict=True) if is_wanted))
    known = dict(zip(texts, embedder.embed_queries(texts), strict=True)) if texts else {}
    return [known[one.question.text] if is_wanted else None for one, is_wanted in zip(asked, wanted, strict=True)]


def _is_weak(hits: Sequence[Hit], asked: Asked, *, by_words: bool) -> bool:
    """Whether even the best hit may not answer; by words alone it does if it has most of what the question says."""
    if by_words:
        return all(_said(hit, asked) < MIN_SAID for hit in hits[:MAX_SAID])
    return not any(answers(hit) for hit in hits)


def answers(hit: Hit) -> bool:
    """Whether a hit tells enough that its question is answered."""
    return evidence(hit.scores.vector, hit.scores.text) >= ANSWERED


def _notes(  # noqa: PLR0917 - each a part of one search
    query: Query, asked: Asked, found: Candidates, hits: Sequence[Hit], language: str, model: str
) -> Iterator[str]:
    if found.speakers is not None and not found.speakers.all:
        near = f"; did you mean {' or '.join(found.near)}?" if found.near else ""
        yield f"Nobody called {query.speaker.strip()!r} speaks in what is indexed{near}"
    if query.language_code and query.language_code not in asked.languages:
        there = ", ".join(sorted(filter(None, asked.languages))) or "none known"
        yield f"No transcript is in the language {query.language_code!r}; there are: {there}"
    languages = {hit.language for hit in hits[:1]} | {language}
    if query.mode != "text" and (note := unknown_languages(model, languages & asked.languages)):
        yield note


def _passage_query(
    query: Query, vector: Vectors | None, scale: CosineScale, question: Question, found: Candidates
) -> PassageQuery:
    terms = [term.term for term in question.terms]
    return PassageQuery(
        terms=[[hash_term(form) for form in term.forms] for term in question.terms],
        weights=[found.frequencies.idf(term) for term in terms],
        mean_length=found.frequencies.mean_length,
        vector=vector,
        scale=scale,
        lexical=query.mode != "vector",
        lexical_weight=found.frequencies.lexical_weight(terms),
        adverts=query.adverts,
        speaks=found.speaks,
        allowed=found.having(question.phrases) if query.mode != "vector" and question.phrases else None,
    )


def _said(hit: Hit, asked: Asked) -> float:
    """The part of the question's information that is in a passage or its title, 0 to 1."""
    present = set(stems(f"{hit.title} {hit.passage.text}", stemmed_as(hit.language)))
    weights = [(asked.frequencies.idf(term.term), present.isdisjoint(term.forms)) for term in asked.question.terms]
    return sum(weight for weight, absent in weights if not absent) / (sum(weight for weight, _ in weights) or 1.0)


def _highlighted(hits: Sequence[Hit], question: Question, found: Candidates) -> list[Hit]:
    """The hits, and those folded into them, with the words of the question that say something marked.

    Those are all but the common ones unless all are common.
    """
    subjects = [term for term in question.terms if term.is_subject]
    content = [term for term in subjects if not found.frequencies.is_common(term.term)] or subjects
    forms = frozenset(form for term in content for form in term.forms)
    rows = [row for rows in question.phrases for row in rows]
    spans: dict[str, list[tuple[int, int]]] = {}
    for language in {hit.language for hit in hits}:
        own = [one for hit in hits for one in (hit, *hit.more) if hit.language == language]
        marked = highlights(
            [hit.passage.text for hit in own], forms, stemmed_as(language), rows, paired=question.paired
        )
        spans |= {hit.id: marks for hit, marks in zip(own, marked, strict=True)}

    def mark(hit: Hit) -> Hit:
        return replace(hit, highlights=tuple(spans[hit.id]), more=tuple(map(mark, hit.more)))

    return list(map(mark, hits))


def _reranked(question: str, hits: Sequence[Hit], reranker: Reranker) -> list[Hit]:
    """The first `RERANKED` hits by the reranker's scores, the others after them."""
    scores = reranker.scores(question, [part_to_read(hit.passage.text, hit.answer.text) for hit in hits[:RERANKED]])
    scored = [
        replace(hit, scores=replace(hit.scores, rerank=rounded(score)))
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
