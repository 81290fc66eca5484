"""The server as a whole: readiness, changes by other processes, nothing written, errors, headers, its own description."""

import pytest

from ingest.ledger import Ledger
from ingest.models import Transcript, Turn
from search_api.app import create_app
from search_api.problems import KINDS
from tests.fakes import BagOfWords
from tests.search_api.home import ENCODED_GUID, FAILED, SELLERS, TIMED, Client, add, add_failed, opener, problem

PATHS = (
    "/", "/?q=people&until=9999-12-31", "/docs", f"/episodes/{SELLERS.key}", "/episodes/nobody", "/livez", "/readyz",
    "/v1/search?q=people", "/v1/episodes", f"/v1/episodes/{SELLERS.key}", f"/v1/episodes/{SELLERS.key}/transcript.vtt",
    f"/v1/episodes/{ENCODED_GUID}", f"/v1/episodes/{FAILED.key}", "/v1/episodes/nobody",
)  # fmt: skip


def test_a_server_with_an_index_is_ready_and_says_how_large_it_is(client):
    assert client.get("/livez").json() == {"status": "alive"}
    ready = {"status": "ready", "episodes": 2, "chunks": 2, "unindexed": 0, "model": BagOfWords().name}
    assert client.get("/readyz").json() == ready


def test_a_server_without_an_index_lives_but_is_not_ready_and_says_what_to_do(own):
    with Client(create_app(own, opener)) as client:
        assert client.get("/livez").status_code == 200
        for path in ("/readyz", "/v1/search?q=anything"):
            answer = client.get(path)
            assert "soundbite run" in problem(answer, 503, "index-not-built")
            assert answer.headers["retry-after"] == "30"
        assert client.get("/v1/episodes").json() == {"count": 0, "episodes": [], "cursor": ""}
    assert not own.home.exists()


def test_an_index_of_another_model_is_refused_by_name(settings):
    app = create_app(settings, lambda settings: opener(settings, BagOfWords("another")))
    with Client(app) as client:
        for path in ("/readyz", "/v1/search?q=anything"):
            detail = problem(client.get(path), 503, "index-mismatch")
            assert detail.startswith(
                "the index was built with bag-of-words, not another; run `soundbite index --rebuild`"
            )
            assert str(settings.home) not in detail
        assert client.get("/v1/search?q=people&mode=text").status_code == 200


def test_a_running_server_sees_what_is_indexed_and_corrected_meanwhile(own):
    with Client(create_app(own, opener)) as client:
        assert client.get("/v1/search?q=umbrella").status_code == 503
        add(own, Transcript(SELLERS, (Turn("An umbrella for everyone."),)))
        assert client.get("/v1/search?q=umbrella").json()["hits"][0]["answer"]["text"] == "An umbrella for everyone."
        add(own, Transcript(SELLERS, (Turn("A parasol for everyone."),)))
        assert (
            client.get("/v1/search?q=parasol&mode=text").json()["hits"][0]["passage"]["text"]
            == "A parasol for everyone."
        )
        add(own, rebuild=True)
        assert len(client.get("/v1/search?q=parasol").json()["hits"]) == 1
        add_failed(own, FAILED, "no audio")
        assert [one["status"] for one in client.get("/v1/episodes").json()["episodes"]] == ["failed", "indexed"]


def test_requests_write_nothing_into_the_home(own):
    def files():  # SQLite's readers share memory through -shm, which holds no data
        found = (path for path in own.home.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in found}

    add(own, TIMED)
    add_failed(own, FAILED, "no audio")
    before = files()
    with Client(create_app(own, opener)) as client:
        assert {client.get(path).status_code for path in PATHS} == {200, 404}
    assert files() == before


def test_a_question_asks_the_ledger_once_for_its_counts_and_for_nothing_else(client, monkeypatch):
    client.get("/")  # gathers what the page's lists show, for a while
    asked = []
    for name in (name for name in vars(Ledger) if not name.startswith("_")):
        real = getattr(Ledger, name)
        monkeypatch.setattr(Ledger, name, lambda *args, name=name, real=real: (asked.append(name), real(*args))[1])
    assert client.get("/v1/search?q=people").json()["coverage"]["failed"] == 1
    assert client.get("/?q=people").status_code == 200
    assert asked == ["counts", "counts"]


