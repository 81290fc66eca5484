import pytest

from ingest.settings import Settings
from search_api.app import create_app
from tests.search_api.home import FAILED, TIMED, UNTIMED, Client, add, add_failed, opener


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    add(settings, TIMED, UNTIMED)
    add_failed(settings, FAILED, "the audio is a web page")
    return settings


@pytest.fixture(scope="module")
def client(settings):
    with Client(create_app(settings, opener), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def own(tmp_path):
    """Settings of a home that a test may change."""
    return Settings(home=tmp_path / "own")
