"""Search as managers ask: 136 questions typed without seeing the texts, 3,460 passages graded blind, in TREC's form.

`managers.jsonl` holds the questions (type, and the half: `tune` for choosing weights, `test` for nothing but looking).
`managers.qrels` holds a line `question 0 episode:first-last grade` for each passage that our modes and variants, LanceDB's
hybrid search, txtai's and plain vectors had among their first five: words of the transcript, counted from 0, and 3 for a
direct answer, 2 for a part of one, 1 for the topic, 0 for nothing. The assessors did not know who found a passage; two of
them agreed on 89 % of a tenth (weighted kappa .90).
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

from sklearn.metrics import roc_auc_score

from ingest.errors import NotFoundError
from ingest.library import Library
from ingest.transcripts.document import text_body
from tests.benchmarks.evaluation import Passage
from tests.benchmarks.questions import tokens

FOLDER = Path(__file__).parent
USEFUL = 2  # the least grade of a passage that helps
DEPTH = 5
SAME = 0.6  # of the shorter one: so much two passages share that are one
HEAD = 14  # words by which a passage is found in its transcript
MIN_WORDS = 4  # that are left of a passage without a name
MAX_LABEL = 6  # words of a speaker's name before a passage

Words = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Question:
    """One question and the grades of passages, by episode."""

    id: str
    half: str
    text: str
    grades: dict[str, list[tuple[Words, int]]]

    @property
    def ideal(self) -> list[int]:
        """The best grades there are."""
        return sorted((grade for graded in self.grades.values() for _, grade in graded), reverse=True)[:DEPTH]

    @property
    def answerable(self) -> bool:
        """Whether any passage that was graded helps."""
        return bool(self.ideal) and self.ideal[0] >= USEFUL


def read() -> list[Question]:
    """The questions with their grades."""
    grades: dict[str, dict[str, list[tuple[Words, int]]]] = defaultdict(lambda: defaultdict(list))
    for line in (FOLDER / "managers.qrels").read_text().splitlines():
        question, _, place, grade = line.split()
        episode, _, span = place.rpartition(":")
        first, last = map(int, span.split("-"))
        grades[question][episode].append(((first, last), int(grade)))
    asked = map(json.loads, (FOLDER / "managers.jsonl").read_text("utf-8").splitlines())
    return [Question(one["id"], one["half"], one["question"], grades[one["id"]]) for one in asked]


class Grader:
    """Looks up the grades of passages of one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._words = cache(self._read)

    def holds(self, questions: Sequence[Question]) -> bool:
        """Whether the graded episodes are in the library."""
        try:
            return all(self._library.find(episode) for one in questions for episode in one.grades)
        except NotFoundError:
            return False

    def _read(self, episode: str) -> list[str]:
        return tokens(text_body(self._library.read(self._library.find(episode).name).turns))

    def text(self, episode: str, place: Words) -> str:
        """The words of a place, small and without punctuation."""
        return " ".join(self._words(episode)[place[0] : place[1] + 1])

    def place(self, passage: Passage) -> Words | None:
        """First and last word of a passage in its transcript; it may begin with a speaker's name."""
        whole, said = self._words(passage.episode[0]), tokens(passage.text)
        for label in range(max(1, min(MAX_LABEL, len(said) - MIN_WORDS))):
            words = said[label:]
            head = words[:HEAD]
            for first in range(len(whole) - len(head) + 1):
                if whole[first] == head[0] and whole[first : first + len(head)] == head:
                    return first, first + len(words) - 1
        return None

    def grade(self, question: Question, passage: Passage) -> int | None:
        """The grade of the passage that shares most with this one; None where none shares enough."""
        graded = next((question.grades[name] for name in passage.episode if name in question.grades), [])
        place = self.place(passage) if graded else None
        if place is None:
            return None
        shared = [(_share(place, other), grade) for other, grade in graded]
        best = max(shared, default=(0.0, None))
        return best[1] if best[0] > SAME else None


def _share(one: Words, other: Words) -> float:
    common = min(one[1], other[1]) - max(one[0], other[0]) + 1
    return common / min(one[1] - one[0] + 1, other[1] - other[0] + 1)


def _gain(grades: Sequence[int]) -> float:
    """DCG with exponential gain (Burges et al. 2005)."""
    return sum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def figures(
    questions: Sequence[Question], grader: Grader, ask: Callable[[str], tuple[Sequence[Passage], bool]]
) -> dict[str, float]:
    """nDCG@5, the share of answerable questions with a useful passage first and among three, and how well silence is told.

    `ask` gives the passages and whether they are called weak. `ungraded` is the share of passages nobody graded: they
    count as 0.
    """
    found = [(one, *ask(one.text)) for one in questions]
    grades = {one.id: [grader.grade(one, passage) for passage in passages[:DEPTH]] for one, passages, _ in found}
    known = {name: [grade or 0 for grade in own] for name, own in grades.items()}
    answerable = [one for one in questions if one.answerable]
    best = [max((passage.score for passage in passages), default=-1.0) for _, passages, _ in found]
    return {
        "questions": len(answerable),
        "nDCG@5": fmean(_gain(known[one.id]) / _gain(one.ideal) for one in answerable),
        "first": fmean(bool(known[one.id]) and known[one.id][0] >= USEFUL for one in answerable),
        "three": fmean(any(grade >= USEFUL for grade in known[one.id][:3]) for one in answerable),
        "AUC": float(roc_auc_score([one.answerable for one in questions], best)) if len(set(best)) > 1 else math.nan,
        "weak where nothing answers": fmean(weak for one, _, weak in found if not one.answerable),
        "weak where something does": fmean(weak for one, _, weak in found if one.answerable),
        "ungraded": fmean(grade is None for own in grades.values() for grade in own),
    }
