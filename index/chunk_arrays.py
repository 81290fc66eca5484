"""The chunks that may answer as flat arrays, with every passage in them; pure.

What no question changes is reckoned here once: which passages there are, where their windows lie, who speaks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from index.chunk import PASSAGE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Real = NDArray[np.float32]

RUNS = 8  # windows that a passage may touch: two in a row are longer than `WINDOW`


@dataclass(frozen=True, slots=True)
class Found:
    """Some chunks; bounds [n + 1] say which of the things one level below belong to which of the n above.

    A chunk has its `episode`, `first` (word of the episode), `lead` (hashed terms of its title, by the bounds `leads`) and,
    by bounds, `sentences`, `windows` and `passages`. A sentence has `words`, `voice`, `advert`, `signature` and `speaker`
    (a hashed name), the `window` it is in and hashed terms: `stems`, by the bounds `spread`. A window's vector is
    `vectors` int8 [windows, dimension] times `scales` [windows] (see `small`).

    A passage is as many whole sentences of a chunk as `PASSAGE` allows, and part of no other. It has its sentences from
    `begin` to `end`, the windows whose middles lie in them from `low` to `high`, `length` (of the sum of their vectors)
    and `main`, the mean of its words' `voice`.
    """

    episode: "Whole"
    first: "Whole"
    lead: "Whole"
    leads: "Whole"
    sentences: "Whole"
    windows: "Whole"
    passages: "Whole"
    words: "Whole"
    voice: "Real"
    advert: "NDArray[np.bool_]"
    signature: "Whole"
    speaker: "Whole"
    window: "Whole"
    stems: "Whole"
    spread: "Whole"
    vectors: "NDArray[np.int8]"
    scales: "Real"
    begin: "Whole"
    end: "Whole"
    low: "Whole"
    high: "Whole"
    length: "Real"
    main: "Real"

    def take(self, rows: "Whole") -> "Found":
        """Some of the chunks."""
        import numpy as np

        said, sentences = _parts(self.sentences, rows)
        led, leads = _parts(self.leads, rows)
        inner, windows = _parts(self.windows, rows)
        which, passages = _parts(self.passages, rows)
        moved, heard = sentences[:-1] - self.sentences[rows], windows[:-1] - self.windows[rows]
        later, further = (np.repeat(shift, np.diff(passages)) for shift in (moved, heard))
        return Found(
            episode=self.episode[rows], first=self.first[rows], lead=self.lead[led], leads=leads, sentences=sentences,
            windows=windows, passages=passages, window=self.window[said] + np.repeat(heard, np.diff(sentences)),
            stems=_pieces(self.stems, self.spread[self.sentences[rows]], self.spread[self.sentences[rows + 1]]), spread=_bounds(self.spread, said),
            vectors=_pieces(self.vectors, self.windows[rows], self.windows[rows + 1]), scales=self.scales[inner],
            begin=self.begin[which] + later, end=self.end[which] + later, low=self.low[which] + further,
            high=self.high[which] + further, length=self.length[which], main=self.main[which],
            **{name: getattr(self, name)[said] for name in _OF_SENTENCES},
        )  # fmt: skip


_OF_SENTENCES = ("words", "voice", "advert", "signature", "speaker")


def arranged(
    sentences: "Whole", pieces: "Whole", starts: "Whole", windows: "Whole", norms: "Real", **others: Any
) -> Found:
    """All of it, from what is stored.

    `pieces` are the word pieces of each sentence, `starts` the sentences where windows begin and the end of the last one,
    `norms` as `norms` gives them; `others` are the fields of `Found` that it does not reckon.
    """
    import numpy as np

    place = np.concatenate([[0], np.cumsum(pieces)])
    begin, end, chunk = _runs(sentences, place)
    middles = (place[starts[:-1]] + place[starts[1:]]) / 2
    window = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    low, high = np.searchsorted(middles, place[begin]), np.searchsorted(middles, place[end])
    low = np.where(high > low, low, window[begin])
    high = np.minimum(np.maximum(high, low + 1), low + RUNS)
    return Found(
        sentences=sentences, windows=windows, window=window, passages=np.searchsorted(chunk, np.arange(len(sentences))),
        begin=begin, end=end, low=low, high=high, length=np.maximum(norms[low, high - low - 1], 1e-9),
        main=mean(others["voice"], others["words"], begin, end).astype(np.float32), **others,
    )  # fmt: skip


def _runs(sentences: "Whole", place: "Whole") -> "tuple[Whole, Whole, Whole]":
    """Begin, end and chunk of every passage; `place` [sentences + 1] is where sentences begin, in word pieces."""
    import numpy as np

    count = len(place) - 1
    chunk = np.repeat(np.arange(len(sentences) - 1), np.diff(sentences))
    end = np.searchsorted(place, place[:-1] + PASSAGE, side="right") - 1
    end = np.maximum(np.minimum(end, sentences[chunk + 1]), np.arange(count) + 1)
    longest = np.flatnonzero(np.append(True, (end[1:] > end[:-1]) | (chunk[1:] != chunk[:-1]))[:count])
    return longest, end[longest], chunk[longest]


def mean(values: Any, weights: "Whole", begin: "Whole", end: "Whole") -> "Real":
    """The weighted mean of the values from each begin to its end."""
    import numpy as np

    total = np.concatenate([[0.0], np.cumsum(values * weights)])
    weight = np.concatenate([[0.0], np.cumsum(weights)])
    means: Real = (total[end] - total[begin]) / np.maximum(weight[end] - weight[begin], 1)
    return means


def _parts(bounds: "Whole", rows: "Whole") -> "tuple[Whole, Whole]":
    """The places that lie within these rows of the bounds, and the bounds of those places."""
    import numpy as np

    ends = _bounds(bounds, rows)
    return np.arange(ends[-1]) + np.repeat(bounds[rows] - ends[:-1], np.diff(ends)), ends


def _bounds(bounds: "Whole", rows: "Whole") -> "Whole":
    """The bounds of these rows, put one after the other."""
    import numpy as np

    return np.concatenate([[0], np.cumsum(bounds[rows + 1] - bounds[rows])])


def _pieces(values: Any, begin: "Whole", end: "Whole") -> Any:
    """The values from each begin to its end; copied piece by piece, which for long ones is faster than place by place."""
    import numpy as np

    edges = zip(begin.tolist(), end.tolist(), strict=True)
    return np.concatenate([values[:0], *(values[a:b] for a, b in edges)])


def hashed(term: str) -> int:
    """A term as a number of 32 bits: two of a language's words share one less than once in a thousand libraries."""
    return crc32(term.encode()) - (1 << 31)


def small(vectors: "Real") -> "tuple[NDArray[np.int8], Real]":
    """Vectors [windows, dimension] at 8 bits each, and what to multiply them with; cosines move by .0004 (deviation)."""
    import numpy as np

    scales = np.maximum(np.abs(vectors).max(1, initial=0), 1e-9).astype(np.float32) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales


def norms(vectors: "Real") -> "Real":
    """The lengths of the sums of 1 to `RUNS` vectors from each on, [windows, RUNS]; as far as there are any."""
    import numpy as np

    sums = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), np.cumsum(vectors, 0)])
    starts = np.arange(len(vectors))
    ends = np.minimum(starts[:, None] + np.arange(1, RUNS + 1), len(vectors))
    lengths: Real = np.linalg.norm(sums[ends] - sums[starts][:, None], axis=2)
    return lengths
