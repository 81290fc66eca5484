"""What embedding costs: a question, and passages when indexing, beside sentence-transformers and bare ONNX Runtime."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from index.chunk import split
from index.embed.onnx import open_tokenizer
from tests.benchmarks.measure import Row, at_least, seconds, taking_turns
from tests.benchmarks.texts import Texts, pieces

WARM, COSINE, BARE, THEIRS = 2.5, 0.9999, 0.95, 1.2
WINDOWS, TEXTS = 300, 1_000


def embedding(given: Texts, original) -> list[Row]:
    """A question's vector: how long, warm, and how near to the original's over many texts of all lengths."""
    questions = [one.question for one in given.questions][:60]
    ours, theirs = taking_turns([given.searcher.embedder.embed_query, lambda one: original.encode([one])], questions)
    words = [piece.text.split() for piece in pieces(given)]
    varied = [" ".join(words[i % len(words)][: 1 + i % 50]) for i in range(TEXTS)]
    varied += [" ".join(own) for own in words[:20]]
    mine, other = given.searcher.embedder.embed_passages(varied), original.encode(varied, normalize_embeddings=True)
    return [
        at_least("embedding a question, times as fast as sentence-transformers", theirs.p50 / ours.p50, WARM,
                 f"p50 / p99 {ours}, theirs {theirs}"),
        at_least(f"cosine to the original, least of {len(varied):,} texts", float(np.sum(mine * other, 1).min()), COSINE, unit=""),
    ]  # fmt: skip


def throughput(given: Texts, original) -> list[Row]:
    """Passages a second, beside bare ONNX Runtime and sentence-transformers on the same texts, and in eight bits."""
    model = given.searcher.embedder
    windows = sample_windows(given)
    home = next(path.parent for path in model.cache.glob(f"{model.name}*/model.onnx"))
    plain_session, tokenizer = session(home / "model.onnx"), open_tokenizer(home / "tokenizer.json", 256)
    bare = lambda batch: lambda: raw(plain_session, tokenizer, windows, batch)  # noqa: E731
    calls = {
        "ours": lambda: model.embed_passages(windows), "bare 1": bare(1), "bare 8": bare(8), "bare 32": bare(32),
        "theirs": lambda: original.encode(windows, normalize_embeddings=True, show_progress_bar=False),
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        small = eight_bits(home / "model.onnx", Path(folder) / "int8.onnx")
        calls["int8"] = lambda: raw(small, tokenizer, windows, 1)
        best = {name: min(seconds(call) for _ in range(2)) for name, call in calls.items()}
        exact, rough = model.embed_passages(windows), raw(small, tokenizer, windows, 1)
    fastest = min(value for name, value in best.items() if name.startswith("bare"))
    near = np.sum(exact * rough, 1)
    kept = np.mean(
        [
            len(set(np.argsort(-a)[:10]) & set(np.argsort(-b)[:10])) / 10
            for a, b in zip(exact @ exact.T, exact @ rough.T, strict=True)
        ]
    )
    return [
        at_least("indexing, of bare ONNX Runtime at its best batch size", fastest / best["ours"], BARE, f"{len(windows) / best['ours']:.1f} windows a second"),
        at_least("indexing, times sentence-transformers", best["theirs"] / best["ours"], THEIRS),
        Row("int8 passages (per channel, reduced range), not built",
            f"{best['ours'] / best['int8']:.2f} x as fast; cosine {near.mean():.4f}, least {near.min():.4f}; {kept:.0%} of the ten nearest stay"),
    ]  # fmt: skip


def sample_windows(given: Texts) -> list[str]:
    found = []
    for path in given.library.paths():
        for chunk in split(given.library.read(path), given.searcher.embedder.count):
            found += chunk.embedded()
        if len(found) >= WINDOWS * 4:
            break
    return found[:: max(1, len(found) // WINDOWS)][:WINDOWS]


def session(path: Path):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def eight_bits(path: Path, to: Path):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(path, to, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
    return session(to)


def raw(run, tokenizer, given: list[str], batch: int) -> np.ndarray:
    """ONNX Runtime as anybody would call it: texts sorted by length, in batches."""
    items = tokenizer.encode_batch(given)
    order = sorted(range(len(items)), key=lambda i: -len(items[i].ids))
    names = [one.name for one in run.get_inputs()]
    found = np.empty((len(items), run.get_outputs()[0].shape[-1] or 384), np.float32)
    for begin in range(0, len(order), batch):
        own = order[begin : begin + batch]
        size = len(items[own[0]].ids)
        ids, mask = np.zeros((2, len(own), size), np.int64)
        for row, i in enumerate(own):
            ids[row, : len(items[i].ids)], mask[row, : len(items[i].ids)] = items[i].ids, 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        vectors = run.run(None, {name: inputs[name] for name in names})[0]
        found[own] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found
