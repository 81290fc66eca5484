import numpy as np
import pytest

from index.passages import rank_passages
from index.phrases import contains_phrases
from index.text.terms import hash_term
from tests.index.test_passages import Part, Said, arrays, asked

PARTS = [
    Part((Said("product market fit", 100), Said("fit product", 100), Said("market", 100))),
    Part((Said("market product", 100), Said("market", 100), Said("fit", 10)), episode=1),
]


def hashed(*phrases):
    return [[[hash_term(term) for term in row.split()] for row in rows] for rows in phrases]


@pytest.mark.parametrize(
    "phrases",
    [
        (("product market fit",),), (("fit product",),), (("product market",), ("market fit",)), (("zebra", "market fit"),),
        (("zebra",),), (("market product market fit",),), (("fit",), ("product",)), (("a b c d e f g h i j",),),
    ],
)  # fmt: skip
def test_a_passage_has_a_phrase_where_its_own_sentences_have_the_words_in_a_row(phrases):
    given = arrays(*PARTS)
    said = [sentence.text for part in PARTS for sentence in part.said]
    passages = [f" {' '.join(said[a:b])} " for a, b in zip(given.begin, given.end, strict=True)]
    expected = [all(any(f" {row} " in text for row in rows) for rows in phrases) for text in passages]
    assert expected == contains_phrases(given, hashed(*phrases)).tolist()


def test_only_passages_with_the_phrase_are_ranked():
    phrase = hashed(("market fit",))
    best = rank_passages(arrays(*PARTS), asked("market fit", phrases=phrase), 5)
    assert {0, 1} == {one.chunk for one in best}
    assert not rank_passages(arrays(*PARTS), asked("market", phrases=hashed(("fit market fit",))), 5)
    assert np.isfinite([one.score for one in best]).all()
