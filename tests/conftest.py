"""Every test on its own: no settings from outside, no hub, a home of its own; slow tests only when asked for."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from index.open import EXPORTS
from ingest.audio.decode import RATE, Recording
from ingest.settings import Settings
from tests import postgres, s3_server
from tests.flac import write_flac
from tests.sample import host

ROOT = Path(__file__).parents[1]
SEEDS = ROOT.parent / "shared" / "seeds"
SOUNDBITE = Path(sys.executable).parent / "soundbite"
SPEECH_MODEL = "tiny.en"
NUMBERS = count(1)
MODELS_DIR = Settings().models_dir  # the user's own; `make venv` fetches it


def pytest_addoption(parser):
    parser.addoption("--runslow", action="store_true", help="also run tests that load large things or wait long")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: "sampled" in item.fixturenames)  # the flow runs beside the others: by then it has ended
    if not config.getoption("--runslow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow; --runslow runs it"))


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("SOUNDBITE_", "PREFECT_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("SOUNDBITE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def s3_session():
    """A real S3 server; see `s3`."""
    with s3_server.serve() as server:
        yield server


@pytest.fixture
def s3(s3_session, monkeypatch):
    """A real S3 server, with its keys in the environment."""
    for name, value in s3_session.environment.items():
        monkeypatch.setenv(name, value)
    return s3_session


@pytest.fixture
def call(monkeypatch, capsys):
    """The command in this process: exit code, stdout, stderr."""

    from flows.cli.main import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["soundbite", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def spoken(tmp_path_factory):
    """A file with the first sentences of an episode, ten seconds."""
    with Recording(ROOT / "tests" / "sample" / "audio" / "keeping-your-best-seller.mp3") as recording:
        samples = next(iter(recording.blocks()))
    return write_flac(tmp_path_factory.mktemp("spoken") / "spoken.flac", samples[: 10 * RATE])


@pytest.fixture(scope="session")
def encoder(request):
    """The folder the default embedding model runs from, made once: it takes seconds and is the same in every home."""
    return request.config.stash[AHEAD].encoder.result()


@pytest.fixture
def home(tmp_path, encoder):
    """An empty home that has the embedding model ready."""
    (tmp_path / "home" / "index").mkdir(parents=True)
    (tmp_path / "home" / "index" / EXPORTS).symlink_to(encoder)
    return tmp_path / "home"


@pytest.fixture(scope="session")
def postgres_server():
    """The URL of a PostgreSQL server's database."""
    if not postgres.programs():
        postgres.missing()
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server):
    """The URL of an empty schema."""
    return postgres.schema(postgres_server, f"test_{next(NUMBERS)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_place(request, tmp_path):
    """Where a ledger may lie, of each kind."""
    return tmp_path / "home" / "ledger.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


class Command:
    """The command as a person or a script runs it, in one home."""

    def __init__(self, home):
        self.home = home
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SOUNDBITE_", "PREFECT_"))}
        self.environment = clean | {
            "SOUNDBITE_HOME": str(home),
            "SOUNDBITE_ALLOW_HOSTS": "127.0.0.1",
            "SOUNDBITE_WHISPER_MODEL": SPEECH_MODEL,
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
def sample_host(request):
    """The sample podcast on the loopback."""
    return request.config.stash[AHEAD].base


@pytest.fixture(scope="session")
def sampled(request):
    """The command in a home that has run the real flow, with the real engine and models, on the sample podcast."""
    return request.config.stash[AHEAD].sampled.result()


class Ahead:
    """What takes a minute, begun with the session in processes of its own, beside the tests that need none of it."""

    def __init__(self, folder, fixtures):
        self.folder = folder
        self.host = ExitStack()
        self.base = self.host.enter_context(host.serve()) if fixtures & {"sampled", "sample_host"} else ""
        self.pool = ThreadPoolExecutor(1)
        self.encoder = self.pool.submit(self.export) if fixtures & {"sampled", "encoder"} else None
        self.sampled = self.pool.submit(self.run) if "sampled" in fixtures else None

    def export(self):
        cache = self.folder / "encoder"
        code = "import sys, pathlib; from index.embed.sentence_transformers import SentenceEmbedder as E; E(*sys.argv[1:2], pathlib.Path(sys.argv[2])).embed_query('hello')"
        subprocess.run(
            [sys.executable, "-c", code, "all-MiniLM-L6-v2", str(cache)],
            check=True, cwd=ROOT, env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        return cache

    def run(self):
        command = Command(self.folder / "sampled")
        (command.home / "index").mkdir(parents=True)
        (command.home / "index" / EXPORTS).symlink_to(self.encoder.result())
        command.added = command("add", f"{self.base}/feed.xml")
        command.ran = command("run", "--json")
        return command


AHEAD = pytest.StashKey[Ahead]()


def pytest_collection_finish(session):
    if not session.config.option.collectonly:
        fixtures = {name for item in session.items if not item.get_closest_marker("skip") for name in item.fixturenames}
        session.config.stash[AHEAD] = Ahead(Path(mkdtemp(prefix="soundbite-tests-")), fixtures)


def pytest_sessionfinish(session):
    if ahead := session.config.stash.get(AHEAD, None):
        ahead.pool.shutdown()
        ahead.host.close()
        rmtree(ahead.folder, ignore_errors=True)
