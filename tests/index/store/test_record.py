import numpy as np
import pytest

from index.store.record import Records, pack_record

NAMES = ("sentence_stats", "terms", "title_terms", "windows", "speaker_hashes", "window_vectors", "window_scales")


def packed(name, key="0f" * 8, first_word=0, facts=None, **arrays):
    return pack_record(name, key, first_word, {**dict.fromkeys((*NAMES, "window_norms"), ()), **arrays}, facts or {})


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
