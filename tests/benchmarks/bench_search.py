"""What a search costs beside embedding its question, from the start of a process, and beside other systems.

`python -m tests.benchmarks search`, and `peers --folder DIR [--episodes 40]` for the other systems (`peers.py`).
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from index.query import Query
from index.search import Searcher
from tests.benchmarks import evaluation, graded
from tests.benchmarks.corpus import Corpus, Embedded, pieces, vectors
from tests.benchmarks.measure import Row, process, row, taking_turns
from tests.benchmarks.peers import PEERS

START = 1.3
# Of another system's time, at most: the first time, when both read from disk, and again, when both have all in memory.
MOST = {"LanceDB's own hybrid search": (1.5, None), "txtai hybrid": (None, 1.0), "Qdrant, vectors": (None, 1.0)}
IMPORTS = "import lancedb, onnxruntime, tokenizers"
COMMAND = "import sys; from flows.cli.main import main; sys.argv[0] = 'soundbite'; main()"


def run(given: Corpus) -> list[Row]:
    """Our own search."""
    embedder, chunks = given.searcher.embedder, given.searcher.store.counts()["chunks"]
    questions = [one.question for one in given.questions]
    searching, embedding = taking_turns(
        [lambda one: given.searcher.search(Query(one)), embedder.embed_query], questions
    )
    command = ["-c", COMMAND, "--home", str(given.home), "search", questions[0], "--json"]
    took = {
        name: float(np.median([process(*call) for _ in range(3)]))
        for name, call in {"search": command, "imports": ["-c", IMPORTS]}.items()
    }
    return [
        row(
            f"a whole search over {chunks:,} chunks",
            searching.p50 / embedding.p50,
            f"embedding its question ({embedding}; the search {searching})",
        ),
        row(
            "`soundbite search` from the start of a process",
            took["search"] / took["imports"],
            f"importing its libraries ({took['imports']:.1f} s; ours {took['search']:.1f} s)",
            most=START,
        ),
    ]


def compared(given: Corpus) -> list[Row]:
    """Latency and quality of ours and of other systems over the same texts; the questions' vectors are made before.

    All questions are asked twice. The first time ours reads most chunks from disk, as LanceDB does; the second time they are
    in memory, as they always are with the other systems.
    """
    asked, grader = graded.read(), graded.Grader(given.library)
    asked = [one for one in asked if one.half == "test"] if grader.holds(asked) else []
    embedder = Embedded(
        given.searcher.embedder, [*(one.question for one in given.questions), *(one.text for one in asked)]
    )
    searcher, cut = Searcher(given.searcher.store, embedder), pieces(given)
    made = vectors(given, cut)
    systems = {"ours": lambda one: [evaluation.passage_of(hit) for hit in searcher.search(Query(one)).hits]}
    with TemporaryDirectory(dir=given.home) as folder:
        for name, peer in PEERS.items():
            try:
                systems[name] = peer(cut, made, embedder.known, Path(folder))
            except ImportError:
                print(f"  {name}: not installed; `pip install -c constraints.txt -e '.[bench]'` adds it", flush=True)
        calls, questions = list(systems.values()), list(embedder.known)
        first, again = (dict(zip(systems, taking_turns(calls, questions), strict=True)) for _ in range(2))
        found = {
            name: [evaluation.outcome(one, ask(one.question)) for one in given.questions]
            for name, ask in systems.items()
        }
        graded_by = {
            name: graded.figures(asked, grader, lambda question, ask=ask: (ask(question), False))["nDCG@5"]
            for name, ask in systems.items()
            if asked
        }
    quality = {name: evaluation.figures(outcomes) for name, outcomes in found.items()}
    rows = []
    for name, value in graded_by.items():
        if name != "ours":
            told = f"{name} ({value:.3f}; ours {graded_by['ours']:.3f})"
            rows.append(row("nDCG@5 as managers ask", graded_by["ours"] / value, told, least=1.15))
    for name in systems:
        told = f"hit@10 {quality[name]['hit@10']:.3f}, MRR@10 {quality[name]['MRR@10']:.3f}"
        print(f"  {name}: {first[name]} a question, {again[name]} when asked again; {told}", flush=True)
        if name == "ours":
            continue
        what = f"a search over {len(cut):,} passages, without embedding"
        for taken, when, most in zip((first, again), ("first", "again"), MOST.get(name, (None, None)), strict=True):
            rows.append(row(f"{what}, {when}", taken["ours"].p50 / taken[name].p50, f"{name} ({told})", most=most))
    return rows
