"""Addresses from feeds and imports, as they may be followed: web addresses only, with the moment where the place takes one."""

import math
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from ingest.times import play_url

# Everything RFC 3986 lets stand in an address, and `%`, so that what is encoded already stays so
_ALLOWED = "%/?[]@!$&'()*+,;=:~"
_YOUTUBE = ("youtube.com", "youtube-nocookie.com")  # and their subdomains
KEPT = 1_024  # addresses that are parted once: a search gives each of its episodes' several times
_SHORT_YOUTUBE = "youtu.be"
_VIDEO_PATHS = ("/shorts/", "/live/", "/v/", "/embed/")
_EMBEDDED = ("/v/", "/embed/")  # players, which know the moment by another name
_MEDIA = frozenset(
    {".aac", ".aif", ".aiff", ".flac", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".oga", ".ogg",
     ".ogv", ".opus", ".wav", ".weba", ".webm"}
)  # fmt: skip


@lru_cache(KEPT)
def web_address(text: str) -> str:
    """The address if it is http or https with a host, else empty: feeds are written by others.

    What may not stand in an address, such as a space, is percent-encoded.
    """
    parts = _split(text.strip())
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or " " in parts.netloc:
        return ""
    rest = {name: quote(getattr(parts, name), _ALLOWED, errors="replace") for name in ("path", "query", "fragment")}
    return parts._replace(**rest).geturl()


def playing(address: str, start: float | None, end: float | None = None) -> str:
    """Where a recording plays from `start` (seconds): YouTube's own form, else a media fragment; empty as `web_address`."""
    address = web_address(address)
    if start is None or not is_video(address):
        return play_url(address, start, end)
    before, after = _around_the_second(address)
    return f"{before}{math.floor(max(start, 0))}{after}"


def moment(link: str, start: float | None) -> str:
    """A page's address, at `start` (seconds) where it takes a time; empty as `web_address`."""
    address = web_address(link)
    return playing(address, start) if takes_time(address) else address


@lru_cache(KEPT)
def takes_time(address: str) -> bool:
    """Whether an address is that of a video of YouTube's, or of an audio or video file, judged by its suffix."""
    parts = _split(address)
    return parts is not None and (_is_video(parts) or PurePosixPath(parts.path).suffix.lower() in _MEDIA)


@lru_cache(KEPT)
def is_video(address: str) -> bool:
    """Whether it is the page of a video, which no player of audio can play."""
    parts = _split(address)
    return parts is not None and _is_video(parts)


@lru_cache(KEPT)
def _around_the_second(address: str) -> tuple[str, str]:
    """What stands before and after the second at which a video of YouTube's begins."""
    parts = urlsplit(address)
    name = "start" if parts.path.startswith(_EMBEDDED) else "t"
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != name]
    before = parts._replace(query=urlencode([*kept, (name, "")]), fragment="").geturl()
    return before, f"#{parts.fragment}" if parts.fragment and not parts.fragment.startswith("t=") else ""


def _is_video(parts: SplitResult) -> bool:
    host = (parts.hostname or "").lower()
    if host == _SHORT_YOUTUBE:
        return len(parts.path) > 1
    if not any(host == name or host.endswith(f".{name}") for name in _YOUTUBE):
        return False
    return parts.path.startswith(_VIDEO_PATHS) or (parts.path == "/watch" and "v=" in parts.query)


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None
