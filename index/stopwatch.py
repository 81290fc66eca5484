"""Times the stages of a search."""

import time


class Stopwatch:
    """`stages` are the milliseconds of each stage; a stage ends where it is named, the next begins there."""

    def __init__(self) -> None:
        self.started = self._last = time.perf_counter()
        self.stages: dict[str, float] = {}

    def __call__(self, stage: str) -> None:
        """The end of a stage."""
        now = time.perf_counter()
        self.stages[stage] = round(self.stages.get(stage, 0.0) + (now - self._last) * 1000, 2)
        self._last = now

    @property
    def total(self) -> float:
        """Milliseconds since the beginning."""
        return round((time.perf_counter() - self.started) * 1000, 1)
