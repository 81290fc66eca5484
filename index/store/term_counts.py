"""Document frequencies: the table `terms`, kept as episodes come and go, counted anew after an interrupted write."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from index.store.schema import PASSAGES, quoted, statistics
from index.text.vocabulary import Vocabulary

MAX_ASKED = 1 << 16  # terms whose counts are remembered
_COLUMNS = ["chunks", "language", "length", "terms", "term_chunks"]


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
        self._version = -1
        self._rows: Any = None
        self._totals: dict[str, int] = {}  # the counts of no terms
        self._asked: dict[str, int | None] = {}  # what was looked up before; None where there is nothing
        self._words: tuple[int, Vocabulary | None] = (-1, None)

    async def lookup(self, names: Iterable[str], *, totals: bool = False) -> dict[str, int]:
        """The counts kept under these names, and with `totals` under those that are no terms; others are left out."""
        import pyarrow as pa
        import pyarrow.compute as pc

        version = await self.table.version()
        if version != self._version:
            rows = await self.table.query().select(["term", "chunks"]).to_arrow()
            self._version, self._rows, self._asked = version, rows, {}
            self._totals = _counts(rows.filter(pc.less(rows["term"], "!")))
        elif len(self._asked) > MAX_ASKED:
            self._asked = {}
        names = set(names)
        if absent := names.difference(self._asked):
            here = pc.is_in(self._rows["term"], value_set=pa.array(absent, pa.string()))
            self._asked |= dict.fromkeys(absent) | _counts(self._rows.filter(here))
        found = {name: count for name in names if (count := self._asked[name]) is not None}
        return found | (self._totals if totals else {})

    async def vocabulary(self) -> Vocabulary:
        """The words of the terms that chunks have, read where a question needs them."""
        version, known = await self.table.version(), self._words
        if known[1] is None or version != known[0]:
            rows = (await self.table.query().where("chunks > 0").to_arrow()).to_pylist()
            self._words = known = (version, _vocabulary(rows))
        assert known[1] is not None
        return known[1]


def _counts(rows: Any) -> dict[str, int]:
    return dict(zip(rows["term"].to_pylist(), rows["chunks"].to_pylist(), strict=True))


def _vocabulary(rows: Sequence[Mapping[str, Any]]) -> Vocabulary:
    written = [(*word.partition(":")[::2], row) for row in rows for word in row["words"] or ()]
    return Vocabulary(
        words=[word for _, word, _ in written],
        terms=[row["term"] for *_, row in written],
        languages=[language for language, *_ in written],
        counts=[row["chunks"] for *_, row in written],
        chunks=next((row["chunks"] for row in rows if row["term"] == PASSAGES), 0),
    )


async def shift(
    terms: Terms, episodes: Any, key: str, entry: Mapping[str, Any] | None, words: Mapping[str, Sequence[str]]
) -> None:
    """Bring the counts to where they are once the row of `key` becomes `entry`, or is gone; add its words to their terms."""
    change: Counter[str] = Counter(statistics(entry) if entry else {})
    for row in await episodes.query().where(f"key = {quoted(key)}").select(_COLUMNS).to_list():
        change.subtract(statistics(row))
    changed = {term: n for term, n in change.items() if n or term in words}
    if not changed:
        return
    where = f"term IN ({', '.join(map(quoted, changed))})"
    known = {row["term"]: row for row in await terms.table.query().where(where).to_list()}
    rows = []
    for term, n in changed.items():
        row = known.get(term, {"chunks": 0, "words": None})
        written = sorted({*(row["words"] or ()), *words.get(term, ())})
        rows.append({"term": term, "chunks": row["chunks"] + n, "words": written})
    await upsert(terms.table, "term", rows)


async def recount(terms: Terms, episodes: Any) -> None:
    """Count all terms anew; their words stay."""
    import pyarrow as pa

    total: Counter[str] = Counter()
    for row in await episodes.query().select(_COLUMNS).to_list():
        total.update(statistics(row))
    words = {row["term"]: row["words"] for row in await terms.table.query().select(["term", "words"]).to_list()}
    rows = [{"term": term, "chunks": n, "words": words.get(term)} for term, n in total.items()]
    await terms.table.add(pa.Table.from_pylist(rows, schema=await terms.table.schema()), mode="overwrite")
