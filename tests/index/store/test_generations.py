"""Which folder is in use, under swaps, threads and interruptions."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from index.build import update
from index.query import Query
from index.search import Searcher
from index.store import generations, lance
from index.store.candidates import retrieve
from index.store.generations import POINTER, run
from index.store.lance import Store
from ingest.errors import IndexingError, IndexMismatchError, IndexNotBuiltError
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from ingest.object_storage import ObjectStorage
from ingest.storage import FolderStorage
from tests.fakes import BagOfWords

THREADS = 40
MODEL = BagOfWords()
QUERY = Query("prices rise")


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "library")
    library.write(Transcript(Episode("selling", "a", "A"), (Turn("Prices rise.", "Ann"),)))
    return library


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path, library):
    bucket = request.param == "bucket" and ObjectStorage(request.getfixturevalue("s3").place())
    store = Store(tmp_path / "index", storage=bucket or None)
    update(library, store, MODEL)
    return store


def again(store):
    """The same index as another process has it."""
    storage = ObjectStorage(store.storage.url) if store.storage.remote else None
    return Store(store.root, storage=storage)


def folders(store):
    return [name for name in store.storage.folders() if name.startswith("index-")]


def best(searcher):
    return [hit.passage.text for hit in searcher.search(QUERY).hits][:1]


def ask_at_once(searcher):
    ready = Barrier(THREADS)

    def ask(_):
        ready.wait()
        return best(searcher)

    with ThreadPoolExecutor(THREADS) as pool:
        return [*pool.map(ask, range(THREADS))]


def test_many_threads_open_the_tables_once(store, monkeypatch):
    opened = []
    open_tables = generations.open_tables
    monkeypatch.setattr(generations, "open_tables", lambda *given: opened.append(given) or open_tables(*given))
    assert [["Ann: Prices rise."]] * THREADS == ask_at_once(Searcher(again(store), MODEL))
    assert 1 == len(opened)


def test_many_threads_ask_right_after_a_write(store, library):
    searcher = Searcher(again(store), MODEL)
    best(searcher)
    library.write(Transcript(Episode("selling", "a", "A"), (Turn("Prices rise in spring.", "Ann"),)))
    update(library, store, MODEL)
    assert [["Ann: Prices rise in spring."]] * THREADS == ask_at_once(searcher)


def test_many_threads_never_fail_while_rebuilds_are_swapped_in(store, library):
    searcher = Searcher(again(store), MODEL)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(4):
            asked = [pool.submit(best, searcher) for _ in range(THREADS)]
            update(library, again(store), MODEL, rebuild=True)
            assert {"Ann: Prices rise."} == {one.result()[0] for one in asked}


def test_a_swap_between_reading_the_name_and_opening_the_folder_is_followed(store, library, monkeypatch):
    open_tables, swaps = generations.open_tables, [1, 2]

    def swapped_meanwhile(*given):
        if swaps:
            swaps.pop()
            with monkeypatch.context() as patch:
                patch.setattr(generations, "open_tables", open_tables)
                update(library, again(store), MODEL, rebuild=True)
        return open_tables(*given)

    reader = again(store)
    monkeypatch.setattr(generations, "open_tables", swapped_meanwhile)
    assert ["Ann: Prices rise."] == best(Searcher(reader, MODEL))
    assert [] == swaps


def test_a_swap_while_a_query_runs_is_followed(store, library, monkeypatch):
    swaps = [1, 2]

    def swapped_meanwhile(tables, *given):
        if swaps:
            swaps.pop()
            update(library, again(store), MODEL, rebuild=True)
        return retrieve(tables, *given)

    monkeypatch.setattr(lance, "retrieve", swapped_meanwhile)
    assert ["Ann: Prices rise."] == best(Searcher(again(store), MODEL))
    assert [] == swaps


def test_a_rebuild_is_searched_only_once_published(store):
    reader, new = again(store), store.beside()
    new.create("other", MODEL.dimension)
    reader.require(MODEL.name, MODEL.dimension)
    assert 2 == len(folders(store))
    new.publish()
    reader.require("other", MODEL.dimension)
    assert [new.folder] == folders(store)


def test_a_rebuild_killed_before_it_is_published_leaves_the_old_index(store, library, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(generations, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            update(library, again(store), MODEL, rebuild=True)
    assert ["Ann: Prices rise."] == best(Searcher(again(store), MODEL))
    update(library, again(store), MODEL, rebuild=True)
    assert 1 == len(folders(store))


def test_a_rebuild_with_other_vectors_is_a_mismatch(store):
    searcher = Searcher(store, MODEL)
    found = store.candidates(QUERY, MODEL.embed_query("prices"), store.ask(QUERY.text), 5)
    assert found.arrays
    new = store.beside()
    new.create("other", 8)
    new.publish()
    for ask in (
        lambda: store.candidates(QUERY, MODEL.embed_query("prices"), store.ask(QUERY.text), 5),
        lambda: best(searcher),
    ):
        with pytest.raises(IndexMismatchError):
            ask()


def test_an_index_deleted_and_built_again_under_an_open_store_is_seen(store, library):
    searcher = Searcher(store, MODEL)
    best(searcher)
    for name in (POINTER, *folders(store)):
        store.storage.delete(name) if name == POINTER else store.storage.delete_folder(name)
    with pytest.raises(IndexNotBuiltError):
        best(searcher)
    library.write(Transcript(Episode("selling", "a", "A"), (Turn("Prices rise in spring.", "Ann"),)))
    searcher.embedder = BagOfWords("another")
    update(library, again(store), searcher.embedder)
    assert ["Ann: Prices rise in spring."] == best(searcher)


def unpublished(storage):
    storage.delete(POINTER)


def empty(storage):
    storage.put(POINTER, b"")


def missing(storage):
    storage.put(POINTER, b"index-7")


def outside(storage):
    storage.put(POINTER, b"../elsewhere")


def half_made(storage):
    storage.delete_folder("index-1/episodes.lance")


@pytest.mark.parametrize("damage", [unpublished, empty, missing, outside, half_made])
def test_a_damaged_or_half_made_index_is_made_anew(store, library, damage):
    damage(store.storage)
    assert 1 == update(library, again(store), MODEL).added
    assert ["Ann: Prices rise."] == best(Searcher(again(store), MODEL))
    assert [again(store).folder] == folders(store)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "index").write_text("a file")
    with pytest.raises(IndexingError, match="cannot be"):
        Store(tmp_path / "index").create(MODEL.name, MODEL.dimension)


# -- running asynchronous work


async def answer(error=None):
    await asyncio.sleep(0)
    if error:
        raise error
    return 42


def test_work_is_done_outside_an_event_loop_and_inside_one(tmp_path):
    async def inside():
        return run(FolderStorage(tmp_path), answer())

    assert [42, 42] == [run(FolderStorage(tmp_path), answer()), asyncio.run(inside())]


def test_an_error_of_the_store_is_one_line_that_says_what_to_do(tmp_path):
    with pytest.raises(IndexingError, match=r"cannot be used \(lance error\); `soundbite index --rebuild`") as caught:
        run(FolderStorage(tmp_path), answer(RuntimeError("lance error\nwith a trace")))
    assert "trace" not in str(caught.value)


def test_our_own_errors_stay_as_they_are(tmp_path):
    with pytest.raises(IndexNotBuiltError):
        run(FolderStorage(tmp_path), answer(IndexNotBuiltError("", "nothing is indexed yet")))
