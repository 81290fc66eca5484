"""Recognises the episodes of a feed among those that are known, whatever the feed does with guids. Pure.

In doubt an episode is new: one that is transcribed twice costs an hour, one that is taken for another loses its text.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ingest.feeds.entries import hashed, without_query
from ingest.models import Episode

Likeness = tuple[str, ...]

_SUFFIX = re.compile(r"#[0-9a-f]{8}$")  # of a guid that several episodes have; see `distinct_guids`
_MIDNIGHT = re.compile(r"(?:^|[T ])00:00(?![\d:]*[1-9])")
_CLOCK = re.compile(r"\d:\d\d")


def with_known_guids(known: Iterable[Episode], listed: Sequence[Episode]) -> list[Episode]:
    """The feed's episodes, each under the guid it is known by, and a new one under none that is known.

    One that is new by its guid alone takes the guid of the known one that is no longer listed if both say the same date
    and the same title or audio address (of several that do, none is believed). One that comes under a known guid and is
    another episode has a hash of its date appended to it.
    """
    before = list(known)
    shared = _shared_guids([*before, *listed])
    is_specific = _specific(before)
    by_guid = {episode.guid: episode for episode in before}
    own = [_apart(new, by_guid.get(new.guid), shared, is_specific) for new in listed]
    guids = {episode.guid for episode in own}
    gone, strangers = defaultdict[Likeness, list[Episode]](list), Counter[Likeness]()
    for old in before:
        if old.guid not in guids:
            for likeness in _likenesses(old, is_specific):
                gone[likeness].append(old)
    for new in own:
        if new.guid not in by_guid:
            strangers.update(_likenesses(new, is_specific))
    return [new if new.guid in by_guid else _recognised(new, gone, strangers, is_specific) for new in own]


def _shared_guids(episodes: Iterable[Episode]) -> frozenset[str]:
    """Guids, without a suffix, that say little: of several episodes, or made of an audio address."""
    suffixed = {_base(episode.guid) for episode in episodes if _SUFFIX.search(episode.guid)}
    return frozenset(suffixed | {one.guid for one in episodes if one.guid == without_query(one.audio_url)})


def _base(guid: str) -> str:
    return _SUFFIX.sub("", guid)


def _specific(known: Sequence[Episode]) -> Callable[[str], bool]:
    """Tells whether a title or audio address is that of one known episode among several, and not of all that a show has."""
    counts = Counter(one for old in known for one in {old.title, without_query(old.audio_url)})
    return lambda value: bool(value) and len(known) > 1 and counts[value] < 2


def _apart(new: Episode, old: Episode | None, shared: frozenset[str], is_specific: Callable[[str], bool]) -> Episode:
    """The episode, under a guid of its own where its guid is that of another known one.

    A publisher who changes date, title and audio under one guid changes no more than two of them at a time.
    """
    if old is None or (new.published_at is not None and new.published_at == old.published_at):
        return new
    audio = without_query(new.audio_url)
    says_little = _base(new.guid) in shared
    same_audio, same_title = audio == without_query(old.audio_url), new.title == old.title
    undated = new.published_at is None or old.published_at is None
    by_title = same_title and (is_specific(new.title) or undated or (same_audio and not says_little))
    by_audio = same_audio and is_specific(audio) and not says_little
    return new if by_title or by_audio else replace(new, guid=f"{_base(new.guid)}#{hashed(new.published or new.title)}")


def _recognised(
    new: Episode,
    gone: dict[Likeness, list[Episode]],
    strangers: Counter[Likeness],
    is_specific: Callable[[str], bool],
) -> Episode:
    for likeness in _likenesses(new, is_specific):
        old = gone.get(likeness, [])
        if len(old) == 1 == strangers[likeness]:
            return replace(new, guid=old[0].guid)
    return new


def _likenesses(episode: Episode, is_specific: Callable[[str], bool]) -> list[Likeness]:
    """What two copies of an episode have in common.

    A date without a time of day is that of all episodes of a day, and says something only with what is specific.
    """
    date, title = episode.published_at, episode.title
    audio = without_query(episode.audio_url)
    alike: list[Likeness] = [("guid", _base(episode.guid), date.isoformat() if date else title)]
    if date:
        exact = bool(_CLOCK.search(episode.published)) and not _MIDNIGHT.search(episode.published)
        alike += [
            (kind, date.isoformat(), value)
            for kind, value in (("audio", audio), ("title", title))
            if value and (exact or is_specific(value))
        ]
    return alike + [("both", audio, title)] * (is_specific(audio) and is_specific(title))
