"""The index on disk: the only file that knows LanceDB.

`root/CURRENT` names the folder that is searched, so that a rebuild goes on beside it and takes its place by one rename.
In the folder are three tables: `chunks` (what is searched, with everything a hit shows), `episodes` (what is indexed,
with the terms it holds) and `terms` (document frequencies). They are written in the order chunks, terms, episodes: an
episode whose row is there is complete, and anything half-written is written again by the next run.
"""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from index import folders, rank, terms
from index.chunk import Chunk
from index.records import (
    LAYOUT,
    LENGTH,
    PASSAGES,
    SHOWN,
    Candidates,
    Filters,
    IndexedEpisode,
    chunk_row,
    episode_row,
    matrix,
    quoted,
    schemas,
)
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError

if TYPE_CHECKING:
    from index.records import Vectors

FRAGMENTS = 20  # each write leaves one, and each costs a query 0.27 ms; compacted beyond this many
UNINDEXED = 2_000  # rows full-text search may have to read beside its index, or a tenth of all
KEEP = timedelta(days=1)  # how long replaced data stays for readers that began before

T = TypeVar("T")


class Store:
    """Nothing is opened before it is needed, and what another process has changed meanwhile is seen.

    Raises `IndexingError` where the files cannot be used, `IndexNotBuiltError` where there are none yet.
    """

    def __init__(self, root: Path, folder: str = "") -> None:
        self.root = root
        self._fixed = folder
        self._opened = ""
        self._tables: dict[str, Any] = {}

    @property
    def folder(self) -> str:
        """The name of the folder in use; empty where nothing is built."""
        return self._fixed or folders.current(self.root)

    def beside(self) -> "Store":
        """An empty store in a new folder, which nobody searches until it is published."""
        return Store(self.root, folders.unused(self.root))

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
        _wait(self.root, self._create(name, schemas(model, dimension)))
        if not self._fixed:
            folders.publish(self.root, name)

    async def _create(self, name: str, schemas: Mapping[str, Any]) -> None:
        connection = await _connect(self.root / name)
        for table, schema in schemas.items():
            await connection.create_table(table, schema=schema)

    def require(self, model: str, dimension: int) -> None:
        """Raises `IndexMismatchError` unless the index holds this model's vectors."""
        stamp = self._stamp()
        built = (stamp.get("model"), stamp.get("dimension"))
        if built != (model, str(dimension)):
            raise IndexMismatchError(
                self.root,
                f"was built with {built[0]}, not {model}; run `soundbite index --rebuild`, or set that model again",
            )

    def _stamp(self) -> dict[str, str]:
        metadata = _wait(self.root, self._table("chunks").schema()).metadata or {}
        return {key.decode(): value.decode() for key, value in metadata.items()}

    def _table(self, name: str) -> Any:
        folder = self.folder
        if not folder or not (self.root / folder).is_dir():
            raise IndexNotBuiltError("", "nothing is indexed yet; run `soundbite run` or `soundbite import`")
        if folder != self._opened:
            self._tables = _wait(self.root, self._open(folder))
            self._opened = folder
            if (built := self._stamp().get("schema")) != LAYOUT:
                self._opened = ""
                raise IndexMismatchError(
                    self.root, f"has layout {built}, this version needs {LAYOUT}; run `soundbite index --rebuild`"
                )
        return self._tables[name]

    async def _open(self, folder: str) -> dict[str, Any]:
        connection = await _connect(self.root / folder)
        return {name: await connection.open_table(name) for name in ("chunks", "episodes", "terms")}

    # -- writing

    def replace(self, episode: IndexedEpisode, chunks: Sequence[Chunk], vectors: "Vectors") -> None:
        """Put an episode in place of what was there of it; readers see the old chunks or the new, never a mixture."""
        rows = [chunk_row(episode, chunk, vector) for chunk, vector in zip(chunks, vectors, strict=True)]
        length, containing = rank.counted(row["indexed_text"] for row in rows)
        entry = {**episode_row(replace(episode, chunks=len(chunks))), "length": length}
        entry |= {"terms": list(containing), "term_chunks": list(containing.values())}
        _wait(self.root, self._replace(episode, rows, entry))

    async def _replace(self, episode: IndexedEpisode, rows: list[dict[str, Any]], entry: dict[str, Any]) -> None:
        import pyarrow as pa

        chunks = self._table("chunks")
        merge = chunks.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        merge = merge.when_not_matched_by_source_delete(f"key = {quoted(episode.key)}")
        await merge.execute(pa.Table.from_pylist(rows, schema=await chunks.schema()))
        await _index_words(chunks)
        await terms.shift(self._table("terms"), self._table("episodes"), episode.key, entry)
        await terms.upsert(self._table("episodes"), "key", [entry])

    def remove(self, key: str) -> None:
        """Take an episode out."""
        _wait(self.root, self._remove(key))

    async def _remove(self, key: str) -> None:
        await self._table("chunks").delete(f"key = {quoted(key)}")
        await terms.shift(self._table("terms"), self._table("episodes"), key, None)
        await self._table("episodes").delete(f"key = {quoted(key)}")

    def touch(self, files: Mapping[str, str]) -> None:
        """Note that the files of these episodes (by key) were touched without a change."""
        if files:
            rows = [{"key": key, "files": mark} for key, mark in files.items()]
            _wait(self.root, terms.upsert(self._table("episodes"), "key", rows, ("key", "files")))

    def heal(self) -> set[str]:
        """Count document frequencies anew where a run was cut off; the keys of episodes whose chunks are not all there."""
        _wait(self.root, terms.heal(self._table("terms"), self._table("episodes")))
        return _wait(self.root, self._torn())

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
        _wait(self.root, self._maintain(force, keep))

    async def _maintain(self, force: bool, keep: timedelta) -> None:
        chunks = self._table("chunks")
        await _index_words(chunks)
        stats = await chunks.stats()
        scattered = stats["fragment_stats"]["num_fragments"] > FRAGMENTS
        if force or scattered or await self._unindexed() > min(UNINDEXED, stats["num_rows"] // 10):
            for table in self._tables.values():
                await table.optimize(cleanup_older_than=keep)

    async def _unindexed(self) -> int:
        chunks = self._table("chunks")
        names = [index.name for index in await chunks.list_indices()]
        found = [await chunks.index_stats(name) for name in names]
        rows: int = await chunks.count_rows()
        return max((int(stats.num_unindexed_rows) for stats in found if stats), default=rows)

    # -- reading

    def episodes(self) -> list[IndexedEpisode]:
        """Every episode indexed, by podcast and title; empty where nothing is built."""
        if not self.folder:
            return []
        columns = list(IndexedEpisode.__dataclass_fields__)
        rows = _wait(self.root, self._table("episodes").query().select(columns).to_list())
        return sorted((IndexedEpisode(**row) for row in rows), key=lambda episode: (episode.podcast, episode.title))

    def counts(self) -> dict[str, int]:
        """Health in figures: `episodes`, `chunks`, and the chunks not yet `unindexed` by full-text search."""
        figures: dict[str, int] = _wait(self.root, self._counts())
        return figures

    async def _counts(self) -> dict[str, int]:
        episodes, chunks = self._table("episodes"), self._table("chunks")
        figures = await asyncio.gather(episodes.count_rows(), chunks.count_rows(), self._unindexed())
        return dict(zip(("episodes", "chunks", "unindexed"), figures, strict=True))

    def vectors(self, key: str) -> dict[str, "Vectors"]:
        """The vectors of an episode's chunks, by chunk id."""
        query = self._table("chunks").query().where(f"key = {quoted(key)}").select(["id", "vector"])
        found = _wait(self.root, query.to_arrow())
        return dict(zip(found["id"].to_pylist(), matrix(found), strict=True))

    def candidates(self, vector: "Vectors | None", words: Sequence[str], filters: Filters, depth: int) -> Candidates:
        """The `depth` passages nearest to the vector, if there is one, and as many that hold the words best, if any."""
        return _wait(self.root, self._candidates(vector, words, filters.sql(), depth))

    async def _candidates(self, vector: "Vectors | None", words: Sequence[str], where: str, depth: int) -> Candidates:
        import pyarrow as pa

        query = self._table("chunks").query()
        legs = []
        if vector is not None:  # exact: no index of vectors is made at these sizes
            legs.append((query.nearest_to(vector).distance_type("dot"), "_distance"))
        if words:
            legs.append((query.nearest_to_text(" ".join(words), columns=["indexed_text"]), "_score"))
        asked = [
            (leg.where(where) if where else leg)
            .select([*SHOWN, "vector", "indexed_text", extra])
            .limit(depth)
            .to_arrow()
            for leg, extra in legs
        ]
        frequencies, *found = await asyncio.gather(
            terms.lookup(self._table("terms"), [*words, PASSAGES, LENGTH]), *asked
        )
        known = rank.Frequencies(frequencies.get(PASSAGES, 0), frequencies.get(LENGTH, 0), frequencies)
        rows = pa.concat_tables([leg.drop_columns([leg.column_names[-1]]) for leg in found]) if found else None
        if rows is None:
            return Candidates(None, matrix(None), (), known)
        first = {name: i for i, name in reversed(list(enumerate(rows["id"].to_pylist())))}
        rows = rows.take(pa.array(sorted(first.values()), pa.int64()))
        return Candidates(rows.select(list(SHOWN)), matrix(rows), rows["indexed_text"].to_pylist(), known)


async def _index_words(chunks: Any) -> None:
    """Make the full-text index as soon as there are rows; LanceDB keeps it covering when it optimizes."""
    if await chunks.list_indices() or not await chunks.count_rows():
        return
    from lancedb.index import FTS

    # The column holds stems, made by the same function as the query's: one way of reading words, not two.
    plain = {"stem": False, "remove_stop_words": False, "lower_case": False, "ascii_folding": False}
    await chunks.create_index("indexed_text", config=FTS(base_tokenizer="whitespace", with_position=True, **plain))


async def _connect(path: Path) -> Any:
    os.environ.setdefault("LANCEDB_LOG", "error")  # else it warns on stderr at every query; read when first imported
    import lancedb

    return await lancedb.connect_async(str(path), read_consistency_interval=timedelta(0))


def _wait(root: Path, work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, also where the caller is inside an event loop; LanceDB's errors become ours.

    Its asynchronous calls cost half of its synchronous ones, and let the two legs of a search run side by side.
    """
    try:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, work).result()
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        if isinstance(error, IndexingError):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise IndexingError(
            root, f"the index cannot be used ({reason}); `soundbite index --rebuild` makes it anew"
        ) from error
