"""A search server whose library and index lie in a bucket; it has keys that may only read."""

import time
from dataclasses import replace

import pytest

from index.open import READ_AGE
from ingest.errors import StorageError
from ingest.models import Turn
from ingest.open import open_library
from ingest.settings import Settings
from search_api.app import create_app
from tests.s3_server import KEY, READER
from tests.search_api.home import ENCODED_GUID, GUID, SELLERS, TIMED, UNTIMED, Client, add, opener, problem


@pytest.fixture
def shared(s3, tmp_path):
    """Settings of one machine after the other."""
    place, numbers = s3.place(), iter(range(100))
    return lambda: Settings(home=tmp_path / f"home-{next(numbers)}", library=f"{place}/library", index=f"{place}/index")


@pytest.fixture
def client(shared, monkeypatch):
    add(shared(), TIMED, UNTIMED)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", READER)
        with pytest.raises(StorageError, match="rights"):
            open_library(shared()).write(TIMED)
        with Client(create_app(shared(), opener)) as client:
            yield client


def titles(client, words):
    return [hit["title"] for hit in client.get("/v1/search", params={"q": words}).json()["hits"]]


def test_it_answers_all_that_is_asked_of_library_and_index(client):
    assert SELLERS.title in titles(client, "best people leave")
    assert 2 == client.get("/v1/episodes").json()["count"]
    assert GUID == client.get(f"/v1/episodes/{ENCODED_GUID}").json()["guid"]
    assert 200 == client.get("/readyz").status_code
    page = client.get("/operations")
    assert (200, False) == (page.status_code, "Free disk" in page.text)
    assert 200 == client.get("/").status_code


def test_it_sees_what_another_machine_writes(client, shared, monkeypatch):
    assert [] == [hit for hit in titles(client, "winter apples") if hit == "On apples"]
    apples = replace(TIMED.episode, guid="g9", title="On apples", audio_url="")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    add(shared(), replace(UNTIMED, episode=apples, turns=(Turn("Winter apples are pressed in autumn.", "Eve"),)))
    time.sleep(READ_AGE)
    assert "On apples" == titles(client, "winter apples")[0]
    assert "On apples" == client.get(f"/v1/episodes/{apples.key}").json()["title"]


def test_a_bucket_that_cannot_be_used_is_a_problem_and_no_traceback(shared, monkeypatch):
    settings = shared()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    with Client(create_app(settings, opener)) as client:
        for path in ("/v1/search?q=apples", "/v1/episodes", "/v1/episodes/g9"):
            assert "wrong-secret" not in problem(client.get(path), 503, "home-unusable")
