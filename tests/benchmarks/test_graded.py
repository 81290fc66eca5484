"""The graded questions, and the figures that are made of them."""

import math

import pytest

from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.benchmarks import graded
from tests.benchmarks.evaluation import Passage

WORDS = "Ask for the next meeting before you hang up. " * 3 + "Never give a discount for free, ever, to anybody at all."


@pytest.fixture
def grader(tmp_path):
    library = Library(tmp_path)
    library.write(Transcript(Episode("p", "g1", "One"), (Turn(WORDS, "Ann"),)))
    return graded.Grader(library)


def question(*grades):
    return graded.Question(str(grades), "tune", "?", {"g1": list(grades)})


def passage(text, score=1.0):
    return Passage(("g1", "One"), text, score)


def test_the_questions_are_as_many_as_said_in_two_equal_halves():
    questions = graded.read()

    assert (136, 68) == (len(questions), sum(one.half == "test" for one in questions))
    assert 3460 == sum(len(graded_) for one in questions for graded_ in one.grades.values())
    assert 104 == sum(one.answerable for one in questions)


def test_a_passage_is_found_in_its_transcript_with_and_without_the_speakers_name(grader):
    assert (28, 38) == grader.place(passage("Never give a discount for free, ever, to anybody at all."))
    assert (28, 38) == grader.place(passage("Ann: Never give a discount for free, ever, to anybody at all."))
    assert grader.place(passage("Nobody said that.")) is None


def test_a_passage_has_the_grade_of_what_it_shares_most_with(grader):
    asked = question(((0, 20), 1), ((26, 38), 3))

    assert 3 == grader.grade(asked, passage("Never give a discount for free, ever, to anybody at all."))
    assert grader.grade(asked, Passage(("g2",), "Never give a discount")) is None


def test_the_figures_are_those_of_their_definitions(grader):
    good, silent = question(((26, 38), 3), ((0, 20), 2)), question(((0, 20), 0))
    told = graded.figures(
        [good, silent], grader,
        lambda _: ([passage("Ask for the next meeting before you hang up."), passage("Never give a discount for free, ever, to anybody at all.")], True),
    )  # fmt: skip

    ideal = 7 + 3 / math.log2(3)
    assert (3 + 7 / math.log2(3)) / ideal == pytest.approx(told["nDCG@5"])
    assert (1, 1.0, 1.0, 1.0, 0.25) == (
        told["questions"], told["first"], told["three"], told["weak where nothing answers"], told["ungraded"]
    )  # fmt: skip
