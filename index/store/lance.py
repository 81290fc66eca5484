"""The index on disk: with `index.upkeep` and `index.legs` all that knows LanceDB.

`root/CURRENT` names the folder that is searched, so that a rebuild goes on beside it and takes its place by one rename.
In the folder are three tables: `chunks` (what is searched, with everything a hit shows), `episodes` (what is indexed,
with the terms it holds) and `terms` (document frequencies). They are written in the order chunks, terms, episodes: an
episode whose row is there is complete, and anything half-written is written again by the next run.
"""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index import scoring as rank
from index.chunk import Chunk
from index.store import candidates as legs
from index.store import generations as folders
from index.store import maintenance as upkeep
from index.store import term_counts as terms
from index.store.hit_rows import Candidates, Shown
from index.store.lean import lancedb
from index.store.loop import wait
from index.store.schema import (
    LAYOUT,
    Filters,
    IndexedEpisode,
    chunk_row,
    episode_row,
    found,
    quoted,
    schemas,
    typical,
    unpacked,
)
from index.store.snapshot import MEMORY, REMEMBERED, Snapshot
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError
from ingest.settings import VectorIndex

if TYPE_CHECKING:
    from index.store.schema import Vectors

KEEP = timedelta(days=1)  # how long replaced data stays for readers that began before


