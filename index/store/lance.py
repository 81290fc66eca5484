"""The index on disk: with its neighbours in this folder all that knows LanceDB and Arrow.

A generation is a folder with three tables: `chunks` (what is searched, with everything a hit shows), `episodes` (what is
indexed, with its terms) and `terms` (document frequencies). They are written in the order chunks, terms, episodes. While
an episode is written its key stands in the file `WRITING`, so that the next run knows what was interrupted.
"""

import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from math import inf
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from index.chunk import Chunk
from index.embed.base import Vectors
from index.query import Query
from index.store import generations, maintenance, term_counts, writing
from index.store.candidates import Candidates, retrieve
from index.store.generations import Generation, Tables
from index.store.questions import Asked, ask
from index.store.schema import (
    EPISODE_COLUMNS,
    LAYOUT,
    IndexedEpisode,
    chunk_row,
    episode_row,
    quoted,
    window_vectors,
    words_of,
)
from index.store.sentences import Places, StoredSentence, read_around
from index.store.similar import similar_episodes
from ingest.errors import IndexingError, IndexMismatchError
from ingest.storage import FolderStorage, Storage

T = TypeVar("T")
WRITING = "WRITING"
KEEP = timedelta(days=1)  # how long replaced data stays for readers that began before


class Store:
    """One index. Many threads may use one; what another process writes, or swaps in, is seen by the next call.

    `root` is its folder on this machine, unless another `storage` is given. Who only reads may see what is written
    `max_age` seconds late. Nothing is opened before it is needed. Every method raises `IndexingError` or `StorageError`
    where the files cannot be used and `IndexNotBuiltError` where there are none yet. Writers hold `storage.exclusive()`.
    """

    def __init__(self, root: Path, folder: str = "", *, storage: Storage | None = None, max_age: float = 0.0) -> None:
        self.root = root
        self.storage: Storage = storage or FolderStorage(root)
        self.max_age = max_age
        self._folder = folder  # fixed while a rebuild is not published
        self._read: tuple[float, Generation] = (-inf, ("", ""))  # when it was read which generation is in use
        self._lock = Lock()
        self._opened: Tables | None = None
        self._version: tuple[object, str] = (None, "")  # of which state of the tables, and what it is

    @property
    def folder(self) -> str:
        """The name of the folder in use; empty where nothing is built."""
        return self._generation()[0]

    def beside(self) -> "Store":
        """An empty store in a new folder, which nobody searches until it is published."""
        return Store(self.root, generations.unused(self.storage), storage=self.storage)

    def publish(self) -> None:
        """Make this the store that is searched, and remove all others."""
        generations.publish(self.storage, self.folder)
        self._folder = ""

    def discard(self) -> None:
        """Remove a store that was not published."""
        self.storage.delete_folder(self._folder)

    def create(self, model: str, dimension: int) -> None:
        """Make empty tables for a model's vectors, unless a complete set is there.

        What an interrupted creation, or a damaged `CURRENT`, has left behind is removed.
        """
        name = self.folder
        if name and self.storage.listing(f"{name}/episodes.lance"):
            return
        try:
            name = self._folder or generations.unused(self.storage)
            generations.create_tables(self.storage, name, model, dimension)
            if not self._folder:
                generations.publish(self.storage, name)
        except OSError as error:
            raise self._unwritable(error) from error

    @property
    def model(self) -> tuple[str, int]:
        """The name and the dimension of the model whose vectors the index holds."""
        tables = self._tables()
        return tables.model, tables.dimension

    def require(self, model: str, dimension: int) -> None:
        """Raises `IndexMismatchError` unless the index holds this model's vectors."""
        tables = self._tables()
        if (tables.model, tables.dimension) != (model, dimension):
            hint = "run `soundbite index --rebuild`, or set that model again"
            raise IndexMismatchError(self.storage.where(), f"was built with {tables.model}, not {model}; {hint}")

    # -- opening

    def _generation(self) -> Generation:
        if self._folder:
            return self._folder, ""
        read, generation = self._read
        if time.monotonic() - read >= self.max_age:
            generation = generations.current(self.storage)
            self._read = time.monotonic(), generation
        return generation

    def _tables(self) -> Tables:
        """The tables in use, opened once however many threads ask."""
        with self._lock:
            while True:
                generation = self._generation()
                if self._opened and self._opened.generation == generation:
                    return self._opened
                try:
                    self._opened = generations.open_tables(self.storage, generation, self.max_age)
                except IndexingError:
                    self._read = (-inf, generation)
                    if self._generation() == generation:  # else a rebuild was swapped in meanwhile
                        raise

    def _run(self, work: Callable[[Tables], Coroutine[Any, Any, T]]) -> T:
        """Work on the tables in use; again where a rebuild was swapped in meanwhile, which removes the old files."""
        while True:
            tables = self._tables()
            try:
                return generations.run(self.storage, work(tables))
            except IndexingError:
                self._read = (-inf, tables.generation)
                if self._tables() is tables:
                    raise

    # -- writing

    def replace(self, episode: IndexedEpisode, chunks: Sequence[Chunk], vectors: Sequence[Vectors]) -> None:
        """Put an episode, with the vectors of each chunk's windows, in place of what was there of it.

        Readers see the old chunks or the new, never a mixture and never neither.
        """
        rows = [chunk_row(episode, chunk, vector) for chunk, vector in zip(chunks, vectors, strict=True)]
        entry, words = episode_row(episode, chunks, rows), words_of(episode, chunks)
        with self._writing(episode.key):
            self._run(lambda tables: writing.replace(tables, rows, entry, words))

    def remove(self, key: str) -> None:
        """Take an episode out."""
        with self._writing(key):
            self._run(lambda tables: writing.remove(tables, key))

    def move(self, key: str, path: str, version: str) -> None:
        """Note that an episode's document has another name or version, and the same content."""
        row = {"key": key, "path": path, "version": version}
        self._run(lambda tables: term_counts.upsert(tables.episodes, "key", [row], list(row)))

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        mark = f"{self._tables().folder}/{WRITING}"
        try:
            self.storage.check_exclusive()
            self.storage.put(mark, key.encode())
            yield
            self.storage.delete(mark)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> IndexingError:
        return IndexingError(self.storage.where(), f"cannot be written ({error.strerror}); check the disk")

    def check_files(self) -> None:
        """Raises `IndexingError` where a file of the index has lost its end, as a disk that fails leaves it.

        In a bucket nothing is looked at: there a document is whole or not at all.
        """
        tables = self._tables()
        if isinstance(self.storage, FolderStorage):
            for file in maintenance.damaged_files(self.storage.path(tables.folder)):
                hint = "`soundbite index --rebuild` makes the index anew"
                raise IndexingError(file, f"is damaged; {hint}")

    def heal(self) -> None:
        """Take out the episode whose writing was interrupted, if one was, and count the terms anew."""
        folder = self._tables().folder
        self.storage.check_exclusive()
        if isinstance(self.storage, FolderStorage):
            maintenance.remove_unfinished(self.storage.path(folder))
        try:
            key = self.storage.read(f"{folder}/{WRITING}")[0].decode()
        except FileNotFoundError:
            return
        self._run(lambda tables: writing.heal(tables, key))
        self.storage.delete(f"{folder}/{WRITING}")

    def maintain(self, *, force: bool = False, keep: timedelta = KEEP) -> None:
        """Compact, bring the indexes up to date and drop versions older than `keep`; where it pays, unless `force`.

        The tables are opened anew afterwards, since LanceDB caches what it read of files that are gone: after 200 episodes
        of 4,800 words the process had 495 MiB instead of 599.
        """
        self.storage.check_exclusive()
        self._run(lambda tables: maintenance.maintain(tables, force=force, keep=keep))
        with self._lock:
            self._opened = None

    # -- reading

    def episodes(self) -> list[IndexedEpisode]:
        """Every episode indexed, by podcast and title; empty where nothing is built."""
        if not self.folder:
            return []
        return sorted(self._episodes(""), key=lambda episode: (episode.podcast, episode.title))

    def episode(self, key: str) -> IndexedEpisode | None:
        """One indexed episode; None where it is not indexed."""
        return next(iter(self._episodes(f"key = {quoted(key)}")), None)

    def _episodes(self, where: str) -> list[IndexedEpisode]:
        async def read(tables: Tables) -> list[dict[str, Any]]:
            query = tables.episodes.query().select(list(EPISODE_COLUMNS))
            found: list[dict[str, Any]] = await (query.where(where) if where else query).to_list()
            return found

        return [IndexedEpisode(**row) for row in self._run(read)]

    def speakers(self) -> dict[str, int]:
        """In how many episodes each speaker speaks; empty where nothing is built."""
        return self._run(maintenance.speakers) if self.folder else {}

    def counts(self) -> dict[str, int]:
        """Numbers of `episodes`, of `chunks`, and of chunks `unindexed` by full-text search."""
        return self._run(maintenance.counts)

    def chunk_counts(self) -> dict[str, int]:
        """How many chunks there are of each episode, by its key; reads the keys of all."""
        return self._run(maintenance.chunk_counts)

    def size(self) -> dict[str, float]:
        """Figures of the index: episodes, chunks, bytes on disk, and how fresh it is; see `maintenance.size`."""
        return self._run(maintenance.size)

    def vectors(self, key: str) -> dict[str, Vectors]:
        """The vectors of the windows of an episode's chunks, by chunk id: float32 [windows, dimension]."""

        async def read(tables: Tables) -> list[dict[str, Any]]:
            query = tables.chunks.query().where(f"key = {quoted(key)}")
            rows: list[dict[str, Any]] = await query.select(["id", "record"]).to_list()
            return rows

        return {row["id"]: window_vectors(row["record"]) for row in self._run(read)}

    def version(self) -> str:
        """What tells this index from one of other transcripts, another model or another way to cut them: 12 hex digits.

        Compaction and a rebuild do not change it.
        """
        return self._run(self._version_of)

    async def _version_of(self, tables: Tables) -> str:
        state = (tables.generation, await tables.episodes.version())
        if self._version[0] != state:
            rows = await tables.episodes.query().select(["key", "content_hash"]).to_arrow()
            held = sorted(zip(rows["key"].to_pylist(), rows["content_hash"].to_pylist(), strict=True))
            identity = f"{LAYOUT}\0{tables.model}\0{held}"
            self._version = state, sha256(identity.encode()).hexdigest()[:12]
        return self._version[1]

    def sentences(self, places: Places, count: int) -> dict[str, list[StoredSentence]]:
        """`count` sentences, or more, before and after places in episodes, in order, by the episode's key."""
        return self._run(lambda tables: read_around(tables, places, count)) if places else {}

    def similar(self, key: str, limit: int) -> list[tuple[str, float]]:
        """Keys of other episodes about the same things, and how similar (a cosine), best first."""
        return self._run(lambda tables: similar_episodes(tables, key, limit))

    def ask(self, text: str) -> Asked:
        """A question in the terms of the index."""

        async def read(tables: Tables) -> Asked:
            return replace(await ask(tables.terms, text), version=await self._version_of(tables))

        return self._run(read)

    def candidates(self, query: Query, vector: Vectors | None, asked: Asked, depth: int) -> Candidates:
        """The `depth` chunks nearest to the vector, if there is one, and as many that match the words best, if any."""
        return self._run(lambda tables: retrieve(tables, query, vector, asked, depth))
