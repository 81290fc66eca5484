"""One entry of a feed as feedparser gives it, made into an Episode: pure, and forgiving of what publishers write."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

from ingest.feeds.podcast_tags import Marks
from ingest.feeds.repair import plain_text
from ingest.models import Episode, TranscriptLink
from ingest.times import parse_duration

AUDIO_ENDINGS = (".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".flac", ".wav", ".wma", ".aif", ".aiff")
VIDEO_ENDINGS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ogv")
NOT_MEDIA = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|pdf|epub|zip|torrent|html?|xml|json|srt|vtt|txt)$", re.IGNORECASE)
WHOLE_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d{1,5})?(?:[/?#][^\s]*)?")


@dataclass(frozen=True, slots=True)
class Around:
    """What an entry inherits from its feed; `base` is the address that relative ones are resolved against."""

    podcast: str
    source_feed: str
    base: str
    author: str = ""
    people: tuple[str, ...] = ()


def without_query(url: str) -> str:
    """The part of an audio address that stays when tokens and tracking change."""
    return url.partition("#")[0].partition("?")[0]


def absolute(base: str, url: str) -> str:
    """A web address as published, made absolute; empty where it is none."""
    if WHOLE_ADDRESS.fullmatch(url):  # nearly always: joining costs ten times as much
        return url
    try:
        joined = urljoin(base, "%20".join(url.split())) if url.strip() else ""
        parts = urlsplit(joined)
    except ValueError:
        return ""
    return joined if parts.scheme in ("http", "https") and parts.hostname else ""


def read_entry(entry: Mapping[str, Any], marks: Marks, around: Around) -> tuple[Episode | None, list[str]]:
    """The episode, or None where the entry carries no audio; and what is wrong with it."""
    title = plain_text(_words(entry, "title") or _words(entry, "itunes_title"), limit=500)
    enclosure = _enclosure(entry, around.base)
    if enclosure is None:
        return None, [f"{title or 'an entry without a title'}: has no audio or video, skipped"]
    url, kind, size = enclosure
    published = _published(entry)
    guid = " ".join((marks.guid or _words(entry, "id")).splitlines())
    episode = Episode(
        podcast=around.podcast,
        guid=guid or without_query(url),
        title=title or "Untitled episode",
        published=published,
        link=_link(entry, around.base),
        audio_url=url,
        source_feed=around.source_feed,
        duration=parse_duration(_words(entry, "itunes_duration")),
        summary=_summary(entry),
        author=plain_text(_words(entry, "author"), limit=500) or around.author,
        season=_number(marks.season) or _number(_words(entry, "itunes_season")),
        number=_number(marks.episode) or _number(_words(entry, "itunes_episode")),
        people=tuple(marks.people) or around.people,
        transcripts=_transcripts(marks.transcripts, around.base),
    )
    return episode, _complaints(entry, episode, title, guid)


def _complaints(entry: Mapping[str, Any], episode: Episode, title: str, guid: str) -> list[str]:
    wrong = []
    if not title:
        wrong.append("has no title")
    if not guid:
        wrong.append("has no guid: known by its audio address")
    if not episode.published:
        wrong.append("has no date")
    elif episode.published_at is None:
        wrong.append(f"has a date that cannot be read: {episode.published[:40]}")
    declared = _words(entry, "itunes_duration")
    if declared and episode.duration is None and declared.strip("0:. "):
        wrong.append(f"has a duration that cannot be read: {declared[:40]}")
    name = title or episode.guid[:100]
    return [f"{name}: {complaint}" for complaint in wrong]


def _words(entry: Mapping[str, Any], key: str) -> str:
    value = dict.get(entry, key)  # type: ignore[call-overload]  # past feedparser's aliases, which are slow and warn
    return value.strip() if isinstance(value, str) else ""


def _published(entry: Mapping[str, Any]) -> str:
    """The date as published, else as updated."""
    words = _words(entry, "published") or _words(entry, "updated")
    return " ".join(words.splitlines())


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _link(entry: Mapping[str, Any], base: str) -> str:
    """The episode's page; a guid that feedparser took for a link counts only where it is a whole address."""
    link = _words(entry, "link")
    return absolute("" if link == _words(entry, "id") else base, link)


