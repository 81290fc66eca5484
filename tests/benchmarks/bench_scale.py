"""What size costs: a generated index, then one ten times as large: `… scale --rows 1000000 [--folder DIR]`.

Every chunk is a real one of the corpus under a new name, with its vectors moved, so that nearest neighbours are about as
near as real ones. 100,000 chunks take about a minute of CPU, 1,000,000 about ten and 6 GB of disk. CPU time, all threads;
the questions are embedded beforehand.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from index.chunk import split
from index.query import Query
from index.scoring import TermFrequencies
from index.search import DEPTH, Searcher
from index.store import generations
from index.store.candidates import nearest
from index.store.lance import Store
from index.store.schema import restriction
from ingest.models import Transcript
from tests.benchmarks.corpus import PIECES, Corpus, Embedded, transcripts
from tests.benchmarks.measure import Row, Spent, peak, row, seconds, taking_turns

SMALLEST, ROWS = 10_000, 100_000
RECALL, SLOWER, COSTLIER = 0.98, 3.0, 1.5
WINDOW = 64  # word pieces: about three windows a chunk
EPISODES = 100  # of any size: every episode written leaves a fragment, and compacting is not what is measured
EPISODE, PODCASTS, FIRST = 100, 10, datetime(2015, 1, 1, tzinfo=UTC)
MOVED = 0.6  # length of what is added to a vector of length 1, at random
POOL, CHUNK_WORDS, QUESTIONS, NEAREST = 1_000, 150, 60, 10
SINCE = FIRST + timedelta(days=90)
FILTERS: dict[str, dict[str, Any]] = {
    "no filter": {}, "a tenth by podcast": {"podcast": "show-3"}, "a tenth by date": {"since": SINCE},
    "a hundredth by both": {"podcast": "show-3", "since": SINCE},
}  # fmt: skip


class Pool:
    """Real chunks with the vectors of their windows, and episodes made of them."""

    def __init__(self, given: Corpus) -> None:
        embedder, draw = given.searcher.embedder, np.random.default_rng(1)
        cut = [chunk for one in _varied(transcripts(given)) for chunk in split(one, embedder.count, PIECES, 0, WINDOW)]
        self.chunks = [cut[i] for i in draw.permutation(len(cut))[:POOL]]
        print(f"  embedding {len(self.chunks):,} chunks to generate others from", flush=True)
        made = embedder.embed_passages([text for chunk in self.chunks for text in chunk.window_texts()])
        ends = np.cumsum([len(chunk.window_texts()) for chunk in self.chunks])
        self.vectors = np.split(made, ends[:-1])
        self.entry = given.searcher.store.episodes()[0]  # whose name and date are changed

    def episode(self, number: int, size: int) -> tuple[Any, list[Any], list[np.ndarray]]:
        """An episode as the store takes it: what it is, its chunks, and the vectors of their windows."""
        draw = np.random.default_rng(number)
        key = f"{number * 0x9E3779B97F4A7C15 % (1 << 64):016x}"
        published = FIRST + timedelta(days=number * 37 % EPISODES)
        entry = replace(
            self.entry,
            key=key,
            podcast=f"show-{number % PODCASTS}",
            guid=f"grown-{number}",
            title=f"Episode {number}",
            published=published,
            path=f"{key}.md",
        )
        picks = draw.permutation(len(self.chunks))[np.arange(size) % len(self.chunks)].tolist()
        chunks = [
            replace(self.chunks[pick], id=f"{number:08x}{place:08x}{key}", key=key) for place, pick in enumerate(picks)
        ]
        return entry, chunks, [_moved(self.vectors[pick], draw) for pick in picks]


def _varied(found: list[Transcript]) -> list[Transcript]:
    """The transcripts; where they are few, with their turns shuffled again and again, since a chunk needs its own words."""
    turns, draw = [turn for one in found for turn in one.turns], np.random.default_rng(2)
    words = sum(len(turn.text.split()) for turn in turns)
    again = range(POOL * CHUNK_WORDS // words if words < POOL * CHUNK_WORDS else 0)
    shuffled = [tuple(turns[i] for i in draw.permutation(len(turns))) for _ in again]
    return [*found, *(replace(found[0], turns=own, segments=()) for own in shuffled)]


def _moved(vectors: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The windows of a chunk moved in one direction, at length 1."""
    noise = draw.standard_normal(vectors.shape[1], np.float32)
    moved = vectors + noise * np.float32(MOVED / np.linalg.norm(noise))
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


