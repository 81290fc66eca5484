import json
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from index.build import update
from index.search import Searcher, as_dict
from index.store.lance import Store
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.settings import Settings
from ingest.transcripts.document import turns_from_segments
from search_api.app import create_app
from tests.fakes import BagOfWords

GUID = "https://podcast.example/episodes?n=1&x=a/b#top"
SELLERS = Episode(
    "selling", GUID, "Keeping your best seller", published="Thu, 20 Feb 2025 09:00:00 -0000",
    link="https://podcast.example/1", audio_url="https://podcast.example/1.mp3",
)  # fmt: skip
SPOKEN = (
    Segment(0.0, 4.5, "Welcome to the show about selling.", "Ann"),
    Segment(4.5, 9.0, "The best people leave when nobody asks them for more.", "Ben"),
)
HOSTILE = Episode(
    "selling", "g2/transcript", "<script>alert(1)</script>", link="javascript:alert(2)", audio_url="javascript:alert(3)"
)
PROBLEM = "application/problem+json"


def keep(settings, *transcripts):
    for transcript in transcripts:
        Library(settings.library_dir).write(transcript)
    update(Library(settings.library_dir), Store(settings.index_dir), BagOfWords())


def opener(settings):
    return Searcher(Store(settings.index_dir), BagOfWords(), Ledger(settings.ledger_path).counts)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    timed = Transcript(
        SELLERS, turns_from_segments(SPOKEN), SPOKEN, "2026-01-05T08:00:00.000Z", {"source": "publisher"}
    )
    untimed = Transcript(HOSTILE, (Turn("Prices <b>rise</b> & fall with every quarter.", "<i>Eve</i>"),))
    keep(settings, timed, untimed)
    waiting = Episode("selling", "g3", "Not heard yet", published="Fri, 21 Feb 2025 09:00:00 -0000")
    ledger = Ledger(settings.ledger_path)
    ledger.found([waiting])
    ledger.fail(waiting, "the audio is a web page", datetime(2026, 1, 1, tzinfo=UTC))
    return settings


@pytest.fixture(scope="module")
def client(settings):
    with TestClient(create_app(settings, opener), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with TestClient(create_app(Settings(home=tmp_path_factory.mktemp("empty")), opener)) as client:
        yield client


def problem(answer, status, name):
    assert answer.headers["content-type"] == PROBLEM
    document = answer.json()
    assert (answer.status_code, document["status"], document["type"]) == (status, status, f"/problems/{name}")
    return document["detail"]


# -- search


def test_a_question_is_answered_with_the_passage_its_speaker_and_a_link_that_plays_it(client):
    answer = client.get("/v1/search", params={"q": "why do the best people leave?"})
    hit = answer.json()["hits"][0]
    assert answer.status_code == 200
    assert (hit["rank"], hit["episode_id"], hit["key"], hit["speaker"]) == (1, GUID, SELLERS.key, "Ben")
    assert hit["play_url"] == "https://podcast.example/1.mp3#t=0,9"
    assert hit["published"] == "2025-02-20T09:00:00Z"
    assert answer.json()["coverage"] == {"indexed": 2, "pending": 0, "failed": 1}


def test_the_answer_has_the_shape_of_the_command_line(client, settings):
    said = client.get("/v1/search", params={"q": "best people", "limit": 1}).json()
    same = json.loads(json.dumps(as_dict(opener(settings).search("best people", limit=1))))
    assert {**same, "took_ms": 0} == {**said, "took_ms": 0}
    assert list(said) == list(same)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"podcast": "selling"}, {SELLERS.key, HOSTILE.key}),
        ({"podcast": "another"}, set()),
        ({"speaker": "ben"}, {SELLERS.key}),
        ({"since": "2025-02-20", "until": "2025-02-20"}, {SELLERS.key}),
        ({"since": "2025-02-21"}, set()),
        ({"until": "2025-02-20T09:00:00Z"}, set()),
        ({"until": ""}, {SELLERS.key, HOSTILE.key}),
        ({"mode": "text"}, {SELLERS.key}),
    ],
)
def test_limits_narrow_the_hits(client, limits, expected):
    hits = client.get("/v1/search", params={"q": "selling people", **limits}).json()["hits"]
    assert {hit["key"] for hit in hits} == expected


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({}, "empty-query"),
        ({"q": "  "}, "empty-query"),
        ({"q": "?!"}, "invalid-query"),
        ({"q": "x" * 10_000}, "invalid-query"),
        ({"q": "x", "limit": "0"}, "invalid-query"),
        ({"q": "x", "limit": "10000"}, "invalid-query"),
        ({"q": "x", "limit": "many"}, "invalid-parameter"),
        ({"q": "x", "mode": "magic"}, "invalid-parameter"),
        ({"q": "x", "since": "yesterday"}, "invalid-query"),
        ({"q": "x", "until": "2025-02-30"}, "invalid-query"),
    ],
)
def test_what_cannot_be_asked_gets_one_line_that_says_so(client, asked, name):
    detail = problem(client.get("/v1/search", params=asked), 422, name)
    assert detail
    assert "\n" not in detail
    assert len(detail) < 300


