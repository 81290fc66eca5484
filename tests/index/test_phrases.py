import numpy as np
import pytest

from index.passages import rank_passages
from index.phrases import contains_phrases
from index.query import Query
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords
from tests.index.test_passages import Part, Said, arrays, asked, facts
from tests.index.test_search import fill

PARTS = [
    Part((Said("product market fit", 100), Said("fit of the product", 100), Said("market", 100))),
    Part((Said("market product", 100), Said("market", 100), Said("fit", 10)), episode=1),
]


def having(*phrases):
    """Which passages have these phrases; a row is written with `_of` for the stop word."""
    rows = [[tuple(row.split()) for row in rows] for rows in phrases]
    return contains_phrases(arrays(*PARTS), list(map(facts, PARTS)), rows)


@pytest.mark.parametrize(
    "phrases",
    [
        (("product market fit",),), (("fit _of _the product",),), (("fit product",),), (("product market",), ("market fit",)),
        (("zebra", "market fit"),), (("zebra",),), (("market fit fit _of",),), (("fit",), ("product",)), (("_of _the",),),
        (("product market",),), (("a b c d e f g h i j",),),
    ],
)  # fmt: skip
def test_a_passage_has_a_phrase_where_its_own_sentences_have_the_words_in_a_row(phrases):
    given = arrays(*PARTS)
    said = [sentence.text.replace("of the", "_of _the") for part in PARTS for sentence in part.said]
    passages = [f" {' '.join(said[a:b])} " for a, b in zip(given.begin, given.end, strict=True)]
    expected = [all(any(f" {row} " in text for row in rows) for rows in phrases) for text in passages]
    assert expected == having(*phrases).tolist()


def test_only_passages_with_the_phrase_are_ranked():
    best = rank_passages(arrays(*PARTS), asked("market fit", allowed=having(("market fit",))), 5)
    assert {0, 1} == {one.chunk for one in best}
    assert not rank_passages(arrays(*PARTS), asked("market", allowed=having(("fit market fit",))), 5)
    assert np.isfinite([one.score for one in best]).all()


SAID = {
    "Otters": "We rest at noon. Otters enjoy it. Our one-on-one match. Beavers build, they had 5k. Moles dig.",
    "Money": "They spent ten years and $10M on it. The team and the company agree.",
    "Again": "They spent 10 million in a year. The team company is no word.",
}


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    made = [Transcript(Episode("talks", title, title), (Turn(said, "Ann"),)) for title, said in SAID.items()]
    return fill(tmp_path_factory.mktemp("phrases"), BagOfWords(), *made)


@pytest.mark.parametrize("mode", ["text", "hybrid"])
@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("at noon. Otters enjoy", {"Otters"}), ("one-on-one match. Beavers build", {"Otters"}), ("5k. Moles", {"Otters"}),
        ("$10M", {"Money", "Again"}), ("10 million", {"Money", "Again"}), ("team company", {"Again"}),
        ("team and the company", {"Money"}), ("no company", set()),
    ],
)  # fmt: skip
def test_a_search_finds_what_is_said_in_a_row(talks, phrase, expected, mode):
    assert expected == {hit.title for hit in talks.search(Query(f'"{phrase}"', mode=mode)).hits}


def test_a_phrase_of_small_words_alone_leaves_out_what_does_not_have_it(talks):
    assert {"Again"} == {hit.title for hit in talks.search(Query('"is no" word', mode="text")).hits}
    assert {"Again"} == {hit.title for hit in talks.search(Query('"is no"')).hits}
    assert not talks.search(Query('"is no"', mode="text")).hits
