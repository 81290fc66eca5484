"""What the server answers from: opened once, shared by all requests, and aware of what other processes add."""

import logging
from collections.abc import Callable
from threading import Lock
from typing import Any

from index.catalogue import EpisodeStatus
from index.search import Answer, Searcher, open_searcher
from ingest.errors import IndexingError, QueryError
from ingest.library import Library
from ingest.settings import Settings
from search_api.question import Question

_log = logging.getLogger(__name__)


class Desk:
    """Opens the index at once where there is one, and else with the first question that finds it."""

    def __init__(self, settings: Settings, opener: Callable[[Settings], Searcher] = open_searcher) -> None:
        self.library = Library(settings.library_dir)
        self._settings = settings
        self._opener = opener
        self._searcher: Searcher | None = None
        self._lock = Lock()
        try:
            self._open()
        except IndexingError as error:
            _log.warning("%s", error)

    def _open(self) -> Searcher:
        with self._lock:
            if self._searcher is None:
                self._searcher = self._opener(self._settings)
            return self._searcher

    def _reopen(self, old: Searcher) -> Searcher:
        with self._lock:
            if self._searcher is old:
                self._searcher = None
        return self._open()

    def search(self, question: Question) -> Answer:
        """The answer. Raises `QueryError`, `IndexNotBuiltError` and `IndexMismatchError`."""
        searcher = self._open()
        try:
            return _ask(searcher, question)
        except QueryError:
            raise
        except IndexingError:  # it may have been rebuilt since it was opened
            return _ask(self._reopen(searcher), question)


def _ask(searcher: Searcher, asked: Question) -> Answer:
    return searcher.search(
        asked.query,
        limit=asked.limit,
        mode=asked.mode,
        podcast=asked.podcast,
        speaker=asked.speaker,
        since=asked.since,
        until=asked.until,
    )
