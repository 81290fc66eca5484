"""Two embedding models of one vector space: a large one for passages, a small one for questions."""

import json
from collections.abc import Sequence
from dataclasses import astuple
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from index.calibration import PAIRS, CosineScale, cosine_scale
from index.embed.base import Embedder, Vectors
from index.embed.model_files import as_json
from ingest.errors import IndexingError

MIN_ANSWERED = 0.75  # of `PAIRS`, whose own passage is the nearest; by chance it is 1 of 16


class EmbedderPair:
    """An `Embedder` whose name and passages are those of one model, and whose questions are another's.

    So an index stays valid when the model for questions changes. `cache` keeps what was measured of the two together.
    Raises `IndexingError` where they are not made for each other.
    """

    def __init__(self, passages: Embedder, questions: Embedder, cache: Path) -> None:
        self.passages = passages
        self.questions = questions
        self.cache = cache

    @property
    def name(self) -> str:
        """The name of the model for passages, with which an index is marked."""
        return self.passages.name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.passages.dimension

    @property
    def cosine_scale(self) -> CosineScale:
        """See `Embedder`; the questions by one model, the passages by the other."""
        return self._measured

    def count(self, text: str) -> int:
        """Word pieces in a text, of the model for passages."""
        return self.passages.count(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 [texts, dimension], of length 1 each."""
        return self.passages.embed_passages(texts)

    def embed_query(self, text: str) -> Vectors:
        """float32 [dimension], of length 1. Raises `IndexingError` where the models are not made for each other."""
        _ = self._measured
        return self.questions.embed_query(text)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 [texts, dimension], of length 1 each. Raises `IndexingError` as `embed_query`."""
        _ = self._measured
        return self.questions.embed_queries(texts)

    def require_one_length(self) -> None:
        """Raises `IndexingError` unless the vectors of both models have one length; loads neither."""
        if self.questions.dimension != self.dimension:
            lengths = f"{self.questions.dimension} numbers, {self.passages.name} {self.dimension}"
            raise IndexingError(self.questions.name, f"gives vectors of {lengths}; give a model made for that one")

    @cached_property
    def _measured(self) -> CosineScale:
        """The scale of the two together, which belong together; measured once, since it takes the model for passages."""
        self.require_one_length()
        names = f"{self.passages.name}\0{self.questions.name}"
        path = self.cache / f"pair-{sha256(names.encode()).hexdigest()[:12]}.json"
        measured = as_json(path)
        if "cosine_scale" not in measured:
            questions = np.stack([self.questions.embed_query(question) for question, _ in PAIRS])
            passages = self.passages.embed_passages([passage for _, passage in PAIRS])
            nearest = (questions @ passages.T).argmax(axis=1)
            measured = {
                "cosine_scale": astuple(cosine_scale(questions, passages)),
                "answered": float(np.mean(nearest == np.arange(len(PAIRS)))),
            }
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(measured), "utf-8")
        if measured["answered"] < MIN_ANSWERED:
            raise IndexingError(
                self.questions.name,
                f"does not find what {self.passages.name} embeds; give a model that was made for that one",
            )
        return CosineScale(*measured["cosine_scale"])
