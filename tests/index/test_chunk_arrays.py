import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.chunk_arrays import norms, small
from index.store.schema import unpacked


def vectors(seed, count=5, dimension=384):
    drawn = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


seeds = given(st.integers(0, 1 << 32))


@seeds
def test_eight_bits_move_a_cosine_by_next_to_nothing(seed):
    given, question = vectors(seed), vectors(seed + 1, 1)[0]
    np.testing.assert_allclose(given @ question, unpacked(*small(given)) @ question, atol=2e-3)


@seeds
def test_what_is_kept_is_kept_the_same_when_it_is_written_again(seed):
    kept, scales = small(vectors(seed))
    again, _ = small(unpacked(kept, scales))
    assert kept.tolist() == again.tolist()


def test_a_vector_of_nothing_is_kept():
    kept, scales = small(np.zeros((1, 4), np.float32))
    assert [[0, 0, 0, 0]] == unpacked(kept, scales).tolist()


def test_the_lengths_of_sums_reach_as_far_as_there_are_vectors():
    found = norms(np.array([[1, 0], [0, 1], [3, 4]], np.float32))
    np.testing.assert_allclose([1, 2**0.5, (16 + 25) ** 0.5], found[0, :3])
    np.testing.assert_allclose(5, found[2])
