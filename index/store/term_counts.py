"""Document frequencies: the table `terms`, kept as episodes come and go, counted anew after an interrupted write."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from index.store.schema import quoted, statistics

_COLUMNS = ["chunks", "length", "terms", "term_chunks"]


async def upsert(table: Any, on: str, rows: list[dict[str, Any]], columns: Sequence[str] = ()) -> None:
    """Replace or add rows by the column `on`; with `columns`, write only these, and only where there is a row."""
    import pyarrow as pa

    schema = await table.schema()
    schema = pa.schema([schema.field(name) for name in columns]) if columns else schema
    merge = table.merge_insert(on).when_matched_update_all()
    merge = merge if columns else merge.when_not_matched_insert_all()
    await merge.execute(pa.Table.from_pylist(rows, schema=schema))


class Terms:
    """The table of terms in memory, read again when it has changed: a lookup there takes 0.2 ms, a query 2.4 ms."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self._read: tuple[int, Any] = (-1, None)  # the version, and the rows

    async def lookup(self, names: Iterable[str]) -> dict[str, int]:
        """The counts kept under these names; those that are not there are left out."""
        import pyarrow as pa
        import pyarrow.compute as pc

        version = await self.table.version()
        if version != self._read[0]:
            self._read = (version, await self.table.query().to_arrow())
        rows = self._read[1]
        found = rows.filter(pc.is_in(rows["term"], value_set=pa.array(names, pa.string())))
        return dict(zip(found["term"].to_pylist(), found["chunks"].to_pylist(), strict=True))


async def shift(terms: Terms, episodes: Any, key: str, entry: Mapping[str, Any] | None) -> None:
    """Bring the counts to where they are once the row of `key` becomes `entry`, or is gone."""
    change: Counter[str] = Counter(statistics(entry) if entry else {})
    for row in await episodes.query().where(f"key = {quoted(key)}").select(_COLUMNS).to_list():
        change.subtract(statistics(row))
    changed = {term: n for term, n in change.items() if n}
    known = await terms.lookup(changed)
    if changed:
        await upsert(
            terms.table, "term", [{"term": term, "chunks": known.get(term, 0) + n} for term, n in changed.items()]
        )


async def recount(terms: Terms, episodes: Any) -> None:
    """Count all terms anew."""
    import pyarrow as pa

    total: Counter[str] = Counter()
    for row in await episodes.query().select(_COLUMNS).to_list():
        total.update(statistics(row))
    rows = [{"term": term, "chunks": n} for term, n in total.items()]
    await terms.table.add(pa.Table.from_pylist(rows, schema=await terms.table.schema()), mode="overwrite")
