"""Keeps the tables fast: their indexes by size, and compaction.

Sizes and settings are measured: `python -m tests.benchmarks.bench_scale 1000000` prints them.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from index.store.generations import Tables

MAX_FRAGMENTS = 20  # each write leaves one, and each costs a query 0.27 ms
# Rows that full-text search reads beside its index (400 cost a query 11 ms): at most so many, a tenth of fewer than
# 2,000 rows, or a fiftieth of more than 10,000.
MAX_UNINDEXED = 200
# Chunks above which the vector index is one of partitions; below, it holds all vectors in one, and all are compared: 1.4 ms
# of 4,400, where those in the table take 3.3.
MIN_INDEXED = 50_000
MAX_SEGMENTS = 4  # of the vector index: `optimize` adds one each time, and each costs a query 0.1 to 0.4 ms
MAX_EXHAUSTIVE = 30_000  # chunks left by filters, all compared: there a vector index loses too many of them
REFINE = 2  # times the chunks wanted are compared exactly: recall .97 becomes .99 for a millisecond
COMMON = 10  # above `MIN_INDEXED` chunks a term in more than every tenth finds nothing but costs most
FOOTER = b"LANC"
TEXT_INDEX, VECTOR_INDEX = "indexed_text_idx", "vector_idx"  # LanceDB's names


def damaged_files(path: Path) -> Iterator[Path]:
    """Files of a generation that have lost their ends, which LanceDB notices only when it reads them.

    A file of its format ends with the word LANC (Lance file format, footer); it has that name only once it is whole.
    """
    for file in path.rglob("*"):
        if file.suffix in {".lance", ".idx", ".manifest"} and file.is_file():
            with suppress(FileNotFoundError), file.open("rb") as opened:  # a writer may remove it meanwhile
                opened.seek(max(0, file.stat().st_size - len(FOOTER)))
                if opened.read() != FOOTER:
                    yield file


def remove_unfinished(path: Path) -> None:
    """Remove what writers that were killed have left, which `optimize` never does; for who alone may write."""
    for file in path.rglob(".tmp*"):
        file.unlink(missing_ok=True)


async def size(tables: Tables) -> dict[str, float]:
    """Numbers of episodes and chunks, of chunks that full-text search reads beside its index, of fragments; their bytes.

    `changed_timestamp_seconds` is when something was last written, in Unix seconds.
    """
    chunks = tables.chunks
    fragments = (await chunks.stats())["fragment_stats"]["num_fragments"]
    files = tables.storage.listing(tables.folder).values()
    return {
        "episodes": await tables.episodes.count_rows(),
        "chunks": await chunks.count_rows(),
        "unindexed_chunks": await unindexed(chunks),
        "fragments": fragments,
        "bytes": sum(file.size for file in files),
        "changed_timestamp_seconds": max((file.modified for file in files), default=0.0),
    }


async def counts(tables: Tables) -> dict[str, int]:
    """See `Store.counts`."""
    numbers = await asyncio.gather(tables.episodes.count_rows(), tables.chunks.count_rows(), unindexed(tables.chunks))
    return dict(zip(("episodes", "chunks", "unindexed"), numbers, strict=True))


async def chunk_counts(tables: Tables) -> dict[str, int]:
    """See `Store.chunk_counts`."""
    rows = await tables.chunks.query().select(["key"]).to_arrow()
    return Counter(rows["key"].to_pylist())


async def speakers(tables: Tables) -> dict[str, int]:
    """See `Store.speakers`."""
    rows = await tables.episodes.query().select(["speakers"]).to_list()
    return Counter(name for row in rows for name in row["speakers"])


async def index_names(chunks: Any) -> frozenset[str]:
    """The indexes there are."""
    return frozenset(index.name for index in await chunks.list_indices())


async def unindexed(chunks: Any) -> int:
    """Rows that full-text search reads beside its index."""
    rows: int = await chunks.count_rows()
    if TEXT_INDEX not in await index_names(chunks):
        return rows
    stats = await chunks.index_stats(TEXT_INDEX)
    return int(stats.num_unindexed_rows) if stats else rows


async def create_text_index(chunks: Any) -> None:
    """Make the full-text index as soon as there are rows; `optimize` keeps it covering."""
    if TEXT_INDEX in await index_names(chunks) or not await chunks.count_rows():
        return
    from lancedb.index import FTS

    # The column holds terms made by the function that makes the query's: LanceDB only parts them at spaces. Positions
    # find phrases; over 4,300 chunks they take 2.4 MB and 60 ms, and other searches take as long.
    plain = {"stem": False, "remove_stop_words": False, "lower_case": False, "ascii_folding": False}
    await chunks.create_index("indexed_text", config=FTS(base_tokenizer="whitespace", with_position=True, **plain))


async def maintain(tables: Tables, *, force: bool, keep: timedelta) -> None:
    """Compact and bring the indexes up to date where it pays, or `force` says so; drop versions older than `keep`."""
    chunks = tables.chunks
    await create_text_index(chunks)
    stats = await chunks.stats()
    rows = stats["num_rows"]
    allowed = max(min(MAX_UNINDEXED, rows // 10), rows // 50)
    if force or stats["fragment_stats"]["num_fragments"] > MAX_FRAGMENTS or await unindexed(chunks) > allowed:
        for table in (chunks, tables.terms.table, tables.episodes):
            await table.optimize(cleanup_older_than=keep)
    if rows:
        await _create_vector_index(chunks, rows)
    if rows > MIN_INDEXED:
        await _create_filter_indexes(chunks)


async def _create_vector_index(chunks: Any, rows: int) -> None:
    """Make the index of vectors anew where there is none of the right kind, or `optimize` has left it in many parts."""
    from lancedb.index import IvfFlat, IvfRq

    many = rows > MIN_INDEXED
    kind, there = ("IvfRq" if many else "IvfFlat"), {index.name: index for index in await chunks.list_indices()}
    index = there.get(VECTOR_INDEX)
    if index and index.index_type == kind and index.num_segments <= MAX_SEGMENTS:
        return
    shape = {"num_partitions": max(1, int(rows**0.5)), "sample_rate": 64, "max_iterations": 15, "num_bits": 4}
    config = IvfRq(distance_type="cosine", **shape) if many else IvfFlat(distance_type="cosine", num_partitions=1)
    await chunks.create_index("vector", config=config)


async def _create_filter_indexes(chunks: Any) -> None:
    from lancedb.index import Bitmap, BTree

    there = await index_names(chunks)
    for column, scalar in (("key", BTree()), ("published", BTree()), ("podcast", Bitmap())):
        if f"{column}_idx" not in there:
            await chunks.create_index(column, config=scalar)


def probes(rows: int, filtered: bool) -> int:
    """How many of the sqrt(rows) partitions to search for a recall of .99; more where a filter leaves little.

    160 of 316 find it, and 160 to 200 of 1,000; with the last 5 % of days, 333 of 1,000.
    """
    partitions = max(1, int(rows**0.5))
    return min(partitions, max(160, partitions // (3 if filtered else 5)))


def distinctive(words: Sequence[str], containing: Mapping[str, int], rows: int) -> list[str]:
    """The terms that tell chunks apart; all where all are common."""
    return [word for word in words if containing.get(word, 0) * COMMON <= rows] or list(words)
