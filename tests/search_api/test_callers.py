"""Who is answered: other names and other sites are not, whatever they ask for."""

import pytest

from search_api.app import create_app
from search_api.callers import host_and_port, is_own_name, is_own_origin
from tests.search_api.home import SELLERS, Client, opener, problem

TRANSCRIPT = f"/v1/episodes/{SELLERS.key}/transcript.vtt"
PATHS = (
    "/",
    "/docs",
    "/livez",
    "/v1/search?q=people",
    "/v1/episodes",
    TRANSCRIPT,
    "/static/page.css",
    "/nothing",
    "/openapi.json",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1@evil.example", ""]
)
def test_a_server_called_by_a_foreign_name_shows_nothing(client, path, host):
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "selling" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_problem_of_a_foreign_name_says_which_setting_adds_it(client):
    answer = client.get("/livez", headers={"Host": "pods.example"})
    assert "pods.example" in problem(answer, 421, "foreign-host")
    assert "SOUNDBITE_SERVER_NAMES" in client.get("/docs").text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "app.localhost", "127.0.0.1:9", "[::1]:8000", "192.168.1.5", "localhost."]
)
def test_localhost_and_addresses_are_answered(client, host):
    assert client.get("/livez", headers={"Host": host}).status_code == 200


def test_a_name_of_a_setting_is_answered_and_its_pages_may_ask(settings):
    app = create_app(settings.model_copy(update={"server_names": " Pods.example, nas.local "}), opener)
    with Client(app) as client:
        for host in ("pods.example", "PODS.EXAMPLE:443", "nas.local:8000"):
            assert client.get("/livez", headers={"Host": host}).status_code == 200
        assert client.get("/livez", headers={"Host": "other.example"}).status_code == 421
        assert client.get("/livez", headers={"Origin": "https://pods.example"}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:9000",
        "http://localhost:8000",
        "file://",
        "http://127.0.0.1:8000@evil.example",
    ],
)
@pytest.mark.parametrize("path", ["/v1/search?q=people", "/v1/episodes", "/"])
def test_pages_of_other_sites_may_not_ask(client, origin, path):
    answer = client.get(path, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "selling" not in answer.text


def test_pages_of_this_server_and_players_of_transcripts_may(client):
    assert client.get("/v1/search?q=people", headers={"Origin": "http://127.0.0.1:8000"}).status_code == 200
    assert client.get(TRANSCRIPT, headers={"Origin": "https://player.example"}).status_code == 200


@pytest.mark.parametrize(
    ("authority", "expected"),
    [("a.example", ("a.example", 80)), ("A.example:81", ("a.example", 81)), ("[::1]:9", ("::1", 9)), ("a.example:x", ("", None)),
     ("a@b.example", ("", None)), ("a.example/x", ("", None)), ("a.example:99999", ("", None)), ("", ("", 80))],
)  # fmt: skip
def test_a_host_header_is_a_name_and_a_port_or_nothing(authority, expected):
    assert host_and_port(authority) == expected


def test_names_and_origins_are_compared_whole():
    own = frozenset({"pods.example"})
    assert [is_own_name(one, own) for one in ("pods.example", "x.pods.example", "example", "1.2.3", "1.2.3.4", "::1")] == [
        True, False, False, False, True, True,
    ]  # fmt: skip
    assert is_own_origin("http://pods.example:3000", "127.0.0.1", own)
    assert is_own_origin("https://10.0.0.1", "10.0.0.1", own)
    assert is_own_origin("http://10.0.0.1:80", "10.0.0.1", own)
    assert not is_own_origin("http://10.0.0.1:81", "10.0.0.1", own)
    assert not is_own_origin("http://", "", own)
