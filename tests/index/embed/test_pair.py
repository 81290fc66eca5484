from dataclasses import astuple

import numpy as np
import pytest

from index.build import update
from index.calibration import PAIRS, cosine_scale
from index.embed.pair import MIN_ANSWERED, EmbedderPair
from index.embed.sentence_transformers import SentenceEmbedder
from index.query import Query
from index.search import Searcher
from index.store.lance import Store
from ingest.errors import IndexingError, IndexMismatchError
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords

NUMBERS = {text: n for n, pair in enumerate(PAIRS) for text in pair}


class Space(BagOfWords):
    """Knows which passage answers which question of `PAIRS`; the axes of other words are turned by `turned`."""

    def __init__(self, name, turned=0, known=16):
        super().__init__(name)
        self.turned = turned
        self.known = known
        self.asked = []

    def embed_query(self, text):
        self.asked.append(text)
        number = NUMBERS.get(text, len(PAIRS))
        if number < self.known:
            vector = np.full(self.dimension, 0.01, np.float32)
            vector[number] = 1
            return vector / np.linalg.norm(vector)
        return np.roll(super().embed_query(text), self.turned)


def test_passages_come_from_one_model_and_questions_from_the_other(tmp_path):
    large, small = Space("large@1"), Space("small@1", turned=1)
    pair = EmbedderPair(large, small, tmp_path)
    assert ("large@1", 256) == (pair.name, pair.dimension)
    assert np.array_equal(large.embed_passages(["a b"]), pair.embed_passages(["a b"]))
    assert np.array_equal(small.embed_query("a b"), pair.embed_query("a b"))
    assert 2 == pair.count("a b")


def test_the_scale_is_of_the_two_together_and_measured_once(tmp_path):
    large, small = Space("large@1"), Space("small@1")
    questions, passages = (np.stack([small.embed_query(text) for text in texts]) for texts in zip(*PAIRS, strict=True))
    expected = cosine_scale(questions, passages)
    assert expected == EmbedderPair(large, small, tmp_path).cosine_scale
    again = Space("large@1"), Space("small@1")
    assert expected == EmbedderPair(*again, tmp_path).cosine_scale
    assert ([], []) == (again[0].embedded, again[1].asked)
    other = Space("large@1"), Space("small@2")
    _ = EmbedderPair(*other, tmp_path).cosine_scale
    assert other[1].asked


@pytest.mark.parametrize("known", [0, 4, int(MIN_ANSWERED * len(PAIRS)) - 1])
def test_models_that_are_not_made_for_each_other_are_one_clear_line(tmp_path, known):
    for _ in range(2):  # measured, then read
        pair = EmbedderPair(Space("large@1"), Space("small@1", turned=7, known=known), tmp_path)
        with pytest.raises(IndexingError, match=r"small@1.*large@1.*made for that one"):
            pair.embed_query("anything")


def test_vectors_of_other_lengths_are_one_clear_line(tmp_path):
    small = Space("small@1")
    small.dimension = 128
    with pytest.raises(IndexingError, match="128 numbers, large@1 256"):
        EmbedderPair(Space("large@1"), small, tmp_path).embed_query("anything")


def test_an_index_is_marked_with_the_model_of_its_passages(tmp_path):
    library, store = Library(tmp_path / "library"), Store(tmp_path / "index")
    library.write(Transcript(Episode("talk", "g1", "One"), (Turn("Prices rise in spring."),)))
    large = Space("large@1")
    update(library, store, large)
    for small in (Space("small@1"), Space("small@2")):
        pair = EmbedderPair(large, small, tmp_path / "exports")
        assert Searcher(store, pair).search(Query("prices")).hits
        assert 1 == update(library, store, pair).unchanged
    with pytest.raises(IndexMismatchError):
        Searcher(store, EmbedderPair(Space("large@2"), Space("small@1"), tmp_path)).search(Query("prices"))


@pytest.mark.slow
def test_a_model_is_made_for_itself(encoder, tmp_path):
    one, other = (SentenceEmbedder("all-MiniLM-L6-v2", encoder) for _ in range(2))
    measured = EmbedderPair(one, other, tmp_path).cosine_scale
    assert astuple(one.cosine_scale) == pytest.approx(astuple(measured), abs=1e-6)
