"""Reads the chapters into which a publisher divides an episode: the JSON file that `podcast:chapters` names, or Podlove's. Pure.

Podlove Simple Chapters stand in the feed itself. Both are described at https://podcasting2.org/docs/podcast-namespace and
https://podlove.org/simple-chapters. Pictures are left out, since no reader here fetches anything from other sites.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

from ingest.errors import FeedError
from ingest.feeds.repair import plain_text
from ingest.identity import one_line
from ingest.links import web_address
from ingest.models import Chapter
from ingest.times import MAX_DURATION, parse_time_expression

MAX_CHAPTERS = 300  # of one episode: one a minute for five hours
MAX_TITLE = 200  # characters, two lines of a page


def read_json(url: str, body: bytes) -> tuple[Chapter, ...]:
    """The chapters of a JSON file, less those that are not to be listed (`toc: false`). Raises `FeedError`."""
    try:
        entries = json.loads(body)["chapters"]
        listed = [entry for entry in entries if isinstance(entry, dict) and entry.get("toc") is not False]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FeedError(url, "holds no chapters that can be read") from error
    return chapters((entry.get("startTime"), entry.get("title"), entry.get("url")) for entry in listed)


def chapters(stated: Iterable[tuple[Any, Any, Any]]) -> tuple[Chapter, ...]:
    """Chapters in order from their starts, titles and addresses as published; those without start or title are left out.

    Of several that start together the first counts.
    """
    found: dict[float, Chapter] = {}
    for start, title, url in stated:
        begin = _seconds(start)
        name = one_line(plain_text(title, limit=MAX_TITLE)) if isinstance(title, str) else ""
        if begin is not None and name:
            found.setdefault(begin, Chapter(begin, name, web_address(url) if isinstance(url, str) else ""))
    return tuple(found[begin] for begin in sorted(found)[:MAX_CHAPTERS])


def _seconds(start: Any) -> float | None:
    """A start in seconds, from a number or a clock; None where it is none, or lies beyond any episode."""
    try:
        read = parse_time_expression(start) if isinstance(start, str) else float(start)
    except (TypeError, ValueError, OverflowError):
        return None
    usable = read is not None and math.isfinite(read) and 0 <= read <= MAX_DURATION and not isinstance(start, bool)
    return round(read, 3) if usable and read is not None else None
