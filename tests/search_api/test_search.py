"""`/v1/search` over HTTP: answers, filters, and what cannot be asked."""

import pytest

from tests.search_api.home import GUID, HOSTILE, SELLERS, opener, problem


def keys(answer):
    assert answer.status_code == 200, answer.text
    return {hit["key"] for hit in answer.json()["hits"]}


def test_a_question_is_answered_with_the_passage_its_speaker_and_a_link_that_plays_it(client):
    answer = client.get("/v1/search", params={"q": " why do the best people leave? "}).json()
    hit = answer["hits"][0]
    assert (hit["rank"], hit["episode_id"], hit["key"], hit["answer"]["speaker"]) == (1, GUID, SELLERS.key, "Ben")
    assert (hit["published"], hit["play_url"]) == ("2025-02-20T09:00:00Z", "https://podcast.example/1.mp3#t=1.99,9")
    assert [hit["passage"]["text"][begin:end] for begin, end in hit["highlights"]] == ["best", "people", "leave"]
    assert (answer["query"], answer["coverage"]) == (
        "why do the best people leave?", {"indexed": 2, "searched": 2, "pending": 0, "failed": 1},
    )  # fmt: skip


def test_the_json_has_the_names_that_clients_know(client):
    answer = client.get("/v1/search?q=people").json()
    assert list(answer) == [
        "query", "mode", "took_ms", "index_version", "embedding_model", "hits", "coverage", "weak", "suggestion", "notes",
        "cursor", "explanation",
    ]  # fmt: skip
    assert list(answer["hits"][0]) == [
        "id", "address", "rank", "score", "scores", "podcast", "podcast_title", "episode_id", "key", "title", "published",
        "passage", "answer", "highlights", "link", "audio_url", "play_url", "approximate", "advert", "provenance",
        "turns", "before", "after", "language", "moments", "more",
    ]  # fmt: skip
    for name in ("passage", "answer"):
        assert list(answer["hits"][0][name]) == ["text", "speaker", "start", "end"]
    assert list(answer["hits"][0]["scores"]) == ["vector", "text", "rerank"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"podcast": "selling-well"}, {SELLERS.key, HOSTILE.key}),
        ({"podcast": " Selling Well "}, {SELLERS.key, HOSTILE.key}),
        ({"speaker": "ben"}, {SELLERS.key}),
        ({"language": "en-GB"}, {SELLERS.key, HOSTILE.key}),
        ({"language": "de"}, set()),
        ({"since": "2025-02-20", "until": "2025-02-20"}, {SELLERS.key}),
        ({"since": "2025-02-21"}, set()),
        ({"until": "2025-02-20T08:59:59Z"}, set()),
        ({"until": "2025-02-20T09:00:00"}, {SELLERS.key}),
        ({"since": "2025-02-20T09:00:00Z", "until": "2025-02-20T09:00:00Z"}, {SELLERS.key}),
        ({"since": "0001-01-01", "until": "9999-12-31"}, {SELLERS.key}),
        ({"since": "", "until": " "}, {SELLERS.key, HOSTILE.key}),
        ({"mode": "text"}, {SELLERS.key}),
        ({"limit": 1}, {SELLERS.key}),
        ({"episode": SELLERS.key}, {SELLERS.key}),
        ({"episode": SELLERS.key[:8]}, {SELLERS.key}),
        ({"episode": GUID}, {SELLERS.key}),
        ({"episode": HOSTILE.guid}, {HOSTILE.key}),
        ({"min_score": 0.2}, {SELLERS.key}),
        ({"min_score": 9}, set()),
        ({"podcast": ["selling-well", "Selling Well"]}, {SELLERS.key, HOSTILE.key}),
        ({"podcast": ["", "selling-well"]}, {SELLERS.key, HOSTILE.key}),
    ],
)
def test_filters_narrow_the_hits(client, filters, expected):
    assert keys(client.get("/v1/search", params={"q": "selling people", **filters})) == expected


