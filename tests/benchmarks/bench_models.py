"""How well an embedding model alone ranks the passages that were graded for managers' questions: `… models --folder DIR`.

The model is that of `SOUNDBITE_EMBEDDING_MODEL`. A question's passages are those that any system had among its first five,
some twenty, so that the figures tell models from each other in minutes; those of a whole index are lower or higher.
"""

from collections.abc import Callable
from pathlib import Path

from index.embed.base import Embedder
from index.open import open_embedder
from ingest.library import Library
from ingest.settings import Settings
from tests.benchmarks import graded
from tests.benchmarks.evaluation import Passage
from tests.benchmarks.measure import Row, row

TOGETHER = 500  # passages embedded between two lines of progress


def run(library: Library, home: Path) -> list[Row]:
    questions, grader, embedder = graded.read(), graded.Grader(library), open_embedder(Settings(home=home))
    if not grader.holds(questions):
        raise SystemExit("The folder does not hold the episodes of tests/benchmarks/managers.qrels.")
    ask = _ranked(questions, grader, embedder)
    rows = []
    for half in ("tune", "test"):
        found = graded.figures([one for one in questions if one.half == half], grader, ask)
        rows += [
            row(f"{name} of graded passages by {embedder.name}, {half} half", found[name], "", unit="")
            for name in ("nDCG@5", "first", "three", "AUC")
        ]
    return rows


def _ranked(
    questions: list[graded.Question], grader: graded.Grader, embedder: Embedder
) -> Callable[[str], tuple[list[Passage], bool]]:
    """Gives the graded passages of a question, best first, and that they are not weak."""
    graded_of = {
        one.text: [(episode, grader.text(episode, place)) for episode in one.grades for place, _ in one.grades[episode]]
        for one in questions
    }
    texts = sorted({text for places in graded_of.values() for _, text in places})
    vectors = {}
    for begin in range(0, len(texts), TOGETHER):
        some = texts[begin : begin + TOGETHER]
        vectors.update(zip(some, embedder.embed_passages(some), strict=True))
        print(f"  embedded {len(vectors):,} of {len(texts):,} graded passages", flush=True)

    def ask(question: str) -> tuple[list[Passage], bool]:
        asked = embedder.embed_query(question)
        found = [Passage((episode,), text, float(vectors[text] @ asked)) for episode, text in graded_of[question]]
        return sorted(found, key=lambda passage: -passage.score), False

    return ask
