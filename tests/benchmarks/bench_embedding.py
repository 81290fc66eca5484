"""What embedding costs beside sentence-transformers and bare ONNX Runtime with the same model: `… embedding`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from index.chunk import split
from index.embed.onnx import open_tokenizer
from index.embed.rerank import RERANKED, CrossReranker, part_to_read
from ingest.sentences import split_sentences
from tests.benchmarks.corpus import Corpus, pieces, transcripts
from tests.benchmarks.measure import Row, process, row, seconds, taking_turns
from tests.random_models import cross_encoder

WARM, COLD, COSINE, BARE, THEIRS, RERANKING = 2.5, 8.0, 0.9999, 0.95, 1.2, 0.4
QUESTIONS, TEXTS, WINDOWS = 60, 300, 300
OURS_COLD = (
    "import sys; from pathlib import Path; from ingest.settings import Settings; from index.open import open_searcher;"
    "open_searcher(Settings(home=Path(sys.argv[1]))).embedder.embed_query(sys.argv[2])"
)
THEIRS_COLD = (
    "import sys; from sentence_transformers import SentenceTransformer;"
    "SentenceTransformer(sys.argv[1], device='cpu', local_files_only=True).encode(sys.argv[2])"
)


def run(given: Corpus) -> list[Row]:
    return [*one_question(given), *passages(given), *reranking(given)]


def one_question(given: Corpus) -> list[Row]:
    """A question's vector: from the start of a process, then warm, and how near it is to the original's."""
    from sentence_transformers import SentenceTransformer

    embedder, questions = given.searcher.embedder, [one.question for one in given.questions][:QUESTIONS]
    cold = [
        process("-c", code, str(place), questions[0])
        for code, place in ((OURS_COLD, given.home), (THEIRS_COLD, embedder.directory))
    ]
    original = SentenceTransformer(str(embedder.directory), device="cpu", local_files_only=True)
    ours, theirs = taking_turns([embedder.embed_query, lambda one: original.encode([one])], questions)
    words = [one.text.split() for one in pieces(given)]
    varied = [" ".join(words[i % len(words)][: 1 + i % 50]) for i in range(TEXTS)]
    mine, other = embedder.embed_passages(varied), original.encode(varied, normalize_embeddings=True)
    return [
        row(
            "embedding a question, times as fast",
            theirs.p50 / ours.p50,
            f"sentence-transformers ({theirs}; ours {ours})",
            least=WARM,
        ),
        row(
            "the same from the start of a process",
            cold[1] / cold[0],
            f"sentence-transformers ({cold[1]:.1f} s; ours {cold[0]:.1f} s)",
            least=COLD,
        ),
        row(
            f"the least cosine of {TEXTS} texts",
            float(np.sum(mine * other, 1).min()),
            "sentence-transformers' own vectors",
            least=COSINE,
            unit="",
        ),
    ]


def passages(given: Corpus) -> list[Row]:
    """Windows embedded a second, as when indexing."""
    from sentence_transformers import SentenceTransformer

    model = given.searcher.embedder
    original = SentenceTransformer(str(model.directory), device="cpu", local_files_only=True)
    windows = sample_windows(given)
    export = next(path.parent for path in model.cache.glob(f"{model.name}*/model.onnx"))
    bare = Bare(export)
    calls = {
        "ours": lambda: model.embed_passages(windows),
        "theirs": lambda: original.encode(windows, normalize_embeddings=True, show_progress_bar=False),
        **{f"bare {batch}": lambda batch=batch: bare(windows, batch) for batch in (1, 8, 32)},
    }
    best = {name: min(seconds(call) for _ in range(2)) for name, call in calls.items()}
    fastest = min(value for name, value in best.items() if name.startswith("bare"))
    ours = len(windows) / best["ours"]
    return [
        row(
            "embedding passages, times as fast",
            fastest / best["ours"],
            f"bare ONNX Runtime at its best batch size ({ours:.0f} windows a second are ours)",
            least=BARE,
        ),
        row("the same", best["theirs"] / best["ours"], "sentence-transformers", least=THEIRS),
    ]


def reranking(given: Corpus) -> list[Row]:
    """The passages of one search ordered by a cross-encoder of six layers of 384, with random weights; and as torch runs it."""
    from sentence_transformers import CrossEncoder

    question, texts = given.questions[0].question, [one.text for one in pieces(given)][:RERANKED]
    parts = [part_to_read(text, split_sentences(text)[len(split_sentences(text)) // 2]) for text in texts]
    with TemporaryDirectory() as folder:
        model = cross_encoder(Path(folder) / "model", layers=6, size=384, heads=12)
        ours = CrossReranker(model, Path(folder) / "exports")
        theirs = CrossEncoder(model, device="cpu", local_files_only=True)
        pairs = [(question, text) for text in texts]
        ours.scores(question, parts)
        own = min(seconds(lambda: ours.scores(question, parts)) for _ in range(5))
        other = min(seconds(lambda: theirs.predict(pairs, show_progress_bar=False)) for _ in range(2))
    beside = f"sentence-transformers, whole passages ({other:.1f} s)"
    return [row(f"{RERANKED} passages re-ranked, six layers, seconds", own, beside, most=RERANKING, unit="")]


def sample_windows(given: Corpus) -> list[str]:
    found: list[str] = []
    for transcript in transcripts(given):
        found += [text for chunk in split(transcript, given.searcher.embedder.count) for text in chunk.window_texts()]
        if len(found) >= WINDOWS * 4:
            break
    return found[:: max(1, len(found) // WINDOWS)][:WINDOWS]


class Bare:
    """ONNX Runtime as anybody would call it: texts sorted by length, in batches, one thread."""

    def __init__(self, export):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(str(export / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.tokenizer = open_tokenizer(export / "tokenizer.json", 256)
        self.names = [one.name for one in self.session.get_inputs()]

    def __call__(self, texts: list[str], batch: int) -> list[np.ndarray]:
        items = sorted(self.tokenizer.encode_batch(texts), key=lambda item: -len(item.ids))
        return [self._vectors(items[begin : begin + batch]) for begin in range(0, len(items), batch)]

    def _vectors(self, items) -> np.ndarray:
        ids, mask = np.zeros((2, len(items), len(items[0].ids)), np.int64)
        for place, item in enumerate(items):
            ids[place, : len(item.ids)], mask[place, : len(item.ids)] = item.ids, 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        vectors = self.session.run(None, {name: inputs[name] for name in self.names})[0]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
