"""How often the right passage is found, by words, by vectors and by both: `python -m tests.benchmarks quality --folder DIR`."""

from collections.abc import Callable
from pathlib import Path

from index.query import Mode, Query
from index.search import LOOKED_AT
from tests.benchmarks import evaluation, graded, moments
from tests.benchmarks.corpus import Corpus, read_judged
from tests.benchmarks.measure import Row, row
from tests.benchmarks.questions import Judged

MODES: tuple[Mode, ...] = ("text", "vector", "hybrid")
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
        rows.append(
            row("AUC of the best evidence: is there an answer?", told["AUC"], "0.5 by chance", least=AUC, unit="")
        )
    rows.append(row("words a passage, median", words, "", most=WORDS, unit=""))
    for miss in [one for one in hybrid if one.judged.places and not one.passage][:MISSES]:
        print(f"  missed: {miss.judged.question} ({miss.judged.type}; episode at rank {miss.episode or 'none'})")
    rows += _exactness("judged spans", moments.of_judged(given, given.questions))
    if given.holds(NATURAL):
        natural = read_judged(NATURAL, given.library)
        rows += _exactness("own words", moments.of_judged(given, natural))
        found = ask(given, natural)
        ours, theirs = (evaluation.figures(found[mode])["MRR@10"] for mode in ("hybrid", "text"))
        what = "MRR@10, hybrid, 60 questions in people's own words"
        rows.append(row(what, ours, _beside(ours, theirs), least=round(theirs, 3), unit=""))
    return rows + as_managers_ask(given)


def as_managers_ask(given: Corpus) -> list[Row]:
    """nDCG@5 and what a manager sees, on the half that no weight was chosen on; nothing over another library."""
    questions, grader = graded.read(), graded.Grader(given.library)
    if not grader.holds(questions):
        return []
    found = {}
    for half in ("tune", "test"):
        for mode in MODES:
            found[mode] = graded.figures([one for one in questions if one.half == half], grader, _asking(given, mode))
            told = ", ".join(f"{name} {value:.3f}" for name, value in found[mode].items())
            print(f"  as managers ask, {half} half, {mode:6}: {told}", flush=True)
    exact = moments.of_managers(given, [(one.id, one.text) for one in questions if one.half == "test"])
    ours, name = found["hybrid"], max(("text", "vector"), key=lambda mode: found[mode]["nDCG@5"])
    best = found[name]["nDCG@5"]
    return [
        row("nDCG@5 as managers ask, of the better of words and vectors", ours["nDCG@5"] / best, f"{name} ({best:.3f})", least=1.15),
        row("a useful passage among the first three", ours["three"], "", least=0.9, unit=""),
        row("AUC of the best evidence, as managers ask", ours["AUC"], "0.5 by chance", least=0.95, unit=""),
        row("called weak where nothing answers", ours["weak where nothing answers"], "", least=0.8, unit=""),
        row("called weak where something does", ours["weak where something does"], "", most=0.05, unit=""),
        *_exactness("as managers ask", exact),
    ]  # fmt: skip


def _exactness(kind: str, found: list[moments.Moment]) -> list[Row]:
    """How exactly a hit's answer is placed."""
    if not found:
        return []
    told = moments.figures(found)
    beside = f"{told['hits']:.0f} hits that hold an answer, median {told['wait']:.1f} s"
    return [
        row(f"playing starts 0 to 5 s before the answer, {kind}", told["near"], beside, least=0.75, unit=""),
        row(f"the marked sentences overlap the answer, {kind}", told["overlap"], beside, least=0.8, unit=""),
    ]


def _asking(given: Corpus, mode: Mode) -> Callable[[str], tuple[list[evaluation.Passage], bool]]:
    def ask(question: str) -> tuple[list[evaluation.Passage], bool]:
        answer = given.searcher.search(Query(question, LOOKED_AT, mode))
        return [evaluation.passage_of(hit) for hit in answer.hits], answer.weak

    return ask


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
