"""How well questions are answered, where somebody has judged what answers them: pure, but for `ask`.

A passage is right when it comes from the right episode and holds the judged words whole, letter case and punctuation
aside, or covers the judged seconds. Places that answer as well are as good as the first: the best of them counts, once.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from index.query import Answer, Hit, Mode
from index.search import Searcher
from tests.benchmarks.questions import EVERYTHING, Judged, Place, plain, tokens

DEPTH = 10  # hits looked at
FIGURES = ("hit@1", "hit@5", "hit@10", "MRR@10", "nDCG@10")
INTERVALS = ("hit@10", "MRR@10")
SLACK = 1.0  # seconds by which a passage may miss the ends of judged seconds
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question: the ranks of the first right passage and of the right episode, 0 where there is none."""

    judged: Judged
    answer: Answer
    passage: int
    episode: int


def ask(searcher: Searcher, questions: Sequence[Judged], mode: Mode, advance: Callable[[int], None]) -> list[Outcome]:
    """Ask them all; `advance` is told how many are done. The first is asked twice: loading a model is not searching."""
    searcher.search(questions[0].question, DEPTH, mode)
    outcomes = []
    for number, judged in enumerate(questions, 1):
        outcomes.append(outcome(judged, searcher.search(judged.question, DEPTH, mode)))
        advance(number)
    return outcomes


def outcome(judged: Judged, answer: Answer) -> Outcome:
    """Compare an answer with what was judged."""
    right = [[(names(place, hit), holds(place, hit)) for place in judged.places] for hit in answer.hits]
    passage = (n for n, places in enumerate(right, 1) if any(named and held for named, held in places))
    episode = (n for n, places in enumerate(right, 1) if any(named for named, _ in places))
    return Outcome(judged, answer, next(passage, 0), next(episode, 0))


def names(place: Place, hit: Hit) -> bool:
    """Whether the hit is from the place's episode."""
    return place.episode in (hit.episode_id, hit.key, hit.key[:8], hit.title)


def holds(place: Place, hit: Hit) -> bool:
    """Whether the hit has all of the place's words, or its seconds."""
    if place.span:
        return plain(place.span) in plain(hit.text)
    if place.seconds is None or hit.start is None or hit.end is None:
        return False
    return hit.start <= place.seconds[0] + SLACK and place.seconds[1] - SLACK <= hit.end


def figures(ranks: Sequence[int]) -> dict[str, float | None]:
    """`FIGURES` over the ranks of right answers, 0 where there is none; nothing over no ranks.

    Each question needs one answer, so the ideal order has it first and nDCG is 1 / log2(1 + rank) (Järvelin and
    Kekäläinen 2002, with one relevant document).
    """
    return {name: statistics.fmean(_gain(name, rank) for rank in ranks) if ranks else None for name in FIGURES}


def _gain(figure: str, rank: int) -> float:
    measure, _, depth = figure.partition("@")
    if not 0 < rank <= int(depth):
        return 0.0
    return {"hit": 1.0, "MRR": 1 / rank, "nDCG": 1 / math.log2(1 + rank)}[measure]


def auc(answerable: Sequence[float], unanswerable: Sequence[float]) -> float | None:
    """How often a question with an answer scores above one without, ties half (0.5 is chance); None where one lacks."""
    pairs = [(high > low) + (high == low) / 2 for high in answerable for low in unanswerable]
    return statistics.fmean(pairs) if pairs else None


def abstention(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Precision and recall of `weak` as a sign that nothing answers, and the AUC of the best score for the same."""
    weak = [not one.judged.places for one in outcomes if one.answer.weak]
    silent = [one.answer.weak for one in outcomes if not one.judged.places]
    best = {there: [_best(one) for one in outcomes if bool(one.judged.places) is there] for there in (True, False)}
    return {
        "precision": statistics.fmean(weak) if weak and silent else None,
        "recall": statistics.fmean(silent) if silent else None,
        "AUC": auc(best[True], best[False]),
    }


def _best(one: Outcome) -> float:
    return one.answer.hits[0].score if one.answer.hits else -math.inf


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % of the means of `RESAMPLES` draws with replacement lie between these (percentile bootstrap, same each time)."""
    if not values:
        return None
    draw = Random(0)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[round(0.025 * RESAMPLES)], means[round(0.975 * RESAMPLES) - 1]


def kinds(questions: Iterable[Judged]) -> list[str]:
    """`EVERYTHING`, and the types of the questions that have an answer."""
    return [EVERYTHING, *sorted({one.type for one in questions if one.places})]


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All figures as plain data: by type, of passages and of episodes, with what the passages and the time cost."""
    answered = [one for one in outcomes if one.judged.places]
    took = sorted(one.answer.took_ms for one in outcomes)
    words = [len(tokens(hit.text)) for one in answered for hit in one.answer.hits]
    return {
        "questions": len(outcomes),
        "answerable": len(answered),
        "by_type": {kind: _group(answered, kind) for kind in kinds(one.judged for one in answered)},
        "interval": {name: interval([_gain(name, one.passage) for one in answered]) for name in INTERVALS},
        "abstention": abstention(outcomes),
        "passage_words": statistics.median(words) if words else None,
        "ms": {"median": round(statistics.median(took), 1), "p95": took[math.ceil(0.95 * len(took)) - 1]},
    }


def _group(answered: Sequence[Outcome], kind: str) -> dict[str, Any]:
    own = [one for one in answered if kind in (EVERYTHING, one.judged.type)]
    return {
        "n": len(own),
        "passage": figures([one.passage for one in own]),
        "episode": figures([one.episode for one in own]),
    }


def difference(outcomes: Sequence[Outcome], others: Sequence[Outcome]) -> dict[str, Any]:
    """How much better than `others` on the same questions, with an interval (paired bootstrap); above 0 is better."""
    pairs = [(one.passage, other.passage) for one, other in zip(outcomes, others, strict=True) if one.judged.places]
    found = {}
    for name in INTERVALS:
        gained = [_gain(name, own) - _gain(name, other) for own, other in pairs]
        found[name] = {"difference": statistics.fmean(gained) if gained else None, "interval": interval(gained)}
    return found


def by_name(document: dict[str, Any]) -> dict[str, float | None]:
    """The figures of a report by one name each: `hit@10`, `episode.MRR@10`, `TYPE.hit@1`, `abstention.recall`."""
    found = {f"abstention.{name}": value for name, value in document["abstention"].items()}
    for kind, group in document["by_type"].items():
        head = "" if kind == EVERYTHING else f"{kind}."
        found |= {f"{head}{name}": value for name, value in group["passage"].items()}
        found |= {f"{head}episode.{name}": value for name, value in group["episode"].items()}
    return found
