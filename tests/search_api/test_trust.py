"""What a reader is told about how far to trust a text and its times, and that corrected names are found by either form."""

from dataclasses import replace

import pytest

from index import catalogue
from index.build import update
from index.search import Searcher
from index.store.lance import Store
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript
from ingest.transcripts.document import from_markdown, to_markdown, turns_from_segments
from tests.fakes import BagOfWords

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


@pytest.fixture
def searcher(tmp_path):
    Library(tmp_path / "library").write(MADE)
    store = Store(tmp_path / "index")
    update(Library(tmp_path / "library"), store, BagOfWords())
    return Searcher(store, BagOfWords())


def test_a_name_is_found_as_it_was_heard_and_as_it_was_corrected(searcher):
    for form in ("Kuzanchi", "Kazanjy"):
        assert "Kazanjy" in searcher.search(form, mode="text").hits[0].text


def test_a_hit_says_when_its_best_sentence_is_spoken(searcher):
    hit = searcher.search("number 1").hits[0]

    assert (10.0, 19.0) == (round(hit.snippet_start, 1), round(hit.snippet_end, 1))
    assert "number 1" in hit.snippet


def test_a_hit_says_that_its_times_are_approximate(searcher):
    assert searcher.search("seller").hits[0].approximate


def test_the_list_of_episodes_says_which_text_not_to_trust(searcher):
    assert ["speech left out: 40 %"] == [one.flag for one in catalogue.episodes(searcher.store, [])]


def test_any_podcasting_transcript_beside_a_document_gives_it_times():
    plain = '{"version": "1.0.0", "segments": [{"startTime": 1, "endTime": 2.5, "body": "Ask first."}]}'
    document = to_markdown(replace(MADE, turns=turns_from_segments(SPOKEN)))

    assert (Segment(1.0, 2.5, "Ask first."),) == from_markdown(document, plain).segments