def _summary(entry: Mapping[str, Any]) -> str:
    text = _words(entry, "summary")
    if not text:
        text = next((_words(content, "value") for content in entry.get("content") or ()), "")
    return plain_text(text)


def _enclosure(entry: Mapping[str, Any], base: str) -> tuple[str, str, int | None] | None:
    """Address, type and size of the audio; video where there is none, then what does not say what it is."""
    links = [link for link in entry.get("links") or () if link.get("rel") == "enclosure"]
    best, lowest = None, 3
    for media in (*links, *(entry.get("media_content") or ())):
        url = absolute(base, _words(media, "href") or _words(media, "url"))
        kind = _words(media, "type").lower()
        rank = _rank(kind, url)
        if url and rank < lowest:
            best, lowest = (url, kind, _number(_words(media, "length")) or None), rank
    return best


def _rank(kind: str, url: str) -> int:
    path = without_query(url).lower()
    if kind.startswith("audio/") or (not kind.startswith("video/") and path.endswith(AUDIO_ENDINGS)):
        return 0
    if kind.startswith("video/") or path.endswith(VIDEO_ENDINGS):
        return 1
    unsaid = kind in ("", "application/octet-stream", "binary/octet-stream", "application/ogg")
    return 2 if unsaid and not NOT_MEDIA.search(path) else 3


def _transcripts(links: Iterable[TranscriptLink], base: str) -> tuple[TranscriptLink, ...]:
    found = {link: absolute(base, link.url) for link in links}
    resolved = (link if url == link.url else replace(link, url=url) for link, url in found.items() if url)
    return tuple(dict.fromkeys(resolved))


def tell_apart(episodes: Sequence[Episode]) -> tuple[list[Episode], list[str]]:
    """Each episode under a guid of its own, in the same order, and what had to be done for it.

    An entry listed twice with the same audio, title and date is one episode. Different episodes under one guid: the
    oldest keeps it, since it had it first; the others get a hash of their date behind it (of title and audio address,
    where the date does not tell them apart), which stays the same from poll to poll.
    """
    groups = defaultdict[str, list[int]](list)
    for position, episode in enumerate(episodes):
        groups[episode.guid].append(position)
    kept, warnings = dict(enumerate(episodes)), list[str]()
    for guid, positions in groups.items():
        if len(positions) > 1:
            parted = _part([(position, episodes[position]) for position in positions])
            for position in positions:
                del kept[position]
            kept |= parted
            read = "one episode listed repeatedly" if len(parted) == 1 else f"{len(parted)} episodes, told apart"
            warnings.append(f"{len(positions)} entries share the guid {guid[:100]}: read as {read}")
    return [kept[position] for position in sorted(kept)], warnings


def _part(twins: Sequence[tuple[int, Episode]]) -> dict[int, Episode]:
    """The different ones among episodes of one guid, by position, the repeats left out."""
    different = dict[tuple[str, str, str], tuple[int, Episode]]()
    for position, episode in twins:
        different.setdefault((without_query(episode.audio_url), episode.title, episode.published), (position, episode))
    oldest = min(different.values(), key=lambda twin: (_moment(twin[1]), -twin[0]))[1]
    parted, taken = dict[int, Episode](), {oldest.guid}
    for identity, (position, episode) in different.items():
        guid = episode.guid
        if episode is not oldest:
            guid = f"{episode.guid}#{_hash(episode.published)}"
            guid = f"{episode.guid}#{_hash(*identity)}" if guid in taken or not episode.published else guid
        taken.add(guid)
        parted[position] = replace(episode, guid=guid)
    return parted


def _hash(*words: str) -> str:
    return sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:8]


def _moment(episode: Episode) -> float:
    return episode.published_at.timestamp() if episode.published_at else math.inf
