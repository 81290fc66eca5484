"""Other ways to search the same passages by the same model's vectors; each is a function from a question to ten passages.

They are given the question's vector, as ours is, so that only the search is measured. `pip install -e '.[bench]'` installs
those that Soundbite does not need.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.evaluation import Passage

LIMIT = 10
Ask = Callable[[str], list[Passage]]
Known = Mapping[str, np.ndarray]


def txtai_hybrid(cut: Sequence[Passage], vectors: np.ndarray, known: Known, _folder: Path) -> Ask:
    """BM25 and vectors (faiss), with the texts in SQLite."""
    from txtai import Embeddings

    of = {piece.text: vector for piece, vector in zip(cut, vectors, strict=True)} | dict(known)
    transform = lambda texts: np.stack([of[text] for text in texts])  # noqa: E731 - what the option wants
    index = Embeddings({"method": "external", "transform": transform, "hybrid": True, "content": True})
    index.index([(i, piece.text, None) for i, piece in enumerate(cut)])
    return lambda question: [cut[int(row["id"])] for row in index.search(question, LIMIT)]


def qdrant_local(cut: Sequence[Passage], vectors: np.ndarray, known: Known, _folder: Path) -> Ask:
    """Vectors alone, with the texts as payload, inside this process."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("p", models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE))
    payload = [{"place": i, "text": one.text} for i, one in enumerate(cut)]
    client.upload_collection("p", vectors, payload, ids=range(len(cut)))

    def ask(question: str) -> list[Passage]:
        points = client.query_points("p", query=known[question].tolist(), limit=LIMIT, with_payload=True).points
        return [cut[point.payload["place"]] for point in points]

    return ask


def faiss_flat(cut: Sequence[Passage], vectors: np.ndarray, known: Known, _folder: Path) -> Ask:
    """Vectors alone, all of them looked at: no words, no filters, nothing kept on disk; the floor."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return lambda question: [cut[i] for i in index.search(known[question][None], LIMIT)[1][0]]


def lancedb_hybrid(cut: Sequence[Passage], vectors: np.ndarray, known: Known, folder: Path) -> Ask:
    """LanceDB's own hybrid query with reciprocal rank fusion, synchronous as its documentation has it."""
    import lancedb
    from lancedb.index import FTS
    from lancedb.rerankers import RRFReranker

    rows = [{"id": i, "text": p.text, "vector": v} for i, (p, v) in enumerate(zip(cut, vectors, strict=True))]
    table = lancedb.connect(folder / "lancedb").create_table("p", rows, mode="overwrite")
    table.create_index("text", config=FTS(with_position=False))
    fusion = RRFReranker()

    def ask(question: str) -> list[Passage]:
        words = "".join(c if c.isalnum() else " " for c in question)  # its query language stumbles over punctuation
        query = table.search(query_type="hybrid", vector_column_name="vector").vector(known[question]).text(words)
        found = query.distance_type("cosine").rerank(fusion).limit(LIMIT).to_list()
        return [cut[row["id"]] for row in found[:LIMIT]]

    return ask


PEERS = {
    "LanceDB's own hybrid search": lancedb_hybrid, "txtai hybrid": txtai_hybrid, "Qdrant, vectors": qdrant_local,
    "FAISS flat, vectors (the floor)": faiss_flat,
}  # fmt: skip
