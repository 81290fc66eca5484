"""The table of models says what is published, and a slip in a name is told."""

import pytest
from faster_whisper import available_models

from ingest.errors import TranscriptionError
from ingest.weights.published import EMBEDDING, MODELS, PUBLISHED, REVISIONS, SPEECH, WHEELS, check_name, facts_of

NAMES = {kind: {model.name for model in MODELS if model.kind is kind} for kind in (SPEECH, EMBEDDING)}
DECISIVE = {  # what an index's mark depends on: index/embed/model_files.py
    "1_Pooling/config.json", "config.json", "config_sentence_transformers.json", "model.safetensors", "modules.json",
    "sentence_bert_config.json", "tokenizer.json",
}  # fmt: skip


def test_every_speech_model_in_the_table_is_published():
    assert set(available_models()) >= NAMES[SPEECH]
    assert "small" in NAMES[SPEECH]


@pytest.mark.parametrize("name", sorted(NAMES[EMBEDDING]))
def test_what_decides_the_vectors_of_an_embedding_model_is_known_wherever_it_comes_from(name):
    assert DECISIVE <= PUBLISHED[name].keys()
    assert name in REVISIONS


def test_everything_known_is_of_a_model_and_wheels_are_compared():
    assert PUBLISHED.keys() <= NAMES[SPEECH] | NAMES[EMBEDDING]
    assert WHEELS.keys() | REVISIONS.keys() <= PUBLISHED.keys()
    assert all(len(digest) == 64 for files in PUBLISHED.values() for digest in files.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all-mpnet-base-v2", "all-mpnet-base-v2"),
        ("sentence-transformers/all-mpnet-base-v2", "all-mpnet-base-v2"),
        ("somebody/all-mpnet-base-v2", None),
        ("small", "small"),
        ("sentence-transformers/small", None),
        ("medium.en", None),
    ],
)
def test_a_model_is_known_with_and_without_its_publisher(name, expected):
    facts = facts_of(name)
    assert expected == (facts and facts.name)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("tinyen", "tiny.en"),
        ("smal", "small"),
        ("bass", "base"),
        ("trubo", "turbo"),
        ("all-mpnet-v2", "all-mpnet-base-v2"),
    ],
)
def test_a_name_that_is_not_published_names_the_nearest(wrong, near):
    with pytest.raises(TranscriptionError, match=rf"no published model; did you mean {near}\?"):
        check_name(wrong, *NAMES[EMBEDDING])
