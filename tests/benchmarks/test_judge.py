import math
from dataclasses import replace

import pytest

from index.query import Answer, Coverage, Hit, Scores
from tests.benchmarks import judge
from tests.benchmarks.questions import Judged, Place

HIT = Hit(
    rank=1, score=0.5, scores=Scores(0.5, None), podcast="quota", episode_id="guid/1", key="0123456789abcdef",
    title="On prices", published=None, speaker="Ann", start=10.0, end=20.0, text="Ann: Don't give it away, ask  twice.",
    snippet="", snippet_start=None, snippet_end=None, highlights=(), link="", audio_url="", play_url="",
    approximate=False, advert=False,
)  # fmt: skip
TWICE = (Place("guid/1", "ask twice"),)
ELSEWHERE = replace(HIT, episode_id="guid/2", key="f" * 16, title="On hiring", text="Ask twice.")
SAME_EPISODE = replace(HIT, text="Something else.")


def answer(*hits, weak=False, took_ms=5.0):
    return Answer("q", "hybrid", took_ms, hits, Coverage(1, 0, 0), weak)


def asked(*places, kind="named"):
    return Judged("1", "how?", kind, places)


def ranks(*hits, places=TWICE):
    found = judge.outcome(asked(*places), answer(*hits))
    return found.passage, found.episode


def test_a_passage_is_right_in_the_right_episode_with_the_words_whole():
    assert ranks(ELSEWHERE, SAME_EPISODE, HIT) == (3, 2)
    assert ranks(ELSEWHERE) == (0, 0)
    assert ranks() == (0, 0)


@pytest.mark.parametrize(
    ("span", "held"),
    [("DONT give - it", True), ("don’t give it away; ask", True), ("on't give", False), ("ask twi", False)],  # noqa: RUF001
)
def test_letter_case_punctuation_and_apostrophes_do_not_count_but_whole_words_do(span, held):
    assert held is judge.holds(Place("guid/1", span), HIT)


@pytest.mark.parametrize("name", ["guid/1", "0123456789abcdef", "01234567", "On prices"])
def test_an_episode_is_named_by_its_id_its_key_or_its_title(name):
    assert ranks(HIT, places=(Place(name, "ask twice"),)) == (1, 1)


@pytest.mark.parametrize(
    ("seconds", "held"), [((12.0, 18.0), True), ((9.1, 20.9), True), ((8.5, 12.0), False), ((15.0, 21.5), False)]
)
def test_a_place_told_in_seconds_is_covered_but_for_a_second(seconds, held):
    place = Place("guid/1", seconds=seconds)

    assert held is judge.holds(place, HIT)
    assert not judge.holds(place, replace(HIT, start=None, end=None))


def test_places_that_answer_as_well_are_as_good_as_the_first():
    assert ranks(ELSEWHERE, HIT, places=(Place("guid/1", "ask twice"), Place("guid/2", "ask twice"))) == (1, 1)


def test_figures_are_means_over_the_questions():
    told = judge.figures([1, 2, 10, 0])

    assert {"hit@1": 1 / 4, "hit@5": 2 / 4, "hit@10": 3 / 4} == {
        name: told[name] for name in ("hit@1", "hit@5", "hit@10")
    }
    assert pytest.approx((1 + 1 / 2 + 1 / 10) / 4) == told["MRR@10"]
    assert pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(11)) / 4) == told["nDCG@10"]
    assert dict.fromkeys(judge.FIGURES) == judge.figures([])


def test_auc_counts_ties_half():
    assert judge.auc([2.0, 1.0], [1.0, 0.0]) == (2 + 0.5 + 1) / 4
    assert judge.auc([1.0], []) is None


def test_abstention_is_scored_on_what_has_no_answer():
    outcomes = [
        judge.outcome(asked(*TWICE), answer(HIT)),
        judge.outcome(asked(*TWICE), answer(replace(HIT, score=0.1), weak=True)),
        judge.outcome(asked(), answer(replace(HIT, score=0.3), weak=True)),
        judge.outcome(asked(), answer(weak=True)),
        judge.outcome(asked(), answer(replace(HIT, score=0.6))),
    ]

    assert {"precision": 2 / 3, "recall": 2 / 3, "AUC": 3 / 6} == judge.abstention(outcomes)
    assert {"precision": None, "recall": None, "AUC": None} == judge.abstention(outcomes[:2])


def test_an_interval_holds_the_mean_is_the_same_each_time_and_narrows_with_more_questions():
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 1000

    low, high = judge.interval(few)

    assert (low, high) == judge.interval(few)
    assert pytest.approx((0.28, 0.72), abs=0.05) == (low, high)  # 0.5 give or take 1.96 x 0.5 / sqrt(20) = 0.22
    assert pytest.approx((0.478, 0.522), abs=0.004) == judge.interval(many)
    assert judge.interval([]) is None


def test_a_report_counts_by_type_and_names_every_figure():
    outcomes = [
        judge.outcome(asked(*TWICE, kind="named"), answer(HIT, took_ms=9.0)),
        judge.outcome(asked(*TWICE, kind="keyword"), answer(SAME_EPISODE, took_ms=1.0)),
        judge.outcome(asked(kind="unanswerable"), answer(took_ms=2.0)),
    ]

    told = judge.report(outcomes)
    figures = judge.by_name(told)

    assert (3, 2, ["all", "keyword", "named"]) == (told["questions"], told["answerable"], list(told["by_type"]))
    assert {"median": 2.0, "p95": 9.0} == told["ms"]
    assert told["passage_words"] == (7 + 2) / 2
    assert (0.5, 1.0, 0.0, 1.0) == tuple(
        figures[name] for name in ("hit@1", "episode.hit@1", "keyword.hit@10", "keyword.episode.MRR@10")
    )
    assert figures["abstention.recall"] == 0


def test_a_difference_is_paired():
    better = [judge.outcome(asked(*TWICE), answer(HIT))] * 20
    worse = [judge.outcome(one.judged, answer(ELSEWHERE, HIT)) for one in better]

    assert {"difference": 0.5, "interval": (0.5, 0.5)} == judge.difference(better, worse)["MRR@10"]
    assert {"difference": 0.0, "interval": (0.0, 0.0)} == judge.difference(better, worse)["hit@10"]
    assert {"difference": -0.5, "interval": (-0.5, -0.5)} == judge.difference(worse, better)["MRR@10"]
