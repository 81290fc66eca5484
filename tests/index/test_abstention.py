import json

import numpy as np
import pytest

from index import scoring as rank
from index.abstention import PAIRS, floor, strangers
from index.embed.sentence_transformers import SentenceEmbedder


@pytest.fixture(scope="module")
def model(encoder):
    return SentenceEmbedder("all-MiniLM-L6-v2", encoder)


def test_only_what_does_not_belong_together_is_looked_at():
    own = np.eye(16, dtype=np.float32)
    assert (0.0, 0.0) == strangers(own, own)
    cosines = np.zeros((16, 16), np.float32)
    cosines[0, 1:4] = 1
    mean = 3 / (16 * 15)
    assert (mean, (mean * (1 - mean)) ** 0.5) == pytest.approx(strangers(cosines, own))


def test_a_model_whose_cosines_are_squeezed_has_a_floor_as_far_up():
    mean, deviation = 0.03, 0.08
    assert 0.7 + 0.2 * floor(mean, deviation) == pytest.approx(floor(0.7 + 0.2 * mean, 0.2 * deviation))


def test_the_default_model_has_the_floor_that_was_measured_for_it(model):
    assert rank.WEAK == pytest.approx(model.floor, abs=1e-3)
    (facts,) = (json.loads(path.read_text()) for path in model.cache.glob("*/encoder.json"))
    assert floor(*facts["strangers"]) == model.floor


def test_each_question_is_nearest_to_its_own_passage(model):
    questions, passages = (model.embed_passages(texts) for texts in zip(*PAIRS, strict=True))
    assert [*range(len(PAIRS))] == (questions @ passages.T).argmax(1).tolist()
