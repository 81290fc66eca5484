import time

import pytest

from index.catalogue import EpisodeStatus
from search_api.deps import Backend
from search_api.overview import FRESH_SECONDS, OverviewCache, summarized
from tests.search_api.home import FAILED, TIMED, UNTIMED, add, add_failed, opener


def status(published, duration):
    return EpisodeStatus("k", "p", "g", "t", published, "indexed", duration=duration)


@pytest.mark.parametrize(
    ("episodes", "expected"),
    [
        ([], (0, 0, "", "")),
        ([status("2025-02-20T09:00:00Z", 60.0), status("2024-01-01T00:00:00Z", None)], (2, 60, "2024-01-01", "2025-02-20")),
        ([status(None, 30.0)], (1, 30, "", "")),
    ],
)  # fmt: skip
def test_a_podcast_is_summed_up(episodes, expected):
    found = summarized("p", "P", episodes)
    assert (found.episodes, found.seconds, found.first, found.last) == expected


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_the_overview_is_gathered_again_beside_the_old_one(own):
    add(own, TIMED)
    add_failed(own, FAILED, "no audio")
    clock = Clock()
    cache = OverviewCache(Backend(own, opener(own)), clock)
    first = cache.get()
    assert [one.status for one in first.episodes] == ["failed", "indexed"]
    assert first.speakers == ("Ann", "Ben")
    assert first.languages == (("en", "English"),)
    assert [(one.slug, one.title, one.episodes) for one in first.podcasts] == [("selling-well", "Selling well", 1)]
    add(own, UNTIMED)
    assert cache.get() is first
    clock.now += FRESH_SECONDS + 1
    assert cache.get() is first
    end = time.monotonic() + 10
    while cache.get() is first and time.monotonic() < end:
        time.sleep(0.02)
    assert len(cache.get().searchable) == 2


def test_an_empty_home_has_nothing_and_is_looked_at_again(own):
    cache = OverviewCache(Backend(own, opener(own)))
    assert cache.get().episodes == ()
    assert cache.examples() == ()
    add(own, TIMED)
    assert len(cache.get().episodes) == 1
