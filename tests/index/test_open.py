import pytest

from index.build import update
from index.open import open_embedder, open_searcher
from index.query import Coverage, Query
from index.store.lance import Store
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from ingest.settings import Settings
from tests.fakes import BagOfWords

WAITING = Episode("selling", "g2", "Waits")


@pytest.fixture
def settings(tmp_path):
    settings = Settings(home=tmp_path)
    library = Library(settings.library_dir)
    library.write(Transcript(Episode("selling", "g1", "On prices"), (Turn("Prices rise."),)))
    update(library, Store(settings.index_dir), BagOfWords())
    return settings


def coverage(searcher):
    return searcher.search(Query("prices", mode="text")).coverage


def test_an_answer_counts_what_the_ledger_says_is_pending(settings):
    searcher = open_searcher(settings)
    assert Coverage(1, 1, 0, 0) == coverage(searcher)
    assert not settings.ledger_place.exists()  # a question makes no ledger
    Ledger(settings.ledger_place).upsert_episodes([WAITING])
    assert Coverage(1, 1, 1, 0) == coverage(searcher)


def test_counts_may_come_from_elsewhere(settings):
    assert Coverage(1, 1, 7, 2) == coverage(open_searcher(settings, lambda _: (7, 2)))


def test_no_reranker_unless_a_model_is_set(tmp_path):
    assert open_searcher(Settings(home=tmp_path)).reranker is None
    assert "some/model" == open_searcher(Settings(home=tmp_path, rerank_model="some/model")).reranker.model


def test_the_embedder_is_that_of_the_settings(tmp_path):
    settings = Settings(home=tmp_path, embedding_model="some/model", query_prefix="ask: ", passage_prefix="told: ")
    embedder = open_embedder(settings)
    assert ("some/model", ("ask: ", "told: ")) == (embedder.model, embedder.prefixes)
    assert embedder.cache.is_relative_to(settings.index_dir)


@pytest.mark.parametrize("model", ["", "a/small"])
def test_passages_are_embedded_with_8_bits_where_that_is_set(tmp_path, model):
    for eight_bits in (False, True):
        embedder = open_embedder(Settings(home=tmp_path, query_model=model, passage_int8=eight_bits))
        assert eight_bits == (embedder.passages if model else embedder).eight_bits


def test_a_model_for_questions_is_paired_with_that_of_the_passages(tmp_path):
    settings = Settings(
        home=tmp_path, embedding_model="a/large", query_model="a/small", query_prefix="ask: ", passage_prefix="told: "
    )
    pair = open_embedder(settings)
    assert ("a/large", ("", "told: ")) == (pair.passages.model, pair.passages.prefixes)
    assert ("a/small", ("ask: ", "")) == (pair.questions.model, pair.questions.prefixes)
