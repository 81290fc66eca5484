import asyncio
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from index import scoring as rank
from index.chunk_arrays import small
from index.store import maintenance as upkeep
from index.store.candidates import nearest
from index.store.lance import Store
from index.store.loop import wait
from index.store.schema import Filters, schemas

ROWS, DIMENSION = 3000, 32
NOW = timedelta(milliseconds=1)


def rows(count, schema, seed=3):
    """Chunks of one sentence; every tenth is of the podcast "rare", and each holds a word of its own."""
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    figure = {"words": 2, "pieces": 2, "voice": 1.0, "advert": False, "stems": 2, "signature": 0, "speaker": 0}
    listed = [
        {
            "id": f"{seed}-{n}", "key": f"episode{n // 20}", "podcast": "often" if n % 10 else "rare", "first": 0,
            "text": f"word{n} said", "voices": ["ann"], "indexed_text": f"word{n} said", "figures": [figure],
            "stems": [n, 1], "lead": [], "windows": [0, 1], "window_vectors": small(vectors[n : n + 1])[0][0],
            "window_scales": [0.01], "window_norms": [1.0] * 8, "vector": vectors[n], "published": None,
        }
        for n in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(listed, schema=schema), vectors


@pytest.fixture(scope="module")
def made():
    return rows(ROWS, schemas("fake", DIMENSION)["chunks"])


def filled(root, kind, table):
    store = Store(root, kind=kind, memory=0)
    store.create("fake", DIMENSION)
    wait(store.root, store._table("chunks").add(table))
    store.maintain(keep=NOW)
    return store


def indexes(store):
    return wait(store.root, upkeep.names(store._table("chunks")))


def ids(store, vector, words=(), where="", depth=10):
    known = rank.Frequencies(ROWS, ROWS * 2, dict.fromkeys(words, 1))
    found = wait(store.root, nearest(store._table("chunks"), vector, words, where, depth, known))
    return set(found["id"].to_pylist())


def exact(vectors, vector, among=None, depth=10):
    among = np.arange(len(vectors)) if among is None else among
    return {f"3-{n}" for n in among[np.argsort(-(vectors[among] @ vector))[:depth]]}


@pytest.mark.parametrize("kind", ["ivf_sq", "ivf_rq"])
def test_an_index_asked_for_is_made_and_loses_little(tmp_path, made, kind):
    table, vectors = made
    store = filled(tmp_path, kind, table)
    assert {upkeep.VECTORS, upkeep.WORDS, "key_idx", "published_idx", "podcast_idx"} == indexes(store)
    questions = vectors[::300] + 0.05
    found = [len(ids(store, one, depth=20) & exact(vectors, one)) for one in questions]  # as many as a search asks for
    assert sum(found) >= 0.8 * 10 * len(questions)
    assert {"3-77"} == ids(store, None, ["word77"])
    before = indexes(store)
    store.maintain(force=True, keep=NOW)
    assert before == indexes(store)


@pytest.mark.parametrize("kind", ["auto", "exact"])
def test_few_chunks_are_all_looked_at(tmp_path, made, kind):
    table, vectors = made
    store = filled(tmp_path, kind, table)
    assert {upkeep.WORDS} == indexes(store)
    assert exact(vectors, vectors[5]) == ids(store, vectors[5])


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.parametrize("kind", ["ivf_sq", "ivf_rq"])
def test_an_index_can_be_asked_for_however_few_the_chunks(tmp_path, made, kind, count):
    store = filled(tmp_path, kind, made[0].slice(0, count))
    assert {f"3-{n}" for n in range(min(10, count))} >= ids(store, made[1][0], depth=1)


def test_what_a_filter_leaves_is_all_looked_at(tmp_path, made):
    table, vectors = made
    store = filled(tmp_path, "ivf_rq", table)
    where, rare = Filters(podcast="rare").sql(), np.arange(0, ROWS, 10)
    assert len(rare) <= upkeep.FEW
    for one in vectors[::500] + 0.05:
        assert exact(vectors, one, rare) == ids(store, one, where=where)


def test_maintenance_brings_what_came_later_into_the_indexes(tmp_path, made):
    table, _ = made
    store = filled(tmp_path, "ivf_sq", table.slice(0, 1000))
    for n in range(25):
        wait(store.root, store._table("chunks").add(table.slice(1000 + 10 * n, 10)))
    assert 250 == store.counts()["unindexed"]
    store.maintain(keep=NOW)
    assert 0 == store.counts()["unindexed"]
    assert 0 == wait(store.root, vectors_unindexed(store))
    assert 1250 == store.counts()["chunks"]
    assert {"3-1200"} == ids(store, made[1][1200], depth=1)


async def vectors_unindexed(store):
    return (await store._table("chunks").index_stats(upkeep.VECTORS)).num_unindexed_rows


def test_maintenance_leaves_alone_what_costs_little(tmp_path, made):
    store = filled(tmp_path, "auto", made[0].slice(0, 1000))
    wait(store.root, store._table("chunks").add(made[0].slice(1000, 10)))
    store.maintain()
    assert 10 == store.counts()["unindexed"]
    store.maintain(force=True)
    assert 0 == store.counts()["unindexed"]


def test_an_index_without_chunks_can_be_maintained(tmp_path):
    store = Store(tmp_path, kind="ivf_rq")
    store.create("fake", DIMENSION)
    store.maintain(force=True)
    assert upkeep.VECTORS not in indexes(store)


def test_words_that_most_chunks_hold_are_left_out_unless_there_are_no_others():
    containing = {"day": 11, "frog": 10, "rain": 1}
    assert ["frog", "rain", "unheard"] == upkeep.telling(["day", "frog", "rain", "unheard"], containing, 100)
    assert ["day", "day"] == upkeep.telling(["day", "day"], containing, 100)
    assert [] == upkeep.telling([], containing, 100)


def test_common_words_are_left_out_where_there_are_many_chunks_only(tmp_path, made):
    store = filled(tmp_path, "exact", made[0].slice(0, 100))
    chunks = store._table("chunks")

    def asked(passages):
        known = rank.Frequencies(passages, passages * 2, {"said": passages, "word7": 1})
        return len(asyncio.run(nearest(chunks, None, ["word7", "said"], "", 200, known)))

    assert (100, 1) == (asked(100), asked(upkeep.INDEXED + 1))


@pytest.mark.parametrize(
    ("rows", "filtered", "expected"),
    [(0, False, 1), (1, True, 1), (20_000, False, 141), (50_000, True, 160), (1_000_000, False, 200), (1_000_000, True, 333)],
)  # fmt: skip
def test_all_of_few_partitions_are_looked_into_and_fewer_of_many(rows, filtered, expected):
    assert expected == upkeep.probes(rows, filtered)
