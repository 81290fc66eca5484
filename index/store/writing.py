"""Writes of one episode to the tables, in the order chunks, terms, episodes."""

from typing import Any

from index.store import maintenance, term_counts
from index.store.generations import Tables
from index.store.schema import quoted


async def replace(
    tables: Tables, rows: list[dict[str, Any]], entry: dict[str, Any], words: dict[str, list[str]]
) -> None:
    """Put an episode's rows in place of what was there of it; `entry` is its row among the episodes."""
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


async def remove(tables: Tables, key: str) -> None:
    """Take an episode out."""
    await tables.chunks.delete(f"key = {quoted(key)}")
    await term_counts.shift(tables.terms, tables.episodes, key, None, {})
    await tables.episodes.delete(f"key = {quoted(key)}")


async def heal(tables: Tables, key: str) -> None:
    """Take out an episode whose writing was interrupted, and count the terms anew."""
    await tables.chunks.delete(f"key = {quoted(key)}")
    await tables.episodes.delete(f"key = {quoted(key)}")
    await term_counts.recount(tables.terms, tables.episodes)
