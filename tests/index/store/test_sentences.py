"""Sentences around places in episodes: as many as asked for on each side, from as few chunks as that takes."""

import pytest

from index.store.lance import Store
from ingest.identity import episode_key
from ingest.models import Episode, Segment, Transcript
from ingest.settings import Settings
from ingest.transcripts.document import turns_from_segments
from tests.search_api.home import add

LONG, OTHER = Episode("p", "long", "Long"), Episode("p", "other", "Other")


def said(episode, count):
    segments = tuple(Segment(n, n + 1, f"Sentence {n} says six more words.", f"S{n // 40}") for n in range(count))
    return Transcript(episode, turns_from_segments(segments), segments)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    add(settings, said(LONG, 400), said(OTHER, 3))
    return Store(settings.index_dir)


@pytest.mark.parametrize("place", [0, 1, 39, 40, 200, 398, 399])
@pytest.mark.parametrize("count", [1, 2, 10])
def test_the_nearest_sentences_are_there_on_both_sides_and_few_others(store, place, count):
    every = store.sentences({LONG.key: [(0, 0)]}, 10_000)[LONG.key]
    assert [one.text for one in every] == [f"Sentence {n} says six more words." for n in range(400)]
    first, last = every[place].first, every[place].last
    near = store.sentences({LONG.key: [(first, last)]}, count)[LONG.key]

    assert [one for one in near if one.last <= first][-count:] == every[max(0, place - count) : place]
    assert [one for one in near if one.first >= last][:count] == every[place + 1 : place + 1 + count]
    assert len(near) < 200


def test_several_places_of_several_episodes_are_read_at_once(store):
    every = store.sentences({LONG.key: [(0, 0)]}, 10_000)[LONG.key]
    places = {LONG.key: [(every[n].first, every[n].last) for n in (3, 300)], OTHER.key: [(0, 6)]}
    near = store.sentences(places, 1)

    assert {every[2], every[4], every[299], every[301]} <= set(near[LONG.key])
    assert [one.text.split()[1] for one in near[OTHER.key]] == ["0", "1", "2"]


def test_what_is_not_indexed_has_no_sentences(store):
    assert store.sentences({}, 2) == {}
    assert store.sentences({episode_key("p", "nothing"): [(0, 5)]}, 2) == {episode_key("p", "nothing"): []}
