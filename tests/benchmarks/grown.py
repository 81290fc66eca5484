"""An index of any size, grown from a real one: new chunks of shuffled windows, their vectors moved a little.

Written in batches of Arrow through the tables that the store made, so that a million chunks take minutes. Each new chunk has
`WINDOWS` windows, not the fifteen of a real one, to save disk: what is searched by (one vector and about a hundred words a
chunk, in a full-text index) is as large as it would be for chunks of 200 word pieces.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from index.store.loop import wait
from index.store.snapshot import Snapshot

from index.chunk_arrays import RUNS, hashed, small
from index.store.lance import Store
from index.store.schema import LENGTH, PASSAGES, STAMP, STAMP_BITS, Filters, mark_of, unpacked

WINDOWS = 3
EPISODE = 60  # chunks: about two hours of speech
PODCASTS, DAYS, FIRST = 50, 3650, datetime(2015, 1, 1, tzinfo=UTC)
BATCH = 6_000
POOL = 12_000  # windows taken from the real index
MOVED, NOISE = 0.35, 0.3  # towards another window's vector, and at random: neighbours stay about as near as real ones
SINCE = FIRST + timedelta(days=int(DAYS * 0.95))
FILTERS = {
    "none": Filters(),
    "a podcast of 50": Filters(podcast="show-3"),
    "the last 5 % of days": Filters(since=SINCE),
    "both": Filters(podcast="show-3", since=SINCE),
}


class Pool:
    """The real windows: vectors and, as Arrow lists of one entry a window, all that is kept of their sentences."""

    def __init__(self, rows: Any) -> None:
        found = Snapshot(rows).found
        stems = iter([text.split() for text in rows["indexed_text"].to_pylist()])
        quotes, marks, figures, indexed = [], [], [], []
        for row in rows.select(["text", "marks", "figures", "windows", "lead"]).to_pylist():
            words, place = next(stems), len(row["lead"])
            for a, b in zip(row["windows"], row["windows"][1:], strict=False):
                begin = row["marks"][a]["begin"]
                quotes.append(row["text"][begin : row["marks"][b - 1]["end"]])
                marks.append([{**m, "begin": m["begin"] - begin, "end": m["end"] - begin} for m in row["marks"][a:b]])
                figures.append(row["figures"][a:b])
                said = sum(figure["stems"] for figure in row["figures"][a:b])
                indexed.append(" ".join(words[place : place + said]))
                place += said
        kept = np.random.default_rng(1).permutation(len(quotes))[:POOL]
        types = {name: rows.schema.field(name).type for name in ("marks", "figures")}
        self.vectors = unpacked(found.vectors[kept], found.scales[kept])
        self.quotes = pa.array(quotes).take(kept)
        self.indexed = pa.array(indexed).take(kept)
        self.marks = pa.array(marks, types["marks"]).take(kept)
        self.figures = pa.array(figures, types["figures"]).take(kept)
        terms = [text.split() for text in self.indexed.to_pylist()]
        self.stems = pa.array([[hashed(term) for term in own] for own in terms], pa.list_(pa.int32()))
        self.names = {hashed(term): term for own in terms for term in own}
        self.exact: dict[str, list[set[str]]] = {}


class Grown:
    """Fills a store's empty tables; keeps the exact nearest chunks of some questions for every one of `FILTERS`."""

    def __init__(self, pool: Pool, store: Store, questions: np.ndarray) -> None:
        self.pool, self.store, self.questions = pool, store, questions
        self.schemas = {name: wait(store.root, store._table(name).schema()) for name in ("chunks", "episodes", "terms")}
        self.containing: Counter[int] = Counter()
        self.length = self.stamp = 0
        shape = len(questions), 10
        self.best = {name: (np.full(shape, -9, np.float32), np.zeros(shape, np.int64)) for name in FILTERS}

    def fill(self, rows: int) -> None:
        """Write so many chunks, their episodes, and the document frequencies."""

        async def write() -> None:
            episodes = []
            reader = pa.RecordBatchReader.from_batches(self.schemas["chunks"], self._batches(rows, episodes))
            await self.store._table("chunks").add(reader)
            await self.store._table("episodes").add(pa.Table.from_batches(episodes))
            total = {self.pool.names[term]: n for term, n in self.containing.items()}
            total |= {PASSAGES: rows, LENGTH: self.length, STAMP: self.stamp % (1 << STAMP_BITS)}
            table = pa.table({"term": list(total), "chunks": list(total.values())}, self.schemas["terms"])
            await self.store._table("terms").add(table)

        wait(self.store.root, write())

    def nearest(self, name: str) -> list[set[str]]:
        """The ids of the ten chunks nearest to each question."""
        scores, rows = self.best[name]
        return [
            {_id(int(row)) for row, score in zip(*one, strict=True) if score > -9}
            for one in zip(rows, scores, strict=True)
        ]

    def _batches(self, rows: int, episodes: list[Any]) -> Iterator[Any]:
        draw = np.random.default_rng(7)
        for start in range(0, rows, BATCH):
            count = min(BATCH, rows - start)
            picks = draw.integers(len(self.pool.vectors), size=(count, WINDOWS))
            moved = self._moved(draw, picks)
            mean = moved.sum(1)
            mean /= np.linalg.norm(mean, axis=1, keepdims=True)
            row = np.arange(start, start + count)
            self._judge(row, mean)
            batch, stems = self._batch(row, picks, moved, mean)
            episodes.append(self._episodes(row, *stems))
            yield batch

    def _moved(self, draw: np.random.Generator, picks: np.ndarray) -> np.ndarray:
        """float32 [chunks, windows, dimension]; the windows of a chunk have a direction in common, as real ones have."""
        base = self.pool.vectors
        shape = (*picks.shape, base.shape[1])
        moved = (
            base[picks[:, :1]]
            + MOVED * base[picks]
            + draw.standard_normal(shape, np.float32) * np.float32(NOISE / base.shape[1] ** 0.5)
        )
        return moved / np.linalg.norm(moved, axis=2, keepdims=True)

    def _judge(self, row: np.ndarray, mean: np.ndarray) -> None:
        near = self.questions @ mean.T
        show, day = row // EPISODE % PODCASTS == 3, _day(row // EPISODE) >= (SINCE - FIRST).days
        masks = {
            "none": np.ones(len(row), bool),
            "a podcast of 50": show,
            "the last 5 % of days": day,
            "both": show & day,
        }
        for name, mask in masks.items():
            scores, rows = self.best[name]
            scores = np.concatenate([scores, near[:, mask]], 1)
            rows = np.concatenate([rows, np.broadcast_to(row[mask], (len(rows), mask.sum()))], 1)
            order = np.argsort(-scores, axis=1)[:, :10]
            self.best[name] = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)

    def _batch(self, row: np.ndarray, picks: np.ndarray, moved: np.ndarray, mean: np.ndarray) -> tuple[Any, Any]:
        pool, count, flat = self.pool, len(row), picks.ravel()
        quotes, indexed = (
            np.array(column.take(flat).to_pylist(), object).reshape(picks.shape)
            for column in (pool.quotes, pool.indexed)
        )
        stems, figures = _joined(pool.stems, flat, count), _joined(pool.figures, flat, count)
        marks, at = pool.marks.take(flat), np.array([[len(text) + 1 for text in own] for own in quotes.tolist()])
        shift = np.repeat((np.cumsum(at, 1) - at).ravel(), np.asarray(marks.value_lengths()))
        inner = marks.flatten()
        fields = [inner.field(i) for i in range(inner.type.num_fields)]
        fields[:2] = [pa.array(np.asarray(field) + shift, pa.int32()) for field in fields[:2]]
        inner = pa.StructArray.from_arrays(fields, fields=list(inner.type))
        sentences = np.asarray(marks.value_lengths()).reshape(picks.shape)
        windows = np.concatenate([np.zeros((count, 1), np.int64), np.cumsum(sentences, 1)], 1)
        kept, scales = small(moved.reshape(-1, moved.shape[2]))
        self.length += int(np.asarray(stems.value_lengths()).sum())
        columns = {
            **self._shown(row), "id": [_id(one) for one in row.tolist()], "position": row % EPISODE, "first": row % EPISODE * 150,
            "text": [" ".join(own) for own in quotes.tolist()], "voices": [["ann"]] * count,
            "marks": pa.ListArray.from_arrays(figures.offsets, inner), "content_hash": ["grown"] * count,
            "indexed_text": [" ".join(own) for own in indexed.tolist()], "figures": figures, "stems": stems,
            "lead": [[]] * count, "windows": windows.tolist(), "window_vectors": _lists(kept, count),
            "window_scales": _lists(scales, count), "window_norms": _lists(_norms(moved), count),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(mean.ravel()), mean.shape[1]),
        }  # fmt: skip
        schema = self.schemas["chunks"]
        arrays = [column if isinstance(column, pa.Array) else pa.array(column, schema.field(name).type)
                  for name in schema.names for column in [columns[name]]]  # fmt: skip
        return pa.record_batch(arrays, schema=schema), (stems, count)

    def _shown(self, row: np.ndarray) -> dict[str, Any]:
        episode = (row // EPISODE).tolist()
        count = len(episode)
        days = _day(row // EPISODE).tolist()
        return {
            "key": [_key(one) for one in episode], "podcast": [f"show-{one % PODCASTS}" for one in episode],
            "guid": [f"grown-{one}" for one in episode], "title": [f"Episode {one}" for one in episode],
            "published": [FIRST + timedelta(days=day) for day in days], "link": [""] * count, "audio_url": [""] * count,
            "approximate": [False] * count,
        }  # fmt: skip

    def _episodes(self, row: np.ndarray, stems: Any, count: int) -> Any:
        """Rows of `episodes`, each with the terms it holds and in how many of its chunks."""
        lengths = np.asarray(stems.value_lengths())
        place = np.repeat(np.arange(count), lengths)
        pairs = np.unique((place << 32) + (np.asarray(stems.flatten(), np.int64) & 0xFFFFFFFF))
        held = np.unique(((pairs >> 32) // EPISODE << 32) + (pairs & 0xFFFFFFFF), return_counts=True)
        self.containing.update(Counter((pairs & 0xFFFFFFFF).astype(np.uint32).view(np.int32).tolist()))
        firsts = row[::EPISODE]
        numbers, inside = held[0] >> 32, (held[0] & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
        bounds = np.searchsorted(numbers, np.arange(len(firsts) + 1)).astype(np.int32)
        names = pa.array([self.pool.names[term] for term in inside.tolist()])
        shown = self._shown(firsts)
        self.stamp += sum(mark_of(key, "grown") for key in shown["key"])
        size = len(firsts)
        columns = {
            **shown, "path": shown["guid"], "files": [""] * size, "content_hash": ["grown"] * size,
            "chunks": np.bincount(np.arange(count) // EPISODE), "duration": [None] * size,
            "length": np.bincount(np.arange(count) // EPISODE, lengths).astype(np.int64), "flag": [""] * size,
            "terms": pa.ListArray.from_arrays(pa.array(bounds), names),
            "term_chunks": pa.ListArray.from_arrays(pa.array(bounds), pa.array(held[1])),
        }  # fmt: skip
        schema = self.schemas["episodes"]
        arrays = [column if isinstance(column, pa.Array) else pa.array(column, schema.field(name).type)
                  for name in schema.names for column in [columns[name]]]  # fmt: skip
        return pa.record_batch(arrays, schema=schema)


def episode(pool: Pool, number: int, chunks: int) -> tuple[Any, Any, list[np.ndarray]]:
    """One more episode as the store takes it: the episode, its chunks, and the vectors of their windows."""
    from index.chunk import Chunk, Mark
    from index.store.schema import IndexedEpisode

    draw = np.random.default_rng(number)
    made, vectors = [], []
    key = f"more{number:012}"
    for position in range(chunks):
        marks, parts, windows, length = [], [], [], 0
        picks = draw.integers(len(pool.vectors), size=WINDOWS)
        for pick in picks.tolist():
            for mark, figure in zip(pool.marks[pick].as_py(), pool.figures[pick].as_py(), strict=True):
                marks.append(
                    Mark(
                        mark["begin"] + length, mark["end"] + length, "Ann", None, None, figure["words"], figure["pieces"], 1.0, False
                    )
                )  # fmt: skip
            parts.append(pool.quotes[pick].as_py())
            length += len(parts[-1]) + 1
            windows.append(len(marks))
        text = " ".join(parts)
        made.append(Chunk(f"{key}-{position}", key, position, text, ("Ann",), None, None, position * 150,
                          position * 150 + 150, tuple(marks), tuple(windows)))  # fmt: skip
        vectors.append(pool.vectors[picks])
    entry = IndexedEpisode(key, "more", key, f"More {number}", FIRST, "", "", f"{key}.md", "", "grown")
    return entry, made, vectors


def _id(row: int) -> str:
    return f"{row * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128):032x}"  # ids are hashes: in no order


def _key(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % (1 << 64):016x}"


def _day(number: np.ndarray) -> np.ndarray:
    return number * 7919 % DAYS


def _joined(pool: Any, flat: np.ndarray, count: int) -> Any:
    """Lists of the windows picked, those of a chunk in one."""
    taken = pool.take(flat)
    ends = np.concatenate([[0], np.cumsum(np.asarray(taken.value_lengths()))])[:: len(flat) // count]
    return pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), taken.flatten())


def _lists(values: np.ndarray, count: int) -> Any:
    flat = values.ravel()
    bounds = np.arange(count + 1) * (len(flat) // count)
    return pa.ListArray.from_arrays(pa.array(bounds.astype(np.int32)), pa.array(flat))


def _norms(moved: np.ndarray) -> np.ndarray:
    """As `index.found.norms`, for many chunks at once: float32 [chunks, windows, RUNS]."""
    sums = np.concatenate([np.zeros_like(moved[:, :1]), np.cumsum(moved, 1)], 1)
    starts = np.arange(WINDOWS)
    ends = np.minimum(starts[:, None] + np.arange(1, RUNS + 1), WINDOWS)
    return np.linalg.norm(sums[:, ends] - sums[:, starts][:, :, None], axis=3).astype(np.float32)
