from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from index.query import Query
from index.scoring import TermFrequencies
from index.store import maintenance
from index.store.candidates import nearest
from index.store.generations import run
from index.store.lance import Store
from index.store.schema import restriction, schemas

ROWS, DIMENSION = 3000, 32
NOW = timedelta(milliseconds=1)


def rows(count, schema, seed=3):
    """Chunks of one sentence; every tenth is of the podcast "rare", and each has a term of its own."""
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    listed = [
        {
            "id": f"{seed}-{n}", "key": f"episode{n // 20}", "podcast": "often" if n % 10 else "rare", "published": None,
            "speaker_names": [], "indexed_text": f"word{n} said", "vector": vectors[n], "record": b"",
        }
        for n in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(listed, schema=schema), vectors


@pytest.fixture(scope="module")
def made():
    return rows(ROWS, schemas("fake", DIMENSION)["chunks"])


@pytest.fixture
def small(monkeypatch):
    """Few chunks are enough for a vector index."""
    monkeypatch.setattr(maintenance, "MIN_INDEXED", 0)


def filled(root, table):
    store = Store(root)
    store.create("fake", DIMENSION)
    run(store.storage, store._tables().chunks.add(table))
    store.maintain(keep=NOW)
    return store


def indexes(store):
    return run(store.storage, maintenance.index_names(store._tables().chunks))


def ids(store, vector, terms=(), where="", depth=10):
    known = TermFrequencies(ROWS, ROWS * 2, dict.fromkeys(terms, 1))
    chunks = store._tables().chunks
    found = run(store.storage, nearest(chunks, where, vector, terms, depth, known))
    return {row["id"] for row in run(store.storage, chunks.take_row_ids(found).select(["id"]).to_list())}


def exact(vectors, vector, among=None, depth=10):
    among = np.arange(len(vectors)) if among is None else among
    return {f"3-{n}" for n in among[np.argsort(-(vectors[among] @ vector))[:depth]]}


@pytest.mark.usefixtures("small")
def test_many_chunks_get_a_vector_index_that_loses_little(tmp_path, made):
    table, vectors = made
    store = filled(tmp_path, table)
    assert {maintenance.VECTOR_INDEX, maintenance.TEXT_INDEX, "key_idx", "published_idx", "podcast_idx"} == indexes(
        store
    )
    questions = vectors[::300] + 0.05
    found = [len(ids(store, one, depth=20) & exact(vectors, one)) for one in questions]  # as many as a search wants
    assert sum(found) >= 0.8 * 10 * len(questions)
    assert {"3-77"} == ids(store, None, ["word77"])
    before = indexes(store)
    store.maintain(force=True, keep=NOW)
    assert before == indexes(store)


def test_few_chunks_are_all_compared(tmp_path, made):
    table, vectors = made
    store = filled(tmp_path, table.slice(0, 2900))
    run(store.storage, store._tables().chunks.add(table.slice(2900)))
    assert {maintenance.TEXT_INDEX, maintenance.VECTOR_INDEX} == indexes(store)
    where, rare = restriction(Query("x", podcast="rare")), np.arange(0, ROWS, 10)
    for one in vectors[::250] + 0.05:
        assert exact(vectors, one) == ids(store, one)
        assert exact(vectors, one, rare) == ids(store, one, where=where)


def test_the_vector_index_changes_its_kind_as_chunks_become_many(tmp_path, made, monkeypatch):
    store = filled(tmp_path, made[0])
    for limit, kind in ((ROWS, "IvfFlat"), (ROWS - 1, "IvfRq"), (ROWS, "IvfFlat")):
        monkeypatch.setattr(maintenance, "MIN_INDEXED", limit)
        store.maintain()
        assert kind == vector_index(store).index_type


@pytest.mark.parametrize("limit", [0, ROWS])
def test_the_parts_of_the_vector_index_are_joined_before_they_are_many(tmp_path, made, monkeypatch, limit):
    monkeypatch.setattr(maintenance, "MIN_INDEXED", limit)
    monkeypatch.setattr(maintenance, "MAX_SEGMENTS", 3)
    store = filled(tmp_path, made[0].slice(0, 1000))
    parts = []
    for n in range(6):
        run(store.storage, store._tables().chunks.add(made[0].slice(1000 + 100 * n, 100)))
        store.maintain(force=True)
        parts.append(vector_index(store).num_segments)
    assert 3 == max(parts)
    assert {"3-1550"} == ids(store, made[1][1550], depth=1)


def vector_index(store):
    found = run(store.storage, store._tables().chunks.list_indices())
    return next(index for index in found if index.name == maintenance.VECTOR_INDEX)


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.usefixtures("small")
def test_a_vector_index_can_be_made_of_however_few_chunks(tmp_path, made, count):
    store = filled(tmp_path, made[0].slice(0, count))
    assert {f"3-{n}" for n in range(min(10, count))} >= ids(store, made[1][0], depth=1)


@pytest.mark.usefixtures("small")
def test_what_a_filter_leaves_is_all_compared(tmp_path, made):
    table, vectors = made
    store = filled(tmp_path, table)
    where, rare = restriction(Query("x", podcast="rare")), np.arange(0, ROWS, 10)
    assert len(rare) <= maintenance.MAX_EXHAUSTIVE
    for one in vectors[::500] + 0.05:
        assert exact(vectors, one, rare) == ids(store, one, where=where)


@pytest.mark.usefixtures("small")
def test_maintenance_brings_what_came_later_into_the_indexes(tmp_path, made):
    table, _ = made
    store = filled(tmp_path, table.slice(0, 1000))
    for n in range(25):
        run(store.storage, store._tables().chunks.add(table.slice(1000 + 10 * n, 10)))
    assert 250 == store.counts()["unindexed"]
    store.maintain(keep=NOW)
    assert 0 == store.counts()["unindexed"]
    assert 0 == run(store.storage, vectors_unindexed(store))
    assert 1250 == store.counts()["chunks"]
    assert {"3-1200"} == ids(store, made[1][1200], depth=1)


async def vectors_unindexed(store):
    return (await store._tables().chunks.index_stats(maintenance.VECTOR_INDEX)).num_unindexed_rows


def test_maintenance_leaves_alone_what_costs_little(tmp_path, made):
    store = filled(tmp_path, made[0].slice(0, 1000))
    run(store.storage, store._tables().chunks.add(made[0].slice(1000, 10)))
    store.maintain()
    assert 10 == store.counts()["unindexed"]
    store.maintain(force=True)
    assert 0 == store.counts()["unindexed"]


@pytest.mark.usefixtures("small")
def test_an_index_without_chunks_can_be_maintained(tmp_path):
    store = Store(tmp_path)
    store.create("fake", DIMENSION)
    store.maintain(force=True)
    assert maintenance.VECTOR_INDEX not in indexes(store)


def test_terms_that_most_chunks_contain_are_left_out_unless_there_are_no_others():
    containing = {"day": 11, "frog": 10, "rain": 1}
    assert ["frog", "rain", "unheard"] == maintenance.distinctive(["day", "frog", "rain", "unheard"], containing, 100)
    assert ["day", "day"] == maintenance.distinctive(["day", "day"], containing, 100)
    assert [] == maintenance.distinctive([], containing, 100)


def test_common_terms_are_left_out_only_where_there_are_many_chunks(tmp_path, made):
    store = filled(tmp_path, made[0].slice(0, 100))
    chunks = store._tables().chunks

    def asked(passages):
        known = TermFrequencies(passages, passages * 2, {"said": passages, "word7": 1})
        return len(run(store.storage, nearest(chunks, "", None, ["word7", "said"], 200, known)))

    assert (100, 1) == (asked(100), asked(maintenance.MIN_INDEXED + 1))


@pytest.mark.parametrize(
    ("rows", "filtered", "expected"),
    [(0, False, 1), (1, True, 1), (20_000, False, 141), (50_000, True, 160), (1_000_000, False, 200), (1_000_000, True, 333)],
)  # fmt: skip
def test_all_of_few_partitions_are_searched_and_fewer_of_many(rows, filtered, expected):
    assert expected == maintenance.probes(rows, filtered)