@pytest.mark.parametrize("quote", ["o'brien", "x') OR true --", "\0", "%", "🎧"])
def test_limits_are_data_and_never_a_query_language(client, quote):
    answer = client.get("/v1/search", params={"q": f"people {quote}", "podcast": quote, "speaker": quote})
    assert answer.status_code == 200
    assert client.get("/v1/search", params={"q": "people", "speaker": quote}).json()["hits"] == []


# -- episodes


def test_every_episode_known_is_listed_newest_first_with_what_became_of_it(client):
    listed = client.get("/v1/episodes").json()
    assert listed["count"] == 3
    assert [(one["guid"], one["status"]) for one in listed["episodes"]] == [
        ("g3", "failed"), (GUID, "indexed"), ("g2/transcript", "indexed"),
    ]  # fmt: skip
    assert client.get("/v1/episodes?podcast=another").json() == {"count": 0, "episodes": []}


@pytest.mark.parametrize(
    "name", [SELLERS.key, "https%3A%2F%2Fpodcast.example%2Fepisodes%3Fn%3D1%26x%3Da%2Fb%23top",
             "https://podcast.example/episodes%3Fn=1&x=a/b%23top"]
)  # fmt: skip
def test_an_episode_is_found_by_its_key_and_by_its_guid(client, name):
    found = client.get(f"/v1/episodes/{name}").json()
    assert (found["key"], found["guid"], found["speakers"]) == (SELLERS.key, GUID, ["Ann", "Ben"])
    assert client.get(found["transcripts"]["vtt"]).text.startswith("WEBVTT\n")


def test_a_guid_that_looks_like_an_address_of_ours_is_still_a_guid(client):
    assert client.get("/v1/episodes/g2%2Ftranscript").json()["key"] == HOSTILE.key
    assert client.get("/v1/episodes/g2%2Ftranscript/transcript.txt").text.startswith("<i>Eve</i>:")


def test_an_episode_without_a_transcript_says_why(client):
    found = client.get("/v1/episodes/g3").json()
    assert (found["status"], found["reason"], found["transcripts"]) == ("failed", "the audio is a web page", {})
    problem(client.get("/v1/episodes/g3/transcript"), 404, "episode-not-found")


@pytest.mark.parametrize(
    "name", ["nobody", "nobody/transcript.md", "nobody/transcript", "..%2F..%2Fetc%2Fpasswd", "%00"]
)
def test_an_episode_that_is_not_here_is_not_found(client, name):
    problem(client.get(f"/v1/episodes/{name}"), 404, "episode-not-found")


# -- transcripts


@pytest.mark.parametrize(
    ("form", "media", "start"),
    [
        ("md", "text/markdown; charset=utf-8", "# Keeping your best seller\n"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n"),
        ("srt", "application/x-subrip", "1\n00:00:00,000 --> "),
        ("json", "application/json", "{"),
        ("txt", "text/plain; charset=utf-8", "Ann:\n"),
    ],
)
def test_a_transcript_is_given_in_the_form_its_suffix_or_the_client_names(client, form, media, start):
    by_suffix = client.get(f"/v1/episodes/{SELLERS.key}/transcript.{form}")
    by_accept = client.get(f"/v1/episodes/{SELLERS.key}/transcript", headers={"Accept": media})
    assert by_suffix.headers["content-type"] == by_accept.headers["content-type"] == media
    assert by_suffix.text.startswith(start)
    assert by_suffix.content == by_accept.content
    assert by_accept.headers["vary"] == "Accept"


def test_the_markdown_is_the_file_of_the_library_byte_for_byte(client, settings):
    path = Library(settings.library_dir).find(SELLERS.key)
    assert client.get(f"/v1/episodes/{SELLERS.key}/transcript").content == path.read_bytes()


def test_a_form_that_is_not_there_is_refused(client):
    assert "has no times" in problem(client.get(f"/v1/episodes/{HOSTILE.key}/transcript.vtt"), 406, "not-acceptable")
    problem(client.get(f"/v1/episodes/{SELLERS.key}/transcript.pdf"), 404, "no-such-address")
    refused = client.get(f"/v1/episodes/{SELLERS.key}/transcript", headers={"Accept": "image/png"})
    problem(refused, 406, "not-acceptable")


def test_only_transcripts_may_be_read_by_pages_elsewhere(client):
    asked = {"Origin": "https://player.example"}
    transcript = client.get(f"/v1/episodes/{SELLERS.key}/transcript.vtt", headers=asked)
    others = [
        client.get(path, headers=asked)
        for path in ("/", "/v1/search?q=x", "/v1/episodes", f"/v1/episodes/{SELLERS.key}")
    ]
    assert transcript.headers["access-control-allow-origin"] == "*"
    assert not any("access-control-allow-origin" in other.headers for other in others)


@pytest.mark.parametrize(
    "path", ["/v1/episodes", f"/v1/episodes/{SELLERS.key}", f"/v1/episodes/{SELLERS.key}/transcript"]
)
def test_what_a_client_has_already_is_not_sent_again(client, path):
    first = client.get(path)
    tag = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert first.headers["cache-control"] == "no-cache"
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


# -- the server


def test_a_server_with_an_index_is_ready_and_says_in_figures_what_it_holds(client):
    assert client.get("/livez").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["episodes"], ready["unindexed"], ready["model"]) == (
        "ready",
        2,
        0,
        BagOfWords().name,
    )


