"""What a search costs beside other systems in the same run: embedding the question, searching, starting, indexing.

`python -m tests.benchmarks.bench_search [FOLDER] [--home HOME]`: CPU time, all threads, so that a busy machine hardly
shows; what is compared takes turns. Other systems are in `peers.py`.
"""

import argparse
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from index.build import update
from index.chunk import split
from index.search import Searcher
from index.store.lance import Store
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.benchmarks.bench_scale import Embedded
from tests.benchmarks.encoding import embedding, throughput
from tests.benchmarks.measure import Row, at_least, at_most, seconds, table, taking_turns
from tests.benchmarks.peers import PEERS
from tests.benchmarks.questions import plain
from tests.benchmarks.texts import Piece, Texts, pieces, texts, vectors

CUT = 4_000  # passages
COLD, START, UNCHANGED = 8.0, 1.3, 2.0
EPISODES = 1_000
IMPORTS = "import lancedb, onnxruntime, tokenizers"
OURS_COLD = (
    "import sys; from pathlib import Path; from ingest.settings import Settings; from index.open import open_searcher;"
    "open_searcher(Settings(home=Path(sys.argv[1]))).embedder.embed_query(sys.argv[2])"
)
THEIRS_COLD = (
    "import sys; from sentence_transformers import SentenceTransformer;"
    "SentenceTransformer(sys.argv[1], device='cpu', local_files_only=True).encode(sys.argv[2])"
)


def run(given: Texts) -> list[Row]:
    """All of it; the rows of the table."""
    from sentence_transformers import SentenceTransformer

    original = SentenceTransformer(str(given.searcher.embedder.directory), device="cpu", local_files_only=True)
    rows = []
    for part in (embedding, throughput):
        rows += told(part(given, original))
    for part in (starting, unchanged, beside):
        rows += told(part(given))
    return rows


def told(rows: list[Row]) -> list[Row]:
    for row in rows:
        print(f"  {row.what}: {row.measured}", flush=True)
    return rows


def starting(given: Texts) -> list[Row]:
    """From the start of a process: to the first vector, and to the hits of `soundbite search`."""
    question = given.questions[0].question
    chunks = given.searcher.store.counts()["chunks"]
    python = [sys.executable, "-c"]
    command = [*python, "from flows.cli import main; main()", "--home", str(given.home), "search", question, "--json"]
    calls = {
        "imports": [*python, IMPORTS], "search": command,
        "ours": [*python, OURS_COLD, str(given.home), question],
        "theirs": [*python, THEIRS_COLD, str(given.searcher.embedder.directory), question],
    }  # fmt: skip
    for call in calls.values():
        process(call)  # once for the file cache
    took = {name: float(np.median([process(call) for _ in range(3)])) for name, call in calls.items()}
    return [
        at_least("from process start to a vector, times as fast as sentence-transformers", took["theirs"] / took["ours"], COLD,
                 f"{took['ours']:.2f} s, theirs {took['theirs']:.2f}"),
        at_most(f"cold `soundbite search` over {chunks:,} chunks, of `{IMPORTS}` alone", took["search"] / took["imports"], START,
                f"{took['search']:.2f} s, imports {took['imports']:.2f}"),
    ]  # fmt: skip


def process(command: list[str]) -> float:
    """CPU seconds of a process from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Unloaded:
    """An embedder that draws vectors, as long as it may."""

    name, dimension, floor, may = "drawn", 384, 0.0, True

    def count(self, text):
        return len(text.split())

    def embed_passages(self, given):
        assert self.may
        return np.random.default_rng(0).standard_normal((len(given), self.dimension)).astype(np.float32)


def unchanged(given: Texts) -> list[Row]:
    """A run over a library in which nothing is new."""
    library, embedder = Library(given.home / "thousand" / "library"), Unloaded()
    store = Store(given.home / "thousand" / "index")
    for number in range(len(library.paths()), EPISODES):
        turns = tuple(Turn(f"Episode {number} tells of topic {number * 7 + i}.", "Ann") for i in range(20))
        library.write(Transcript(Episode("show", f"guid-{number}", f"Episode {number}"), turns))
    update(library, store, embedder)
    embedder.may, begun = False, perf_counter()
    cpu = seconds(lambda: update(library, Store(store.root), embedder))
    return [
        at_most(
            f"{EPISODES:,} unchanged episodes, no model loaded",
            perf_counter() - begun,
            UNCHANGED,
            f"{cpu:.2f} s CPU",
            "s",
        )
    ]


def beside(given: Texts) -> list[Row]:
    """Whole searches with texts, ours and others', beside embedding the question: latency and quality."""
    embedder = Embedded(given.searcher.embedder, [one.question for one in given.questions])
    cut = pieces(given)
    made = vectors(given, cut)
    episodes = list(dict.fromkeys(piece.episode for piece in cut[:CUT]))[:-1]
    inside = set(episodes)
    some = [i for i, piece in enumerate(cut) if piece.episode in inside]
    rows = []
    if len(some) < len(cut):
        with TemporaryDirectory(dir=given.home, prefix="cut-") as folder:
            store = part_of(given, Path(folder), inside)
            asked = [
                replace(one, places=tuple(p for p in one.places if p.episode in inside)) for one in given.questions
            ]
            rows += side_by_side(given, store, embedder, [cut[i] for i in some], made[some], asked, slow=True)
    return rows + side_by_side(given, given.searcher.store, embedder, cut, made, given.questions)


