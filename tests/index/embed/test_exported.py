"""A model found by its name alone, as an index is marked with it."""

import json
import shutil

import numpy as np
import pytest

from index.embed.exported import find_exported
from index.embed.sentence_transformers import EXPORT, SentenceEmbedder

TEXTS = ["Prices rise in spring.", "Когда поднимают цены?", ""]


@pytest.fixture
def model(encoder):
    model = SentenceEmbedder("all-MiniLM-L6-v2", encoder)
    model.embed_query("hello")
    return model


def test_it_is_the_same_model(model, encoder):
    found = find_exported(model.name, encoder)

    assert (model.name, model.dimension, model.cosine_scale) == (found.name, found.dimension, found.cosine_scale)
    assert [model.count(text) for text in TEXTS] == [found.count(text) for text in TEXTS]
    assert np.array_equal(model.embed_passages(TEXTS), found.embed_passages(TEXTS))
    assert all(np.array_equal(model.embed_query(text), found.embed_query(text)) for text in TEXTS)


def config_without(name):
    return lambda folder: (folder / "encoder.json").write_text(
        json.dumps(
            {key: value for key, value in json.loads((folder / "encoder.json").read_text()).items() if key != name}
        )
    )


@pytest.mark.parametrize(
    "harm", [shutil.rmtree, config_without("prompts"), config_without("exported"), lambda f: f.rename(f.with_name("x"))]
)
def test_what_was_not_exported_or_notes_too_little_is_not_found(model, encoder, tmp_path, harm):
    folder = f"{model.name}-{EXPORT}"
    shutil.copytree(encoder / folder, tmp_path / folder)
    assert find_exported(model.name, tmp_path)

    harm(tmp_path / folder)

    assert find_exported(model.name, tmp_path) is None


def test_an_export_of_an_earlier_version_is_noted_when_it_is_used(model, encoder, tmp_path):
    folder = f"{model.name}-{EXPORT}"
    shutil.copytree(encoder / folder, tmp_path / folder)
    config_without("prompts")(tmp_path / folder)

    SentenceEmbedder("all-MiniLM-L6-v2", tmp_path).embed_query("hello")

    assert find_exported(model.name, tmp_path)
