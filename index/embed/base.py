"""What the index asks of an embedding model."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.calibration import CosineScale

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Texts to vectors of length 1, whose dot product is the cosine. An HTTP service fits behind it, too."""

    @property
    def name(self) -> str:
        """Tells this model's vectors from any other's."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def cosine_scale(self) -> CosineScale:
        """What the model's cosines mean. Raises `IndexingError`."""

    def count(self, text: str) -> int:
        """Word pieces in a text."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 [texts, dimension]. Raises `IndexingError`."""

    def embed_query(self, text: str) -> Vectors:
        """float32 [dimension]. Raises `IndexingError`."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 [texts, dimension], faster than one by one. Raises `IndexingError`."""
