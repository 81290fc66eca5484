import json
from dataclasses import astuple

import numpy as np
import pytest

from index.calibration import DEFAULT_SCALE, PAIRS, CosineScale, cosine_scale
from index.embed.sentence_transformers import SentenceEmbedder


@pytest.fixture(scope="module")
def model(encoder):
    return SentenceEmbedder("all-MiniLM-L6-v2", encoder)


def test_a_scale_is_of_all_questions_with_all_passages():
    own = np.eye(16, dtype=np.float32)
    assert (1 / 16, (15 / 256) ** 0.5) == pytest.approx(astuple(cosine_scale(own, own)))
    turned = np.roll(own, 1, axis=0)
    assert astuple(cosine_scale(own, own)) == pytest.approx(astuple(cosine_scale(turned, own)))


def test_a_cosine_is_as_many_deviations_above_the_mean_as_the_default_models():
    scale, cosines = CosineScale(0.7, 0.02), np.array([0.7, 0.72, 0.8], np.float32)
    mean, deviation = astuple(DEFAULT_SCALE)
    assert [mean, mean + deviation, mean + 5 * deviation] == pytest.approx(scale.calibrated(cosines).tolist(), abs=1e-5)
    assert cosines.tolist() == pytest.approx(DEFAULT_SCALE.calibrated(cosines).tolist())


def test_a_model_to_which_all_texts_are_alike_gives_numbers():
    same = np.full((16, 4), 0.5, np.float32)
    assert np.isfinite(cosine_scale(same, same).calibrated(same)).all()


def test_the_scale_of_the_default_model_is_the_one_with_which_the_weights_were_chosen(model):
    assert astuple(DEFAULT_SCALE) == pytest.approx(astuple(model.cosine_scale), abs=1e-4)
    (facts,) = (json.loads(path.read_text()) for path in model.cache.glob("*/encoder.json"))
    assert facts["cosine_scale"] == [*astuple(model.cosine_scale)]


def test_each_question_is_nearest_to_its_own_passage(model):
    questions, passages = (model.embed_passages(texts) for texts in zip(*PAIRS, strict=True))
    assert [*range(len(PAIRS))] == (questions @ passages.T).argmax(1).tolist()
