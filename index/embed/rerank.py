"""Orders the best passages by a cross-encoder, which reads the query and a passage together; off unless set.

It finds relations that neither terms nor single vectors show. Like the embedding model it is exported to ONNX once, here with
weights of 8 bits, which halve its time.
"""

import math
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.calibration import PAIRS
from index.embed.export import EIGHT_BITS, TRACED, export, loading, samples, write_eight_bits, write_onnx
from index.embed.model_files import as_json, fingerprint, locate
from index.embed.onnx import Text, open_model
from ingest.errors import IndexingError, first_line

RERANKED = 30  # passages; the answer is seldom beyond
READ = 80  # words of a passage that are read: half of it, since time grows with them; MS MARCO's passages have about 60
LONGEST = 160  # word pieces of a question and a passage that are read at most
EXPORT = 1  # goes up whenever the same model would be exported differently
MAX_DIFFERENCE = 1e-3  # of a score by the export from one by the original; else the original is run
MIN_CORRELATION = 0.95  # of the ranks of `PAIRS` by weights of 8 and of 32 bits; else 32 bits are kept

Scores = NDArray[np.float32]


class Reranker(Protocol):
    """What a search asks of a re-ranking model."""

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """A score for each passage, higher is better, on the model's own scale. Raises `IndexingError`."""


def part_to_read(passage: str, answer: str) -> str:
    """`READ` words of a passage around the sentences that answer, more of them after these where it has as many."""
    at = max(0, passage.find(answer))
    before, after = passage[:at].split(), passage[at:].split()
    spare = max(0, READ - len(answer.split()))
    first = max(0, len(before) - max(spare // 3, READ - len(after)))
    return " ".join([*before[first:], *after][:READ])


class CrossReranker:
    """`model` is the name or directory of a cross-encoder as sentence-transformers runs them (safetensors, one score).

    `cache` is where its export is kept. Nothing is loaded before it is needed. Raises `IndexingError` where the model is
    not there, or is none.
    """

    def __init__(self, model: str, cache: Path) -> None:
        self.model = model
        self.cache = cache
        self._lock = Lock()

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """See `Reranker`; deterministic."""
        if not passages:
            return []
        try:
            with self._lock:
                run = self._loaded
            found = run([(question, passage) for passage in passages])
        except IndexingError:
            raise
        except Exception as error:
            raise IndexingError(self.model, f"the re-ranking model cannot be run ({first_line(error)})") from error
        scores = [float(score) for score in found]
        if not all(map(math.isfinite, scores)):
            raise IndexingError(self.model, "gives no number for a passage; give another re-ranking model")
        return scores

    def find(self, *, fetch: bool = True) -> Path:
        """Where the model's files are; they are fetched where they may be. Raises `IndexingError`."""
        directory = locate(self.model, "re-ranking", "cross-encoder", fetch=fetch)
        config = as_json(directory / "config.json")
        kinds = config.get("architectures") or []
        whole = as_json(directory / "config_sentence_transformers.json").get("model_type") == "CrossEncoder"
        if not whole and not any("ForSequenceClassification" in kind for kind in kinds):  # its scores would be random
            raise IndexingError(self.model, "is not a cross-encoder; give a re-ranking model")
        if len(config.get("id2label") or [0]) != 1:
            raise IndexingError(self.model, "gives no single number for a passage; give another re-ranking model")
        return directory

    @cached_property
    def _loaded(self) -> Callable[[Sequence[Text]], Scores]:
        directory = self.find()
        name = f"{Path(self.model).name}@{fingerprint(directory)}-rerank"
        folder = self.cache / f"{name}-{EXPORT}"
        if not (folder / "encoder.json").exists():
            export(folder, lambda part: _write(directory, part))
            for earlier in range(EXPORT):
                shutil.rmtree(self.cache / f"{name}-{earlier}", ignore_errors=True)
        config = as_json(folder / "encoder.json")
        return _exported_run(folder, config) if config["exported"] else _run_of(_load(directory))


def _load(directory: Path, **options: Any) -> Any:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(directory), **loading(**options))
    model.max_seq_length = min(LONGEST, model.max_seq_length or LONGEST)
    return model


def _run_of(model: Any) -> Callable[[Sequence[Text]], Scores]:
    def run(pairs: Sequence[Text]) -> Scores:
        scores: Scores = model.predict(list(pairs), show_progress_bar=False)
        return scores

    return run


def _exported_run(folder: Path, config: dict[str, Any]) -> Callable[[Sequence[Text]], Scores]:
    run = open_model(folder, config, config["file"])
    return lambda pairs: run(pairs)[:, 0]


def _write(directory: Path, part: Path) -> dict[str, Any]:
    """The files of an export and how to run it; where that fails, how it failed: the original is run."""
    model = _load(directory, **TRACED)
    try:
        return _exported(model, part)
    except Exception as error:  # noqa: BLE001 - whatever it is, the original model may still work
        return {"exported": False, "reason": str(error)[:500]}


def _exported(model: Any, part: Path) -> dict[str, Any]:
    example = (["a question", "another one"], ["one example", "and a second one"])
    config = write_onnx(model, lambda inputs: model.activation_fn(model(inputs)["scores"]), part, example)
    config["file"] = "model.onnx"
    words = samples(model.tokenizer.get_vocab(), config["max_length"])
    pairs: list[Text] = list(zip(words, reversed(words), strict=True))
    exact = _exported_run(part, config)
    difference = float(np.abs(exact(pairs) - _run_of(model)(pairs)).max())
    if not difference <= MAX_DIFFERENCE:
        raise ValueError(f"the export disagrees with the model: by {difference:.5f}")
    with suppress(Exception):  # what cannot be written with 8 bits has 32
        write_eight_bits(part)
        real: list[Text] = [(question, passage) for question, _ in PAIRS for _, passage in PAIRS]
        config["rank_correlation"] = correlation(exact(real), _exported_run(part, {**config, "file": EIGHT_BITS})(real))
        if config["rank_correlation"] >= MIN_CORRELATION:
            config["file"] = EIGHT_BITS
    for other in {"model.onnx", EIGHT_BITS} - {config["file"]}:
        (part / other).unlink(missing_ok=True)
    return {**config, "difference": difference}


def correlation(one: Scores, other: Scores) -> float:
    """Spearman's rank correlation."""
    ranks = [np.argsort(np.argsort(scores, kind="stable")) for scores in (one, other)]
    return float(np.asarray(np.corrcoef(ranks))[0, 1])
