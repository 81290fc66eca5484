"""Decides when a feed is polled again: by the host's wish, the podcast's rhythm and the failures so far. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

LONGEST_WAIT = timedelta(days=7)  # of what a host asks: a slip in its settings must not silence a feed for good
POLLS_PER_EPISODE = 12  # per usual gap between episodes: a weekly show is polled twice a day
RECENT = 10  # episodes whose gaps count
JITTER = 0.1  # of the wait: spreads the feeds of one host


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
    """When to poll again: between `lower` and `upper` from now, later only where the host asks for it.

    The interval follows the usual gap between recent episodes, or the present silence where that is longer. It doubles
    from `lower` with each failure in a row. The caller draws `jitter`, a number from 0 to 1.
    """
    interval = _usual_interval(now, published, upper) if not failures else lower * 2 ** min(failures, 20)
    interval = max(interval, timedelta(seconds=min(max_age or 0.0, upper.total_seconds())))
    interval = min(max(interval, lower), upper)
    asked = min(timedelta(seconds=min(retry_after or 0.0, 1e9)), LONGEST_WAIT)
    return now + max(interval, asked) * (1 + JITTER * min(max(jitter, 0.0), 1.0))


def _usual_interval(now: datetime, published: Sequence[datetime], upper: timedelta) -> timedelta:
    recent = sorted((moment for moment in published if moment <= now), reverse=True)[:RECENT]
    if len(recent) < 2:
        return upper if recent and now - recent[0] > upper * POLLS_PER_EPISODE else timedelta(0)
    gap = timedelta(seconds=median((a - b).total_seconds() for a, b in pairwise(recent)))
    return max(gap, now - recent[0]) / POLLS_PER_EPISODE
