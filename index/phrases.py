"""Phrases in quotes: which passages have their words in a row; pure."""

from collections.abc import Sequence

import numpy as np

from index.chunk_arrays import BoolArray, ChunkArrays, IntArray, bounds_of


def contains_phrases(arrays: ChunkArrays, phrases: Sequence[Sequence[Sequence[int]]]) -> BoolArray:
    """Which passages have, of each phrase, at least one row of hashed terms within them."""
    found = np.ones(len(arrays.begin), bool)
    for rows in phrases:
        found &= np.logical_or.reduce([_contains(arrays, row) for row in rows])
    return found


def _contains(arrays: ChunkArrays, row: Sequence[int]) -> BoolArray:
    starts = bounds_of(_starts(arrays.terms, row))
    begin, end = arrays.term_bounds[arrays.begin], arrays.term_bounds[arrays.end]
    last = np.maximum(begin, end - len(row) + 1)  # where a row that ends within the passage may begin at the latest
    within: BoolArray = starts[last] > starts[begin]
    return within


def _starts(terms: IntArray, row: Sequence[int]) -> BoolArray:
    """At which of the terms the row begins."""
    starts = np.zeros(len(terms), bool)
    possible = len(terms) - len(row) + 1
    if possible > 0:
        starts[:possible] = np.logical_and.reduce([terms[i : i + possible] == term for i, term in enumerate(row)])
    return starts
