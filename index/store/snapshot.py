"""A copy of the chunks in memory: every vector and every word is looked at, without a query plan, in a millisecond or two.

A server asks the same index again and again; below `MEMORY` chunks it pays to read them once. The answers are those of the
disk: the same candidates by exact search, scored by the same functions.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from index import scoring as rank
from index.chunk_arrays import Found, hashed
from index.store.hit_rows import Shown
from index.store.schema import SCORED, SHOWN, Filters, found, joined, lengths, plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Mask = NDArray[np.bool_]

MEMORY = 20_000  # chunks: 600 hours of speech in up to 1 GB
REMEMBERED = ("id", "key", "voices", "vector", "marks", *(name for name in SCORED if name != "key"), *SHOWN)


class Snapshot:
    """`rows` is the whole table as Arrow, as it was at one version; of its columns, those `REMEMBERED`."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows.combine_chunks()

    @cached_property
    def found(self) -> Found:
        """All chunks as arrays."""
        return found(self.rows)

    @cached_property
    def shown(self) -> Shown:
        """What hits show of the chunks."""
        return Shown(self.rows)

    @cached_property
    def vectors(self) -> "Vectors":
        """float32 [chunks, dimension]."""
        import numpy as np

        return np.asarray(joined(self.rows["vector"]).flatten(), np.float32).reshape(len(self.rows), -1)

    @cached_property
    def _postings(self) -> tuple[Any, Any, Any, Any]:
        """Terms in order, where each begins among the places, the chunks there, and how often it occurs in each."""
        import numpy as np

        terms, chunks = [], []
        for name in ("stems", "lead"):
            lists = joined(self.rows[name])
            terms.append(np.asarray(lists.flatten(), np.int64))
            chunks.append(np.repeat(np.arange(len(lists)), np.asarray(lists.value_lengths())))
        pairs, times = np.unique(
            (np.concatenate(terms) << 32) + np.concatenate(chunks), return_counts=True
        )  # a term's chunks stand together, in order
        known, begin = np.unique(pairs >> 32, return_index=True)
        return known, np.append(begin, len(pairs)), pairs & 0xFFFFFFFF, times.astype(np.float32)

    @cached_property
    def _ids(self) -> "NDArray[np.int64]":
        """The places in order of their ids, as the disk gives them, so that ties fall one way only."""
        import numpy as np
        import pyarrow.compute as pc

        return np.asarray(pc.sort_indices(self.rows["id"]), np.int64)

    @cached_property
    def _by_id(self) -> "NDArray[np.int64]":
        """Where each place stands in that order."""
        import numpy as np

        return np.argsort(self._ids)

    @cached_property
    def _lengths(self) -> tuple["NDArray[np.int64]", int]:
        """Terms of each chunk, and of all their typical passages together."""
        return lengths(self.rows)

    @cached_property
    def _norm(self) -> "Vectors":
        """What BM25 makes of each chunk's length."""
        import numpy as np

        length = self._lengths[0]
        norm: Vectors = (rank.K1 * (1 - rank.B + rank.B * length / max(1.0, length.mean()))).astype(np.float32)
        return norm

    def _places(self, word: str) -> tuple[Any, Any]:
        """The chunks that hold a word, and how often."""
        import numpy as np

        known, begin, chunks, times = self._postings
        i = int(np.searchsorted(known, hashed(word)))
        if i == len(known) or known[i] != hashed(word):
            return chunks[:0], times[:0]
        return chunks[begin[i] : begin[i + 1]], times[begin[i] : begin[i + 1]]

    def nearest(
        self, vector: "Vectors | None", words: Sequence[str], filters: Filters, depth: int
    ) -> tuple["NDArray[np.int64]", rank.Frequencies]:
        """The places, by id, of the `depth` chunks nearest to the vector and of as many that hold the words best."""
        import numpy as np

        places, allowed = {word: self._places(word) for word in words}, self._allowed(filters)
        known = rank.Frequencies(
            len(self.rows), self._lengths[1], {word: len(chunks) for word, (chunks, _) in places.items()}
        )
        legs = [] if vector is None else [_best(np.einsum("ij,j->i", self.vectors, vector), allowed, depth)]
        if words:
            held = self._bm25(places, known)
            legs.append(_best(held, held > 0 if allowed is None else allowed & (held > 0), depth))
        chosen = np.unique(self._by_id[np.concatenate(legs)] if legs else np.zeros(0, np.int64))
        return self._ids[chosen], known

    def _bm25(self, places: dict[str, tuple[Any, Any]], known: rank.Frequencies) -> "Vectors":
        import numpy as np

        total, norm = np.zeros(len(self.rows), np.float32), self._norm
        for word, (chunks, times) in places.items():
            total[chunks] += known.weight(word) * times / (times + norm[chunks])
        return total

    def _allowed(self, filters: Filters) -> "Mask | None":
        """Which chunks the filters leave; None for all of them."""
        import numpy as np
        import pyarrow.compute as pc

        masks = []
        if filters.podcast:
            masks.append(_mask(pc.equal(self.rows["podcast"], plain(filters.podcast))))
        if filters.speaker:
            voices = joined(self.rows["voices"])
            which = np.repeat(np.arange(len(voices)), np.asarray(voices.value_lengths()))
            said = np.zeros(len(voices), bool)
            said[which[_mask(pc.equal(voices.flatten(), plain(filters.speaker.casefold())))]] = True
            masks.append(said)
        since, until = filters.since, filters.until
        masks += [_mask(pc.greater_equal(self.rows["published"], _scalar(since)))] if since else []
        masks += [_mask(pc.less(self.rows["published"], _scalar(until)))] if until else []
        return np.logical_and.reduce(masks) if masks else None


def _scalar(moment: datetime) -> Any:
    import pyarrow as pa

    return pa.scalar(moment, pa.timestamp("us", "UTC"))


def _mask(column: Any) -> "Mask":
    import numpy as np

    return np.asarray(column.fill_null(False)).astype(bool)


def _best(scores: "Vectors", allowed: "Mask | None", depth: int) -> "NDArray[np.int64]":
    """The `depth` best places of those allowed."""
    import numpy as np

    scores = scores if allowed is None else np.where(allowed, scores, -np.inf)
    best = np.argpartition(scores, -depth)[-depth:] if depth < len(scores) else np.arange(len(scores))
    return best[np.isfinite(scores[best])]
