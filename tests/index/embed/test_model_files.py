import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from index.embed.model_files import locate, name_of
from index.embed.sentence_transformers import SentenceEmbedder
from ingest.errors import IndexingError


class Hub:
    """The model hub and its cache on disk; counts the calls that would use the network."""

    def __init__(self, folder):
        self.folder = folder
        self.requests = 0

    def fill(self, *names):
        self.folder.mkdir(exist_ok=True)
        for name in names:
            (self.folder / name).touch()

    def snapshot_download(self, _, *, allow_patterns, local_files_only=False):
        assert not any("bin" in pattern for pattern in allow_patterns)
        if local_files_only:
            if not self.folder.exists():
                raise LocalEntryNotFoundError("not in the cache")
        else:
            self.requests += 1
            self.fill("config.json", "model.safetensors")
        return str(self.folder)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    hub = Hub(tmp_path / "cached")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    return hub


def test_a_model_on_disk_never_calls_the_hub(hub):
    hub.fill("config.json", "model.safetensors")
    assert hub.folder == locate("some/model")
    assert 0 == hub.requests


def test_a_model_is_fetched_once(hub):
    for _ in range(3):
        assert hub.folder == locate("some/model")
    assert 1 == hub.requests


def test_a_download_that_was_cut_off_is_completed(hub):
    hub.fill("config.json")
    assert hub.folder == locate("some/model")
    assert 1 == hub.requests


@pytest.mark.parametrize("files", [(), ("config.json",)])
def test_offline_the_hub_is_never_called(hub, monkeypatch, files):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if files:
        hub.fill(*files)
    with pytest.raises(IndexingError, match=r"some/model"):
        locate("some/model")
    assert 0 == hub.requests


def test_the_default_model_and_a_directory_need_no_hub(hub, tmp_path):
    (tmp_path / "model.safetensors").touch()
    assert tmp_path == locate(str(tmp_path))
    assert locate("all-MiniLM-L6-v2") == locate("sentence-transformers/all-MiniLM-L6-v2")
    assert 0 == hub.requests


@pytest.mark.parametrize("model", ["all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"])
def test_a_model_that_can_be_pulled_is_named_with_the_command(hub, monkeypatch, model):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        IndexingError, match="no such embedding model here; fetch it with `soundbite model pull all-mpnet-base-v2`"
    ):
        locate(model)
    assert 0 == hub.requests


@pytest.mark.parametrize("model", ["somebody/all-mpnet-base-v2", "small", "no/such"])
def test_others_are_not(hub, monkeypatch, model):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(IndexingError, match="check the name"):
        locate(model)
    assert 0 == hub.requests


CACHED = "cache/hub/models--sentence-transformers--all-mpnet-base-v2/snapshots/0123abc"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("all-mpnet-base-v2", "all-mpnet-base-v2"),
        ("sentence-transformers/all-mpnet-base-v2", "all-mpnet-base-v2"),
        ("/models/all-mpnet-base-v2/", "all-mpnet-base-v2"),
        (f"/models/{CACHED}", "all-mpnet-base-v2"),
        (f"{CACHED}/", "all-mpnet-base-v2"),
        ("models--a--b", "models--a--b"),
        ("some/snapshots/model", "model"),
        ("snapshots/model", "model"),
    ],
)
def test_a_model_has_one_name_wherever_it_lies(model, name):
    assert name == name_of(model)


def test_an_index_has_the_same_mark_wherever_its_model_came_from(hub, tmp_path):
    hub.folder = tmp_path / CACHED
    hub.folder.mkdir(parents=True)
    pulled = tmp_path / "models" / "all-mpnet-base-v2"
    pulled.mkdir(parents=True)
    for folder in (hub.folder, pulled):
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "config.json").write_text("{}")
    (pulled / "checked.json").write_text("{}")
    models = ["all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2", str(hub.folder), str(pulled)]
    assert 1 == len({SentenceEmbedder(model, tmp_path).name for model in models})
