"""Makes one entry of a feed, as feedparser gives it, into an Episode; forgives what publishers write. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import reduce
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

from ingest.feeds import opt_out
from ingest.feeds.chapters import chapters
from ingest.feeds.podcast_tags import PodcastTags
from ingest.feeds.repair import plain_text
from ingest.models import Episode, TranscriptLink
from ingest.times import parse_duration
from ingest.web.credentials import NO_CREDENTIALS, Credentials, origin_of, without_userinfo

AUDIO_ENDINGS = (".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".flac", ".wav", ".wma", ".aif", ".aiff")
VIDEO_ENDINGS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ogv")
STREAM_TYPE = re.compile(r"mpegurl|dash\+xml")
NOT_MEDIA = 3  # the rank of what is neither audio nor video
OTHER_ENDING = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|pdf|epub|zip|torrent|html?|xml|json|srt|vtt|txt)$", re.IGNORECASE
)
WEB_SCHEME = re.compile(r"https?://", re.IGNORECASE)
WEB_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d{1,5})?(?:[/?#][^\s]*)?")


@dataclass(frozen=True, slots=True)
class FeedContext:
    """What an entry inherits from its feed; relative addresses are resolved against `base`."""

    podcast: str
    source_feed: str
    base: str
    author: str = ""
    people: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    passwords: dict[str, Credentials] = field(default_factory=dict)  # by origin: those that addresses carry

    def absolute(self, url: str) -> str:
        """A web address as published, made absolute; a user and password in it are put aside."""
        joined = absolute(self.base, url)
        clean = without_userinfo(joined)
        if clean != joined:
            self.passwords.setdefault(origin_of(clean), Credentials.for_url(joined))
        return clean

    def credentials(self) -> Credentials:
        """The users and passwords put aside so far."""
        return reduce(Credentials.under, self.passwords.values(), NO_CREDENTIALS)


def without_query(url: str) -> str:
    """The part of an audio address that stays when tokens and tracking change."""
    return url.partition("#")[0].partition("?")[0]


def absolute(base: str, url: str) -> str:
    """A web address as published, made absolute; empty where it is none."""
    if WEB_ADDRESS.fullmatch(url):  # the usual case: joining takes ten times as long
        return url
    try:
        joined = urljoin(base, "%20".join(url.split())) if url.strip() else ""
        parts = urlsplit(joined)
    except ValueError:
        return ""
    return joined if parts.scheme in ("http", "https") and parts.hostname else ""


def read_entry(entry: Mapping[str, Any], tags: PodcastTags, feed: FeedContext) -> tuple[Episode | None, list[str]]:
    """The episode, or None where the entry carries no audio; and what is wrong with it."""
    title = plain_text(_text(entry, "title") or _text(entry, "itunes_title"), limit=500)
    url, streams = _audio_url(entry, tags, feed)
    if not url:
        lack = "is a stream (HLS), which is not read" if streams else "has no audio or video"
        return None, [f"{title or 'an entry without a title'}: {lack}, skipped"]
    guid = " ".join((tags.guid or _text(entry, "id")).splitlines())
    guid = without_userinfo(guid) if WEB_SCHEME.match(guid) else guid
    episode = Episode(
        podcast=feed.podcast,
        guid=guid or without_query(url),
        title=title or "Untitled episode",
        published=" ".join((_text(entry, "published") or _text(entry, "updated")).splitlines()),
        link=_link(entry, feed.base),
        audio_url=url,
        source_feed=feed.source_feed,
        duration=parse_duration(_text(entry, "itunes_duration")),
        summary=_summary(entry),
        author=plain_text(_text(entry, "author"), limit=500) or feed.author,
        season=_number(tags.season) or _number(_text(entry, "itunes_season")),
        number=_number(tags.episode) or _number(_text(entry, "itunes_episode")),
        people=tuple(tags.people) or feed.people,
        hosts=tuple(tags.hosts) or feed.hosts,
        transcripts=_transcripts(tags.transcripts, feed),
        opted_out=opt_out.by_tags(tags.texts),
        chapters_url=feed.absolute(tags.chapters_url),
        chapters=chapters(tags.chapters),
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
    declared = _text(entry, "itunes_duration")
    if declared and episode.duration is None and declared.strip("0:. "):
        wrong.append(f"has a duration that cannot be read: {declared[:40]}")
    name = title or episode.guid[:100]
    return [f"{name}: {complaint}" for complaint in wrong]


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = dict.get(entry, key)  # type: ignore[call-overload]  # skips feedparser's aliases, which are slow and warn
    return value.strip() if isinstance(value, str) else ""


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _link(entry: Mapping[str, Any], base: str) -> str:
    """The episode's page; a guid that feedparser took for a link counts only where it is an absolute address."""
    link = _text(entry, "link")
    return without_userinfo(absolute("" if link == _text(entry, "id") else base, link))


