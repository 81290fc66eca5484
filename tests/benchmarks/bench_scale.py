"""What size costs: 10,000 chunks, then ten times as many, and again, up to ROWS; grown from real ones (`grown.py`).

`python -m tests.benchmarks.bench_scale [ROWS] [--folder FOLDER] [--home HOME]`: CPU milliseconds of whole searches, all
threads, beside the embedding of the question. 100,000 chunks take two minutes, 1,000,000 about twenty and 8 GB of disk.
"""

import argparse
import re
import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
from index.store.loop import wait

from index.search import DEPTH, Searcher
from index.store import candidates as legs
from index.store.lance import Store
from tests.benchmarks.grown import EPISODE, FILTERS, SINCE, Grown, Pool, episode
from tests.benchmarks.measure import Row, Spent, at_least, at_most, spent, table
from tests.benchmarks.texts import Texts, texts

SMALLEST, ROWS = 10_000, 100_000
RECALL, SLOWER, COSTLIER = 0.98, 3.0, 1.5
APPENDS, SMALL, TOGETHER = 1_000, 2, 100  # episodes of so many chunks; maintained after so many
ASKED = {
    "none": {}, "a podcast of 50": {"podcast": "show-3"}, "the last 5 % of days": {"since": SINCE},
    "both": {"podcast": "show-3", "since": SINCE},
}  # fmt: skip
QUESTIONS = 60
AT_ONCE = timedelta(milliseconds=1)


class Embedded:
    """An embedder that has already embedded the questions."""

    def __init__(self, real, questions):
        self.name, self.dimension, self.floor = real.name, real.dimension, real.floor
        self.known = {question: real.embed_query(question) for question in questions}

    def embed_query(self, text):
        return self.known[text]


def sizes(largest: int) -> list[int]:
    found = [SMALLEST]
    while found[-1] < largest:
        found.append(min(largest, found[-1] * 10))
    return found


def run(given: Texts, largest: int = ROWS) -> list[Row]:
    """Measure every size in turn; the rows of the table."""
    questions = [one.question for one in given.questions][:QUESTIONS]
    embedder = Embedded(given.searcher.embedder, questions)
    chunks = given.searcher.store._table("chunks")
    pool = Pool(wait(given.home, chunks.query().to_arrow()))
    rows, base = [], None
    for size in sizes(largest):
        with TemporaryDirectory(dir=given.home, prefix="scale-") as folder:
            store = build(pool, Path(folder), embedder, size, rows)
            recall(store, embedder, pool.exact, size, rows)
            base = searches(store, embedder, size, base, rows)
            if size == largest:
                upkeep_costs(pool, store, Path(folder), embedder, rows)
    return rows


def build(pool: Pool, folder: Path, embedder: Embedded, size: int, rows: list[Row]) -> Store:
    store = Store(folder / "index", memory=0)
    store.create(embedder.name, embedder.dimension)
    grown = Grown(pool, store, np.stack(list(embedder.known.values())))
    begun, wall = process_time(), perf_counter()
    grown.fill(size)
    written = process_time() - begun
    store.maintain(force=True, keep=AT_ONCE)
    cpu, took = process_time() - begun - written, perf_counter() - wall
    pool.exact = {name: grown.nearest(name) for name in FILTERS}
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
    note(rows, Row(
        f"{size:,} chunks: build",
        f"{written:.0f} s growing and writing, {cpu:.0f} s indexes (CPU), {took:.0f} s in all; {disk:.2f} GB of disk, "
        f"{peak():.1f} GB of memory at most",
    ))  # fmt: skip
    return store


def recall(store: Store, embedder: Embedded, exact: dict[str, list[set[str]]], size: int, rows: list[Row]) -> None:
    """How many of the ten nearest are among the chunks that the leg hands on; they are scored exactly afterwards."""

    async def near(vector, where):
        leg = await legs._by_meaning(store._table("chunks"), vector, where)
        leg = leg.where(where) if where else leg
        return (await leg.select(["id", "_distance"]).limit(DEPTH).to_arrow())["id"].to_pylist()

    store._table("chunks")
    for name, filters in FILTERS.items():
        shares = []
        for vector, wanted in zip(embedder.known.values(), exact[name], strict=True):
            found = set(wait(store.root, near(vector, filters.sql())))
            shares.append(len(found & wanted) / max(1, len(wanted)))
        note(rows, at_least(f"{size:,} chunks: recall@10, filter {name}", float(np.mean(shares)), RECALL, unit=""))


