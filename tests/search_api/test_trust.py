"""What a reader is told about how far to trust a text and its times, and that corrected names are found by either form."""

from dataclasses import replace

import pytest

from ingest.models import Episode, Segment, Transcript
from ingest.settings import Settings
from ingest.transcripts.document import from_markdown, to_markdown, turns_from_segments
from search_api.app import create_app
from tests.search_api.home import Client, add, opener

SPOKEN = tuple(
    Segment(10.0 * i, 10.0 * i + 9, f"Sentence number {i} says that Kazanjy measures every seller {'again ' * i}.")
    for i in range(3)
)
PROVENANCE = {
    "source": "model",
    "flag": "speech left out: 40 %",
    "times": "approximate",
    "corrections": [{"wrong": "Kuzanchi", "right": "Kazanjy", "times": [10.0]}],
}
MADE = Transcript(
    Episode("quota", "g1", "Measuring", audio_url="https://quota.example/1.mp3"),
    turns_from_segments(SPOKEN), SPOKEN, "2026-01-06T09:00:00.000Z", PROVENANCE,
)  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("trust"))
    add(settings, MADE)
    with Client(create_app(settings, opener)) as client:
        yield client


def first_hit(client, question, mode="hybrid"):
    return client.get("/v1/search", params={"q": question, "mode": mode}).json()["hits"][0]


@pytest.mark.parametrize("form", ["Kuzanchi", "Kazanjy"])
def test_a_name_is_found_as_it_was_recognised_and_as_it_was_corrected(client, form):
    assert "Kazanjy" in first_hit(client, form, "text")["passage"]["text"]


def test_a_hit_says_when_its_answer_is_spoken_and_plays_from_just_before(client):
    hit = first_hit(client, "number 1")
    assert (10.0, 29.0) == (round(hit["answer"]["start"], 1), round(hit["answer"]["end"], 1))
    assert "number 1" in hit["answer"]["text"]
    assert 'href="https://quota.example/1.mp3#t=7.78,' in client.get("/?q=number+1").text


def test_a_hit_says_that_its_times_are_approximate(client):
    assert first_hit(client, "seller")["approximate"]
    assert "This time may be off" in client.get("/?q=seller").text


def test_a_reader_is_told_which_text_not_to_trust(client):
    assert [one["flag"] for one in client.get("/v1/episodes").json()["episodes"]] == ["speech left out: 40 %"]
    assert client.get(f"/v1/episodes/{MADE.episode.key}").json()["flag"] == "speech left out: 40 %"
    assert "Take this text with care: speech left out: 40 %" in client.get(f"/episodes/{MADE.episode.key}").text


def test_any_podcasting_transcript_beside_a_document_gives_it_times():
    plain = '{"version": "1.0.0", "segments": [{"startTime": 1, "endTime": 2.5, "body": "Ask first."}]}'
    document = to_markdown(replace(MADE, turns=turns_from_segments(SPOKEN)))

    assert (Segment(1.0, 2.5, "Ask first."),) == from_markdown(document, plain).segments
