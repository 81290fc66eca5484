"""How often the right passage is found: judged questions over a folder of transcripts, every mode side by side."""

import json
import time
from pathlib import Path

from index.build import update
from index.open import open_searcher
from ingest.library import Library
from ingest.settings import Settings
from tests.benchmarks import judge
from tests.benchmarks.judging import read_file

MODES = ("text", "vector", "hybrid")
NATURAL = Path(__file__).with_name("natural.jsonl")  # worded as people ask, over the same transcripts; places by number


def report(searcher, questions):
    """Print the figures of every mode and type, and hybrid's as ratios of the better single mode's; return the reports."""
    reports = {mode: judge.report(judge.ask(searcher, questions, mode, lambda _: None)) for mode in MODES}
    print(f"{'mode':8}{'questions':14}{'n':>4}  " + "".join(f"{name:>9}" for name in judge.FIGURES))
    for mode, found in reports.items():
        for kind, group in found["by_type"].items():
            print(
                f"{mode:8}{kind:14}{group['n']:>4}  " + "".join(f"{value:9.3f}" for value in group["passage"].values())
            )
        weak = ", ".join(f"{name} {value:.3f}" for name, value in found["abstention"].items() if value is not None)
        sure = ", ".join(f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in found["interval"].items())
        print(
            f"{mode:8}95 %: {sure}; weak: {weak or '-'}; {found['passage_words']:g} words, {found['ms']['median']} ms"
        )
    for kind in reports["hybrid"]["by_type"]:
        ratios = "".join(f"{ratio(reports, kind, name):>9}" for name in judge.FIGURES)
        print(f"{'ratio':8}{kind:14}{'':4}  {ratios}")
    return reports


def ratio(reports, kind, name):
    """Hybrid's figure against the best of the single modes."""
    text, vector, hybrid = (reports[mode]["by_type"][kind]["passage"][name] for mode in MODES)
    return f"{hybrid / max(text, vector):.2f} x" if text or vector else "-"


def run(folder, home):
    """Index `folder/corpus` under `home`, unless that is done, and report."""
    library, searcher = Library(folder), open_searcher(Settings(home=home))
    started = time.perf_counter()
    built = update(library, searcher.store, searcher.embedder, lambda step: print(step, flush=True))
    print(f"{built}\nindexed in {time.perf_counter() - started:.1f} s: {searcher.store.counts()}")
    return [report(searcher, read_file(path, library)) for path in questions_for(library)]


def questions_for(library):
    """The folder's own questions, and ours where they are about these transcripts."""
    ours = [json.loads(line)["episode_id"] for line in NATURAL.read_text("utf-8").splitlines()]
    known = {path.stem for path in library.paths()}
    return [library.root / "questions.jsonl", *([NATURAL] if known.issuperset(ours) else [])]
