"""Brings the index up to date with the library: one document at a time, or all of them."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from index.chunk import Chunk, split
from index.embed.base import Embedder
from index.store.lance import Store
from index.store.schema import IndexedEpisode
from index.text.language import language_of
from ingest.errors import IndexingError, SoundbiteError, TranscriptError
from ingest.identity import slug
from ingest.library import Document, Library
from ingest.models import Transcript
from ingest.storage import Storage

MAINTAIN_EVERY = 20  # episodes written; each leaves a fragment

Outcome = Literal["added", "changed", "unchanged"]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """Documents compared so far, of how many, and chunks embedded a second."""

    done: int
    total: int
    chunks_per_second: float


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a run did, in episodes; `failed` are document names with a reason, whose earlier chunks stay."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    chunks_embedded: int = 0


def index_document(library: Library, store: Store, embedder: Embedder, name: str) -> int:
    """Index one document of the library as it is now; the number of chunks embedded, 0 where it is unchanged.

    The store is created where there is none. A document that was renamed takes its episode along. Raises
    `TranscriptError` where the document cannot be read, or holds the episode of another document that is still there,
    `IndexMismatchError` and `IndexingError`.
    """
    with _exclusive(store.storage):
        _prepare(store, embedder)
        episode = library.read(name).episode
        old = store.episode(episode.key)
        if old and old.path != name and _holds(library, old.path, old.key):
            raise _duplicate(name, old.path)
        located = library.locate(episode)
        document = located if located and located.name == name else Document(name, "", episode.key, episode.guid)
        outcome, embedded = _bring_in(library, store, embedder, document, old)
        if outcome != "unchanged":
            store.maintain()
        return embedded


def update(
    library: Library,
    store: Store,
    embedder: Embedder,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    rebuild: bool = False,
    approve: Callable[[Store], None] = lambda _: None,
) -> BuildReport:
    """Index what changed since the last run; with `rebuild`, everything anew, beside the old index until it is whole.

    Where `approve`, which may ask the new index questions, raises, the old one stays.

    Documents are compared by version, then by content; one transcript is in memory at a time. The embedder is asked
    for its name alone where nothing changed. A document that cannot be indexed is reported, not raised. Raises
    `IndexMismatchError`, `IndexingError`.
    """
    with _exclusive(store.storage):
        if not rebuild:
            return _updated(library, store, embedder, progress)
        beside = store.beside()
        report = _updated(library, beside, embedder, progress)
        try:
            approve(beside)
        except BaseException:
            beside.discard()
            raise
        beside.publish()
    return report


def _updated(library: Library, store: Store, embedder: Embedder, progress: Callable[[Progress], None]) -> BuildReport:
    _prepare(store, embedder)
    store.check_files()
    report = _Update(library, store, embedder, progress).run()
    store.maintain()
    return report


def tidy(store: Store) -> None:
    """Compact the index and remove old versions and what killed writers have left; waits for other writers.

    Raises `IndexingError`, `IndexNotBuiltError`.
    """
    with _exclusive(store.storage):
        store.heal()
        store.maintain(force=True)


class _Update:
    """One pass over the library; `owners` are the names of the documents that count, by the key of their episode."""

    def __init__(
        self, library: Library, store: Store, embedder: Embedder, progress: Callable[[Progress], None]
    ) -> None:
        self.library, self.store, self.embedder, self.progress = library, store, embedder, progress
        self.documents = library.documents()
        self.indexed = {episode.key: episode for episode in store.episodes()}
        there = {(document.key, document.name) for document in self.documents}
        self.owners = {old.key: old.path for old in self.indexed.values() if (old.key, old.path) in there}
        self.failed: dict[str, str] = {}
        self.outcomes: Counter[Outcome] = Counter()
        self.embedded = 0

    def run(self) -> BuildReport:
        started, written = time.perf_counter(), 0
        for done, document in enumerate(self.documents, 1):
            outcome = self._settle(document)
            if outcome in {"added", "changed"}:
                written += 1
                if written % MAINTAIN_EVERY == 0:
                    self.store.maintain()
            pace = self.embedded / max(1e-9, time.perf_counter() - started)
            self.progress(Progress(done, len(self.documents), round(pace, 1)))
        gone = [key for key, old in self.indexed.items() if key not in self.owners and old.path not in self.failed]
        for key in gone:
            self.store.remove(key)
        outcomes, failed = self.outcomes, tuple(sorted(self.failed.items()))
        return BuildReport(
            outcomes["added"], outcomes["changed"], outcomes["unchanged"], len(gone), failed, self.embedded
        )

    def _settle(self, document: Document) -> Outcome | None:
        try:
            if not document.key:  # its head says none, perhaps the whole does
                document = replace(document, key=self.library.read(document.name).episode.key)
            outcome, embedded = self._bring_in(document)
        except IndexingError:
            raise
        except (SoundbiteError, OSError) as error:
            self.failed[document.name] = getattr(error, "message", str(error))
            return None
        except Exception as error:  # one document never stops the others
            logger.exception("%s cannot be indexed", document.name)
            self.failed[document.name] = f"cannot be indexed ({type(error).__name__}: {error})"
            return None
        self.outcomes[outcome] += 1
        self.embedded += embedded
        return outcome

    def _bring_in(self, document: Document) -> tuple[Outcome, int]:
        owner = self.owners.setdefault(document.key, document.name)
        if owner != document.name:
            raise _duplicate(document.name, owner)
        return _bring_in(self.library, self.store, self.embedder, document, self.indexed.get(document.key))


def _prepare(store: Store, embedder: Embedder) -> None:
    store.create(embedder.name, embedder.dimension)
    store.require(embedder.name, embedder.dimension)
    store.heal()


@contextmanager
def _exclusive(storage: Storage) -> Iterator[None]:
    """Wait for any other run on this index to end, so that two never write at once."""
    with ExitStack() as stack:
        try:
            stack.enter_context(storage.exclusive())
        except OSError as error:
            where = storage.where()
            raise IndexingError(where, f"cannot be written ({error.strerror}); choose another --home") from error
        yield


def _holds(library: Library, name: str, key: str) -> bool:
    """Whether a document is there and holds this episode."""
    try:
        return library.read(name).episode.key == key
    except TranscriptError:
        return False


def _duplicate(name: str, other: str) -> TranscriptError:
    return TranscriptError(name, f"holds the same episode as {other}; remove one of them")


def _bring_in(
    library: Library, store: Store, embedder: Embedder, document: Document, old: IndexedEpisode | None
) -> tuple[Outcome, int]:
    """Index a document where it changed; what became of it, and how many chunks were embedded."""
    if old and (old.path, old.version) == (document.name, document.version):
        return "unchanged", 0
    content_hash = library.content_hash(document.name)
    if old and old.content_hash == content_hash:
        store.move(old.key, document.name, document.version)
        return "unchanged" if old.path == document.name else "changed", 0
    transcript = library.read(document.name)
    entry = _entry(transcript, document, content_hash)
    embedded = _embed_and_replace(store, embedder, entry, split(transcript, embedder.count))
    return "changed" if old else "added", embedded


def _entry(transcript: Transcript, document: Document, content_hash: str) -> IndexedEpisode:
    episode, provenance = transcript.episode, transcript.provenance
    return IndexedEpisode(
        key=episode.key,
        podcast=slug(episode.podcast),
        guid=episode.guid,
        title=episode.title,
        published=episode.published_at,
        link=episode.link,
        audio_url=episode.audio_url,
        path=document.name,
        version=document.version,
        content_hash=content_hash,
        duration=transcript.duration,
        approximate=provenance.get("times") == "approximate",
        flag=str(provenance.get("flag") or ""),
        language=language_of(transcript),
        podcast_title=episode.podcast,
        source=str(provenance.get("source") or ""),
        model=Path(str(provenance.get("model") or "")).name,  # which may be a directory of this machine
    )


def _embed_and_replace(store: Store, embedder: Embedder, episode: IndexedEpisode, chunks: tuple[Chunk, ...]) -> int:
    """Embed the windows whose text is new and replace the episode; the number of chunks that have one."""
    kept = store.vectors(episode.key)
    texts = [chunk.window_texts() for chunk in chunks]
    known = {
        text: vector
        for chunk, windows in zip(chunks, texts, strict=True)
        if chunk.id in kept
        for text, vector in zip(windows, kept[chunk.id], strict=True)
    }
    new = list(dict.fromkeys(text for windows in texts for text in windows if text not in known))
    known |= dict(zip(new, embedder.embed_passages(new), strict=True))
    vectors = [np.asarray([known[text] for text in windows], np.float32) for windows in texts]
    store.replace(episode, chunks, vectors)
    return sum(not set(new).isdisjoint(windows) for windows in texts)
