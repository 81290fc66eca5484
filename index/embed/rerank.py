"""Orders the best passages by a cross-encoder, which reads the query and a passage together; off unless set.

It finds relations that neither terms nor single vectors show. Each passage costs a run of the model.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

from index.embed.model_files import as_json, first_line, locate
from ingest.errors import IndexingError

RERANKED = 30  # passages; the answer is seldom beyond


class Reranker(Protocol):
    """What a search asks of a re-ranking model."""

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """A score for each passage, higher is better, on the model's own scale. Raises `IndexingError`."""


class CrossReranker:
    """`model` is the name or directory of a cross-encoder as sentence-transformers runs them (safetensors, one score).

    Nothing is loaded before it is needed. Raises `IndexingError` where the model is not there, or is none.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self._lock = Lock()

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """See `Reranker`; deterministic."""
        if not passages:
            return []
        try:
            with self._lock:
                found = self._loaded.predict([(question, passage) for passage in passages], show_progress_bar=False)
        except IndexingError:
            raise
        except Exception as error:
            raise IndexingError(self.model, f"the re-ranking model cannot be run ({first_line(error)})") from error
        scores = [float(score) for score in found] if found.ndim == 1 else []
        if not scores or not all(map(math.isfinite, scores)):
            raise IndexingError(self.model, "gives no single number for a passage; give another re-ranking model")
        return scores

    @cached_property
    def _loaded(self) -> Any:
        directory = locate(self.model, "re-ranking", "cross-encoder")
        kinds = as_json(directory / "config.json").get("architectures") or []
        whole = as_json(directory / "config_sentence_transformers.json").get("model_type") == "CrossEncoder"
        if not whole and not any("ForSequenceClassification" in kind for kind in kinds):  # its scores would be random
            raise IndexingError(self.model, "is not a cross-encoder; give a re-ranking model")
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return CrossEncoder(
            str(directory), device="cpu", local_files_only=True, trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )  # fmt: skip
