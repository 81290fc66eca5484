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
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from index import rank
from index.chunk import Chunk
from index.records import (
    LAYOUT,
    LENGTH,
    PASSAGES,
    SHOWN,
    STAMP,
    STAMP_BITS,
    Candidates,
    Filters,
    IndexedEpisode,
    chunk_row,
    episode_row,
    held,
    mark_of,
    quoted,
    schemas,
)
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError

if TYPE_CHECKING:
    from index.records import Vectors

FRAGMENTS = 20  # each write leaves one, and each costs a query 0.27 ms; compacted beyond this many
UNINDEXED = 2_000  # rows full-text search may have to read beside its index
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

    # -- folders

    @property
    def folder(self) -> str:
        """The name of the folder in use; empty where nothing is built."""
        if self._fixed:
            return self._fixed
        try:
            return (self.root / "CURRENT").read_text("utf-8").strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise IndexingError(self.root, f"cannot be read ({error.strerror}); check the permissions") from error

    def beside(self) -> "Store":
        """An empty store in a new folder, which nobody searches until it is published."""
        self._sweep()
        serials = [int(path.name[6:]) for path in self.root.glob("index-*") if path.name[6:].isdecimal()]
        return Store(self.root, f"index-{max(serials, default=0) + 1}")

    def publish(self) -> None:
        """Make this the store that is searched, and remove all others."""
        part = self.root / ".CURRENT.part"
        part.write_text(self.folder, "utf-8")
        part.replace(self.root / "CURRENT")
        self._fixed = ""
        self._sweep()

    def _sweep(self) -> None:
        for other in self.root.glob("index-*"):
            if other.name != self.folder:
                shutil.rmtree(other, ignore_errors=True)

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
            Store(self.root, name).publish()

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
        await self._shift_terms(episode.key, entry)
        await _upsert(self._table("episodes"), "key", [entry])

    def remove(self, key: str) -> None:
        """Take an episode out."""
        _wait(self.root, self._remove(key))

    async def _remove(self, key: str) -> None:
        await self._table("chunks").delete(f"key = {quoted(key)}")
        await self._shift_terms(key, None)
        await self._table("episodes").delete(f"key = {quoted(key)}")

    async def _shift_terms(self, key: str, entry: Mapping[str, Any] | None) -> None:
        """Document frequencies after an episode's row becomes `entry`; nothing is counted twice by a run that was cut off."""
        before = await self._table("episodes").query().where(f"key = {quoted(key)}").to_list()
        change: Counter[str] = Counter()
        for sign, row in [*((-1, row) for row in before), *([(1, entry)] if entry else [])]:
            for term, n in held(row).items():
                change[term] += sign * n
        terms = self._table("terms")
        current = await self._lookup(list(change))
        rows = [{"term": term, "chunks": current.get(term, 0) + n} for term, n in change.items() if n]
        for row in rows:
            if row["term"] == STAMP:
                row["chunks"] %= 1 << STAMP_BITS
        if rows:
            await _upsert(terms, "term", rows)

    def touch(self, files: Mapping[str, str]) -> None:
        """Note that the files of these episodes (by key) were touched without a change."""
        if files:
            rows = [{"key": key, "files": mark} for key, mark in files.items()]
            _wait(self.root, _upsert(self._table("episodes"), "key", rows, ("key", "files")))

    def heal(self) -> set[str]:
        """Count document frequencies anew where a run was cut off; the keys of episodes whose chunks are not all there."""
        _wait(self.root, self._heal())
        return _wait(self.root, self._torn())

    async def _torn(self) -> set[str]:
        rows = await self._table("episodes").query().select(["key", "chunks"]).to_list()
        chunks = self._table("chunks")
        if sum(row["chunks"] for row in rows) == await chunks.count_rows():
            return set()
        there = Counter((await chunks.query().select(["key"]).to_arrow())["key"].to_pylist())
        return {row["key"] for row in rows if row["chunks"] != there[row["key"]]}

    async def _heal(self) -> None:
        import pyarrow as pa

        episodes = await self._table("episodes").query().select(["key", "content_hash"]).to_list()
        stamp = sum(mark_of(row["key"], row["content_hash"]) for row in episodes) % (1 << STAMP_BITS)
        if (await self._lookup([STAMP])).get(STAMP, 0) == stamp:
            return
        total: Counter[str] = Counter()
        columns = ["key", "content_hash", "chunks", "length", "terms", "term_chunks"]
        for row in await self._table("episodes").query().select(columns).to_list():
            total.update(held(row))
        total[STAMP] %= 1 << STAMP_BITS
        terms = self._table("terms")
        rows = pa.Table.from_pylist([{"term": t, "chunks": n} for t, n in total.items()], schema=await terms.schema())
        await terms.add(rows, mode="overwrite")

    def maintain(self, *, force: bool = False, keep: timedelta = KEEP) -> None:
        """Compact what many writes have scattered, bring the full-text index up to date, drop versions older than `keep`.

        Done only where it pays, unless `force`.
        """
        _wait(self.root, self._maintain(force, keep))

    async def _maintain(self, force: bool, keep: timedelta) -> None:
        chunks = self._table("chunks")
        if not await chunks.list_indices() and await chunks.count_rows():
            from lancedb.index import FTS

            # The column holds stems, made by the same function as the query's: one way of reading words, not two.
            plain = FTS(base_tokenizer="whitespace", stem=False, remove_stop_words=False, lower_case=False,
                        ascii_folding=False, with_position=True)  # fmt: skip
            await chunks.create_index("indexed_text", config=plain)
        stats = await chunks.stats()
        scattered = stats["fragment_stats"]["num_fragments"] > FRAGMENTS
        if force or scattered or await self._unindexed() > UNINDEXED:
            for table in self._tables.values():
                await table.optimize(cleanup_older_than=keep)

    async def _unindexed(self) -> int:
        chunks = self._table("chunks")
        names = [index.name for index in await chunks.list_indices()]
        found = [await chunks.index_stats(name) for name in names]
        return max((stats.num_unindexed_rows for stats in found if stats), default=await chunks.count_rows())

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
        return _wait(self.root, self._counts())

    async def _counts(self) -> dict[str, int]:
        episodes, chunks = self._table("episodes"), self._table("chunks")
        figures = await asyncio.gather(episodes.count_rows(), chunks.count_rows(), self._unindexed())
        return dict(zip(("episodes", "chunks", "unindexed"), figures, strict=True))

    def vectors(self, key: str) -> dict[str, "Vectors"]:
        """The vectors of an episode's chunks, by chunk id."""
        query = self._table("chunks").query().where(f"key = {quoted(key)}").select(["id", "vector"])
        found = _wait(self.root, query.to_arrow())
        return dict(zip(found["id"].to_pylist(), _matrix(found), strict=True))

    def candidates(self, vector: "Vectors | None", terms: Sequence[str], filters: Filters, depth: int) -> Candidates:
        """The `depth` passages nearest to the vector, if there is one, and as many that hold the terms best, if any."""
        return _wait(self.root, self._candidates(vector, terms, filters.sql(), depth))

    async def _candidates(self, vector: "Vectors | None", terms: Sequence[str], where: str, depth: int) -> Candidates:
        import pyarrow as pa

        query = self._table("chunks").query()
        legs = []
        if vector is not None:  # exact: no index of vectors is made at these sizes
            legs.append((query.nearest_to(vector).distance_type("dot"), "_distance"))
        if terms:
            legs.append((query.nearest_to_text(" ".join(terms), columns=["indexed_text"]), "_score"))
        asked = [
            (leg.where(where) if where else leg)
            .select([*SHOWN, "vector", "indexed_text", extra])
            .limit(depth)
            .to_arrow()
            for leg, extra in legs
        ]
        frequencies, *found = await asyncio.gather(self._lookup([*terms, PASSAGES, LENGTH]), *asked)
        known = rank.Frequencies(frequencies.get(PASSAGES, 0), frequencies.get(LENGTH, 0), frequencies)
        rows = pa.concat_tables([leg.drop_columns([leg.column_names[-1]]) for leg in found]) if found else None
        if rows is None:
            return Candidates(None, _empty(), (), known)
        first = {name: i for i, name in reversed(list(enumerate(rows["id"].to_pylist())))}
        rows = rows.take(sorted(first.values()))
        return Candidates(rows.select(list(SHOWN)), _matrix(rows), rows["indexed_text"].to_pylist(), known)

    async def _lookup(self, terms: Iterable[str]) -> dict[str, int]:
        wanted = ", ".join(quoted(term) for term in terms)
        if not wanted:
            return {}
        found = await self._table("terms").query().where(f"term IN ({wanted})").to_arrow()
        return dict(zip(found["term"].to_pylist(), found["chunks"].to_pylist(), strict=True))


async def _connect(path: Path) -> Any:
    os.environ.setdefault("LANCEDB_LOG", "error")  # else it warns on stderr at every query; read when first imported
    import lancedb

    return await lancedb.connect_async(str(path), read_consistency_interval=timedelta(0))


async def _upsert(table: Any, on: str, rows: list[dict[str, Any]], columns: Sequence[str] = ()) -> None:
    import pyarrow as pa

    schema = await table.schema()
    schema = pa.schema([schema.field(name) for name in columns]) if columns else schema
    merge = table.merge_insert(on).when_matched_update_all()
    merge = merge if columns else merge.when_not_matched_insert_all()
    await merge.execute(pa.Table.from_pylist(rows, schema=schema))


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


def _matrix(rows: Any) -> "Vectors":
    import numpy as np

    column = rows["vector"].combine_chunks()
    matrix: Vectors = np.asarray(column.flatten(), np.float32).reshape(len(rows), column.type.list_size)
    return matrix


def _empty() -> "Vectors":
    import numpy as np

    return np.zeros((0, 0), np.float32)
