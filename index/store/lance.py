"""The index on disk: with its neighbours in this folder all that knows LanceDB and Arrow.

A generation is a folder with three tables: `chunks` (what is searched, with everything a hit shows), `episodes` (what is
indexed, with its terms) and `terms` (document frequencies). They are written in the order chunks, terms, episodes. While
an episode is written its key stands in the file `WRITING`, so that the next run knows what was interrupted.
"""

import shutil
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from index.chunk import Chunk
from index.embed.base import Vectors
from index.query import Query
from index.store import generations, maintenance, term_counts
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
from ingest.storage import write_atomically

T = TypeVar("T")
KEEP = timedelta(days=1)  # how long replaced data stays for readers that began before


class Store:
    """One index. Many threads may use one; what another process writes, or swaps in, is seen by the next call.

    Nothing is opened before it is needed. Every method raises `IndexingError` where the files cannot be used and
    `IndexNotBuiltError` where there are none yet. Writers hold the lock of `index.build`.
    """

    def __init__(self, root: Path, folder: str = "") -> None:
        self.root = root
        self._folder = folder  # fixed while a rebuild is not published
        self._lock = Lock()
        self._opened: Tables | None = None
        self._version: tuple[object, str] = (None, "")  # of which state of the tables, and what it is

    @property
    def folder(self) -> str:
        """The name of the folder in use; empty where nothing is built."""
        return self._generation()[0]

    def beside(self) -> "Store":
        """An empty store in a new folder, which nobody searches until it is published."""
        return Store(self.root, generations.unused(self.root))

    def publish(self) -> None:
        """Make this the store that is searched, and remove all others."""
        generations.publish(self.root, self.folder)
        self._folder = ""

    def discard(self) -> None:
        """Remove a store that was not published."""
        shutil.rmtree(self.root / self._folder, ignore_errors=True)

    def create(self, model: str, dimension: int) -> None:
        """Make empty tables for a model's vectors, unless a complete set is there.

        What an interrupted creation, or a damaged `CURRENT`, has left behind is removed.
        """
        name = self.folder
        if name and (self.root / name / "episodes.lance").exists():
            return
        name = self._folder or generations.unused(self.root)
        generations.create_tables(self.root, name, model, dimension)
        if not self._folder:
            generations.publish(self.root, name)

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
            raise IndexMismatchError(self.root, f"was built with {tables.model}, not {model}; {hint}")

    # -- opening

    def _generation(self) -> Generation:
        return (self._folder, 0) if self._folder else generations.current(self.root)

    def _tables(self) -> Tables:
        """The tables in use, opened once however many threads ask."""
        with self._lock:
            while True:
                generation = self._generation()
                if self._opened and self._opened.generation == generation:
                    return self._opened
                try:
                    self._opened = generations.open_tables(self.root, generation)
                except IndexingError:
                    if self._generation() == generation:  # else a rebuild was swapped in meanwhile
                        raise

    def _run(self, work: Callable[[Tables], Coroutine[Any, Any, T]]) -> T:
        """Work on the tables in use; again where a rebuild was swapped in meanwhile, which removes the old files."""
        while True:
            tables = self._tables()
            try:
                return generations.run(self.root, work(tables))
            except IndexingError:
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
            self._run(lambda tables: _replace(tables, rows, entry, words))

    def remove(self, key: str) -> None:
        """Take an episode out."""
        with self._writing(key):
            self._run(lambda tables: _remove(tables, key))

    def move(self, key: str, path: str, version: str) -> None:
        """Note that an episode's document has another name or version, and the same content."""
        row = {"key": key, "path": path, "version": version}
        self._run(lambda tables: term_counts.upsert(tables.episodes, "key", [row], list(row)))

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        mark = self._tables().path / "WRITING"
        try:
            write_atomically(mark, key)
            yield
            mark.unlink()
        except OSError as error:
            raise IndexingError(self.root, f"cannot be written ({error.strerror}); check the disk") from error

    def check_files(self) -> None:
        """Raises `IndexingError` where a file of the index has lost its end, as a disk that fails leaves it."""
        for file in maintenance.damaged_files(self._tables().path):
            hint = "`soundbite index --rebuild` makes the index anew"
            raise IndexingError(file, f"is damaged; {hint}")

    def heal(self) -> None:
        """Take out the episode whose writing was interrupted, if one was, and count the terms anew."""
        maintenance.remove_unfinished(self._tables().path)
        mark = self._tables().path / "WRITING"
        if not mark.exists():
            return
        key = mark.read_text("utf-8")
        self._run(lambda tables: _heal(tables, key))
        mark.unlink()

    def maintain(self, *, force: bool = False, keep: timedelta = KEEP) -> None:
        """Compact, bring the indexes up to date and drop versions older than `keep`; where it pays, unless `force`.

        The tables are opened anew afterwards, since LanceDB caches what it read of files that are gone: after 200 episodes
        of 4,800 words the process had 495 MiB instead of 599.
        """
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

        async def read(tables: Tables) -> str:
            state = (tables.generation, await tables.episodes.version())
            if self._version[0] != state:
                rows = await tables.episodes.query().select(["key", "content_hash"]).to_arrow()
                held = sorted(zip(rows["key"].to_pylist(), rows["content_hash"].to_pylist(), strict=True))
                identity = f"{LAYOUT}\0{tables.model}\0{held}"
                self._version = state, sha256(identity.encode()).hexdigest()[:12]
            return self._version[1]

        return self._run(read)

    def sentences(self, places: Places, count: int) -> dict[str, list[StoredSentence]]:
        """`count` sentences, or more, before and after places in episodes, in order, by the episode's key."""
        return self._run(lambda tables: read_around(tables, places, count)) if places else {}

    def similar(self, key: str, limit: int) -> list[tuple[str, float]]:
        """Keys of other episodes about the same things, and how similar (a cosine), best first."""
        return self._run(lambda tables: similar_episodes(tables, key, limit))

    def ask(self, text: str) -> Asked:
        """A question in the terms of the index."""
        return self._run(lambda tables: ask(tables.terms, text))

    def candidates(self, query: Query, vector: Vectors | None, asked: Asked, depth: int) -> Candidates:
        """The `depth` chunks nearest to the vector, if there is one, and as many that match the words best, if any."""
        return self._run(lambda tables: retrieve(tables, query, vector, asked, depth))


async def _replace(
    tables: Tables, rows: list[dict[str, Any]], entry: dict[str, Any], words: dict[str, list[str]]
) -> None:
    import pyarrow as pa

    chunks, key = tables.chunks, entry["key"]
    old, new = f"key = {quoted(key)}", pa.Table.from_pylist(rows, schema=await chunks.schema())
    if not rows:
        await chunks.delete(old)
    elif await chunks.count_rows(old):  # one version, so that no reader misses the episode; reads the ids of all rows
        merge = chunks.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        await merge.when_not_matched_by_source_delete(old).execute(new)
    else:
        await chunks.add(new)
    await maintenance.create_text_index(chunks)
    await term_counts.shift(tables.terms, tables.episodes, key, entry, words)
    await term_counts.upsert(tables.episodes, "key", [entry])


async def _remove(tables: Tables, key: str) -> None:
    await tables.chunks.delete(f"key = {quoted(key)}")
    await term_counts.shift(tables.terms, tables.episodes, key, None, {})
    await tables.episodes.delete(f"key = {quoted(key)}")


async def _heal(tables: Tables, key: str) -> None:
    await tables.chunks.delete(f"key = {quoted(key)}")
    await tables.episodes.delete(f"key = {quoted(key)}")
    await term_counts.recount(tables.terms, tables.episodes)
