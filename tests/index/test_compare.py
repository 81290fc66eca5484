"""Another embedding model without an outage: searches follow the index, and both indexes are compared before the swap."""

import threading

import pytest

from index.build import update
from index.compare import compare
from index.query import Query
from index.search import Searcher
from index.store.lance import Store
from ingest.errors import IndexingError, IndexMismatchError
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords

OLD, NEW = BagOfWords("old"), BagOfWords("new")
MODELS = {"old": OLD, "new": NEW}.get
SAID = {"a": "Prices rise in spring.", "b": "Dogs bark at night.", "c": "Sellers call before noon."}


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "library")
    for guid, text in SAID.items():
        library.write(Transcript(Episode("selling", guid, f"Episode {guid}"), (Turn(text, "Ann"),)))
    return library


@pytest.fixture
def store(library, tmp_path):
    store = Store(tmp_path / "index")
    update(library, store, OLD)
    return store


def first(searcher, text="when do prices rise"):
    return searcher.search(Query(text, limit=1)).hits[0].answer.text


@pytest.mark.parametrize("given", [OLD, NEW])
def test_a_searcher_uses_the_model_of_the_index_before_and_after_a_swap(library, store, given):
    searcher = Searcher(Store(store.root), given, other=MODELS)
    assert ("Prices rise in spring.", "old") == (first(searcher), searcher.embedder.name)

    update(library, store, NEW, rebuild=True)

    assert ("Prices rise in spring.", "new") == (first(searcher), searcher.embedder.name)


@pytest.mark.parametrize("other", [lambda _: None, {"third": OLD}.get])
def test_an_index_of_a_model_that_is_not_here_is_refused(store, other):
    with pytest.raises(IndexMismatchError):
        first(Searcher(store, NEW, other=other))


def test_searches_never_fail_and_never_mix_models_while_models_are_swapped(library, store):
    found, over = [], threading.Event()
    searcher = Searcher(Store(store.root), OLD, other=MODELS)

    def ask():
        while not over.is_set():
            try:
                found.append(first(searcher))
            except BaseException as error:
                found.append(repr(error))
                raise

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for model in (NEW, OLD, NEW):
            update(library, store, model, rebuild=True)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert {"Prices rise in spring."} == set(found)


def test_both_indexes_are_asked_before_the_swap(library, store):
    told = []

    def approve(beside):
        questions = ["when do prices rise", "who barks", "what is the weather on Mars"]
        told.extend(compare(questions, Searcher(store, NEW, other=MODELS), Searcher(beside, NEW)))
        assert "old" == store.model[0]

    update(library, store, NEW, rebuild=True, approve=approve)

    assert [True, True] == [one.same_first for one in told[:2]]
    assert [SAID["a"], SAID["b"]] == [one.after.answer.text for one in told[:2]]
    assert ["when do prices rise", 3] == [told[0].question, told[0].shared]
    assert "new" == store.model[0]


@pytest.mark.parametrize("error", [IndexingError("index", "the old one stays"), KeyboardInterrupt(), ValueError()])
def test_where_the_swap_is_refused_the_old_index_stays_and_nothing_of_the_new_one(library, store, error):
    def approve(_):
        raise error

    with pytest.raises(type(error)):
        update(library, store, NEW, rebuild=True, approve=approve)

    assert ("old", ["index-1"]) == (store.model[0], [path.name for path in store.root.glob("index-*")])
    assert "Prices rise in spring." == first(Searcher(store, OLD))
