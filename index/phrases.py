"""Phrases in quotes: which passages have their words in a row; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from index.chunk_arrays import BoolArray, ChunkArrays
from index.text.phrases import Row, places
from index.text.terms import spoken


def contains_phrases(
    arrays: ChunkArrays, chunks: Sequence[Mapping[str, Any]], phrases: Sequence[Sequence[Row]]
) -> BoolArray:
    """Which passages say, of each phrase, at least one row; `chunks` has the `text` and the `language` of each chunk."""
    found = np.ones(len(arrays.begin), bool)
    for number, chunk in enumerate(chunks):
        passages = slice(*arrays.passage_bounds[number : number + 2])
        terms, sentences = _spoken(arrays, number, chunk)
        for rows in phrases:
            spans = [(sentences[a], sentences[b - 1]) for row in rows for a, b in places(terms, row)]
            within = [(arrays.begin[passages] <= first) & (last < arrays.end[passages]) for first, last in spans]
            found[passages] &= np.logical_or.reduce(within) if within else False
    return found


def _spoken(arrays: ChunkArrays, number: int, chunk: Mapping[str, Any]) -> tuple[list[str], list[int]]:
    """What a chunk says term by term, without the names of who speaks, and the sentence of each."""
    low, high = arrays.sentence_bounds[number : number + 2].tolist()
    begins, ends = (arrays.sentences.column(name)[low:high].tolist() for name in ("begin", "end"))
    found = [
        (term.text, low + i)
        for i, (begin, end) in enumerate(zip(begins, ends, strict=True))
        for term in spoken(chunk["text"][begin:end], chunk["language"])
    ]
    return [text for text, _ in found], [sentence for _, sentence in found]