def searches(
    store: Store, embedder: Embedded, size: int, base: dict[str, Spent] | None, rows: list[Row]
) -> dict[str, Spent]:
    """Whole searches from the disk; at the smallest size, in memory as well, as a server has them."""
    questions, searcher = list(embedder.known), Searcher(store, embedder)
    taken = {
        name: spent(lambda one, more=more: searcher.search(one, **more), questions) for name, more in ASKED.items()
    }
    for name, cost in taken.items():
        what = f"{size:,} chunks: search p50 / p99, filter {name}"
        if base is None:
            note(rows, Row(what, str(cost)))
        else:
            ratio = cost.p50 / base[name].p50
            wanted = size == 1_000_000
            row = at_most(what, ratio, SLOWER, f"{cost}; of the same at {SMALLEST:,}, from the disk")
            note(rows, row if wanted else Row(row.what, row.measured))
    if base is None:
        kept = Searcher(Store(store.root), embedder)
        cost = spent(kept.search, questions)
        note(rows, Row(f"{size:,} chunks: the same kept in memory", str(cost)))
        taken["memory"] = cost
    elif size == 1_000_000:
        note(
            rows,
            Row(
                f"{size:,} chunks against {SMALLEST:,} kept in memory",
                f"{taken['none'].p50 / base['memory'].p50:.3g} x",
            ),
        )
    return base or taken


def upkeep_costs(pool: Pool, store: Store, folder: Path, embedder: Embedded, rows: list[Row]) -> None:
    """One more episode, and a thousand small ones, at the largest size."""
    size = store.counts()["chunks"]
    empty = Store(folder / "empty", memory=0)
    empty.create(embedder.name, embedder.dimension)
    costs = []
    for where in (empty, store):
        made = [episode(pool, number, EPISODE) for number in range(13)]
        costs.append(spent(lambda one, where=where: where.replace(*one), made[3:], warm=0))
    what = f"one episode of {EPISODE} chunks more at {size:,} chunks, of the same on an empty index"
    note(
        rows, at_most(what, costs[1].p50 / costs[0].p50, COSTLIER, f"{costs[1].p50:.0f} and {costs[0].p50:.0f} ms CPU")
    )
    shutil.rmtree(folder / "empty")
    store.maintain(force=True, keep=AT_ONCE)
    searcher, questions = Searcher(store, embedder), list(embedder.known)
    before = spent(searcher.search, questions)
    appended, compacted, scattered = 0.0, 0.0, before
    for first in range(1_000, 1_000 + APPENDS, TOGETHER):
        begun = process_time()
        for number in range(first, first + TOGETHER):
            store.replace(*episode(pool, number, SMALL))
        appended += process_time() - begun
        scattered = spent(searcher.search, questions[:8], warm=1)
        begun = process_time()
        store.maintain(keep=AT_ONCE)
        compacted += process_time() - begun
    after = spent(searcher.search, questions)
    more = f"{before.p50:.1f} ms before, {scattered.p50:.0f} scattered, {after.p50:.1f} after; {appended / APPENDS * 1000:.0f} ms an append"
    what = f"search after {APPENDS:,} small appends, maintained every {TOGETHER}, of before"
    note(rows, at_most(what, after.p50 / before.p50, 1.1, f"{more}, maintain {compacted:.1f} s CPU"))


def note(rows: list[Row], row: Row) -> None:
    rows.append(row)
    print(f"  {row.what}: {row.measured}", flush=True)


def peak() -> float:
    """Gigabytes of memory that this process had at most."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=ROWS, help="chunks at most (default %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=Path("../shared/retrieval"), help="holds corpus/*.md and questions.jsonl"
    )
    parser.add_argument("--home", type=Path, default=Path(".demo/bench"), help="where the index is kept between runs")
    asked = parser.parse_args()
    print(table(run(texts(asked.folder, asked.home), asked.rows)))


if __name__ == "__main__":
    main()
