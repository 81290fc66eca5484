"""Every test on its own: no settings from outside, no hub, a home of its own; slow tests only when asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.embed import SentenceEmbedder
from index.search import EXPORTS
from tests.sample import host

ROOT = Path(__file__).parents[1]
SEEDS = ROOT.parent / "shared" / "seeds"
SOUNDBITE = Path(sys.executable).parent / "soundbite"
SPEECH_MODEL = ROOT / "tests" / "speech" / "model"


def pytest_addoption(parser):
    parser.addoption("--runslow", action="store_true", help="also run tests that load large things or wait long")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--runslow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow; --runslow runs it"))


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("SOUNDBITE_", "PREFECT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("SOUNDBITE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """The folder the default embedding model runs from, made once: it takes seconds and is the same in every home."""
    cache = tmp_path_factory.mktemp("encoder")
    SentenceEmbedder("all-MiniLM-L6-v2", cache).embed_query("hello")
    return cache


@pytest.fixture
def home(tmp_path, encoder):
    """An empty home that has the embedding model ready."""
    (tmp_path / "home" / "index").mkdir(parents=True)
    (tmp_path / "home" / "index" / EXPORTS).symlink_to(encoder)
    return tmp_path / "home"


class Command:
    """The command as a person or a script runs it, in one home."""

    def __init__(self, home):
        self.home = home
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SOUNDBITE_", "PREFECT_"))}
        self.environment = clean | {
            "SOUNDBITE_HOME": str(home),
            "SOUNDBITE_ALLOW_HOSTS": "127.0.0.1",
            "SOUNDBITE_WHISPER_MODEL": str(SPEECH_MODEL),
            "HF_HUB_OFFLINE": "1",
        }

    def __call__(self, *arguments, timeout=900, **environment):
        return subprocess.run(
            [SOUNDBITE, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=self.environment | environment,
        )

    def json(self, *arguments):
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def sample_host():
    """The sample podcast on the loopback."""
    with host.serve() as base:
        yield base


@pytest.fixture(scope="session")
def sampled(sample_host, encoder, tmp_path_factory):
    """The command in a home that has run the real flow, with the real engine and models, on the sample podcast."""
    command = Command(tmp_path_factory.mktemp("sampled"))
    (command.home / "index").mkdir()
    (command.home / "index" / EXPORTS).symlink_to(encoder)
    command.added = command("add", f"{sample_host}/feed.xml")
    command.ran = command("run", "--json")
    return command
