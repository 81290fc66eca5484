"""Not too fast: at least a moment between two requests to one host, whichever feed or episode they are for."""

import time
from collections.abc import Callable
from threading import Lock


class Pace:
    """When each host may be asked next; hosts in `own` are the user's, and may be asked at once.

    `delay` is in seconds, from one request to the next; `clock` is monotonic.
    """

    def __init__(
        self,
        delay: float,
        own: frozenset[str] = frozenset(),
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._delay = delay
        self._own = own
        self._clock = clock
        self._sleep = sleep
        self._free: dict[str, float] = {}
        self._lock = Lock()

    def wait(self, host: str) -> None:
        """Return when the host may be asked; others that wait for it come after."""
        name = host.lower().rstrip(".")
        if self._delay <= 0 or name in self._own:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._free.get(name, now))
            self._free[name] = turn + self._delay
        if turn > now:
            self._sleep(turn - now)