def test_a_server_without_an_index_lives_but_is_not_ready_and_says_what_to_do(empty):
    assert empty.get("/livez").status_code == 200
    for path in ("/readyz", "/v1/search?q=anything"):
        answer = empty.get(path)
        assert "soundbite run" in problem(answer, 503, "index-not-built")
        assert answer.headers["retry-after"] == "30"
    assert empty.get("/v1/episodes").json() == {"count": 0, "episodes": []}


def test_an_index_of_another_model_is_refused_by_name(settings):
    other = BagOfWords("another")
    with TestClient(create_app(settings, lambda settings: Searcher(Store(settings.index_dir), other))) as client:
        for path in ("/readyz", "/v1/search?q=anything"):
            detail = problem(client.get(path), 503, "index-mismatch")
            assert detail.startswith(
                "the index was built with bag-of-words, not another; run `soundbite index --rebuild`"
            )
            assert str(settings.home) not in detail
        assert client.get("/v1/search?q=people&mode=text").status_code == 200


def test_a_running_server_sees_what_is_indexed_and_corrected_meanwhile(tmp_path):
    settings = Settings(home=tmp_path)
    with TestClient(create_app(settings, opener)) as client:
        assert client.get("/v1/search?q=umbrella").status_code == 503
        keep(settings, Transcript(SELLERS, (Turn("An umbrella for everyone."),)))
        assert client.get("/v1/search?q=umbrella").json()["hits"][0]["snippet"] == "An umbrella for everyone."
        keep(settings, Transcript(SELLERS, (Turn("A parasol for everyone."),)))
        assert client.get("/v1/search?q=parasol&mode=text").json()["hits"][0]["text"] == "A parasol for everyone."
        update(Library(settings.library_dir), Store(settings.index_dir), BagOfWords(), rebuild=True)
        assert len(client.get("/v1/search?q=parasol").json()["hits"]) == 1


def test_a_transcript_that_was_broken_by_hand_is_named_so(tmp_path):
    settings = Settings(home=tmp_path)
    keep(settings, Transcript(SELLERS, (Turn("Words."),)))
    path = Library(settings.library_dir).find(SELLERS.key)
    path.write_text(path.read_text().partition("## Transcript")[0])
    with TestClient(create_app(settings, opener)) as client:
        guid = "https%3A%2F%2Fpodcast.example%2Fepisodes%3Fn%3D1%26x%3Da%2Fb%23top"
        detail = problem(client.get(f"/v1/episodes/{guid}"), 409, "unreadable-transcript")
    assert str(tmp_path) not in detail


def test_an_unexpected_error_shows_nothing_of_the_inside(settings, caplog):
    class Broken(BagOfWords):
        def embed_query(self, text):
            if text == "boom":
                raise ZeroDivisionError("/inner/secret")
            return super().embed_query(text)

    app = create_app(settings, lambda settings: Searcher(Store(settings.index_dir), Broken()))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/v1/search?q=boom")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_addresses_and_methods_that_are_not_there_are_problems_too(client):
    problem(client.get("/v1/nothing"), 404, "no-such-address")
    problem(client.get("/static/nothing.css"), 404, "no-such-address")
    refused = client.post("/v1/search")
    problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/", "/v1/search?q=x", "/v1/search", "/nothing", "/livez", "/static/page.css"])
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "media-src http: https:" in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_the_interface_describes_itself(client):
    api = client.get("/openapi.json").json()
    operations = {path: methods["get"] for path, methods in api["paths"].items()}
    assert {operation["operationId"] for operation in operations.values()} == {
        "live", "ready", "search", "list_episodes", "get_episode", "get_transcript", "get_transcript_as",
    }  # fmt: skip
    assert "example" in operations["/v1/search"]["responses"]["200"]["content"]["application/json"]
    assert PROBLEM in operations["/v1/search"]["responses"]["422"]["content"]
    assert PROBLEM in operations["/v1/episodes/{name}"]["responses"]["404"]["content"]


def test_the_examples_have_the_shape_of_the_answers(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path, real in [("/v1/search", "/v1/search?q=people"), ("/v1/episodes", "/v1/episodes"),
                       ("/v1/episodes/{name}", f"/v1/episodes/{SELLERS.key}")]:  # fmt: skip
        example = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        assert shape(example) == shape(client.get(real).json())


def shape(data):
    if isinstance(data, dict):
        return {name: shape(value) for name, value in data.items() if name != "provenance"}
    return [shape(data[0])] if isinstance(data, list) else None
