import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from index.embed.model_files import locate
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
