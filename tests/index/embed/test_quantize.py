import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.embed.quantize import dequantize, quantize, run_norms


def vectors(seed, count=5, dimension=384):
    drawn = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


seeds = given(st.integers(0, 1 << 32))


@seeds
def test_eight_bits_hardly_move_a_cosine(seed):
    given, question = vectors(seed), vectors(seed + 1, 1)[0]
    np.testing.assert_allclose(given @ question, dequantize(*quantize(given)) @ question, atol=2e-3)


@seeds
def test_a_quantized_vector_stays_the_same_when_it_is_quantized_again(seed):
    quantized, scales = quantize(vectors(seed))
    again, _ = quantize(dequantize(quantized, scales))
    assert quantized.tolist() == again.tolist()


def test_a_zero_vector_is_kept():
    assert [[0, 0, 0, 0]] == dequantize(*quantize(np.zeros((1, 4), np.float32))).tolist()


def test_the_norms_of_runs_reach_as_far_as_there_are_vectors():
    norms = run_norms(np.array([[1, 0], [0, 1], [3, 4]], np.float32))
    np.testing.assert_allclose([1, 2**0.5, (16 + 25) ** 0.5], norms[0, :3])
    np.testing.assert_allclose(5, norms[2])