class Store:
    """Nothing is opened before it is needed, and what another process has changed meanwhile is seen.

    Raises `IndexingError` where the files cannot be used, `IndexNotBuiltError` where there are none yet.
    """

    def __init__(self, root: Path, folder: str = "", *, kind: VectorIndex = "auto", memory: int = MEMORY) -> None:
        self.root = root
        self.kind = kind
        self.memory = memory
        self._fixed = folder
        self._current = folders.Current(root)
        self.opened = ""  # the folder the tables are of
        self._tables: dict[str, Any] = {}
        self._versions: dict[str, Path] = {}
        self._stamp: dict[str, str] = {}
        self._size: tuple[tuple[str, int] | None, int] = (None, 0)
        self._seen: tuple[str, int] | None = None
        self._snapshot: tuple[tuple[str, int] | None, Snapshot | None] = (None, None)

    @property
    def folder(self) -> str:
        """The name of the folder in use; empty where nothing is built."""
        return self._fixed or self._current.name()

    def beside(self) -> "Store":
        """An empty store in a new folder, which nobody searches until it is published."""
        return Store(self.root, folders.unused(self.root), kind=self.kind, memory=self.memory)

    def publish(self) -> None:
        """Make this the store that is searched, and remove all others."""
        folders.publish(self.root, self.folder)
        self._fixed = ""

    # -- opening

    def create(self, model: str, dimension: int) -> None:
        """Make the tables for a model's vectors, where there are none."""
        name = self.folder or "index-1"
        if (self.root / name / "episodes.lance").exists():
            return
        try:
            shutil.rmtree(self.root / name, ignore_errors=True)  # a creation that was cut off
            (self.root / name).mkdir(parents=True)
        except OSError as error:
            raise IndexingError(self.root, f"cannot be written ({error.strerror}); choose another --home") from error
        wait(self.root, self._create(name, schemas(model, dimension)))
        if not self._fixed:
            folders.publish(self.root, name)

    async def _create(self, name: str, schemas: Mapping[str, Any]) -> None:
        connection = await _connect(self.root / name)
        for table, schema in schemas.items():
            await connection.create_table(table, schema=schema)

    def require(self, model: str, dimension: int) -> None:
        """Raises `IndexMismatchError` unless the index holds this model's vectors."""
        self._table("chunks")
        built = (self._stamp.get("model"), self._stamp.get("dimension"))
        if built != (model, str(dimension)):
            hint = "run `soundbite index --rebuild`, or set that model again"
            raise IndexMismatchError(self.root, f"was built with {built[0]}, not {model}; {hint}")

    def _table(self, name: str) -> Any:
        folder = self.folder
        place = self.root / folder
        if not folder or not place.is_dir():
            raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
        if folder != self.opened:
            self._tables = wait(self.root, self._open(folder))
            metadata = wait(self.root, self._tables["chunks"].schema()).metadata or {}
            self._stamp = {key.decode(): value.decode() for key, value in metadata.items()}
            if (built := self._stamp.get("schema")) != LAYOUT:
                raise IndexMismatchError(
                    self.root, f"has layout {built}, this version needs {LAYOUT}; run `soundbite index --rebuild`"
                )
            self.opened = folder
            self._versions = {name: place / f"{name}.lance" / "_versions" for name in self._tables}
        return self._tables[name]

    async def _open(self, folder: str) -> dict[str, Any]:
        connection = await _connect(self.root / folder)
        return {name: await connection.open_table(name) for name in ("chunks", "episodes", "terms")}

    # -- writing

    def replace(self, episode: IndexedEpisode, chunks: Sequence[Chunk], vectors: "Sequence[Vectors]") -> None:
        """Put an episode, with the vectors of each chunk's windows, in place of what was there of it.

        Readers see the old chunks or the new, never a mixture; for a moment, neither.
        """
        rows = [chunk_row(episode, chunk, vector) for chunk, vector in zip(chunks, vectors, strict=True)]
        containing = rank.containing(row["indexed_text"] for row in rows)
        entry = {**episode_row(replace(episode, chunks=len(chunks))), "length": sum(map(typical, rows))}
        entry |= {"terms": list(containing), "term_chunks": list(containing.values())}
        wait(self.root, self._replace(episode, rows, entry))

    async def _replace(self, episode: IndexedEpisode, rows: list[dict[str, Any]], entry: dict[str, Any]) -> None:
        import pyarrow as pa

        chunks, episodes = self._table("chunks"), self._table("episodes")
        if await chunks.count_rows(f"key = {quoted(episode.key)}"):  # a merge would look at all other rows too
            await chunks.delete(f"key = {quoted(episode.key)}")
        if rows:
            await chunks.add(pa.Table.from_pylist(rows, schema=await chunks.schema()))
        await upkeep.index_words(chunks)
        await terms.shift(self._table("terms"), episodes, episode.key, entry)
        await terms.upsert(episodes, "key", [entry])

    def remove(self, key: str) -> None:
        """Take an episode out."""
        wait(self.root, self._remove(key))

    async def _remove(self, key: str) -> None:
        await self._table("chunks").delete(f"key = {quoted(key)}")
        await terms.shift(self._table("terms"), self._table("episodes"), key, None)
        await self._table("episodes").delete(f"key = {quoted(key)}")

    def touch(self, files: Mapping[str, str]) -> None:
        """Note that the files of these episodes (by key) were touched without a change."""
        if files:
            rows = [{"key": key, "files": mark} for key, mark in files.items()]
            wait(self.root, terms.upsert(self._table("episodes"), "key", rows, ("key", "files")))

    def heal(self) -> set[str]:
        """Count document frequencies anew where a run was cut off; the keys of episodes whose chunks are not all there."""
        wait(self.root, terms.heal(self._table("terms"), self._table("episodes")))
        return wait(self.root, self._torn())

    async def _torn(self) -> set[str]:
        rows = await self._table("episodes").query().select(["key", "chunks"]).to_list()
        chunks = self._table("chunks")
        if sum(row["chunks"] for row in rows) == await chunks.count_rows():
            return set()
        there = Counter((await chunks.query().select(["key"]).to_arrow())["key"].to_pylist())
        return {row["key"] for row in rows if row["chunks"] != there[row["key"]]}

    def maintain(self, *, force: bool = False, keep: timedelta = KEEP) -> None:
        """Compact what many writes have scattered, bring the full-text index up to date, drop versions older than `keep`.

        Done only where it pays, unless `force`.
        """
        self._table("chunks")
        wait(self.root, upkeep.maintain(self._tables, self.kind, force=force, keep=keep))

    # -- reading

    def episodes(self) -> list[IndexedEpisode]:
        """Every episode indexed, by podcast and title; empty where nothing is built."""
        if not self.folder:
            return []
        columns = list(IndexedEpisode.__dataclass_fields__)
        rows = wait(self.root, self._table("episodes").query().select(columns).to_list())
        return sorted((IndexedEpisode(**row) for row in rows), key=lambda episode: (episode.podcast, episode.title))

    def size(self) -> int:
        """How many episodes are indexed."""
        episodes, version = self._table("episodes"), self._version("episodes")
        if version != self._size[0]:
            self._size = (version, wait(self.root, episodes.count_rows()))
        return self._size[1]

    def counts(self) -> dict[str, int]:
        """Health in figures: `episodes`, `chunks`, and the chunks not yet `unindexed` by full-text search."""
        return wait(self.root, self._counts())

    async def _counts(self) -> dict[str, int]:
        episodes, chunks = self._table("episodes"), self._table("chunks")
        figures = await asyncio.gather(episodes.count_rows(), chunks.count_rows(), upkeep.unindexed(chunks))
        return dict(zip(("episodes", "chunks", "unindexed"), figures, strict=True))

    def vectors(self, key: str) -> dict[str, "Vectors"]:
        """The vectors of the windows of an episode's chunks, by chunk id: float32 [windows, dimension]."""
        query = self._table("chunks").query().where(f"key = {quoted(key)}")
        rows = wait(self.root, query.select(["id", "window_vectors", "window_scales"]).to_list())
        return {row["id"]: unpacked(row["window_vectors"], row["window_scales"]) for row in rows}

    def candidates(self, vector: "Vectors | None", words: Sequence[str], filters: Filters, depth: int) -> Candidates:
        """The `depth` chunks nearest to the vector, if there is one, and as many that hold the words best, if any.

        Asked a second time without a change between, a small index is read into memory and asked there.
        """
        snapshot = self._remembered()
        if snapshot:
            places, known = snapshot.nearest(vector, words, filters, depth)
            return Candidates(snapshot.found.take(places), known, snapshot.shown, places.tolist())
        return wait(self.root, self._candidates(vector, words, filters.sql(), depth))

    def _remembered(self) -> Snapshot | None:
        chunks, version = self._table("chunks"), self._version("chunks")
        if version == self._seen and version != self._snapshot[0]:
            rows = wait(self.root, chunks.count_rows())
            query = chunks.query().select([*REMEMBERED])
            whole = wait(self.root, query.to_arrow()) if 0 < rows <= self.memory else None
            self._snapshot = (version, Snapshot(whole) if whole else None)
        self._seen = version
        return self._snapshot[1] if self._snapshot[0] == version else None

    def _version(self, table: str) -> tuple[str, int]:
        """Changes with every write to a table, whoever writes."""
        return self.opened, self._versions[table].stat().st_mtime_ns

    async def _candidates(self, vector: "Vectors | None", words: Sequence[str], where: str, depth: int) -> Candidates:
        known = await terms.known(self._table("terms"), words)
        rows = await legs.nearest(self._table("chunks"), vector, words, where, depth, known)
        return (
            Candidates(found(rows), known, Shown(rows), range(len(rows))) if rows else Candidates(None, known, None, ())
        )


async def _connect(path: Path) -> Any:
    os.environ.setdefault("LANCEDB_LOG", "error")  # else it warns on stderr at every query; read when first imported
    return await lancedb().connect_async(str(path), read_consistency_interval=timedelta(0))
