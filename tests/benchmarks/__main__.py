"""`make bench`, or `python -m tests.benchmarks [PART ...]`: everything measured, as ratios, and one table at the end.

The parts are quality, search, feeds, transcribe and scale; without a name all of them, in about twenty minutes on one
core. Judged questions over real transcripts stand in `--folder`; where there are none, the bundled sample podcast is used
and the table says so.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import bench_scale, bench_search, retrieval
from tests.benchmarks.judging import read_file
from tests.benchmarks.measure import Row, at_least, table
from tests.benchmarks.texts import Texts, texts

JUDGED = Path(__file__).parents[3] / "shared" / "retrieval"
WANTED = {"MRR@10": 0.60, "hit@10": 0.72}
AUC, WORDS = 0.97, 160


def quality(given: Texts) -> list[Row]:
    """How often the right passage is found, for every mode and against the better of words and vectors alone."""
    found = retrieval.report(given.searcher, given.questions)
    hybrid = found["hybrid"]
    best = hybrid["by_type"]["all"]["passage"]
    rows = [at_least(f"hybrid {name}", best[name], wanted, unit="") for name, wanted in WANTED.items()]
    for kind in hybrid["by_type"]:
        single = max(found[mode]["by_type"][kind]["passage"]["MRR@10"] for mode in ("text", "vector"))
        own = hybrid["by_type"][kind]["passage"]["MRR@10"]
        if single:
            rows.append(at_least(f"hybrid MRR@10, {kind}, of the better of words and vectors", own / single, 1.0))
    if hybrid["abstention"]["AUC"] is not None:
        rows.append(at_least("AUC of the best score: answerable or not", hybrid["abstention"]["AUC"], AUC, unit=""))
    words = hybrid["passage_words"]
    rows.append(Row("words a passage, median", f"{words:g}", f"<= {WORDS}", words <= WORDS))
    return rows + (natural(given) if retrieval.NATURAL in retrieval.questions_for(given.library) else [])


def natural(given: Texts) -> list[Row]:
    """The same for questions worded as people ask, against words alone."""
    found = retrieval.report(given.searcher, read_file(retrieval.NATURAL, given.library))
    own, words = (found[mode]["by_type"]["all"]["passage"]["MRR@10"] for mode in ("hybrid", "text"))
    return [at_least("natural questions: MRR@10 of BM25's", own / words, 1.0, f"{own:.3f} and {words:.3f}")]


def script(name: str, *more: str) -> Callable[[], list[Row]]:
    """A benchmark that prints its own figures; its last lines are repeated in the table."""

    def run() -> list[Row]:
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", *more]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        print(done.stdout, done.stderr[-2_000:], flush=True)
        if done.returncode:
            return [Row(name, f"failed with exit code {done.returncode}", "", met=False)]
        lines = [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip()]
        return [Row(f"{name} {i}" if i else name, line) for i, line in enumerate(lines)]

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="quality, search, feeds, transcribe, scale (all)")
    parser.add_argument("--folder", type=Path, default=JUDGED, help="holds corpus/*.md and questions.jsonl")
    parser.add_argument("--home", type=Path, default=Path(".demo/bench"), help="where the index is kept between runs")
    parser.add_argument("--rows", type=int, default=bench_scale.ROWS, help="chunks at most (default %(default)s)")
    asked = parser.parse_args()
    given: list[Texts] = []

    def opened() -> Texts:
        if not given:
            given.append(texts(asked.folder, asked.home))
        return given[0]

    parts: dict[str, Callable[[], list[Row]]] = {
        "quality": lambda: quality(opened()),
        "search": lambda: bench_search.run(opened()),
        "feeds": script("bench_feeds", "2000"),
        "transcribe": script("bench_transcribe", "--minutes", "2"),
        "scale": lambda: bench_scale.run(opened(), asked.rows),
    }
    if unknown := set(asked.parts) - parts.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; choose from {', '.join(parts)}")
    rows: list[Row] = []
    for name in asked.parts or parts:
        print(f"== {name}", flush=True)
        rows += parts[name]()
    if not (asked.folder / "questions.jsonl").exists():
        rows.insert(0, Row("measured on", "the bundled sample podcast: no judged questions stand in --folder"))
    print(f"\n{table(rows)}")


if __name__ == "__main__":
    main()
