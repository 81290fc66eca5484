"""A model is found by directory or by name; one whose files changed is told from one that is not there."""

import json

import pytest

from ingest.errors import TranscriptionError
from ingest.speech.weights import (
    MODEL_FILES,
    MODELS,
    PUBLISHED,
    check_name,
    digest,
    fingerprint,
    located,
    model_path,
    record,
)
from tests.conftest import MODELS_DIR, SPEECH_MODEL


@pytest.fixture
def models(tmp_path):
    """A folder with one small model as fetching leaves it."""
    model = tmp_path / "tiny.en"
    model.mkdir()
    for name in MODEL_FILES:
        (model / name).write_bytes(f"the {name} of a model".encode())
    record(model)
    return tmp_path


def test_the_model_of_the_tests_is_here_and_whole():
    path = located(SPEECH_MODEL, MODELS_DIR)
    assert fingerprint(path) == digest(path / "model.bin") == PUBLISHED[SPEECH_MODEL]["model.bin"]


def test_a_model_is_found_by_its_name(models):
    assert models / "tiny.en" == model_path("tiny.en", models) == located("tiny.en", models)


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


def other(path):
    path.write_bytes(path.read_bytes().replace(b"the", b"not"))


@pytest.mark.parametrize("name", MODEL_FILES)
@pytest.mark.parametrize(
    ("harm", "said"),
    [(function, "is not the published one") for function in (cut, lengthen, other)]
    + [(empty, "is empty"), (remove, "is missing")],
)
def test_a_file_that_changed_is_noticed_before_loading(models, name, harm, said):
    harm(models / "tiny.en" / name)
    with pytest.raises(
        TranscriptionError, match=rf"is damaged \({name} {said}.*again with `soundbite model pull tiny.en`"
    ):
        located("tiny.en", models)


@pytest.mark.parametrize(
    "harm", [empty, remove, lambda path: path.write_text("[1]"), lambda path: path.write_text("{")]
)
def test_without_a_record_a_model_is_taken_as_it_is(models, harm):
    harm(models / "tiny.en" / "checked.json")
    assert models / "tiny.en" == located("tiny.en", models)
    assert fingerprint(models / "tiny.en") == digest(models / "tiny.en" / "model.bin")


def test_a_damaged_directory_of_ones_own_is_not_to_be_pulled(models):
    cut(models / "tiny.en" / "model.bin")
    with pytest.raises(TranscriptionError, match="put the files there again"):
        located(str(models / "tiny.en"), models)


def test_a_record_of_an_older_form_is_read(models):
    path = models / "tiny.en"
    files = {name: {"bytes": 1, "sha256": digest(path / name)} for name in MODEL_FILES}
    (path / "checked.json").write_text(json.dumps({"files": files}))
    assert fingerprint(located("tiny.en", models)) == digest(path / "model.bin")
    other(path / "model.bin")
    with pytest.raises(TranscriptionError, match="is damaged"):
        located("tiny.en", models)


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
