"""Text to vectors: a sentence-transformers model, run by ONNX Runtime wherever it can be exported to it.

Searching then starts neither torch nor sentence-transformers, which take eight seconds to load; ONNX Runtime and the
tokenizer take half a second and give the same vectors.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from index.calibration import PAIRS, CosineScale, cosine_scale
from index.embed.base import Vectors
from index.embed.export import EIGHT_BITS, TRACED, export, loading, samples, write_eight_bits, write_onnx
from index.embed.model_files import as_json, fingerprint, locate, name_of
from index.embed.onnx import Run, Text, open_encoder, open_tokenizer
from ingest.errors import IndexingError, first_line
from ingest.storage import write_atomically

EXPORT = 4  # goes up whenever the same model would be exported differently
MIN_COSINE = 0.9999  # an export is used only if it agrees with the original on `samples`
MIN_COSINE_EIGHT_BITS = 0.98  # on average over the passages of `PAIRS`; else passages are embedded with 32 bits, too


class SentenceEmbedder:
    """`model` is a sentence-transformers name or directory, `cache` where its export is kept.

    The prefixes go before every query and passage in place of those in the model's files, where they are not empty.
    With `eight_bits` passages are embedded by weights of 8 bits, in less than half the time; questions never are.
    Nothing is loaded before it is needed. Raises `IndexingError` where the model is not there or cannot be loaded.
    """

    def __init__(
        self, model: str, cache: Path, query_prefix: str = "", passage_prefix: str = "", *, eight_bits: bool = False
    ) -> None:
        self.model = model
        self.cache = cache
        self.prefixes = query_prefix, passage_prefix
        self.eight_bits = eight_bits
        self._lock = Lock()

    @cached_property
    def directory(self) -> Path:
        """Where the model's files are."""
        return locate(self.model)

    @cached_property
    def name(self) -> str:
        """The model's name with a hash of its files and of its prefixes: other vectors of that name have another."""
        suffix = f"-{sha256(repr(self._prompts).encode()).hexdigest()[:4]}" if any(self._prompts) else ""
        return f"{name_of(self.model)}@{fingerprint(self.directory)}{suffix}{'-int8' if self.eight_bits else ''}"

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        pooling = as_json(self.directory / "1_Pooling" / "config.json")
        size = pooling.get("word_embedding_dimension") or pooling.get("embedding_dimension")
        for dense in sorted(self.directory.glob("*_Dense/config.json")):
            size = as_json(dense).get("out_features", size)
        return int(size or as_json(self.directory / "config.json")["hidden_size"])

    def count(self, text: str) -> int:
        """Word pieces in a text, without the special tokens around it."""
        counter = self._counter
        return len(counter.encode(text, add_special_tokens=False).ids) if counter else len(text) // 4 + 1

    @cached_property
    def _counter(self) -> Any:
        """The tokenizer alone; None for a model without a `tokenizer.json`, where four letters count as a piece."""
        path = self.directory / "tokenizer.json"
        return open_tokenizer(path) if path.exists() else None

    @cached_property
    def _prompts(self) -> tuple[str, str]:
        """What the model wants before a query and before a passage (E5 and its like)."""
        prompts = as_json(self.directory / "config_sentence_transformers.json").get("prompts") or {}
        query, passage = self.prefixes
        return query or prompts.get("query") or "", passage or prompts.get("document") or prompts.get("passage") or ""

    @property
    def cosine_scale(self) -> CosineScale:
        """See `Embedder`; measured when the model was exported."""
        with self._lock:
            return CosineScale(*self._export_config["cosine_scale"])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 [texts, dimension], of length 1 each."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._lock:
            run = self._loaded_for_passages
        return run([self._prompts[1] + text for text in texts])

    def embed_query(self, text: str) -> Vectors:
        """float32 [dimension], of length 1."""
        vector: Vectors = self.embed_queries([text])[0]
        return vector

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 [texts, dimension], of length 1 each."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._lock:
            run = self._loaded
        return run([self._prompts[0] + text for text in texts])

    @cached_property
    def _folder(self) -> Path:
        return self.cache / f"{self.name}-{EXPORT}"

    @cached_property
    def _export_config(self) -> dict[str, Any]:
        """How the model is run; it is exported where it was not."""
        with self._as_indexing_error():
            if not (self._folder / "encoder.json").exists():
                export(self._folder, partial(_write, self.directory, self._prompts, self.eight_bits))
                for earlier in range(EXPORT):
                    shutil.rmtree(self.cache / f"{self.name}-{earlier}", ignore_errors=True)
            config = as_json(self._folder / "encoder.json")
            used = {"prompts": list(self._prompts), "dimension": self.dimension}
            if config | used != config:  # of an earlier version
                config |= used
                with suppress(OSError):  # a home that cannot be written can be searched
                    write_atomically(self._folder / "encoder.json", json.dumps(config))
            return config

    @cached_property
    def _loaded(self) -> Run:
        config = self._export_config
        with self._as_indexing_error():
            return open_encoder(self._folder, config) if config["exported"] else _original(self.directory)

    @cached_property
    def _loaded_for_passages(self) -> Run:
        config = self._export_config
        if config.get("eight_bits_cosine", 0) < MIN_COSINE_EIGHT_BITS:
            return self._loaded
        with self._as_indexing_error():
            return open_encoder(self._folder, config, EIGHT_BITS)

    @contextmanager
    def _as_indexing_error(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise IndexingError(self.model, f"the embedding model cannot be loaded ({first_line(error)})") from error


def _original(directory: Path) -> Run:
    from sentence_transformers import SentenceTransformer

    return _run_of(SentenceTransformer(str(directory), **loading()))


def _run_of(model: Any) -> Run:
    def run(texts: Sequence[Text]) -> Vectors:
        vectors: Vectors = model.encode(list(texts), prompt="", normalize_embeddings=True, show_progress_bar=False)
        return vectors

    return run


def _write(directory: Path, prompts: tuple[str, str], eight_bits: bool, part: Path) -> dict[str, Any]:
    """The files of an export and how to run it; where that fails, how it failed: the original is run."""
    try:
        config = _exported(directory, part)
    except Exception as error:  # noqa: BLE001 - whatever it is, the original model still works
        config = {"exported": False, "reason": str(error)[:500]}
    run = open_encoder(part, config) if config["exported"] else _original(directory)
    questions, passages = (
        [prompt + text for text in texts] for prompt, texts in zip(prompts, zip(*PAIRS, strict=True), strict=True)
    )
    vectors = run(passages)
    config["cosine_scale"] = astuple(cosine_scale(run(questions), vectors))
    for all_weights in (True, False) if eight_bits and config["exported"] else ():
        if config.get("eight_bits_cosine", 0) < MIN_COSINE_EIGHT_BITS:
            write_eight_bits(part, all_weights=all_weights)
            found = open_encoder(part, config, EIGHT_BITS)(passages)
            config["eight_bits_cosine"] = float(np.mean(np.sum(vectors * found, 1)))
    return config


def _exported(directory: Path, part: Path) -> dict[str, Any]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(directory), **loading(**TRACED))
    example = [("one example", "and a second one")]
    config = write_onnx(model, lambda inputs: model(inputs)["sentence_embedding"], part, example)
    texts = samples(model.tokenizer.get_vocab(), config["max_length"])
    worst = float(np.min(np.sum(_run_of(model)(texts) * open_encoder(part, config)(texts), axis=1)))
    if worst < MIN_COSINE:
        raise ValueError(f"the export disagrees with the model: cosine {worst:.5f}")
    return {**config, "cosine": worst}
