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


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """A small embedding model where `soundbite model pull` puts models."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = Settings(home=tmp_path).models_dir / "all-mpnet-base-v2"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"small")
    (folder / "1_Pooling" / "config.json").write_text('{"word_embedding_dimension": 7}')
    return folder


@pytest.mark.parametrize("name", ["all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"])
def test_a_model_that_was_fetched_is_used_by_its_name(tmp_path, fetched, name):
    found = open_embedder(Settings(home=tmp_path, embedding_model=name))
    assert (fetched, 7) == (found.directory, found.dimension)
    assert found.name == open_embedder(Settings(home=tmp_path, embedding_model=str(fetched))).name
    assert found.name.startswith("all-mpnet-base-v2@")
    pair = open_embedder(Settings(home=tmp_path, query_model=name))
    assert (fetched, "all-MiniLM-L6-v2") == (pair.questions.directory, pair.passages.model)


def test_any_folder_beside_it_is_a_model_by_its_name(tmp_path, fetched):
    own = fetched.rename(fetched.parent / "mine")
    assert own == open_embedder(Settings(home=tmp_path, embedding_model="mine")).directory
    theirs = fetched.parent / "some" / "model"
    theirs.parent.mkdir()
    own.rename(theirs)
    assert theirs == open_embedder(Settings(home=tmp_path, embedding_model="some/model")).directory


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize(
    "name", ["all-MiniLM-L6-v2", "somebody/all-mpnet-base-v2", "all-mpnet-base", "sentence-transformers"]
)
def test_a_model_of_another_name_is_not_taken_for_it(tmp_path, name):
    assert name == open_embedder(Settings(home=tmp_path, embedding_model=name)).model
