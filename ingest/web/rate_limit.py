"""Keeps requests to one host apart, whichever feed or episode they are for."""

import time
from collections.abc import Callable
from threading import Lock


class RateLimiter:
    """Lets one request to a host start every `delay` seconds; hosts in `exempt` are not limited.

    `clock` must be monotonic.
    """

    def __init__(
        self,
        delay: float,
        exempt: frozenset[str] = frozenset(),
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._delay = delay
        self._exempt = exempt
        self._clock = clock
        self._sleep = sleep
        self._next_start: dict[str, float] = {}
        self._lock = Lock()

    def wait(self, host: str) -> None:
        """Return when a request to the host may start; callers that wait for one host are served in turn."""
        name = host.lower().rstrip(".")
        if self._delay <= 0 or name in self._exempt:
            return
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start.get(name, now))
            self._next_start[name] = start + self._delay
        if start > now:
            self._sleep(start - now)
