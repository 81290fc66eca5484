"""What there is: podcasts with their states, episodes by filters in pages, passages of one episode. Functions of data."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from index.catalogue import EpisodeStatus, Status
from index.hits import PASSAGES
from index.query import Query
from index.references import refer
from index.spoken import Spoken
from ingest.errors import CursorError
from ingest.links import web_address
from ingest.models import Subscription
from ingest.times import iso

Sort = Literal["newest", "oldest", "title"]
PART_WORDS = 160  # of a passage of an episode, as long as those of a search


@dataclass(frozen=True, slots=True)
class PodcastStatus:
    """One podcast: how many of its episodes have which state, the latest date of one, and how its feed does.

    `last_success` and `last_error` are those of the last polls; `feed` is empty where it is not subscribed to.
    """

    podcast: str
    title: str
    episodes: int
    indexed: int
    transcribed: int
    pending: int
    failed: int
    latest: str | None
    feed: str
    last_success: str | None
    last_error: str


@dataclass(frozen=True, slots=True)
class PodcastList:
    """Podcasts, by slug."""

    count: int
    podcasts: tuple[PodcastStatus, ...]


@dataclass(frozen=True, slots=True)
class EpisodeFilter:
    """Which episodes: of these podcasts, in this state, with these words in their titles, published within these days."""

    status: Status | None = None
    words: str = ""
    since: date | None = None
    until: date | None = None

    def of(self, episodes: Iterable[EpisodeStatus]) -> list[EpisodeStatus]:
        """Those of them; one without a date is within no days."""
        days = Query("x", since=self.since, until=self.until)
        after, before = iso(days.published_from) or "", iso(days.published_before) or "~"  # which follows all digits
        restricted, words = bool(after) or before != "~", self.words.casefold().split()
        return [
            one
            for one in episodes
            if self.status in {None, one.status}
            and all(word in one.title.casefold() for word in words)
            and (not restricted or (one.published is not None and after <= one.published < before))
        ]


@dataclass(frozen=True, slots=True)
class EpisodePassage:
    """Some sentences of one speaker, with their permanent name; times in seconds, None where unknown."""

    id: str
    address: str
    speaker: str
    start: float | None
    end: float | None
    text: str


@dataclass(frozen=True, slots=True)
class PassageList:
    """Passages of an episode in its order; `cursor` is for those after them, empty at the end."""

    count: int
    passages: tuple[EpisodePassage, ...]
    cursor: str


def podcasts(episodes: Iterable[EpisodeStatus], feeds: Iterable[Subscription]) -> list[PodcastStatus]:
    """Every podcast that is subscribed to or has episodes."""
    by_podcast: dict[str, list[EpisodeStatus]] = defaultdict(list)
    subscribed = {feed.podcast: feed for feed in feeds}
    for episode in episodes:
        by_podcast[episode.podcast].append(episode)
    return [_podcast(name, by_podcast[name], subscribed.get(name)) for name in sorted({*by_podcast, *subscribed})]


def _podcast(name: str, episodes: Sequence[EpisodeStatus], feed: Subscription | None) -> PodcastStatus:
    states = Counter(episode.status for episode in episodes)
    return PodcastStatus(
        podcast=name,
        title=(feed and feed.title) or name,
        episodes=len(episodes),
        indexed=states["indexed"],
        transcribed=states["transcribed"],
        pending=states["pending"],
        failed=states["failed"],
        latest=max((episode.published for episode in episodes if episode.published), default=None),
        feed=web_address(feed.url) if feed else "",
        last_success=iso(feed.last_success) if feed else None,
        last_error=feed.last_error if feed else "",
    )


def ordered(episodes: Sequence[EpisodeStatus], sort: Sort) -> list[EpisodeStatus]:
    """Episodes, which come newest first, in another order; those without a date stay last."""
    if sort == "title":
        return sorted(episodes, key=lambda one: (one.title.casefold(), one.key))
    dated = [one for one in episodes if one.published]
    dated = dated if sort == "newest" else dated[::-1]
    return [*dated, *(one for one in episodes if not one.published)]


def page_after(episodes: Sequence[EpisodeStatus], cursor: str, limit: int) -> tuple[Sequence[EpisodeStatus], str]:
    """`limit` episodes after the one whose key is the cursor, and the cursor for the next; empty at the end.

    What comes or goes meanwhile shifts nothing. Raises `CursorError` where the episode of the cursor is not among them.
    """
    place = next((n for n, one in enumerate(episodes, 1) if one.key == cursor), 0)
    if cursor and not place:
        raise CursorError("", "the cursor is of another list, or its episode is gone; begin without it")
    shown = episodes[place : place + limit]
    return shown, shown[-1].key if place + limit < len(episodes) else ""


def episode_passages(
    key: str, words: Spoken, begin: float | None = None, end: float | None = None
) -> list[EpisodePassage]:
    """A transcript cut into passages of one speaker and about `PART_WORDS` words, between two times where they are given."""
    parts = [part for part in _parts(words) if _within(words, part, begin, end)]
    found = []
    for first, last in parts:
        name, said = str(refer(key, words, first, last)), words.excerpt(first, last)
        found.append(EpisodePassage(name, f"{PASSAGES}/{name}", said.speaker, said.start, said.end, said.text))
    return found


def _parts(words: Spoken) -> list[tuple[int, int]]:
    parts: list[tuple[int, int]] = []
    begin = last = 0
    for end in words.sentences:
        if last > begin and (words.turns[last] != words.turns[begin] or end - begin > PART_WORDS):
            parts.append((begin, last))
            begin = last
        last = end
    return [*parts, (begin, last)] if last > begin else parts


def _within(words: Spoken, part: tuple[int, int], begin: float | None, end: float | None) -> bool:
    if not words.times:
        return begin is None and end is None
    start, stop = words.times[part[0]][0], words.times[part[1] - 1][1]
    return (begin is None or stop > begin) and (end is None or start < end)
