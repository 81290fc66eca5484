"""The labelled adverts, and the figures that are made of them."""

from itertools import pairwise

import pytest

from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.benchmarks import bench_adverts

READ = "This episode is brought to you by Paperlane. It files receipts. Go to paperlane.com."
TURNS = (Turn(f"Welcome to the show. {READ}", "Ann Lee"), Turn("Thank you. We never advertise.", "Ben"))


@pytest.fixture
def transcript():
    return Transcript(Episode("p", "g1", "One"), TURNS)


def test_as_many_are_labelled_as_said_in_two_equal_halves():
    breaks = bench_adverts.read()
    assert {"tune": 20, "test": 20} == {half: len(episodes) for half, episodes in breaks.items()}
    assert not set(breaks["tune"]) & set(breaks["test"])
    spans = [sorted(own) for episodes in breaks.values() for own in episodes.values()]
    assert 80 == sum(map(len, spans))
    assert all(first <= last for own in spans for first, last in own)
    assert all(one[1] < two[0] for own in spans for one, two in pairwise(own))


def test_words_are_counted_with_the_names_before_turns(transcript):
    marked = bench_adverts.judged(transcript, [(6, 20)])  # Ann Lee Welcome to the show | This … com | Ben Thank you …
    assert [False, True, True, True, False, False] == [label for _, _, label in marked]
    assert [False, True, True, True, False, False] == [found for _, found, _ in marked]


def test_precision_and_recall_are_those_of_their_definitions(tmp_path, transcript, monkeypatch):
    library = Library(tmp_path)
    library.write(transcript)
    labels = {"tune": {"g1": [(2, 16)]}, "test": {"g1": [(14, 23)]}}  # two of the three that are found, and one more
    monkeypatch.setattr(bench_adverts, "read", lambda: labels)
    assert ["0.667", "0.667", "0.667", "0.667"] == [one.measured for one in bench_adverts.run(library)]
    monkeypatch.setattr(bench_adverts, "read", lambda: {"tune": {"elsewhere": [(0, 1)]}})
    assert [] == bench_adverts.run(library)
