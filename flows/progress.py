"""What a person who waits is told on stderr: one line a step, or bars where somebody watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ingest.models import Advance


def say(text: str) -> None:
    """One line for the person who waits, on stderr."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(escape(text))


@dataclass(slots=True)
class Reporter:
    """Says what a run is doing: bars where a person watches, one line a step where none does."""

    progress: Progress | None

    @contextmanager
    def step(self, text: str) -> Iterator[Advance]:
        """Announce a step; the function given takes how much is done, of how much where known, and the stage, if any."""
        if self.progress is None:
            said = {""}
            say(text)

            def tell(_done: float, _total: float | None, stage: str = "", /) -> None:
                if stage not in said:
                    say(f"{text}: {stage}")
                said.add(stage)

            yield tell
            return
        bar = self.progress
        job = bar.add_task(escape(text), total=None)

        def move(done: float, total: float | None, stage: str = "", /) -> None:
            bar.update(job, completed=done, total=total, description=escape(f"{text}: {stage}" if stage else text))

        try:
            yield move
        finally:
            bar.remove_task(job)
            bar.console.print(escape(text), highlight=False, soft_wrap=True)


@contextmanager
def reporting() -> Iterator[Reporter]:
    """A `Reporter` on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Reporter(None)
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        yield Reporter(progress)


@dataclass(slots=True)
class Paced:
    """Passes on how far a long step is, in percent, for a record that somebody may look at: not of short steps, not often.

    As an `Advance` it takes how much is done and of how much; `first` and `every` are seconds.
    """

    tell: Callable[[float], None]
    first: float = 60.0
    every: float = 10.0
    clock: Callable[[], float] = time.monotonic
    told: bool = False
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        self._next = self.clock() + self.first

    def __call__(self, done: float, total: float | None) -> None:
        """Tell it, if it is time to."""
        if total and self.clock() >= self._next:
            self._next = self.clock() + self.every
            self.told = True
            self.tell(min(100.0, 100 * done / total))
