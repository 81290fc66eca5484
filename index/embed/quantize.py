"""Vectors at 8 bits a number, and the lengths of their sums; pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embed.base import Vectors

MAX_RUN = 8  # windows that a passage may touch: 206 word pieces, and any two neighbours are longer than 64


def quantize(vectors: Vectors) -> tuple[NDArray[np.int8], Vectors]:
    """Vectors [n, dimension] as int8, and the scale [n] of each; a cosine moves by 0.0004 (standard deviation)."""
    scales = np.maximum(np.abs(vectors).max(1, initial=0), 1e-9).astype(np.float32) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales


def dequantize(quantized: Any, scales: Any) -> Vectors:
    """float32 [n, dimension] from int8 numbers in any shape and the n scales."""
    wide: Vectors = np.asarray(quantized, np.float32).reshape(len(scales), -1) * np.asarray(scales, np.float32)[:, None]
    return wide


def run_norms(vectors: Vectors) -> Vectors:
    """[n, MAX_RUN]: the length of the sum of 1 to `MAX_RUN` vectors from each on, as far as there are any."""
    sums = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), np.cumsum(vectors, 0)])
    starts = np.arange(len(vectors))
    ends = np.minimum(starts[:, None] + np.arange(1, MAX_RUN + 1), len(vectors))
    lengths: Vectors = np.linalg.norm(sums[ends] - sums[starts][:, None], axis=2)
    return lengths