def part_of(given: Texts, folder: Path, inside: set[str]) -> Store:
    """Our index of some episodes, with the vectors there are."""
    store, whole = Store(folder / "index"), given.searcher.store
    store.create(given.searcher.embedder.name, given.searcher.embedder.dimension)
    for episode in whole.episodes():
        if episode.guid in inside:
            kept = whole.vectors(episode.key)
            chunks = split(given.library.read(given.library.root / episode.path), given.searcher.embedder.count)
            store.replace(episode, chunks, [kept[chunk.id] for chunk in chunks])
    store.maintain(force=True)
    return store


def side_by_side(  # noqa: PLR0917 - what is searched, and by what
    given: Texts, store: Store, embedder: Embedded, cut: list[Piece], made: np.ndarray, asked, slow=False
) -> list[Row]:
    """One row a system; those of ours say how they stand to the others."""
    memory, disk = Searcher(store, embedder), Searcher(Store(store.root, memory=0), embedder)
    systems = {"ours, in memory": hits(memory)} | ({"ours, from the disk": hits(disk)} if slow else {})
    absent, questions = [], [one.question for one in asked]
    with TemporaryDirectory(dir=given.home) as folder:
        for name, peer in PEERS.items():
            try:
                systems[name] = peer(cut, made, embedder.known, Path(folder))
            except ImportError:
                absent.append(Row(name, "not installed"))
        taken = dict(zip(systems, taking_turns(list(systems.values()), questions), strict=True))
        found = {name: quality(ask, asked) for name, ask in systems.items()}
    many, ours = f"{len(cut):,} passages of {len({p.episode for p in cut})} episodes", taken["ours, in memory"]
    rows = [Row(f"{many}: {name}", f"{taken[name]}; {found[name]}") for name in systems]
    rows += [
        at_most(f"{many}: ours in memory, of {name}", ours.p50 / taken[name].p50, 1.0)
        for name in ("txtai hybrid", "LanceDB hybrid", "Qdrant local, vectors")
        if name in taken
    ]
    return rows + absent


def hits(searcher: Searcher):
    return lambda question: [Piece(hit.episode_id, hit.text) for hit in searcher.search(question).hits]


def quality(ask, asked) -> str:
    """hit@10 and MRR@10 of passages that hold the judged words, over the questions that something answers."""
    ranks = []
    for one in asked:
        if one.places:
            found = [(piece.episode, plain(piece.text)) for piece in ask(one.question)]
            right = (
                n
                for n, (episode, text) in enumerate(found, 1)
                if any(p.episode == episode and p.span and plain(p.span) in text for p in one.places)
            )
            ranks.append(next(right, 0))
    hit, reciprocal = np.mean([rank > 0 for rank in ranks]), np.mean([1 / rank if rank else 0 for rank in ranks])
    return f"hit@10 {hit:.3f}, MRR@10 {reciprocal:.3f} ({len(ranks)} questions)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("../shared/retrieval"),
        help="holds corpus/*.md and questions.jsonl",
    )
    parser.add_argument("--home", type=Path, default=Path(".demo/bench"), help="where the index is kept between runs")
    asked = parser.parse_args()
    print(table(run(texts(asked.folder, asked.home))))


if __name__ == "__main__":
    main()
