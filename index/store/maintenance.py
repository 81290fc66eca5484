"""Keeps a LanceDB table of chunks quick: its indexes by size, and compaction; used by `index.store` alone.

Sizes and settings are measured: `python -m tests.benchmarks.bench_scale 1000000` prints them.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ingest.settings import VectorIndex

FRAGMENTS = 20  # each write leaves one, and each costs a query 0.27 ms; compacted beyond this many
UNINDEXED = 2_000  # rows full-text search may have to read beside its index; or a tenth of few, a fiftieth of many
INDEXED = 50_000  # chunks from which on an index of vectors beats looking at all
FEW = 30_000  # chunks left by filters, of which all are looked at: an index loses too many of them
REFINED = 2  # times the chunks asked for are compared exactly: .97 of the nearest become .99 for a millisecond
COMMON = 10  # with an index, a term in more than every tenth chunk finds nothing but costs most
WORDS, VECTORS = "indexed_text_idx", "vector_idx"  # LanceDB's names


async def names(chunks: Any) -> frozenset[str]:
    """The indexes there are."""
    return frozenset(index.name for index in await chunks.list_indices())


async def unindexed(chunks: Any) -> int:
    """Rows that full-text search reads beside its index."""
    rows: int = await chunks.count_rows()
    if WORDS not in await names(chunks):
        return rows
    stats = await chunks.index_stats(WORDS)
    return int(stats.num_unindexed_rows) if stats else rows


async def index_words(chunks: Any) -> None:
    """Make the full-text index as soon as there are rows; LanceDB keeps it covering when it optimizes."""
    if WORDS in await names(chunks) or not await chunks.count_rows():
        return
    from lancedb.index import FTS

    # The column holds stems, made by the same function as the query's: one way of reading words, not two.
    plain = {"stem": False, "remove_stop_words": False, "lower_case": False, "ascii_folding": False}
    await chunks.create_index("indexed_text", config=FTS(base_tokenizer="whitespace", with_position=False, **plain))


async def maintain(tables: Mapping[str, Any], kind: VectorIndex, *, force: bool, keep: timedelta) -> None:
    """Compact what many writes have scattered and bring the indexes up to date, where it pays or `force` says so.

    Versions older than `keep` go.
    """
    chunks = tables["chunks"]
    await index_words(chunks)
    stats = await chunks.stats()
    rows = stats["num_rows"]
    beside = max(min(UNINDEXED, rows // 10), rows // 50)
    if force or stats["fragment_stats"]["num_fragments"] > FRAGMENTS or await unindexed(chunks) > beside:
        for table in tables.values():
            await table.optimize(cleanup_older_than=keep)
    if kind not in {"auto", "exact"} or (kind == "auto" and rows > INDEXED):
        await _index_rows(chunks, kind, rows)


async def _index_rows(chunks: Any, kind: VectorIndex, rows: int) -> None:
    """The index of vectors and those that filters need beside it, made once; optimizing keeps them covering."""
    from lancedb.index import Bitmap, BTree, IvfRq, IvfSq

    there = await names(chunks)
    for column, scalar in (("key", BTree()), ("published", BTree()), ("podcast", Bitmap())):
        if f"{column}_idx" not in there:
            await chunks.create_index(column, config=scalar)
    if VECTORS in there or not rows:
        return
    shape: dict[str, Any] = {
        "distance_type": "cosine", "num_partitions": max(1, int(rows**0.5)), "sample_rate": 64, "max_iterations": 15,
    }  # fmt: skip
    await chunks.create_index("vector", config=IvfSq(**shape) if kind == "ivf_sq" else IvfRq(num_bits=4, **shape))


def probes(rows: int, filtered: bool) -> int:
    """How many of the sqrt(rows) partitions to look into for a recall of .99; where filters leave little, in more of them.

    160 of 316 find it, and 160 to 200 of 1,000; with the last 5 % of days, 333 of 1,000.
    """
    partitions = max(1, int(rows**0.5))
    return min(partitions, max(160, partitions // (3 if filtered else 5)))


def telling(words: Sequence[str], containing: Mapping[str, int], rows: int) -> list[str]:
    """The words that tell chunks apart; all where all are common."""
    return [word for word in words if containing.get(word, 0) * COMMON <= rows] or list(words)
