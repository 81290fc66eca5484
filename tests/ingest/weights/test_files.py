"""A model is found by directory or by name; one whose files changed is told from one that is not there."""

import json
import shutil

import pytest

from ingest.errors import IndexingError, TranscriptionError
from ingest.weights import files
from ingest.weights.files import damage, digest, fingerprint, located, model_path, record, require_whole
from ingest.weights.published import EMBEDDING, PUBLISHED, SPEECH
from tests.conftest import MODELS_DIR, SPEECH_MODEL


@pytest.fixture
def models(tmp_path):
    """A folder with one small model as fetching leaves it."""
    model = tmp_path / "tiny.en"
    model.mkdir()
    for name in SPEECH.files:
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
    for name in SPEECH.files[:-1]:
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


@pytest.mark.parametrize("name", SPEECH.files)
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


UNREADABLE = [
    empty,
    remove,
    lambda path: path.write_text("[1]"),
    lambda path: path.write_text("{"),
    lambda path: path.write_text('{"files": {}}'),
]


@pytest.fixture
def published(models, monkeypatch):
    """The small model as one whose hashes are known, in a folder of its name and in one of another."""
    hashes = {name: digest(models / "tiny.en" / name) for name in SPEECH.files}
    monkeypatch.setattr(files, "PUBLISHED", {"tiny.en": hashes, "all-mpnet-base-v2": {}})
    shutil.copytree(models / "tiny.en", models / "mine")
    return models


@pytest.mark.parametrize("harm", UNREADABLE)
def test_without_a_record_a_published_model_is_compared_with_what_is_published_and_recorded(published, harm):
    path = published / "tiny.en"
    kept = (path / "checked.json").read_bytes()
    harm(path / "checked.json")
    assert path == located("tiny.en", published)
    assert kept == (path / "checked.json").read_bytes()


@pytest.mark.parametrize("name", SPEECH.files)
@pytest.mark.parametrize("damaging", [cut, lengthen, other])
@pytest.mark.parametrize("harm", UNREADABLE)
def test_without_a_record_a_damaged_published_model_is_noticed(published, harm, damaging, name):
    harm(published / "tiny.en" / "checked.json")
    damaging(published / "tiny.en" / name)
    for _ in range(2):
        with pytest.raises(TranscriptionError, match=rf"is damaged \({name} is not the published one"):
            located("tiny.en", published)


@pytest.mark.parametrize("harm", UNREADABLE)
def test_without_a_record_a_model_of_ones_own_is_taken_as_it_is(published, harm):
    for name in ("mine", "tiny.en"):
        harm(published / name / "checked.json")
        other(published / name / "model.bin")
    assert published / "mine" == located("mine", published)
    assert published / "tiny.en" == located(str(published / "tiny.en"), published)  # a directory that is given
    assert fingerprint(published / "mine") == digest(published / "mine" / "model.bin")


def test_a_record_that_cannot_be_written_is_no_obstacle(published):
    (published / "tiny.en" / "checked.json").unlink()
    (published / "tiny.en" / "checked.json").mkdir()
    assert published / "tiny.en" == located("tiny.en", published)


def test_a_damaged_directory_of_ones_own_is_not_to_be_pulled(models):
    cut(models / "tiny.en" / "model.bin")
    with pytest.raises(TranscriptionError, match="put the files there again"):
        located(str(models / "tiny.en"), models)


def test_a_record_of_an_older_form_is_read(models):
    path = models / "tiny.en"
    files = {name: {"bytes": 1, "sha256": digest(path / name)} for name in SPEECH.files}
    (path / "checked.json").write_text(json.dumps({"files": files}))
    assert fingerprint(located("tiny.en", models)) == digest(path / "model.bin")
    other(path / "model.bin")
    with pytest.raises(TranscriptionError, match="is damaged"):
        located("tiny.en", models)


EMBEDDING_FILES = ("model.safetensors", "config.json", "1_Pooling/config.json")


@pytest.fixture
def embedding(tmp_path):
    """The directory of an embedding model as fetching leaves it."""
    model = tmp_path / "all-mpnet-base-v2"
    (model / "1_Pooling").mkdir(parents=True)
    for name in EMBEDDING_FILES:
        (model / name).write_bytes(f"the {name} of a model".encode())
    record(model)
    return model


@pytest.mark.parametrize("kept", [True, False], ids=["with a record", "without"])
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("all-mpnet-base-v2", True),
        ("sentence-transformers/all-mpnet-base-v2", True),
        ("somebody/all-mpnet-base-v2", False),
        ("all-mpnet-base", False),
        ("", False),
    ],
)
def test_an_embedding_model_is_found_by_its_name_and_its_publishers(embedding, name, found, kept):
    if not kept:
        (embedding / "checked.json").unlink()
    assert (embedding if found else None) == model_path(name, embedding.parent, EMBEDDING)


def test_a_model_of_one_kind_is_none_of_the_other(models, embedding):
    assert model_path("tiny.en", models, EMBEDDING) is None
    assert model_path("all-mpnet-base-v2", embedding.parent) is None
    with pytest.raises(TranscriptionError, match="is no published model; known are tiny"):
        located("all-mpnet-base-v2", embedding.parent)


@pytest.mark.parametrize("kind", [SPEECH, EMBEDDING])
def test_a_file_of_that_name_is_no_model(tmp_path, kind):
    (tmp_path / "small").write_text("a file")
    assert model_path("small", tmp_path, kind) is model_path(str(tmp_path / "small"), tmp_path, kind) is None


@pytest.mark.parametrize("name", EMBEDDING_FILES)
@pytest.mark.parametrize(
    ("harm", "said"), [(cut, "is not the published one"), (empty, "is empty"), (remove, "is missing")]
)
def test_a_file_of_an_embedding_model_that_changed_is_named(embedding, name, harm, said):
    require_whole(embedding.name, embedding, EMBEDDING)
    harm(embedding / name)
    assert f"{name} {said}" in damage(embedding, EMBEDDING)
    with pytest.raises(IndexingError, match=rf"is damaged \({name} {said}.*`soundbite model pull all-mpnet-base-v2`"):
        require_whole(embedding.name, model_path(embedding.name, embedding.parent, EMBEDDING), EMBEDDING)
    with pytest.raises(IndexingError, match="put the files there again"):
        require_whole(str(embedding), embedding, EMBEDDING)


@pytest.mark.parametrize("harm", UNREADABLE)
@pytest.mark.parametrize("name", EMBEDDING_FILES)
def test_without_a_record_an_embedding_model_is_compared_with_what_is_published(embedding, monkeypatch, name, harm):
    hashes = {file: digest(embedding / file) for file in EMBEDDING_FILES}
    monkeypatch.setattr(files, "PUBLISHED", {embedding.name: hashes})
    harm(embedding / "checked.json")
    require_whole(f"sentence-transformers/{embedding.name}", embedding, EMBEDDING)
    harm(embedding / "checked.json")
    other(embedding / name)
    with pytest.raises(IndexingError, match=rf"is damaged \({name} is not the published one"):
        require_whole(embedding.name, embedding, EMBEDDING)
