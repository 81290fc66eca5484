"""When a feed is asked for again: what the host asked, how often the podcast appears, how often it failed. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from ingest.times import parse_date

LONGEST_WAIT = timedelta(days=7)  # a host may ask for more, but a slip there would silence a feed for good
POLLS_PER_EPISODE = 12  # an episode is found within a twelfth of the usual gap: a weekly show is asked twice a day
RECENT = 10  # episodes whose gaps count
JITTER = 0.1  # up to a tenth later, so that many feeds of one host do not come at one moment


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); None where it asks nothing."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    moment = parse_date(value) if value else None
    return max(0.0, (moment - now).total_seconds()) if moment else None


def freshness(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds for which an answer is fresh (RFC 9111, 4.2.1: max-age before Expires); names are lower-case."""
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(?:cache|store)\b", control):
        return None
    if found := re.search(r"\bmax-age\s*=\s*\"?([0-9]{1,9})", control):
        age = headers.get("age", "")
        spent = int(age) if re.fullmatch(r"[0-9]{1,9}", age) else 0
        return float(max(0, int(found[1]) - spent))
    expires = parse_date(headers.get("expires", ""))
    if expires is None:
        return None
    sent = parse_date(headers.get("date", "")) or now
    return max(0.0, (expires - sent).total_seconds())


def next_poll(
    now: datetime,
    published: Sequence[datetime],
    *,
    lower: timedelta,
    upper: timedelta,
    jitter: float,
    retry_after: float | None = None,
    max_age: float | None = None,
    failures: int = 0,
) -> datetime:
    """When to ask again: between `lower` and `upper` from now, later only where the host asks for it.

    The interval follows the usual gap between recent episodes, or the present silence where that is longer, and
    doubles from `lower` with each failure in a row. `jitter` is a number from 0 to 1, drawn by the caller.
    """
    interval = _usual(now, published, upper) if not failures else lower * 2 ** min(failures, 20)
    interval = max(interval, timedelta(seconds=min(max_age or 0.0, upper.total_seconds())))
    interval = min(max(interval, lower), upper)
    asked = min(timedelta(seconds=min(retry_after or 0.0, 1e9)), LONGEST_WAIT)
    return now + max(interval, asked) * (1 + JITTER * min(max(jitter, 0.0), 1.0))


def _usual(now: datetime, published: Sequence[datetime], upper: timedelta) -> timedelta:
    recent = sorted((moment for moment in published if moment <= now), reverse=True)[:RECENT]
    if len(recent) < 2:
        return upper if recent and now - recent[0] > upper * POLLS_PER_EPISODE else timedelta(0)
    gap = timedelta(seconds=median((a - b).total_seconds() for a, b in pairwise(recent)))
    return max(gap, now - recent[0]) / POLLS_PER_EPISODE
