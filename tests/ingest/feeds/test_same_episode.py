"""One episode under two guids, and two episodes that only look alike."""

from dataclasses import replace

import pytest

from ingest.feeds.entries import distinct_guids, without_query
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


def daily(day, guid="", audio="https://q.example/{}.mp3", title="Episode {}", clock="08:00:00"):
    url = audio.format(day)
    published = f"{day:02d} Jan 2026 {clock} GMT"
    return Episode("quota", guid or without_query(url), title.format(day), published, audio_url=url)


@pytest.mark.parametrize("polls", [[[2, 1], [3, 2], [4, 3]], [[1], [2], [3], [4]], [[1], [2, 1], [3], [4, 3, 2]]])
@pytest.mark.parametrize("clock", ["08:00:00", "00:00:00"])
@pytest.mark.parametrize(
    "feed",
    [
        {"guid": "same"},
        {"guid": "same", "title": "News"},
        {"guid": "same", "audio": "https://q.example/play?id={}"},
        {"guid": "same", "audio": "https://q.example/latest.mp3"},
        {"audio": "https://q.example/play?id={}"},
        {"audio": "https://q.example/latest.mp3"},
        {"audio": "https://q.example/latest.mp3", "title": "News"},
    ],
)
def test_what_an_episode_is_does_not_depend_on_which_others_are_listed(polls, clock, feed):
    known = {}
    for poll in polls:
        listed, _ = distinct_guids([daily(day, clock=clock, **feed) for day in poll])
        found = with_known_guids(known.values(), listed)
        assert len(poll) == len({episode.guid for episode in found})
        known |= {episode.guid: episode for episode in found}
    expected = {daily(day, clock=clock, **feed).published for poll in polls for day in poll}
    assert sorted(expected) == sorted(episode.published for episode in known.values())


@pytest.mark.parametrize(
    ("guid", "changed"),
    [
        ("own", {"title": "Episode 1, corrected"}),
        ("own", {"published": "01 Jan 2026 13:00:00 GMT"}),
        ("own", {"audio_url": "https://new.example/1.mp3"}),
        ("own", {"audio_url": "https://q.example/1.mp3?token=2", "title": "Corrected"}),
        ("own", {"published": "09 Jan 2026 08:00:00 GMT", "audio_url": "https://new.example/1.mp3"}),
        ("own", {"published": "09 Jan 2026 08:00:00 GMT", "title": "Corrected"}),
        ("own", {"published": "", "title": "Corrected"}),
        ("", {"title": "Episode 1, corrected"}),
        ("", {"published": "01 Jan 2026 13:00:00 GMT"}),
        ("", {"published": ""}),
        ("", {"audio_url": "https://q.example/1.mp3?token=2"}),
    ],
)
def test_a_publisher_may_change_much_of_an_episode(guid, changed):
    one, two = daily(1, guid), daily(2)
    assert [one.guid, two.guid] == guids([one, two], [replace(one, **changed), two])


@pytest.mark.parametrize(
    ("title", "audio"), [("News", "https://q.example/{}.mp3"), ("Episode {}", "https://q.example/play?id={}")]
)
def test_two_episodes_of_one_day_without_a_time_are_two(title, audio):
    first, second = (
        replace(daily(day, f"g{day}", audio, title, "00:00:00"), published="28 Nov 2026 00:00:00 GMT") for day in (1, 2)
    )
    assert ["g2"] == guids([first], [second])
    assert ["g2"] == guids([daily(9, "g9", audio, title), daily(8, "g8", audio, title), first], [second])


@pytest.mark.parametrize("clock", ["08:00:00", "00:00:00"])
def test_new_guids_and_dates_that_are_moved_make_no_new_episodes(clock):
    known = [daily(day, f"old{day}", clock=clock) for day in (1, 2, 3)]
    moved = [replace(one, guid=f"new{n}", published=f"0{n} Jan 2026 05:00:00 GMT") for n, one in enumerate(known, 1)]
    assert ["old1", "old2", "old3"] == guids(known, moved)
    assert ["old1", "old2", "old3"] == guids(known, [replace(one, guid=f"new{one.guid}") for one in known])
