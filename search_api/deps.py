"""What the server answers from: opened once, shared by all requests, and aware of what other processes add."""

import logging
from collections.abc import Iterable
from typing import Any

from index import catalogue
from index.query import Answer
from index.search import Searcher
from ingest.errors import IndexNotBuiltError, NotFoundError, SoundbiteError
from ingest.ledger import EpisodeRecord, Ledger
from ingest.library import Library
from ingest.models import Transcript
from ingest.settings import Settings
from search_api.params import Question

_log = logging.getLogger(__name__)


class Desk:
    """One searcher, one library, one ledger, asked by many threads."""

    def __init__(self, settings: Settings, searcher: Searcher) -> None:
        self.library = Library(settings.library_dir)
        self._ledger_path = settings.ledger_path
        self._searcher = searcher

    def warm(self) -> None:
        """Load what a question needs, so that the first one is not the slow one; what is missing is logged."""
        try:
            for _ in range(2):  # the second question finds the index in memory
                self._searcher.search("ready", limit=1)
        except SoundbiteError as error:
            _log.warning("not ready to answer yet: %s", error)

    def search(self, asked: Question) -> Answer:
        """The answer. Raises `QueryError`, `IndexNotBuiltError`, `IndexMismatchError`."""
        return self._searcher.search(
            asked.query,
            limit=asked.limit,
            mode=asked.mode,
            podcast=asked.podcast,
            speaker=asked.speaker,
            since=asked.since,
            until=asked.until,
            adverts=asked.adverts,
        )

    def readiness(self) -> dict[str, Any]:
        """The index in figures. Raises `IndexNotBuiltError`, `IndexMismatchError` where it cannot answer."""
        store, embedder = self._searcher.store, self._searcher.embedder
        figures = store.counts()
        store.require(embedder.name, embedder.dimension)
        if not figures["chunks"]:
            raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
        if (
            figures["unindexed"] == figures["chunks"]
        ):  # later rows are read beside the full-text index, the first are not
            raise IndexNotBuiltError("", "words cannot be searched yet; run `soundbite index`")
        return figures | {"model": embedder.name}

    def episodes(self, podcast: str = "") -> list[catalogue.EpisodeStatus]:
        """Every episode known, newest first, or those of one podcast."""
        found = catalogue.episodes(self._searcher.store, self._records())
        return [status for status in found if podcast in {"", status.podcast}]

    def podcasts(self) -> list[str]:
        """The podcasts there are transcripts of."""
        root = self.library.root
        return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []

    def transcript(self, name: str) -> Transcript:
        """The transcript of the episode with this key or guid. Raises `NotFoundError`, `TranscriptError`."""
        return self.library.read(self.library.find(name))

    def episode(self, name: str) -> tuple[Transcript, EpisodeRecord | None]:
        """The same, or for one that waits or failed a transcript without words, and what the ledger says of it."""
        try:
            return self.transcript(name), None
        except NotFoundError:
            for record in self._records():
                if name in {record.episode.key, record.episode.guid}:
                    return Transcript(record.episode, ()), record
            raise

    def _records(self) -> Iterable[EpisodeRecord]:
        return Ledger(self._ledger_path).records() if self._ledger_path.exists() else ()
