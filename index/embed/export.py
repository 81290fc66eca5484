"""Writes a model out once as ONNX, so that using it starts no torch; torch is loaded here alone."""

import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

EIGHT_BITS = "model.int8.onnx"
TRACED = {"attn_implementation": "eager"}  # the other kinds are not traced for every length
_SAMPLES = 32


def export(folder: Path, write: Callable[[Path], dict[str, Any]]) -> None:
    """Make a folder by rename: `write` fills an empty one and gives what goes into its `encoder.json`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    try:
        (part / "encoder.json").write_text(json.dumps(write(part), indent=1), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_onnx(model: Any, output: Callable[[dict[str, Any]], Any], part: Path, example: Any) -> dict[str, Any]:
    """Write `model.onnx` and `tokenizer.json`, and give how to run them: what `output` makes of the model's inputs.

    `model` is one of sentence-transformers' classes, `example` two inputs as its tokenizer takes them.
    """
    import torch

    tokenizer = model.tokenizer
    tokenizer.backend_tokenizer.save(str(part / "tokenizer.json"))
    known = tokenizer.model_input_names
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in known]
    model.eval().requires_grad_(False)

    class Traced(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: Any) -> Any:
            return output(dict(zip(names, inputs, strict=True)))

    inputs = tokenizer(*example, padding=True, return_tensors="pt")
    axes = {name: {0: "text", 1: "piece"} for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns about shapes; the caller's check decides
        torch.onnx.export(
            Traced(), tuple(inputs[name] for name in names), str(part / "model.onnx"), dynamo=False, opset_version=17,
            input_names=names, output_names=["output"], dynamic_axes={**axes, "output": {0: "text"}},
        )  # fmt: skip
    longest = int(model.max_seq_length or 512)
    return {"exported": True, "inputs": names, "max_length": longest, "padding": tokenizer.pad_token_id or 0}


def write_eight_bits(part: Path, *, all_weights: bool = True) -> None:
    """Write beside `model.onnx` one whose weights have 8 bits, each column of a matrix with a scale of its own.

    Without `all_weights` the matrices that shorten vectors keep 32: what a feed-forward layer holds within has outliers,
    for which 8 bits are too coarse in some models (a cosine of .989 instead of .884 for all-mpnet-base-v2).
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.disable(logging.WARNING)  # it advises preparations that make no difference here
    try:
        quantize_dynamic(
            part / "model.onnx", part / EIGHT_BITS, weight_type=QuantType.QInt8, per_channel=True,
            nodes_to_exclude=[] if all_weights else _shortening(part / "model.onnx"),
        )  # fmt: skip
    finally:
        logging.disable(logging.NOTSET)


def _shortening(path: Path) -> list[str]:
    """The names of the multiplications that make vectors shorter."""
    import onnx

    graph = onnx.load(str(path)).graph
    shapes = {one.name: one.dims for one in graph.initializer if len(one.dims) == 2}
    products = [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in shapes]
    return [node.name for node in products if shapes[node.input[1]][0] > shapes[node.input[1]][1]]


def samples(vocabulary: dict[str, int], longest: int) -> list[str]:
    """Texts of one word up to more than the model reads, drawn from its own words, the same ones every time."""
    words, draw = sorted(word for word in vocabulary if word.isalpha()), Random(0)  # noqa: S311 - no secret
    return [" ".join(draw.choices(words, k=1 + i * longest // _SAMPLES)) for i in range(_SAMPLES)]


def loading(**options: Any) -> dict[str, Any]:
    """How sentence-transformers' classes load a model: from disk, running no code of it, drawing nothing."""
    from transformers.utils import logging as progress

    progress.disable_progress_bar()  # type: ignore[no-untyped-call]
    return {
        "device": "cpu",
        "local_files_only": True,
        "trust_remote_code": False,
        "model_kwargs": {"use_safetensors": True, **options},
    }
