"""How often the right passage is found; the measures are those of `ir_measures` (trec_eval).

A passage is right when it comes from the right episode and holds the judged words whole (letter case and punctuation
aside), or covers the judged seconds. A question needs one answer: only the first right passage counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import ir_measures
import numpy as np
from ir_measures import RR, Success, nDCG
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from index.query import Answer, Hit, Query
from index.scoring import evidence
from tests.benchmarks.questions import Judged, Place, plain, tokens

DEPTH = 10  # hits looked at
MEASURES = {
    "hit@1": Success @ 1, "hit@5": Success @ 5, "hit@10": Success @ 10, "MRR@10": RR @ 10, "nDCG@10": nDCG @ 10,
}  # fmt: skip
SLACK = 1.0  # seconds by which a passage may miss the ends of judged seconds
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as any system returns one; `episode` has every name that its episode goes by."""

    episode: tuple[str, ...]
    text: str
    score: float = 0.0
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, what came, whether that was called weak, and the ranks of what is right: 0 where nothing is."""

    judged: Judged
    passages: tuple[Passage, ...]
    weak: bool
    passage: int
    episode: int


def passage_of(hit: Hit) -> Passage:
    """A hit of ours."""
    return Passage(
        (hit.episode_id, hit.key, hit.key[:8], hit.title),
        hit.passage.text,
        evidence(hit.scores.vector, hit.scores.text),
        hit.passage.start,
        hit.passage.end,
    )


def outcome(judged: Judged, passages: Sequence[Passage], *, weak: bool = False) -> Outcome:
    """Compare what came with what was judged."""
    named = [[place for place in judged.places if place.episode in one.episode] for one in passages]
    right = [any(holds(place, one) for place in places) for places, one in zip(named, passages, strict=True)]
    return Outcome(judged, tuple(passages), weak, _first(right), _first([bool(places) for places in named]))


def holds(place: Place, passage: Passage) -> bool:
    """Whether a passage has all of the place's words, or its seconds."""
    if place.seconds is None:
        return plain(place.span) in plain(passage.text)
    begin, end = place.seconds
    if passage.start is None or passage.end is None:
        return False
    return passage.start <= begin + SLACK and end - SLACK <= passage.end


def _first(right: Sequence[bool]) -> int:
    return right.index(True) + 1 if any(right) else 0


def ask(search: Callable[[Query], Answer], questions: Sequence[Judged], mode: str = "hybrid") -> list[Outcome]:
    """Ask our own search."""
    answers = [(one, search(Query(one.question, DEPTH, mode))) for one in questions]
    return [outcome(one, [passage_of(hit) for hit in answer.hits], weak=answer.weak) for one, answer in answers]


def gains(ranks: Sequence[int]) -> dict[str, list[float]]:
    """Each measure for each question, of the ranks of what is right (0 where nothing is)."""
    wanted = {str(i): {"right": 1} for i in range(len(ranks))}
    returned = {
        str(i): {f"{n}" if n != rank else "right": -float(n) for n in range(1, DEPTH + 1)}
        for i, rank in enumerate(ranks)
    }
    found = {
        (one.measure, one.query_id): one.value for one in ir_measures.iter_calc(MEASURES.values(), wanted, returned)
    }
    return {name: [found[measure, query] for query in wanted] for name, measure in MEASURES.items()}


def figures(outcomes: Sequence[Outcome], *, of: str = "passage", kind: str = "") -> dict[str, float]:
    """The mean of each measure over the questions that have an answer, all or those of one type."""
    ranks = [getattr(one, of) for one in outcomes if one.judged.places and kind in ("", one.judged.type)]
    return {name: fmean(values) for name, values in gains(ranks).items()} if ranks else {}


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """The types of the questions that have an answer."""
    return sorted({one.judged.type for one in outcomes if one.judged.places})


def abstention(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """How well answerable questions are told from others: AUC of the best evidence, recall of `weak`; empty without both."""
    answerable = [bool(one.judged.places) for one in outcomes]
    if len(set(answerable)) < 2:
        return {}
    best = [max((passage.score for passage in one.passages), default=-1.0) for one in outcomes]
    recall = fmean(one.weak for one in outcomes if not one.judged.places)
    return {"AUC": float(roc_auc_score(answerable, best)), "recall": recall}


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % confidence interval of the mean (percentile bootstrap, the same each time)."""
    made = bootstrap((np.asarray(values),), np.mean, method="percentile", n_resamples=RESAMPLES, rng=0)
    low, high = made.confidence_interval
    return float(low), float(high)


def difference(
    outcomes: Sequence[Outcome], others: Sequence[Outcome], measure: str
) -> tuple[float, tuple[float, float]]:
    """By how much the first is better on the same questions, with its interval (paired bootstrap)."""
    own, other = (gains([one.passage for one in group if one.judged.places])[measure] for group in (outcomes, others))
    gained = [a - b for a, b in zip(own, other, strict=True)]
    return fmean(gained), interval(gained)


def passage_words(outcomes: Sequence[Outcome]) -> float:
    """Words of a passage, the median: longer ones hold more answers and say less."""
    return median(len(tokens(passage.text)) for one in outcomes for passage in one.passages)
