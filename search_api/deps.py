"""What requests are answered from, opened once and shared by all threads, and the FastAPI dependencies on it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Path, Request

from index import catalogue
from index.alerts import Alert, Alerts, new_moments
from index.query import Answer, Hit, Query
from index.quotes import QuoteCheck, QuoteChecker
from index.references import parse_reference
from index.search import Searcher
from index.spoken import spoken
from index.store.lance import Store
from ingest.errors import (
    CursorError,
    IndexNotBuiltError,
    NotFoundError,
    PassageNotFoundError,
    QueryError,
    SoundbiteError,
)
from ingest.identity import slug
from ingest.ledger import Ledger, unless_damaged
from ingest.models import Subscription, Transcript
from ingest.open import open_library
from ingest.podcasts import check_podcast
from ingest.settings import Settings
from ingest.times import now
from search_api import listing
from search_api.export import rows
from search_api.passages import PassageDocument, passage_document
from search_api.responses import Readiness, SimilarEpisode

_log = logging.getLogger(__name__)


class Backend:
    """One searcher, one library, one ledger; changes by other processes are seen, and nothing is written."""

    def __init__(
        self, settings: Settings, searcher: Searcher, observe: Callable[[Mapping[str, float]], None] = lambda _: None
    ) -> None:
        searcher.observe = observe
        self.home = settings.home
        self.library = open_library(settings, reader=True)
        self.ledger = Ledger(settings.ledger_place)
        self._searcher = searcher
        self._alerts = Alerts(settings.alerts_path)

    @property
    def store(self) -> Store:
        """The index."""
        return self._searcher.store

    def warm(self) -> None:
        """Load the model and the index before the first request; log what is missing."""
        try:
            self._searcher.search(Query("ready", limit=1))
        except SoundbiteError as error:
            _log.warning("not ready to answer yet: %s", error)

    def search(self, query: Query) -> Answer:
        """The answer; the query's `episode` may be a guid, too.

        Raises `QueryError`, `NotFoundError`, `IndexNotBuiltError`, `IndexMismatchError`.
        """
        query = self._keyed(query)
        answer = self._searcher.search(query)
        self._check_podcasts(query, answer)
        return answer

    def search_all(self, askings: Sequence[Callable[[], Query]]) -> list[Answer | SoundbiteError]:
        """The answer to each, or what is wrong with it. Raises `IndexNotBuiltError`, `IndexMismatchError`."""
        queries = [_or_error(lambda ask=ask: self._keyed(ask())) for ask in askings]  # type: ignore[misc]
        found = iter(self._searcher.search_all([one for one in queries if isinstance(one, Query)]))
        answers: list[Answer | SoundbiteError] = []
        for query in queries:
            answer = next(found) if isinstance(query, Query) else query
            if isinstance(query, Query) and isinstance(answer, Answer):
                try:
                    self._check_podcasts(query, answer)
                except NotFoundError as error:
                    answer = error
            answers.append(answer)
        return answers

    def _keyed(self, query: Query) -> Query:
        return replace(query, episode=self.library.find(query.episode).key) if query.episode else query

    def _check_podcasts(self, query: Query, answer: Answer) -> None:
        there = {hit.podcast for hit in answer.hits}
        for name in query.podcasts:
            # What has hits is there; what else there is takes a look at every file of the library.
            if slug(name) not in there:
                check_podcast(self.ledger, self.library, name)

    def titles(self) -> dict[str, str]:
        """The names of the podcasts subscribed to, by slug."""
        nothing: dict[str, str] = {}
        return unless_damaged(self.ledger.titles, nothing)

    def passage(self, name: str, context: int) -> PassageDocument:
        """A passage by its name, with so many sentences around it. Raises `PassageNotFoundError`, `TranscriptError`."""
        reference = parse_reference(name)
        try:
            document = self.library.find(reference.key)
        except NotFoundError as error:
            raise PassageNotFoundError(name, "its episode is not in the library any more") from error
        transcript = self.library.read(document.name)
        podcast = transcript.episode.podcast
        title = self.titles().get(slug(podcast)) or podcast
        return passage_document(reference, transcript, self.library.content_hash(document.name), title, context)

    def check_quote(self, text: str, episode: str, podcasts: Sequence[str]) -> QuoteCheck:
        """A verdict on a quote. Raises as `QuoteChecker.check`."""
        for name in podcasts:
            check_podcast(self.ledger, self.library, name)
        return QuoteChecker(self.library, self._searcher.store, self.titles()).check(text, episode, podcasts)

    def readiness(self) -> Readiness:
        """The size of the index. Raises `IndexNotBuiltError`, `IndexMismatchError` where it cannot answer."""
        store, embedder = self._searcher.store, self._searcher.embedder
        counts = store.counts()
        store.require(embedder.name, embedder.dimension)
        if not counts["chunks"]:
            raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
        if counts["unindexed"] == counts["chunks"]:  # later chunks are searched without the index, the first are not
            raise IndexNotBuiltError("", "words cannot be searched yet; run `soundbite index`")
        return Readiness("ready", counts["episodes"], counts["chunks"], counts["unindexed"], embedder.name)

    def index_size(self) -> dict[str, float]:
        """Figures of the index for Prometheus. Raises `IndexNotBuiltError`, `IndexingError`."""
        return self._searcher.store.size()

    def feeds(self) -> list[Subscription]:
        """Every feed subscribed to."""
        nothing: list[Subscription] = []
        return unless_damaged(self.ledger.feeds, nothing)

    def episodes(self, podcast: str = "") -> list[catalogue.EpisodeStatus]:
        """Every known episode, newest first, or those of one podcast (its name or slug). Raises `PodcastNotFoundError`."""
        known = catalogue.episodes(self._searcher.store, self.library, unless_damaged(self.ledger.records, []))
        wanted = slug(podcast) if podcast.strip() else ""
        found = [status for status in known if not wanted or slug(status.podcast) == wanted]
        if not found:
            check_podcast(self.ledger, self.library, podcast)
        return found

    def podcasts(self) -> list[listing.PodcastStatus]:
        """Every podcast, by slug."""
        return listing.podcasts(self.episodes(), self.feeds())

    def similar(self, name: str, limit: int) -> list[SimilarEpisode]:
        """The episodes most like one (its key or guid). Raises `NotFoundError`, `IndexNotBuiltError`."""
        near = self._searcher.store.similar(self.library.find(name).key, limit)
        known = {one.key: one for one in map(self._searcher.store.episode, (key for key, _ in near)) if one}
        return [
            SimilarEpisode(round(cosine, 4), catalogue.findable(known[key])) for key, cosine in near if key in known
        ]

    def passages(
        self, name: str, begin: float | None, end: float | None, limit: int, cursor: str
    ) -> listing.PassageList:
        """An episode's passages between two times, in seconds. Raises `NotFoundError`, `TranscriptError`, `CursorError`."""
        transcript = self.transcript(name)
        found = listing.episode_passages(transcript.episode.key, spoken(transcript), begin, end)
        place = next((n for n, one in enumerate(found, 1) if one.id == cursor), 0)
        if cursor and not place:
            raise CursorError("", "the cursor is of another list, or the transcript was edited; begin without it")
        shown = found[place : place + limit]
        return listing.PassageList(len(found), tuple(shown), shown[-1].id if place + limit < len(found) else "")

    def alert(self, name: str) -> tuple[Alert, list[Hit]]:
        """A standing question and the moments that answer it. Raises `AlertNotFoundError`, `IndexNotBuiltError`."""
        alert = self._alerts.find(name)
        return alert, self.moments(alert.query())

    def moments(self, query: Query) -> list[Hit]:
        """The moments that answer a question well, the latest published first. Raises `QueryError`, `IndexNotBuiltError`."""
        return new_moments(self._searcher, query, now())

    def export_rows(self, podcasts: Sequence[str], after: str) -> Iterator[dict[str, Any]]:
        """Every episode of these podcasts, or of all, after a key. Raises `PodcastNotFoundError`."""
        for name in podcasts:
            check_podcast(self.ledger, self.library, name)
        return rows(self.library, self.titles(), frozenset(map(slug, podcasts)), after)

    def transcript(self, name: str) -> Transcript:
        """The transcript of the episode with this key or guid. Raises `NotFoundError`, `TranscriptError`."""
        return self.library.read(self.library.find(name).name)

    def episode(self, name: str) -> tuple[Transcript, catalogue.EpisodeStatus]:
        """An episode's transcript and its state; the transcript is empty where the episode is pending or failed.

        Raises `NotFoundError`, `TranscriptError`.
        """
        try:
            transcript = self.transcript(name)
        except NotFoundError:
            record = unless_damaged(lambda: self.ledger.record(name), None)
            if record is None:
                raise
            return Transcript(record.episode, ()), catalogue.waiting(record)
        return transcript, catalogue.status_of(self._searcher.store, transcript)


def _or_error(make: Callable[[], Query]) -> Query | SoundbiteError:
    try:
        return make()
    except (QueryError, NotFoundError) as error:
        return error


def get_backend(request: Request) -> Backend:
    """The application's backend."""
    backend: Backend = request.app.state.backend
    return backend


def episode_name(name: Annotated[str, Path(description="The episode's key, or its guid, percent-encoded.")]) -> str:
    """The decoded key or guid."""
    return unquote(name)


BackendDep = Annotated[Backend, Depends(get_backend)]
EpisodeName = Annotated[str, Depends(episode_name)]
