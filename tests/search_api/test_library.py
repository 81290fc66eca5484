"""Podcasts, pages of episodes, passages, similar episodes, the export, and feeds."""

import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest

from index.alerts import Alert, Alerts
from index.calibration import DEFAULT_SCALE
from index.references import refer
from index.spoken import spoken
from ingest.errors import AlertNotFoundError, HomeError, QueryError
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode, Subscription, Transcript, Turn
from ingest.times import now
from search_api.app import create_app
from tests.fakes import BagOfWords
from tests.search_api.home import ENCODED_GUID, FAILED, HOSTILE, SELLERS, TIMED, UNTIMED, Client, add, opener, problem

PODCAST = "{https://podcastindex.org/namespace/1.0}"


def keys(answer):
    assert answer.status_code == 200, answer.text
    return [one["key"] for one in answer.json()["episodes"]]


def lines(body):
    return [json.loads(line) for line in body.splitlines()]


def test_podcasts_are_listed_with_their_episodes_by_state_and_their_feeds(own):
    add(own, TIMED, UNTIMED)
    ledger = Ledger(own.ledger_place)
    ledger.upsert_episodes([FAILED])
    ledger.subscribe(Subscription("selling-well", "https://user:secret@a.example/f", title="Selling Well!"), now())
    ledger.subscribe(Subscription("quiet", "https://b.example/f"), now())
    with Client(create_app(own, opener)) as client:
        listed = client.get("/v1/podcasts").json()
    assert listed["count"] == 2
    quiet, selling = listed["podcasts"]
    assert (quiet["podcast"], quiet["title"], quiet["episodes"], quiet["latest"]) == ("quiet", "quiet", 0, None)
    assert {name: selling[name] for name in ("title", "episodes", "indexed", "transcribed", "pending", "failed")} == {
        "title": "Selling Well!", "episodes": 3, "indexed": 2, "transcribed": 0, "pending": 1, "failed": 0,
    }  # fmt: skip
    assert "secret" not in json.dumps(listed)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [FAILED, SELLERS, HOSTILE]),
        ({"sort": "oldest"}, [SELLERS, FAILED, HOSTILE]),
        ({"sort": "title"}, [HOSTILE, SELLERS, FAILED]),
        ({"status": "failed"}, [FAILED]),
        ({"status": "pending"}, []),
        ({"q": "SELLER best"}, [SELLERS]),
        ({"since": "2025-02-21"}, [FAILED]),
        ({"until": "2025-02-20"}, [SELLERS]),
        ({"until": "9999-12-31"}, [FAILED, SELLERS, HOSTILE]),
        ({"limit": 1}, [FAILED]),
        ({"limit": 1, "cursor": FAILED.key}, [SELLERS]),
        ({"cursor": HOSTILE.key}, []),
    ],
)
def test_episodes_are_filtered_sorted_and_paged(client, asked, expected):
    assert keys(client.get("/v1/episodes", params=asked)) == [episode.key for episode in expected]