def _summary(entry: Mapping[str, Any]) -> str:
    contents = [_text(content, "value") for content in entry.get("content") or ()]
    return plain_text(_text(entry, "summary") or next(iter(contents), ""))


def _audio_url(entry: Mapping[str, Any], tags: PodcastTags, feed: FeedContext) -> tuple[str, bool]:
    """The address of the audio, and whether there are streams instead of a file.

    An enclosure counts before `podcast:alternateEnclosure`. Audio counts before video, and that before what does not say
    what it is.
    """
    links = [link for link in entry.get("links") or () if link.get("rel") == "enclosure"]
    enclosures = [*links, *(entry.get("media_content") or ())]
    stated = [(_text(each, "type").lower(), _text(each, "href") or _text(each, "url")) for each in enclosures]
    default_first = sorted(tags.alternates, key=lambda each: not each.default)
    others = [(each.type, url) for each in default_first for url in each.urls]
    streams = False
    for media in (stated, others):
        resolved = [(kind, feed.absolute(url)) for kind, url in media]
        files = [(_rank(kind, url), url) for kind, url in resolved if url and not _is_stream(kind, url)]
        streams = streams or any(_is_stream(kind, url) for kind, url in resolved)
        rank, url = min(files, key=lambda pair: pair[0], default=(NOT_MEDIA, ""))
        if rank < NOT_MEDIA:
            return url, False
    return "", streams


def _is_stream(kind: str, url: str) -> bool:
    """Whether an address is a playlist of pieces (HLS or DASH), whatever the feed calls it."""
    return bool(STREAM_TYPE.search(kind)) or without_query(url).lower().endswith((".m3u8", ".mpd"))


def _rank(kind: str, url: str) -> int:
    """0 for audio, 1 for video, 2 for what may be either, `NOT_MEDIA` for the rest."""
    path = without_query(url).lower()
    if kind.startswith("audio/") or (not kind.startswith("video/") and path.endswith(AUDIO_ENDINGS)):
        return 0
    if kind.startswith("video/") or path.endswith(VIDEO_ENDINGS):
        return 1
    unclear = kind in ("", "application/octet-stream", "binary/octet-stream", "application/ogg")
    return 2 if unclear and not OTHER_ENDING.search(path) else NOT_MEDIA


def _transcripts(links: Iterable[TranscriptLink], feed: FeedContext) -> tuple[TranscriptLink, ...]:
    resolved = (replace(link, url=feed.absolute(link.url)) for link in links)
    return tuple(dict.fromkeys(link for link in resolved if link.url))


def distinct_guids(episodes: Sequence[Episode]) -> tuple[list[Episode], list[str]]:
    """Each episode under a guid of its own, in the same order, and warnings about guids that were shared.

    An entry listed twice with the same audio, title and date is one episode. Of different episodes under one guid the
    oldest keeps it, since it had it first. The others get a hash of their date appended (of title and audio address,
    where the date does not tell them apart). Which is the oldest changes as a feed moves on: what is known under a guid
    is looked at by `ingest.feeds.same_episode`.
    """
    groups = defaultdict[str, list[int]](list)
    for position, episode in enumerate(episodes):
        groups[episode.guid].append(position)
    distinct, warnings = dict[int, Episode](), list[str]()
    for guid, positions in groups.items():
        twins = [(position, episodes[position]) for position in positions]
        separated = _separate(twins) if len(twins) > 1 else dict(twins)
        distinct |= separated
        if len(twins) > 1:
            read = f"{len(separated)} episodes, told apart" if len(separated) > 1 else "one episode listed repeatedly"
            warnings.append(f"{len(twins)} entries share the guid {guid[:100]}: read as {read}")
    return [distinct[position] for position in sorted(distinct)], warnings


def _separate(twins: Sequence[tuple[int, Episode]]) -> dict[int, Episode]:
    """The different ones among episodes of one guid, by position, without the repeats."""
    different = dict[tuple[str, str, str], tuple[int, Episode]]()
    for position, episode in twins:
        different.setdefault((without_query(episode.audio_url), episode.title, episode.published), (position, episode))
    latest = datetime.max.replace(tzinfo=UTC)
    oldest = min(different.values(), key=lambda twin: (twin[1].published_at or latest, -twin[0]))[1]
    separated, taken = dict[int, Episode](), {oldest.guid}
    for identity, (position, episode) in different.items():
        guid = episode.guid
        if episode is not oldest:
            guid = f"{episode.guid}#{hashed(episode.published)}"
            guid = f"{episode.guid}#{hashed(*identity)}" if guid in taken or not episode.published else guid
        taken.add(guid)
        separated[position] = replace(episode, guid=guid)
    return separated


def hashed(*words: str) -> str:
    """Eight hexadecimal digits that tell these words from others."""
    return sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:8]
