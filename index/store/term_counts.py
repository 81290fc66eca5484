"""Document frequencies: the table `terms`, kept as episodes come and go, counted anew after an interrupted write."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from index.store.schema import quoted, statistics

_COLUMNS = ["chunks", "language", "length", "terms", "term_chunks"]


async def upsert(table: Any, on: str, rows: list[dict[str, Any]], columns: Sequence[str] = ()) -> None:
    """Replace or add rows by the column `on`; with `columns`, write only these, and only where there is a row."""
    import pyarrow as pa

    schema = await table.schema()
    schema = pa.schema([schema.field(name) for name in columns]) if columns else schema
    merge = table.merge_insert(on).when_matched_update_all()
    merge = merge if columns else merge.when_not_matched_insert_all()
    await merge.execute(pa.Table.from_pylist(rows, schema=schema))


async def lookup(terms: Any, names: Iterable[str], *, totals: bool = False) -> dict[str, int]:
    """The counts kept under these names, and with `totals` under those that are no terms; what is not there is left out."""
    wanted = ", ".join(quoted(name) for name in names)
    if not wanted:
        return {}
    where = f"term IN ({wanted})" + (" OR term < '!'" if totals else "")
    found = await terms.query().where(where).select(["term", "chunks"]).to_arrow()
    return dict(zip(found["term"].to_pylist(), found["chunks"].to_pylist(), strict=True))


async def shift(
    terms: Any,
    episodes: Any,
    key: str,
    entry: Mapping[str, Any] | None,
    words: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Bring the counts to where they are once the row of `key` becomes `entry`, or is gone; add its words to their terms."""
    change: Counter[str] = Counter(statistics(entry) if entry else {})
    for row in await episodes.query().where(f"key = {quoted(key)}").select(_COLUMNS).to_list():
        change.subtract(statistics(row))
    changed = {term: n for term, n in change.items() if n or (words or {}).get(term)}
    if not changed:
        return
    where = f"term IN ({', '.join(map(quoted, changed))})"
    known = {row["term"]: row for row in await terms.query().where(where).to_list()}
    rows = []
    for term, n in changed.items():
        row = known.get(term, {"chunks": 0, "words": None})
        written = sorted({*(row["words"] or ()), *(words or {}).get(term, ())})
        rows.append({"term": term, "chunks": row["chunks"] + n, "words": written})
    await upsert(terms, "term", rows)


async def recount(terms: Any, episodes: Any) -> None:
    """Count all terms anew; their words stay."""
    import pyarrow as pa

    total: Counter[str] = Counter()
    for row in await episodes.query().select(_COLUMNS).to_list():
        total.update(statistics(row))
    words = {row["term"]: row["words"] for row in await terms.query().select(["term", "words"]).to_list()}
    rows = [{"term": term, "chunks": n, "words": words.get(term)} for term, n in total.items()]
    await terms.add(pa.Table.from_pylist(rows, schema=await terms.schema()), mode="overwrite")