def test_pages_of_episodes_end_and_a_cursor_of_another_list_is_refused(client):
    found, cursor = [], None
    while cursor != "":
        page = client.get("/v1/episodes", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found, cursor = found + page["episodes"], page["cursor"]
        assert page["count"] == 3
    assert found == client.get("/v1/episodes").json()["episodes"]
    problem(client.get("/v1/episodes", params={"status": "failed", "cursor": SELLERS.key}), 409, "other-cursor")
    for wrong in ({"limit": 0}, {"sort": "best"}, {"status": "gone"}, {"since": "soon"}, {"cursor": "x" * 17}):
        problem(client.get("/v1/episodes", params=wrong), 422, "invalid-parameter")


def test_the_passages_of_an_episode_are_its_turns_with_permanent_names(client):
    listed = client.get(f"/v1/episodes/{ENCODED_GUID}/passages").json()
    assert (listed["count"], listed["cursor"]) == (2, "")
    assert [(one["speaker"], one["start"]) for one in listed["passages"]] == [("Ann", 0.0), ("Ben", 4.5)]
    assert client.get(listed["passages"][1]["address"]).json()["text"] == listed["passages"][1]["text"]
    path = f"/v1/episodes/{SELLERS.key}/passages"
    assert [one["speaker"] for one in client.get(f"{path}?begin=5").json()["passages"]] == ["Ben"]
    assert [one["speaker"] for one in client.get(f"{path}?end=2").json()["passages"]] == ["Ann"]
    first = client.get(f"{path}?limit=1").json()
    assert [one["speaker"] for one in client.get(path, params={"cursor": first["cursor"]}).json()["passages"]] == [
        "Ben"
    ]
    problem(client.get(f"{path}?cursor=x"), 409, "other-cursor")
    problem(client.get(f"{path}?begin=nan"), 422, "invalid-parameter")
    problem(client.get("/v1/episodes/nobody/passages"), 404, "episode-not-found")


def test_long_turns_are_cut_after_sentences(own):
    text = " ".join(f"Sentence number {n} has exactly seven words." for n in range(100))
    add(own, Transcript(SELLERS, (Turn(text, "Ann"),)))
    with Client(create_app(own, opener)) as client:
        passages = client.get(f"/v1/episodes/{SELLERS.key}/passages").json()["passages"]
    assert " ".join(one["text"] for one in passages) == text
    assert max(len(one["text"].split()) for one in passages) <= 160


def test_similar_episodes_come_with_the_nearest_first_and_without_itself(own):
    about = {
        "g1": "Prices rise and discounts fall.",
        "g2": "Discounts and prices rise again.",
        "g3": "Puppies learn to sit.",
    }
    transcripts = [Transcript(Episode("p", guid, guid), (Turn(text),)) for guid, text in about.items()]
    add(own, *transcripts)
    with Client(create_app(own, opener)) as client:
        near = client.get("/v1/episodes/g1/similar").json()["episodes"]
        assert [one["episode"]["guid"] for one in near] == ["g2", "g3"]
        assert near[0]["similarity"] > near[1]["similarity"]
        assert len(client.get("/v1/episodes/g1/similar?limit=1").json()["episodes"]) == 1
        problem(client.get("/v1/episodes/nobody/similar"), 404, "episode-not-found")


# -- export


def test_the_export_has_every_transcript_in_the_order_of_keys_and_goes_on_after_one(client):
    answer = client.get("/v1/export")
    assert answer.headers["content-type"] == "application/jsonl"
    rows = lines(answer.text)
    assert [row["key"] for row in rows] == sorted([SELLERS.key, HOSTILE.key])
    timed = next(row for row in rows if row["key"] == SELLERS.key)
    assert [segment["text"] for segment in timed["segments"]] == [segment.text for segment in TIMED.segments]
    assert timed["provenance"] == {"source": "publisher"}
    assert lines(client.get("/v1/export", params={"after": rows[0]["key"]}).text) == rows[1:]
    assert client.get("/v1/export", params={"after": rows[1]["key"]}).text == ""
    assert lines(client.get("/v1/export?podcast=selling-well").text) == rows
    problem(client.get("/v1/export?podcast=nosuch"), 404, "no-such-podcast")
    problem(client.get("/v1/export?after=x"), 422, "invalid-parameter")
    problem(client.get("/v1/export?format=xml"), 422, "invalid-parameter")


def test_the_export_as_parquet_has_the_same(client):
    table = pq.read_table(io.BytesIO(client.get("/v1/export?format=parquet").content)).to_pylist()
    rows = lines(client.get("/v1/export").text)
    for row in table:
        row["provenance"] = json.loads(row["provenance"])
    assert table == rows


def test_a_document_that_cannot_be_read_is_left_out_of_the_export(own):
    add(own, TIMED, UNTIMED)
    library = Library(own.library_dir)
    (library.root / library.find(HOSTILE.key).name).write_text("no transcript")
    with Client(create_app(own, opener)) as client:
        assert [row["key"] for row in lines(client.get("/v1/export").text)] == [SELLERS.key]


# -- feeds


def test_transcripts_are_a_feed_that_players_read(client):
    answer = client.get("/v1/feed.xml")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    items = ET.fromstring(answer.content).findall("channel/item")
    assert [item.findtext("guid") for item in items] == [SELLERS.guid, HOSTILE.guid]
    links = [[tag.get("type") for tag in item.findall(f"{PODCAST}transcript")] for item in items]
    assert links == [["text/vtt", "application/x-subrip", "application/json"], ["application/json"]]
    assert client.get(items[0].find(f"{PODCAST}transcript").get("url")).text.startswith("WEBVTT")
    assert items[0].find("enclosure").get("url") == SELLERS.audio_url
    assert items[0].findtext("pubDate") == "Thu, 20 Feb 2025 09:00:00 +0000"
    assert "javascript:" not in answer.text
    assert len(ET.fromstring(client.get("/v1/feed.xml?limit=1").content).findall("channel/item")) == 1
    problem(client.get("/v1/feed.xml?podcast=nosuch"), 404, "no-such-podcast")


def test_a_standing_question_is_a_feed_of_moments_told_apart_by_their_passages(own):
    class Easy(BagOfWords):
        cosine_scale = replace(DEFAULT_SCALE, mean=-0.22)

    add(own, TIMED, UNTIMED)
    Alerts(own.alerts_path).add(Alert("Best People", "why do the best people leave?"))
    with Client(create_app(own, lambda settings: opener(settings, Easy()))) as client:
        answer = client.get("/v1/alerts/best-people.xml")
        items = ET.fromstring(answer.content).findall("channel/item")
        words = spoken(TIMED)
        assert items[0].findtext("guid") == str(refer(SELLERS.key, words, 0, len(words.words)))
        assert items[0].findtext("title") == "Ben: Keeping your best seller"
        assert items[0].findtext("link") == "https://podcast.example/1.mp3#t=4.5"
        assert "The best people leave" in items[0].findtext("description")
        tag = answer.headers["etag"]
        assert client.get("/v1/alerts/best-people.xml", headers={"If-None-Match": tag}).status_code == 304
        assert "best-people" in problem(client.get("/v1/alerts/nosuch.xml"), 404, "alert-not-found")


def test_alerts_are_kept_by_name(tmp_path):
    alerts = Alerts(tmp_path / "home" / "alerts.json")
    assert alerts.all() == []
    alerts.add(Alert("B", "second?"))
    alerts.add(Alert("A", "first?", speaker="ann"))
    alerts.add(Alert("b", "another?"))
    assert [(one.name, one.question) for one in alerts.all()] == [("a", "first?"), ("b", "another?")]
    assert alerts.remove("A").speaker == "ann"
    for call in (lambda: alerts.remove("a"), lambda: alerts.find("zzz")):
        with pytest.raises(AlertNotFoundError, match="b"):
            call()
    with pytest.raises(QueryError):
        alerts.add(Alert("c", "?!"))
    alerts.path.write_text("{")
    with pytest.raises(HomeError):
        alerts.all()
