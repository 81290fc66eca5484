"""Candidate chunks as flat arrays, with every passage in them; pure."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.chunk import PASSAGE
from index.embed.quantize import MAX_RUN
from index.sentence_span import SCALES, SentenceTable

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ChunkArrays:
    """Some chunks. Bounds [n + 1] say which things of the level below belong to which of the n above.

    A chunk has its `episode` (a number), `first_word` (of the episode), hashed `title_terms` (by `title_bounds`) and,
    by `sentence_bounds` and `passage_bounds`, sentences and passages. A sentence has a row in `sentences`, `words`,
    `prominence`, `advert`, `opens`, `asks`, `signature`, `speaker` (a hashed name), the `window` that it is in and
    hashed `terms` (by `term_bounds`). The vector of a window is `vectors` int8 [windows, dimension] times `scales`
    [windows].

    A passage is a run of whole sentences of a chunk, from `begin` to `end`, as long as `PASSAGE` allows; it ends before
    a sentence that opens a thought where one stands in its second half. With it go the windows whose middles lie in
    them, from `window_begin` to `window_end`. `norm` is the length of the sum of their vectors, `passage_prominence`
    the mean prominence of its words.
    """

    episode: IntArray
    first_word: IntArray
    title_terms: IntArray
    title_bounds: IntArray
    sentence_bounds: IntArray
    passage_bounds: IntArray
    sentences: SentenceTable
    words: IntArray
    prominence: FloatArray
    advert: BoolArray
    opens: BoolArray
    asks: BoolArray
    signature: IntArray
    speaker: IntArray
    window: IntArray
    terms: IntArray
    term_bounds: IntArray
    vectors: NDArray[np.int8]
    scales: FloatArray
    begin: IntArray
    end: IntArray
    window_begin: IntArray
    window_end: IntArray
    norm: FloatArray
    passage_prominence: FloatArray


def build_arrays(
    sentences: SentenceTable, sentence_bounds: IntArray, window_starts: IntArray, norms: FloatArray, **others: Any
) -> ChunkArrays:
    """The arrays from what is stored.

    `window_starts` are the sentences where windows begin, and the end of the last one. `norms` are those of
    `index.embed.quantize.run_norms`. `others` are the fields of `ChunkArrays` that are not computed here.
    """
    words = sentences.column("words")
    prominence = sentences.column("prominence") / SCALES["prominence"]
    place = bounds_of(sentences.column("pieces"))
    opens = sentences.column("opens").astype(bool)
    begin, end, chunk = _passages(sentence_bounds, place, opens)
    middles = (place[window_starts[:-1]] + place[window_starts[1:]]) / 2
    window = np.repeat(np.arange(len(window_starts) - 1), np.diff(window_starts))
    low, high = np.searchsorted(middles, place[begin]), np.searchsorted(middles, place[end])
    low = np.where(high > low, low, window[begin])
    high = np.minimum(np.maximum(high, low + 1), low + MAX_RUN)
    return ChunkArrays(
        sentences=sentences,
        sentence_bounds=sentence_bounds,
        passage_bounds=np.searchsorted(chunk, np.arange(len(sentence_bounds))),
        words=words,
        prominence=prominence.astype(np.float32),
        advert=sentences.column("advert").astype(bool),
        opens=opens,
        asks=sentences.column("asks").astype(bool),
        signature=sentences.column("signature"),
        term_bounds=bounds_of(sentences.column("terms")),
        window=window,
        begin=begin,
        end=end,
        window_begin=low,
        window_end=high,
        norm=np.maximum(norms[low, high - low - 1], 1e-9),
        passage_prominence=weighted_mean(prominence, words, begin, end),
        **others,
    )


def bounds_of(sizes: Any) -> IntArray:
    """[n + 1]: where each of n things of these sizes begins when they follow one another, and the end of the last."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def weighted_mean(values: Any, weights: IntArray, begin: IntArray, end: IntArray) -> FloatArray:
    """The weighted mean of the values from each begin to its end."""
    total = np.concatenate([[0.0], np.cumsum(values * weights)])
    weight = bounds_of(weights)
    means: FloatArray = ((total[end] - total[begin]) / np.maximum(weight[end] - weight[begin], 1)).astype(np.float32)
    return means


def _passages(sentence_bounds: IntArray, place: IntArray, opens: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Begin, end and chunk of every passage; `place` [sentences + 1] is where sentences begin, in word pieces.

    A run of sentences that is part of a longer one is none.
    """
    count = len(place) - 1
    chunk = np.repeat(np.arange(len(sentence_bounds) - 1), np.diff(sentence_bounds))
    end = np.searchsorted(place, place[:-1] + PASSAGE, side="right") - 1
    end = np.maximum(np.minimum(end, sentence_bounds[chunk + 1]), np.arange(count) + 1)
    is_longest = np.append(True, (end[1:] > end[:-1]) | (chunk[1:] != chunk[:-1]))[:count]
    begin = np.flatnonzero(is_longest)
    end, chunk = end[begin], chunk[begin]
    thought_ends = np.append(opens, True)
    thought_ends[sentence_bounds] = True
    last = np.maximum.accumulate(np.where(thought_ends, np.arange(count + 1), 0))[end]
    keeps_half = 2 * (place[last] - place[begin]) >= place[end] - place[begin]
    return begin, np.where(keeps_half & (last > begin), last, end), chunk
