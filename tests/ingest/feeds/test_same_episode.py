"""One episode under two guids, and two episodes that only look alike."""

from dataclasses import replace

import pytest

from ingest.feeds.same_episode import with_known_guids
from ingest.models import Episode

MON, TUE = "Mon, 05 Jan 2026 08:00:00 GMT", "Tue, 06 Jan 2026 08:00:00 GMT"
ONE = Episode("quota", "a-1", "One", MON, audio_url="https://q.example/1.mp3?t=1")
TWO = Episode("quota", "a-2", "Two", TUE, audio_url="https://q.example/2.mp3")


def guids(known, listed):
    return [episode.guid for episode in with_known_guids(known, listed)]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"title": "One, corrected"},
        {"audio_url": "https://new.example/one.mp3"},
        {"audio_url": "https://q.example/1.mp3?t=2"},
        {"published": "Mon, 05 Jan 2026 09:00:00 +0100"},
    ],
)
def test_a_new_guid_alone_makes_no_new_episode(changed):
    assert ["a-1", "a-2"] == guids([ONE, TWO], [replace(ONE, guid="b-1", **changed), replace(TWO, guid="b-2")])


@pytest.mark.parametrize(
    "changed",
    [{"published": TUE}, {"published": ""}, {"title": "Other", "audio_url": "https://q.example/9.mp3"}],
)
def test_what_differs_in_more_is_new(changed):
    assert ["b-1"] == guids([ONE], [replace(ONE, guid="b-1", **changed)])


def test_an_episode_beside_the_known_one_is_another():
    assert ["a-1", "b-1"] == guids([ONE], [ONE, replace(ONE, guid="b-1")])


def test_of_two_that_are_alike_none_is_taken():
    twins = [replace(ONE, guid="b-1"), replace(ONE, guid="b-2")]

    assert ["b-1", "b-2"] == guids([ONE], twins)
    assert ["b-1"] == guids([ONE, replace(ONE, guid="a-9")], twins[:1])


def test_a_daily_show_with_one_title_and_one_address_stays_many():
    days = [
        Episode(
            "quota", f"d{day}", "News", f"{day:02d} Jan 2026 08:00:00 GMT", audio_url="https://q.example/latest.mp3"
        )
        for day in (1, 2, 3)
    ]

    assert ["d3"] == guids(days[:2], days[2:])


def test_an_episode_that_comes_back_is_the_same():
    assert ["a-1", "a-2"] == guids([ONE, TWO], [ONE, TWO])
    assert ["a-2"] == guids([ONE, TWO], [TWO])
    assert ["a-1", "a-2"] == guids([ONE, TWO], [ONE, TWO])