@pytest.mark.parametrize(
    ("asked", "kind", "parameter"),
    [
        ({}, "empty-query", ""),
        ({"q": ""}, "empty-query", ""),
        ({"q": " \t"}, "empty-query", ""),
        ({"q": "?!"}, "invalid-query", ""),
        ({"q": "x" * 10_000}, "invalid-parameter", "q: "),
        ({"q": "x", "limit": "0"}, "invalid-parameter", "limit: "),
        ({"q": "x", "limit": "101"}, "invalid-parameter", "limit: "),
        ({"q": "x", "limit": "many"}, "invalid-parameter", "limit: "),
        ({"q": "x", "mode": "magic"}, "invalid-parameter", "mode: "),
        ({"q": "x", "since": "yesterday"}, "invalid-parameter", "since: 'yesterday' is not a date"),
        ({"q": "x", "until": "2025-02-30"}, "invalid-parameter", "until: '2025-02-30' is not a date"),
        ({"q": "x", "until": "9999-12-31T23:59:59-01:00"}, "invalid-parameter", "until: "),
        ({"q": "x", "since": "9" * 5_000}, "invalid-parameter", "since: "),
        ({"q": "x", "adverts": "perhaps"}, "invalid-parameter", "adverts: "),
        ({"q": "x", "limt": "3"}, "invalid-parameter", "limt: is no parameter here; did you mean limit?"),
        ({"q": "x", "untill": ""}, "invalid-parameter", "untill: is no parameter here; did you mean until?"),
        ({"q": "x", "zzz": "3"}, "invalid-parameter", "zzz: is no parameter here; there are q, limit"),
        ({"q": "x", "limit": ["3", "3"]}, "invalid-parameter", "limit: is given 2 times"),
        ({"q": ["x", "y", "x"]}, "invalid-parameter", "q: is given 3 times"),
        ({"q": "x", "a" * 9_000: ""}, "invalid-parameter", "aaa"),
        (
            {"q": "people", "podcast": "another"},
            "no-such-podcast",
            "another: no such podcast here (known: selling-well)",
        ),
        (
            {"q": "people", "podcast": "Seling Wel"},
            "no-such-podcast",
            "Seling Wel: no such podcast here (did you mean selling-well?)",
        ),
        ({"q": "people", "podcast": ["selling-well", "seling"]}, "no-such-podcast", "seling: no such podcast here"),
        ({"q": "x", "language": "nonsense"}, "no-such-language", "there is no language 'nonsense'"),
        ({"q": "x", "language": "z" * 9_000}, "no-such-language", "there is no language 'zzz"),
        ({"q": "x", "min_score": "-1"}, "invalid-parameter", "min_score: "),
        ({"q": "x", "min_score": "nan"}, "invalid-parameter", "min_score: "),
        ({"q": "x", "min_score": "inf"}, "invalid-parameter", "min_score: "),
        ({"q": "x", "cursor": "10-abc"}, "other-cursor", "the cursor is of another question"),
        ({"q": "x", "cursor": "9" * 900}, "invalid-parameter", "cursor: "),
        ({"q": "people", "podcast": "x" * 9_000}, "no-such-podcast", "xxx"),
    ],
)
def test_what_cannot_be_asked_gets_a_problem_that_names_the_parameter(client, asked, kind, parameter):
    status = {"no-such-podcast": 404, "no-such-language": 404, "other-cursor": 409}.get(kind, 422)
    assert problem(client.get("/v1/search", params=asked), status, kind).startswith(parameter)


@pytest.mark.parametrize("quote", ["o'brien", "x') OR true --", "\0", "%", "🎧"])
def test_filters_are_data_and_never_a_query_language(client, quote):
    asked = {"q": f"people {quote}", "podcast": quote, "speaker": quote}
    problem(client.get("/v1/search", params=asked), 404, "no-such-podcast")
    assert keys(client.get("/v1/search", params={"q": "people", "speaker": quote})) == set()


def test_the_command_line_and_the_server_give_the_same_hits(client, settings):
    from index.query import Query

    hits = opener(settings).search(Query("best people")).hits
    assert [hit["passage"]["text"] for hit in client.get("/v1/search?q=best+people").json()["hits"]] == [
        hit.passage.text for hit in hits
    ]


def test_a_podcast_that_is_here_and_says_nothing_of_it_is_told_from_one_that_is_not(client):
    asked = {"q": "people", "podcast": "selling-well", "speaker": "Nobody"}
    assert client.get("/v1/search", params=asked).json()["hits"] == []
    assert "No such podcast here" in client.get("/", params=asked | {"podcast": "nosuch"}).text


def test_the_same_answer_is_not_sent_twice_though_it_took_another_time(client):
    first = client.get("/v1/search?q=people")
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    again = client.get("/v1/search?q=people", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/v1/search?q=people&limit=1", headers={"If-None-Match": tag}).status_code == 200
    assert client.get("/v1/search?q=prices", headers={"If-None-Match": tag}).status_code == 200
    sly = client.get("/v1/search", params={"q": 'people "took_ms":1'})
    assert sly.headers["etag"] != client.get("/v1/search", params={"q": 'people "took_ms":2'}).headers["etag"]


def test_an_episode_that_is_not_here_cannot_be_searched(client):
    assert "nobody" in problem(client.get("/v1/search?q=people&episode=nobody"), 404, "episode-not-found")


@pytest.mark.parametrize(
    "options", [{}, {"mode": "text"}, {"episode": GUID}, {"group_by": "episode"}, {"podcast": ["selling-well"]}]
)
def test_pages_of_hits_are_the_whole_list_cut_in_pieces(client, options):
    asked = {"q": "selling best people prices rise", **options}
    whole = client.get("/v1/search", params=asked | {"limit": 50}).json()
    assert whole["cursor"] == ""
    pages, cursor = [], ""
    while not pages or cursor:
        answer = client.get("/v1/search", params=asked | {"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        pages += answer["hits"]
        cursor = answer["cursor"]
    assert pages == whole["hits"]
    assert [hit["rank"] for hit in pages] == list(range(1, len(pages) + 1))
