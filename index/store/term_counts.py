"""Document frequencies, kept as episodes come and go, and counted anew where a run was cut off between two writes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from index import scoring as rank
from index.store.schema import LENGTH, PASSAGES, STAMP, STAMP_BITS, held, mark_of, quoted


async def upsert(table: Any, on: str, rows: list[dict[str, Any]], columns: Sequence[str] = ()) -> None:
    """Put rows in place of those of the same `on`; with `columns`, only these and only where there is a row."""
    import pyarrow as pa

    schema = await table.schema()
    schema = pa.schema([schema.field(name) for name in columns]) if columns else schema
    merge = table.merge_insert(on).when_matched_update_all()
    merge = merge if columns else merge.when_not_matched_insert_all()
    await merge.execute(pa.Table.from_pylist(rows, schema=schema))


async def lookup(terms: Any, names: Iterable[str]) -> dict[str, int]:
    """The numbers kept under these names; those that are not there are left out."""
    wanted = ", ".join(quoted(name) for name in names)
    if not wanted:
        return {}
    found = await terms.query().where(f"term IN ({wanted})").to_arrow()
    return dict(zip(found["term"].to_pylist(), found["chunks"].to_pylist(), strict=True))


async def known(terms: Any, words: Sequence[str]) -> rank.Frequencies:
    """What BM25 needs to know of these words."""
    counts = await lookup(terms, [*words, PASSAGES, LENGTH])
    return rank.Frequencies(counts.get(PASSAGES, 0), counts.get(LENGTH, 0), counts)


async def shift(terms: Any, episodes: Any, key: str, entry: Mapping[str, Any] | None) -> None:
    """Bring the numbers to where they are once the row of `key` becomes `entry`, or is gone."""
    before = await episodes.query().where(f"key = {quoted(key)}").to_list()
    change: Counter[str] = Counter()
    for row in before:
        change.subtract(held(row))
    if entry:
        change.update(held(entry))
    current = await lookup(terms, change)
    rows = [{"term": term, "chunks": _sum(term, current.get(term, 0) + n)} for term, n in change.items() if n]
    if rows:
        await upsert(terms, "term", rows)


def _sum(term: str, value: int) -> int:
    return value % (1 << STAMP_BITS) if term == STAMP else value


async def heal(terms: Any, episodes: Any) -> None:
    """Count all anew unless the stamp says they were counted over exactly the episodes there are."""
    import pyarrow as pa

    there = await episodes.query().select(["key", "content_hash"]).to_list()
    stamp = _sum(STAMP, sum(mark_of(row["key"], row["content_hash"]) for row in there))
    if (await lookup(terms, [STAMP])).get(STAMP, 0) == stamp:
        return
    total: Counter[str] = Counter()
    columns = ["key", "content_hash", "chunks", "length", "terms", "term_chunks"]
    for row in await episodes.query().select(columns).to_list():
        total.update(held(row))
    rows = [{"term": term, "chunks": _sum(term, n)} for term, n in total.items()]
    await terms.add(pa.Table.from_pylist(rows, schema=await terms.schema()), mode="overwrite")
