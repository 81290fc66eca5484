import asyncio

import numpy as np
import pyarrow as pa
import pytest

from index.store.record import Record, RecordCache, Records, pack_record

NAMES = ("sentence_stats", "terms", "title_terms", "windows", "speaker_hashes", "window_vectors", "window_scales")


def raw(name, key="0f" * 8, first_word=0, facts=None, **arrays):
    given = dict.fromkeys((*NAMES, "window_norms"), ())
    return pack_record(name, key, first_word, {**given, **arrays}, facts or {})


def packed(*given, **arrays):
    return Record(raw(*given, **arrays))


@pytest.mark.parametrize(
    "ids", [("00" * 16,), ("ff" * 16, "00" * 16, "7f" * 16), ("80" + "00" * 15, "7f" + "ff" * 15, "0a" * 16)]
)
def test_records_stand_in_the_order_of_their_ids(ids):
    records = Records([packed(name, first_word=number, terms=[number]) for number, name in enumerate(ids)])
    order = sorted(range(len(ids)), key=lambda number: ids[number])
    assert order == records.first_word.tolist() == records.values("terms").tolist()


@pytest.mark.parametrize("sizes", [(0,), (3, 0, 2), (1, 1, 700)])
def test_arrays_come_back_one_chunk_after_the_other(sizes):
    draw = np.random.default_rng(7)
    terms = [draw.integers(-(1 << 31), 1 << 31, size).astype(np.int32) for size in sizes]
    vectors = [draw.integers(-127, 128, (size, 5)).astype(np.int8) for size in sizes]
    scales = [draw.random(size, np.float32) for size in sizes]
    records = Records(
        [
            packed(f"{number:032x}", terms=terms[number], window_vectors=vectors[number], window_scales=scales[number])
            for number in range(len(sizes))
        ]
    )
    assert np.array_equal(np.concatenate(terms), records.values("terms"))
    assert np.array_equal(np.concatenate(vectors).ravel(), records.values("window_vectors"))
    assert np.array_equal(np.concatenate(scales), records.values("window_scales"))
    assert [0, *np.cumsum(sizes)] == records.bounds("terms").tolist() == records.bounds("window_scales").tolist()
    assert not len(records.values("title_terms"))


@pytest.mark.parametrize(
    "facts", [{}, {"text": "Größe, 価格 and 🎙", "speakers": ["Ann"]}, {"link": None, "approximate": True}]
)
def test_facts_come_back_as_they_were(facts):
    records = Records([packed("01" * 16, facts={"other": 1}), packed("00" * 16, facts=facts, terms=[1, 2, 3])])
    assert [facts, {"other": 1}] == [records.facts(0), records.facts(1)]


def test_chunks_of_one_episode_have_one_number_and_those_of_others_another():
    keys = ["ab" * 8, "ff" * 8, "ab" * 8]
    episode = Records([packed(f"{number:032x}", key) for number, key in enumerate(keys)]).episode
    assert episode[0] == episode[2] != episode[1]


class Table:
    """Rows by their ids, and which of them were read."""

    def __init__(self, rows):
        self.rows, self.read = rows, []

    def take_row_ids(self, ids):
        self.read += ids
        there = [i for i in ids if i in self.rows]
        self.found = pa.table({"record": [self.rows[i] for i in there], "_rowid": there})
        return self

    def select(self, _names):
        return self

    def with_row_id(self):
        return self

    async def to_arrow(self):
        return self.found


def of_rows(cache, table, *ids):
    return [record.first_word for record in asyncio.run(cache.read(table, ids))]


@pytest.mark.parametrize("asked", [[(1, 2), (2, 1)], [(3,), (1, 3, 2)], [(1, 2, 3), (), (2,)]])
def test_a_row_is_read_once_whatever_it_is_read_with(asked):
    table, cache = Table({i: raw(f"{i:032x}", first_word=i) for i in (1, 2, 3)}), RecordCache()
    assert [sorted(ids) for ids in asked] == [sorted(of_rows(cache, table, *ids)) for ids in asked]
    assert sorted(table.read) == sorted({i for ids in asked for i in ids})


@pytest.mark.parametrize(("room", "again"), [(0, [1, 2, 3]), (1, [1, 2, 3]), (2, [2, 3]), (3, [])])
def test_no_more_is_kept_than_there_is_room_for_and_the_last_used_stays(room, again):
    table = Table({i: raw(f"{i:032x}", first_word=i) for i in (1, 2, 3)})
    cache = RecordCache(room * len(table.rows[1]))
    for i in (1, 2, 1, 3):
        assert [i] == of_rows(cache, table, i)
    table.read.clear()
    for i in (1, 2, 3):
        assert [i] == of_rows(cache, table, i)
    assert again == table.read


@pytest.mark.parametrize("gone", [(1,), (2, 3), (1, 2, 3)])
def test_rows_that_are_gone_are_left_out_unless_they_were_read(gone):
    table, cache = Table({i: raw(f"{i:032x}", first_word=i) for i in (1, 2, 3) if i not in gone}), RecordCache()
    assert [i for i in (1, 2, 3) if i not in gone] == of_rows(cache, table, 1, 2, 3)
    table.rows = {}
    assert [i for i in (1, 2, 3) if i not in gone] == of_rows(cache, table, 1, 2, 3)
