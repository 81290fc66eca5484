import json

import numpy as np
import pytest

from index.abstention import PAIRS, no_answer_score, unrelated_similarity
from index.embed.sentence_transformers import SentenceEmbedder
from index.scoring import NO_ANSWER_SCORE


@pytest.fixture(scope="module")
def model(encoder):
    return SentenceEmbedder("all-MiniLM-L6-v2", encoder)


def test_only_texts_that_do_not_belong_together_are_compared():
    own = np.eye(16, dtype=np.float32)
    assert (0.0, 0.0) == unrelated_similarity(own, own)
    cosines = np.zeros((16, 16), np.float32)
    cosines[0, 1:4] = 1
    mean = 3 / (16 * 15)
    assert (mean, (mean * (1 - mean)) ** 0.5) == pytest.approx(unrelated_similarity(cosines, own))


def test_the_threshold_follows_the_scale_of_a_models_cosines():
    mean, deviation = 0.03, 0.08
    expected = 0.7 + 0.2 * no_answer_score(mean, deviation)
    assert expected == pytest.approx(no_answer_score(0.7 + 0.2 * mean, 0.2 * deviation))


def test_the_default_model_has_the_threshold_that_was_measured_for_it(model):
    assert NO_ANSWER_SCORE == pytest.approx(model.no_answer_score, abs=1e-3)
    (facts,) = (json.loads(path.read_text()) for path in model.cache.glob("*/encoder.json"))
    assert no_answer_score(*facts["unrelated_similarity"]) == model.no_answer_score


def test_each_question_is_nearest_to_its_own_passage(model):
    questions, passages = (model.embed_passages(texts) for texts in zip(*PAIRS, strict=True))
    assert [*range(len(PAIRS))] == (questions @ passages.T).argmax(1).tolist()