def test_an_unexpected_error_shows_nothing_of_the_inside(settings, caplog):
    class Broken(BagOfWords):
        def embed_query(self, text):
            if text == "boom":
                raise ZeroDivisionError("/inner/secret")
            return super().embed_query(text)

    app = create_app(settings, lambda settings: opener(settings, Broken()))
    with Client(app, raise_server_exceptions=False) as client:
        answer = client.get("/v1/search?q=boom")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_unknown_addresses_and_methods_are_problems_too(client):
    for path in ("/v1/nothing", "/static/nothing.css", "/problems/empty-query"):
        problem(client.get(path), 404, "no-such-address")
    refused = client.post("/v1/search")
    problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/", "/v1/search?q=x", "/v1/search", "/nothing", "/livez", "/static/page.css"])
def test_every_response_has_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "media-src http: https:" in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


# -- OpenAPI


@pytest.fixture(scope="module")
def api(client):
    return client.get("/openapi.json").json()


def test_every_operation_has_a_schema_for_its_answer_and_for_its_problems(api):
    described = [operation for methods in api["paths"].values() for operation in methods.values()]
    operations = {operation["operationId"]: operation["responses"] for operation in described}
    schemas = {
        name: answers["200"]["content"]
        .get("application/json", {"schema": {}})["schema"]
        .get("$ref", "")
        .rpartition("/")[2]
        for name, answers in operations.items()
    }
    assert schemas == {
        "live": "Liveness", "ready": "Readiness", "search": "Answer", "list_episodes": "EpisodeList",
        "get_episode": "EpisodeDetail", "get_transcript": "", "search_batch": "BatchAnswer",
        "get_passage": "PassageDocument", "check_quote": "QuoteCheck", "list_podcasts": "PodcastList", "export": "",
        "transcript_feed": "", "alert_feed": "", "list_passages": "PassageList", "similar_episodes": "SimilarEpisodes",
    }  # fmt: skip
    for answers in operations.values():
        problems = [answer["content"] for status, answer in answers.items() if status not in {"200", "304"}]
        assert problems
        for content in problems:
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    assert set(operations["search"]) == {"200", "304", "404", "409", "422", "503", "default"}
    assert set(operations["get_transcript"]) == {"200", "304", "404", "409", "422", "default"}
    assert set(operations["list_episodes"]) == {"200", "304", "404", "409", "422", "503", "default"}


def test_the_parameters_have_their_bounds(api):
    parameters = {one["name"]: one["schema"] for one in api["paths"]["/v1/search"]["get"]["parameters"]}
    assert [parameters["q"][name] for name in ("minLength", "maxLength", "pattern")] == [1, 1000, r"[\p{L}\p{N}]"]
    assert [parameters["limit"][name] for name in ("minimum", "maximum", "default")] == [1, 100, 10]
    assert [one.get("format") for one in parameters["until"]["anyOf"]] == ["date", "date-time", None]
    assert not any(isinstance(one.get("schema"), dict) and not one["schema"] for one in parameters.values())


def test_the_schemas_have_the_names_of_real_answers(api, client):
    schemas = api["components"]["schemas"]
    answer = client.get("/v1/search?q=people").json()
    for name, real in [
        ("Answer", answer), ("Hit", answer["hits"][0]), ("ProblemDocument", client.get("/v1/search").json()),
        ("EpisodeStatus", client.get("/v1/episodes").json()["episodes"][0]),
        ("EpisodeDetail", client.get(f"/v1/episodes/{SELLERS.key}").json()), ("Readiness", client.get("/readyz").json()),
    ]:  # fmt: skip
        assert list(schemas[name]["properties"]) == list(real), name


def test_the_documentation_page_explains_every_operation_and_every_problem(api, client):
    page = client.get("/docs").text
    assert all(f"{method.upper()} {path}" in page for path, methods in api["paths"].items() for method in methods)
    assert all(f'id="problem-{kind.name}"' in page for kind in KINDS)
    assert "//cdn" not in page
