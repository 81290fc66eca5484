import math

from index.scoring import TermFrequencies, document_frequencies

PASSAGES = ["sell car", "sell hous", "buy hous hous", "rain"]
KNOWN = TermFrequencies(4, 8, document_frequencies(PASSAGES))


def test_frequencies_count_passages_not_occurrences():
    assert {"sell": 2, "hous": 2, "car": 1, "buy": 1, "rain": 1} == KNOWN.containing


def test_rare_terms_weigh_more_and_unknown_terms_most():
    assert KNOWN.idf("rain") > KNOWN.idf("sell") > 0
    assert math.log(5) == KNOWN.idf("never")


def test_the_mean_length_of_nothing_is_zero():
    assert (2.0, 0.0) == (KNOWN.mean_length, TermFrequencies(0, 0, {}).mean_length)
