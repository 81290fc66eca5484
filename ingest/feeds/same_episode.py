"""Recognises an episode that its feed gives another guid, so that it is not transcribed twice. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.feeds.entries import without_query
from ingest.models import Episode

Likeness = tuple[str, str, str]


def with_known_guids(known: Iterable[Episode], listed: Sequence[Episode]) -> list[Episode]:
    """The feed's episodes; one that is new by its guid alone takes the guid of the known one that is no longer listed.

    Both must say the same date, and the same title or audio address; of several that do, none is believed.
    """
    keys = {episode.key for episode in listed}
    gone, keys_known = defaultdict[Likeness, list[Episode]](list), set[str]()
    for old in known:
        keys_known.add(old.key)
        if old.key not in keys:
            for likeness in _likenesses(old):
                gone[likeness].append(old)
    strangers = defaultdict[Likeness, list[str]](list)
    for new in listed:
        if new.key not in keys_known:
            for likeness in _likenesses(new):
                strangers[likeness].append(new.key)
    return [new if new.key in keys_known else _recognised(new, gone, strangers) for new in listed]


def _recognised(new: Episode, gone: dict[Likeness, list[Episode]], strangers: dict[Likeness, list[str]]) -> Episode:
    for likeness in _likenesses(new):
        old = gone.get(likeness, [])
        if len(old) == 1 == len(strangers[likeness]):
            return replace(new, guid=old[0].guid)
    return new


def _likenesses(episode: Episode) -> list[Likeness]:
    """What two copies of an episode have in common; a date alone says nothing, nor does an address without one."""
    if not episode.published_at:
        return []
    date = episode.published_at.isoformat()
    audio = without_query(episode.audio_url)
    return [("audio", date, audio)] * bool(audio) + [("title", date, episode.title)] * bool(episode.title)