class Nearest:
    """The exact nearest chunks of each question under each of `FILTERS`, kept while chunks are generated."""

    def __init__(self, questions: np.ndarray) -> None:
        self.questions = questions
        self.found: dict[str, list[list[tuple[float, str]]]] = {name: [[] for _ in questions] for name in FILTERS}

    def add(self, entry: Any, chunks: list[Any], vectors: list[np.ndarray]) -> None:
        mean = np.stack([one.sum(0) for one in vectors])
        scores = self.questions @ (mean / np.linalg.norm(mean, axis=1, keepdims=True)).T
        for name, filters in FILTERS.items():
            if entry.podcast != filters.get("podcast", entry.podcast) or entry.published < filters.get("since", FIRST):
                continue
            for kept, own in zip(self.found[name], scores, strict=True):
                near = np.argpartition(-own, NEAREST)[:NEAREST] if len(own) > NEAREST else range(len(own))
                kept += [(float(own[i]), chunks[i].id) for i in near]
                kept[:] = sorted(kept, reverse=True)[:NEAREST]


def candidates(store: Store, vector: np.ndarray, query: Query, size: int) -> set[str]:
    """The ids of the chunks that vector search hands on to be scored; the one place here that looks inside the store."""
    chunks, known = store._tables().chunks, TermFrequencies(size, 0, {})
    found = generations.run(store.storage, nearest(chunks, restriction(query), vector, [], DEPTH, known))
    return {row["id"] for row in generations.run(store.storage, chunks.take_row_ids(found).select(["id"]).to_list())}


def run(given: Corpus, largest: int = ROWS) -> list[Row]:
    pool = Pool(given)
    embedder = Embedded(given.searcher.embedder, [one.question for one in given.questions][:QUESTIONS])
    rows: list[Row] = []
    base: dict[str, Spent] = {}
    smaller = 0
    for size in _sizes(largest):
        with TemporaryDirectory(dir=given.home, prefix="scale-") as folder:
            store, nearest = _generated(pool, Path(folder) / "index", embedder, size)
            taken = _searches(store, embedder)
            rows.append(_recall(store, embedder, nearest, size))
            if base:
                rows += [
                    row(
                        f"a search over {size:,} chunks, {name}",
                        taken[name].p50 / base[name].p50,
                        f"over {smaller:,} ({base[name]}; here {taken[name]})",
                        most=SLOWER if size / smaller >= 100 else None,
                    )
                    for name in FILTERS
                ]
            else:
                base, smaller = taken, size
            if size == largest:
                rows.append(_one_more(pool, store, Path(folder) / "empty", embedder, size))
    return rows


def _sizes(largest: int) -> Iterator[int]:
    size = SMALLEST if largest >= 10 * SMALLEST else max(EPISODES, largest // 10)
    while size < largest:
        yield size
        size *= 10
    yield largest


def _generated(pool: Pool, root: Path, embedder: Embedded, size: int) -> tuple[Store, Nearest]:
    store, nearest = Store(root), Nearest(np.stack(list(embedder.known.values())))
    store.create(embedder.name, embedder.dimension)

    def fill() -> None:
        for number, begin in enumerate(range(0, size, each)):
            made = pool.episode(number, min(each, size - begin))
            store.replace(*made)
            nearest.add(*made)
            if number % 25 == 24 and size > SMALLEST:
                print(f"  {begin + each:,} of {size:,} chunks written", flush=True)
        store.maintain(force=True, keep=timedelta(milliseconds=1))

    each = -(-size // EPISODES)
    took = seconds(fill)
    disk = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / 1e9
    print(
        f"  {size:,} chunks written in {took:.0f} s of CPU: {disk:.2f} GB of disk, {peak() / 1000:.1f} GB of memory at most",
        flush=True,
    )
    return store, nearest


def _recall(store: Store, embedder: Embedded, nearest: Nearest, size: int) -> Row:
    shares = {}
    for name, filters in FILTERS.items():
        wanted = [{key for _, key in own} for own in nearest.found[name]]
        found = [candidates(store, vector, Query(text, **filters), size) for text, vector in embedder.known.items()]
        both = [len(own & near) / len(own) for own, near in zip(wanted, found, strict=True) if own]
        shares[name] = sum(both) / max(1, len(both))
    worst = min(shares, key=lambda name: shares[name])
    what = f"recall@10 of vector search over {size:,} chunks ({worst})"
    return row(what, shares[worst], "comparing every vector", least=RECALL, unit="")


def _searches(store: Store, embedder: Embedded) -> dict[str, Spent]:
    searcher, questions = Searcher(store, embedder), list(embedder.known)
    calls: list[Callable[[str], Any]] = [
        lambda one, more=more: searcher.search(Query(one, **more)) for more in FILTERS.values()
    ]
    return dict(zip(FILTERS, taking_turns(calls, questions), strict=True))


def _one_more(pool: Pool, store: Store, empty: Path, embedder: Embedded, size: int) -> Row:
    """One episode added to a large index and to an empty one."""
    fresh = Store(empty)
    fresh.create(embedder.name, embedder.dimension)
    made = [pool.episode(10**6 + number, EPISODE) for number in range(13)]
    small, large = taking_turns([lambda one: fresh.replace(*one), lambda one: store.replace(*one)], made[3:], warm=0)
    return row(
        f"adding an episode of {EPISODE} chunks to {size:,}",
        large.p50 / small.p50,
        f"adding it to an empty index ({small}; here {large})",
        most=COSTLIER,
    )
