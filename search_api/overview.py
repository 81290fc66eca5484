"""What there is to search, gathered once for a while: podcasts, episodes, speakers, languages, and questions to begin with."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock, Thread
from typing import Annotated

from fastapi import Depends, Request

from index.catalogue import EpisodeStatus
from index.query import Query
from ingest.errors import IndexingError, NotFoundError, SoundbiteError, TranscriptError
from ingest.languages import language_name
from ingest.ledger import unless_damaged
from ingest.models import Subscription
from search_api.deps import Backend, BackendDep
from search_api.display import podcast_title
from search_api.suggestions import asked_in

FRESH_SECONDS = 15.0  # gathering takes 20 ms for a hundred episodes; what is new is seen soon enough
LOOKED_AT = 24  # the newest episodes, which example questions are drawn from, once: about 30 ms each to read and to ask
EXAMPLES = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PodcastSummary:
    """One podcast: how many `episodes` can be searched, their `seconds`, and the dates of the `first` and the `last` (ISO)."""

    slug: str
    title: str
    episodes: int
    seconds: float
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All that lists, filters and suggestions are made of; speakers with the most episodes come first."""

    episodes: tuple[EpisodeStatus, ...] = ()
    podcasts: tuple[PodcastSummary, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)
    speakers: tuple[str, ...] = ()
    languages: tuple[tuple[str, str], ...] = ()

    @property
    def searchable(self) -> list[EpisodeStatus]:
        """The episodes that answers come from, newest first."""
        return [one for one in self.episodes if one.status == "indexed"]


def summarized(slug: str, title: str, episodes: Iterable[EpisodeStatus]) -> PodcastSummary:
    """A podcast from its searchable episodes."""
    own = list(episodes)
    days = sorted(one.published[:10] for one in own if one.published)
    seconds = sum(one.duration or 0.0 for one in own)
    return PodcastSummary(slug, title, len(own), seconds, *((days[0], days[-1]) if days else ("", "")))


def gather(backend: Backend) -> Overview:
    """The overview as it is now. Raises `HomeError`."""
    episodes = tuple(backend.episodes())
    nothing: list[Subscription] = []
    feeds = {feed.podcast: feed.title for feed in unless_damaged(backend.ledger.feeds, nothing)}
    slugs = sorted({one.podcast for one in episodes} | feeds.keys())
    titles = {slug: podcast_title(slug, feeds) for slug in slugs}
    own = {slug: [one for one in episodes if one.podcast == slug and one.status == "indexed"] for slug in slugs}
    podcasts = sorted(
        (summarized(slug, titles[slug], own[slug]) for slug in slugs), key=lambda one: one.title.casefold()
    )
    try:
        speakers = backend.store.speakers()
        languages = sorted({one.language for one in backend.store.episodes()} - {""})
    except IndexingError:
        speakers, languages = {}, []
    by_episodes = sorted(speakers, key=lambda name: (-speakers[name], name))
    return Overview(
        episodes, tuple(podcasts), titles, tuple(by_episodes), tuple((code, language_name(code)) for code in languages)
    )


class OverviewCache:
    """The overview of one backend; one older than `FRESH_SECONDS` is still given, and gathered again beside it."""

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend, self._clock = backend, clock
        self._gathered = (0.0, Overview())
        self._gathering = Lock()
        self._asked: dict[str, list[str]] = {}
        self._examples: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def get(self) -> Overview:
        """What there is. Raises `HomeError`."""
        made, overview = self._gathered
        if not overview.episodes:
            self._gather()
        elif self._clock() - made > FRESH_SECONDS and self._gathering.acquire(blocking=False):
            Thread(target=self._gather_beside, daemon=True).start()
        return self._gathered[1]

    def _gather(self) -> None:
        self._gathered = self._clock(), gather(self._backend)

    def _gather_beside(self) -> None:
        try:
            self._gather()
        except SoundbiteError as error:
            _log.warning("the lists on the page are not up to date: %s", error)
        finally:
            self._gathering.release()

    def examples(self) -> tuple[str, ...]:
        """Questions asked in the newest episodes that the collection answers well, one an episode."""
        newest = tuple(one.key for one in self.get().searchable[:LOOKED_AT])
        if self._examples[0] != newest:
            self._examples = newest, tuple(self._answered(newest))[:EXAMPLES]
        return self._examples[1]

    def _answered(self, keys: Iterable[str]) -> list[str]:
        """The first questions of these episodes that are answered here, the best answered first."""
        scores: dict[str, float] = {}
        for question in chain.from_iterable(self._questions(key)[:1] for key in keys):
            answer = self._backend.search(Query(question, limit=1))
            if answer.hits and not answer.weak:
                scores[question] = answer.hits[0].score
        return sorted(scores, key=lambda question: -scores[question])

    def _questions(self, key: str) -> list[str]:
        if key not in self._asked:
            try:
                self._asked[key] = asked_in(self._backend.transcript(key))
            except (NotFoundError, TranscriptError):
                self._asked[key] = []
        return self._asked[key]


def get_overview(request: Request, backend: BackendDep) -> OverviewCache:
    """The application's overview, made with the first page that needs it."""
    state = request.app.state
    if not hasattr(state, "overview"):
        state.overview = OverviewCache(backend)
    cache: OverviewCache = state.overview
    return cache


OverviewDep = Annotated[OverviewCache, Depends(get_overview)]
