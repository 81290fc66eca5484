"""How often the right passage is found, by words, by vectors and by both: `python -m tests.benchmarks quality --folder DIR`."""

from pathlib import Path

from tests.benchmarks import evaluation
from tests.benchmarks.corpus import Corpus, read_judged
from tests.benchmarks.measure import Row, row
from tests.benchmarks.questions import Judged

MODES = ("text", "vector", "hybrid")
LEAST = {"hit@10": 0.72, "MRR@10": 0.60}
AUC, WORDS = 0.97, 160
NATURAL = Path(__file__).with_name(
    "natural.jsonl"
)  # 60 questions in the words people use, over a corpus of Lenny's Podcast
MISSES = 5


def run(given: Corpus) -> list[Row]:
    """The rows of the table; everything else is printed as it is found."""
    outcomes = ask(given, given.questions)
    hybrid, text = outcomes["hybrid"], outcomes["text"]
    words = evaluation.passage_words(hybrid)
    ours, theirs = evaluation.figures(hybrid), evaluation.figures(text)
    rows = [
        row(
            f"{name}, hybrid",
            ours[name],
            _beside(ours[name], theirs[name]),
            least=LEAST.get(name),
            unit="",
        )
        for name in ours
    ]
    if told := evaluation.abstention(hybrid):
        rows.append(row("AUC of the best score: is there an answer?", told["AUC"], "0.5 by chance", least=AUC, unit=""))
    rows.append(row("words a passage, median", words, "", most=WORDS, unit=""))
    for miss in [one for one in hybrid if one.judged.places and not one.passage][:MISSES]:
        print(f"  missed: {miss.judged.question} ({miss.judged.type}; episode at rank {miss.episode or 'none'})")
    if given.holds(NATURAL):
        found = ask(given, read_judged(NATURAL, given.library))
        ours, theirs = (evaluation.figures(found[mode])["MRR@10"] for mode in ("hybrid", "text"))
        what = "MRR@10, hybrid, 60 questions in people's own words"
        rows.append(row(what, ours, _beside(ours, theirs), least=round(theirs, 3), unit=""))
    return rows


def _beside(ours: float, theirs: float) -> str:
    ratio = f"{ours / theirs:.2f} x " if theirs else ""
    return f"{ratio}words alone (BM25, {theirs:.3f})"


def ask(given: Corpus, questions: list[Judged]) -> dict[str, list[evaluation.Outcome]]:
    """The outcomes of every mode; their figures are printed by type."""
    outcomes = {mode: evaluation.ask(given.searcher.search, questions, mode) for mode in MODES}
    print(f"  {'mode':8}{'questions':14}{'n':>4}" + "".join(f"{name:>9}" for name in evaluation.MEASURES))
    for mode, found in outcomes.items():
        for kind in ("", *evaluation.kinds(found)):
            n = sum(bool(one.judged.places) and kind in ("", one.judged.type) for one in found)
            told = "".join(f"{value:9.3f}" for value in evaluation.figures(found, kind=kind).values())
            print(f"  {mode:8}{kind or 'all':14}{n:>4}{told}")
    for mode in MODES[:2]:
        gained, (low, high) = evaluation.difference(outcomes["hybrid"], outcomes[mode], "MRR@10")
        print(f"  MRR@10, hybrid less {mode}: {gained:+.3f} (95 % {low:+.3f} to {high:+.3f})", flush=True)
    return outcomes
