"""A model is found by directory or by name; one whose files changed is told from one that is not there."""

import pytest

from ingest.errors import TranscriptionError
from ingest.speech.weights import (
    MODEL_FILES,
    MODELS,
    PUBLISHED,
    check_name,
    digest,
    fault,
    fingerprint,
    located,
    model_path,
    record,
    verified,
)
from tests.conftest import MODELS_DIR, SPEECH_MODEL


@pytest.fixture
def models(tmp_path):
    """A folder with one small model as fetching leaves it."""
    model = tmp_path / "tiny.en"
    model.mkdir()
    for name in MODEL_FILES:
        (model / name).write_bytes(f"the {name} of a model".encode())
    record(model, {name: digest(model / name) for name in MODEL_FILES})
    return tmp_path


def test_the_model_of_the_tests_is_here_and_whole():
    path = verified(SPEECH_MODEL, MODELS_DIR)
    assert fingerprint(path) == digest(path / "model.bin") == PUBLISHED[SPEECH_MODEL]["model.bin"]


def test_a_model_is_found_by_its_name(models):
    assert (
        models / "tiny.en" == model_path("tiny.en", models) == located("tiny.en", models) == verified("tiny.en", models)
    )


def test_a_directory_is_a_model_only_when_all_its_files_are_there(models, tmp_path):
    assert model_path(str(models / "tiny.en"), tmp_path / "none") == models / "tiny.en"
    for name in MODEL_FILES[:-1]:
        (tmp_path / name).write_bytes(b"a")
    assert model_path(str(tmp_path), tmp_path) is None


def test_a_model_that_was_copied_into_the_models_directory_is_found_by_its_name(models):
    (models / "mine").symlink_to(models / "tiny.en")
    assert models / "mine" == model_path("mine", models)


def cut(path):
    path.write_bytes(path.read_bytes()[:7])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"!")


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


@pytest.mark.parametrize("name", MODEL_FILES)
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (cut, "has 7 bytes instead of"),
        (lengthen, "has .* bytes instead of"),
        (empty, "has 0 bytes"),
        (remove, "is missing"),
    ],
)
def test_a_file_of_another_size_is_noticed_before_loading(models, name, harm, said):
    harm(models / "tiny.en" / name)
    with pytest.raises(
        TranscriptionError, match=rf"is damaged \({name} {said}.*again with `soundbite model pull tiny.en`"
    ):
        located("tiny.en", models)


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_file_of_the_same_size_with_other_content_is_noticed_when_hashes_are_asked_for(models, name):
    path = models / "tiny.en" / name
    path.write_bytes(path.read_bytes().replace(b"the", b"not"))
    assert fault(models / "tiny.en") == ""
    with pytest.raises(TranscriptionError, match=rf"is damaged \({name} is not what was fetched"):
        verified("tiny.en", models)


@pytest.mark.parametrize(
    "harm", [empty, remove, lambda path: path.write_text("[1]"), lambda path: path.write_text("{")]
)
def test_without_a_record_a_model_is_taken_as_it_is(models, harm):
    harm(models / "tiny.en" / "checked.json")
    assert models / "tiny.en" == verified("tiny.en", models)
    assert fingerprint(models / "tiny.en") == digest(models / "tiny.en" / "model.bin")


def test_a_damaged_directory_of_ones_own_is_not_to_be_pulled(models):
    cut(models / "tiny.en" / "model.bin")
    with pytest.raises(TranscriptionError, match="put the files there again"):
        located(str(models / "tiny.en"), models)


def test_the_fingerprint_is_the_recorded_one_as_long_as_the_size_is_the_same(models):
    weights = models / "tiny.en" / "model.bin"
    before = fingerprint(weights.parent)
    weights.write_bytes(weights.read_bytes()[::-1])
    assert fingerprint(weights.parent) == before
    lengthen(weights)
    assert fingerprint(weights.parent) == digest(weights)


def test_every_model_in_the_table_is_published():
    from faster_whisper import available_models

    assert {model.name for model in MODELS} | PUBLISHED.keys() <= set(available_models())
    assert "small" in {model.name for model in MODELS}


@pytest.mark.parametrize(
    ("wrong", "near"), [("tinyen", "tiny.en"), ("smal", "small"), ("bass", "base"), ("trubo", "turbo")]
)
def test_a_name_that_is_not_published_names_the_nearest(wrong, near):
    with pytest.raises(TranscriptionError, match=rf"no published model; did you mean {near}\?"):
        check_name(wrong)
