"""Passages over HTTP: permanent names, citations, edits since; batches; quotes."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ingest.ledger import Ledger
from ingest.models import Subscription, Transcript, Turn
from ingest.times import now
from search_api.app import create_app
from tests.search_api.home import GUID, HOSTILE, SELLERS, TIMED, UNTIMED, Client, add, opener, problem


def first_hit(client, q="best people leave", **options):
    return client.get("/v1/search", params={"q": q, **options}).json()["hits"][0]


def test_a_hit_names_its_passage_for_good_and_the_address_shows_it(client):
    hit = first_hit(client)
    found = client.get(hit["address"])
    passage = found.json()
    assert (passage["id"], passage["state"], passage["current_id"]) == (hit["id"], "same", hit["id"])
    assert passage["turns"] == hit["turns"]
    assert [turn["speaker"] for turn in hit["turns"]] == ["Ann", "Ben"]
    assert (passage["podcast"], passage["title"], passage["key"]) == ("selling-well", SELLERS.title, SELLERS.key)
    assert passage["provenance"] == {"source": "publisher", "model": "", "flag": ""} == hit["provenance"]
    assert client.get(hit["address"], headers={"If-None-Match": found.headers["etag"]}).status_code == 304


def test_a_passage_keeps_its_name_when_the_index_is_made_anew_or_lost(own):
    add(own, TIMED)
    with Client(create_app(own, opener)) as client:
        hit = first_hit(client)
        add(own, rebuild=True)
        assert first_hit(client)["id"] == hit["id"]
        for file in own.index_dir.rglob("*"):
            if file.is_file():
                file.unlink()
        assert client.get(hit["address"]).json()["text"] == "\n\n".join(turn["text"] for turn in hit["turns"])


def test_an_edit_is_said_and_what_stands_there_now_is_shown(own):
    add(own, TIMED)
    with Client(create_app(own, opener)) as client:
        hit = first_hit(client)
        add(own, replace(TIMED, turns=(Turn("A new beginning.", "Eve"), *TIMED.turns), segments=()))
        moved = client.get(hit["address"]).json()
        assert (moved["state"], moved["turns"][1]["speaker"]) == ("moved", "Ben")
        add(own, replace(TIMED, turns=(Turn("The best people stay.", "Ben"),), segments=()))
        changed = client.get(hit["address"]).json()
        assert (changed["state"], changed["text"]) == ("changed", "The best people stay.")
        assert changed["current_id"] != hit["id"]
        assert changed["transcript_version"] != moved["transcript_version"]
        assert client.get(changed["address"]).json()["state"] == "same"


@pytest.mark.parametrize("name", ["x", "0" * 16 + "-0-3-" + "0" * 8, "%20", "a" * 900])
def test_a_passage_that_is_not_here_is_a_problem(client, name):
    problem(client.get(f"/v1/passages/{name}"), 404, "passage-not-found")


def test_context_brings_the_sentences_around(own):
    text = " ".join(f"Alpha number {n} is said here in some words." for n in range(60))
    add(own, Transcript(SELLERS, (Turn(text, "Ann"), Turn("Umbrellas keep dry.", "Ben"), Turn(text, "Eve"))))
    with Client(create_app(own, opener)) as client:
        hit = first_hit(client, "umbrellas dry", context=2, mode="text")
        bare = first_hit(client, "umbrellas dry", mode="text")
        assert (bare["before"], bare["after"]) == ([], [])
        assert [[len(part["text"].split(".")) - 1 for part in hit[side]] for side in ("before", "after")] == [[2], [2]]
        around = client.get(hit["address"], params={"context": 2}).json()
        assert (around["before"], around["after"]) == (hit["before"], hit["after"])
        problem(client.get("/v1/search?q=x&context=11"), 422, "invalid-parameter")
        problem(client.get(hit["address"] + "?context=-1"), 422, "invalid-parameter")


@pytest.mark.parametrize(
    ("order", "before", "after"),
    [
        ("talk read answer talk", 0, 2),
        ("talk answer read talk", 2, 0),
        ("read answer read", 0, 0),
        ("talk answer talk read", 2, 2),
    ],
)
def test_a_sponsors_message_is_no_context(own, order, before, after):
    talk = " ".join(f"Alpha number {n} is said here in some words." for n in range(60))
    read = (
        "This episode is brought to you by Rainwear. Go to rainwear.example slash show for a discount. "
        "Use the code DRY for ten percent off your first order."
    )
    said = {"talk": Turn(talk, "Ann"), "read": Turn(read, "Announcer"), "answer": Turn("Umbrellas keep dry.", "Ben")}
    add(own, Transcript(SELLERS, tuple(said[name] for name in order.split())))
    with Client(create_app(own, opener)) as client:
        hit = first_hit(client, "umbrellas dry", context=2, mode="text")
    assert "Umbrellas keep dry." in hit["passage"]["text"]
    sentences = [sum(part["text"].count(".") for part in hit[side]) for side in ("before", "after")]
    assert sentences == [before, after]


def test_a_citation_says_who_where_when_and_which_transcript(client):
    passage = client.get(first_hit(client)["address"]).json()
    cited = passage["citation"]
    assert cited["text"].startswith("“Welcome to the show")
    assert "Ann and Ben, “Keeping your best seller”, Selling Well, 20 February 2025, at 0:00." in cited["text"]
    assert f"Transcript by the publisher, version {passage['transcript_version']}." in cited["text"]
    assert "[Keeping your best seller](<https://podcast.example/1.mp3#t=0>)" in cited["markdown"]
    assert cited["bibtex"].startswith(f"@misc{{soundbite-{passage['id']},\n  author = {{{{Ann and Ben}}}},")
    assert "  year = {2025},\n  month = {2},\n  day = {20}," in cited["bibtex"]
    assert cited["csl"]["issued"] == {"date-parts": [[2025, 2, 20]]}
    assert cited["csl"]["author"] == [{"literal": "Ann and Ben"}]
    assert cited["csl"]["URL"] == "https://podcast.example/1.mp3#t=0"


def test_text_from_feeds_breaks_no_citation(client):
    hit = first_hit(client, "prices rise", episode=HOSTILE.key)
    cited = client.get(hit["address"]).json()["citation"]
    assert "javascript:" not in json.dumps(cited)
    assert "\\<b\\>rise\\</b\\>" in cited["markdown"]
    assert cited["bibtex"].count("{") == cited["bibtex"].count("}")


def test_the_name_of_a_podcast_is_that_of_its_feed(own):
    add(own, TIMED)
    with Client(create_app(own, opener)) as client:
        assert first_hit(client)["podcast_title"] == "Selling Well"
        Ledger(own.ledger_place).subscribe(
            Subscription("selling-well", "https://a.example/f", title="Selling. Well!"), now()
        )
        hit = first_hit(client)
        assert (hit["podcast"], hit["podcast_title"]) == ("selling-well", "Selling. Well!")
        assert client.get(hit["address"]).json()["podcast_title"] == "Selling. Well!"


def test_an_answer_says_on_which_index_it_rests_and_how_much_of_it(client, own):
    answer = client.get("/v1/search?q=people").json()
    assert (len(answer["index_version"]), answer["embedding_model"], answer["explanation"]) == (
        12,
        "bag-of-words",
        None,
    )
    assert [
        client.get("/v1/search", params={"q": "people", **filters}).json()["coverage"]["searched"]
        for filters in ({"speaker": "ben"}, {"since": "2025-01-01"}, {"language": "de"}, {"episode": GUID})
    ] == [1, 1, 0, 1]
    explained = client.get("/v1/search?q=people&explain=true&context=1").json()["explanation"]
    assert list(explained["stages_ms"]) == ["understand", "embed", "retrieve", "rank", "context"]
    assert explained["candidates"] == 2
    add(own, UNTIMED, TIMED)
    with Client(create_app(own, opener)) as other:
        assert other.get("/v1/search?q=people").json()["index_version"] == answer["index_version"]


def test_a_cursor_is_refused_once_the_index_has_changed(own):
    add(own, TIMED, UNTIMED)
    with Client(create_app(own, opener)) as client:
        cursor = client.get("/v1/search?q=people&limit=1").json()["cursor"]
        add(own, rebuild=True)
        again = {"q": "people", "limit": 1, "cursor": cursor, "context": 1, "explain": "true"}
        assert client.get("/v1/search", params=again).status_code == 200
        add(own, replace(UNTIMED, turns=(Turn("Something else now."),)))
        assert "has changed since" in problem(client.get("/v1/search", params=again), 409, "other-cursor")


# -- batches


def test_a_batch_has_the_answers_of_single_searches_in_its_order(client):
    asked = [
        {"q": "best people"},
        {"q": "prices rise", "mode": "text"},
        {"q": "people", "limit": 1, "speaker": "ben"},
        {"q": "people", "since": None, "until": "2025-03-01"},
    ]
    together = client.post("/v1/search/batch", json={"searches": asked}).json()["results"]
    alone = [client.get("/v1/search", params={k: v for k, v in one.items() if v}).json() for one in asked]
    for answer in (*alone, *(one["answer"] for one in together)):
        answer.pop("took_ms")
    assert [one["answer"] for one in together] == alone
    assert {one["problem"] for one in together} == {None}


def test_a_search_of_a_batch_that_cannot_be_answered_spoils_no_other(client):
    wrong = [
        {"q": "?!"},
        {"q": "x", "podcast": ["nosuch"]},
        {"q": "x", "episode": "nobody"},
        {"q": "x", "language": "qq"},
        {"q": "x", "cursor": "1-x.y"},
    ]
    results = client.post("/v1/search/batch", json={"searches": [{"q": "people"}, *wrong]}).json()["results"]
    assert results[0]["answer"]["hits"]
    assert [one["problem"]["type"].partition("-")[2] for one in results[1:]] == [
        "invalid-query", "no-such-podcast", "episode-not-found", "no-such-language", "other-cursor",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "kind", "detail"),
    [
        ({}, 422, "invalid-parameter", "searches: field required"),
        ({"searches": []}, 422, "invalid-parameter", "searches: "),
        ({"searches": [{"q": "x"}] * 101}, 422, "invalid-parameter", "searches: "),
        ({"searches": [{"q": "x", "limit": 0}]}, 422, "invalid-parameter", "searches.0.limit: "),
        ({"searches": [{"q": "x", "limit": "3"}]}, 422, "invalid-parameter", "searches.0.limit: "),
        ({"searches": [{"q": "x", "adverts": 0}]}, 422, "invalid-parameter", "searches.0.adverts: "),
        ({"searches": [{"q": "x", "since": 3}]}, 422, "invalid-parameter", "searches.0.since: is not a date"),
        (
            {"searches": [{"q": "x", "until": "soon"}]},
            422,
            "invalid-parameter",
            "searches.0.until: 'soon' is not a date",
        ),
        ({"searches": [{"q": "x", "limt": 3}]}, 422, "invalid-parameter", "searches.0.limt: "),
        ({"searches": [{}]}, 422, "empty-query", ""),
        ([], 422, "invalid-parameter", ""),
        ({"searches": [{"q": "x" * 300_000}]}, 413, "too-large", "the body has more than"),
    ],
)
def test_a_batch_that_is_none_gets_a_problem(client, body, status, kind, detail):
    assert problem(client.post("/v1/search/batch", json=body), status, kind).startswith(detail)


def test_a_body_without_a_length_is_bounded_too(client):
    answer = client.post("/v1/search/batch", content=iter([b"[" * 100_000] * 5))
    problem(answer, 413, "too-large")


def test_addresses_that_are_written_to_say_so(client):
    assert client.get("/v1/search/batch").headers["allow"] == "POST"
    assert client.options("/v1/quotes/check").headers["allow"] == "POST, OPTIONS"


# -- quotes


def test_a_quote_is_checked_and_its_place_is_a_passage(client):
    checked = client.post("/v1/quotes/check", json={"text": "“the best people leave when nobody asks”"}).json()
    assert (checked["verdict"], checked["places"][0]["speakers"]) == ("exact", ["Ben"])
    passage = client.get(checked["places"][0]["address"]).json()
    assert (passage["text"], passage["state"]) == ("The best people leave when nobody asks", "same")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"text": ""}, 422, "invalid-parameter"),
        ({"text": "x" * 4_000}, 422, "invalid-parameter"),
        ({"text": "some three words", "episode": "nobody"}, 404, "episode-not-found"),
        ({"text": "some three words", "podcast": ["nosuch"]}, 404, "no-such-podcast"),
        ({"text": "some three words", "by": "me"}, 422, "invalid-parameter"),
    ],
)
def test_a_quote_that_cannot_be_checked_gets_a_problem(client, body, status, kind):
    problem(client.post("/v1/quotes/check", json=body), status, kind)


def test_many_ask_at_once_and_get_the_same(client):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: first_hit(client)["id"], range(16)))
    assert len(set(answers)) == 1
