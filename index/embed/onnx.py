"""Runs an exported model with ONNX Runtime and its tokenizer: texts to vectors, pairs to scores, without torch."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from index.embed.base import Vectors

BATCH_TOKENS = 256  # longer batches leave a core's cache: one by one is 1.3 times faster than by 32

Text = str | tuple[str, str]  # or a pair
Run = Callable[[Sequence[Text]], Vectors]


def open_tokenizer(path: Path, longest: int | None = None) -> Any:
    """A `tokenizer.json`, cutting texts to `longest` word pieces where that is given."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    if longest:
        tokenizer.enable_truncation(longest)
    else:
        tokenizer.no_truncation()
    return tokenizer


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_encoder(folder: Path, config: dict[str, Any], file: str = "model.onnx") -> Run:
    """A function from texts to vectors of length 1."""
    run = open_model(folder, config, file)

    def encode(texts: Sequence[Text]) -> Vectors:
        vectors = run(texts)
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return unit

    return encode


def open_model(folder: Path, config: dict[str, Any], file: str) -> Run:
    """A function from texts, or pairs of them, to rows of what the model gives; each core runs a batch with one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(str(folder / file), options, providers=["CPUExecutionProvider"])
    tokenizer = open_tokenizer(folder / "tokenizer.json", config["max_length"])

    def encode(batch: Sequence[Any]) -> Vectors:
        longest = max(len(item.ids) for item in batch)
        inputs = {name: np.zeros((len(batch), longest), np.int64) for name in config["inputs"]}
        inputs["input_ids"] += config["padding"]
        for row, item in enumerate(batch):
            own = {"input_ids": item.ids, "attention_mask": item.attention_mask, "token_type_ids": item.type_ids}
            for name, values in inputs.items():
                values[row, : len(item.ids)] = own[name]
        rows: Vectors = session.run(None, inputs)[0]
        return rows

    def run(texts: Sequence[Text]) -> Vectors:
        items = tokenizer.encode_batch(list(texts))
        order = sorted(range(len(items)), key=lambda i: -len(items[i].ids))
        groups = batches(order, [len(item.ids) for item in items])
        parts = [[items[i] for i in batch] for batch in groups]
        if len(parts) == 1:
            found = encode(parts[0])
        else:
            with ThreadPoolExecutor(_cores()) as pool:
                found = np.concatenate(list(pool.map(encode, parts)))
        rows = np.empty_like(found)
        rows[order] = found
        return rows

    return run


def batches(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Texts of falling length in groups of about `BATCH_TOKENS`, so that little is padding."""
    batches: list[list[int]] = []
    for i in order:
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= BATCH_TOKENS:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
