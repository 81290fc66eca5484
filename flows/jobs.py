"""Work beside the scheduler: one thread a job; the scheduler alone looks at what came of it.

The work is waiting for hosts, speech recognition and embedding, all of which leave Python to the other threads.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event, Thread
from threading import enumerate as enumerate_threads
from typing import Any, Self, TypeVar

from flows.progress import Reporter
from ingest.models import Advance

STOP_SECONDS = 2.0  # that an interrupted run waits for its jobs; they are left behind, as by a kill, which heals

NAME = "job"  # how the threads are called, so that they are known where the process ends

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    kind: str
    of: str
    then: Callable[[Future[Any]], None]


class Jobs:
    """Jobs at work, each of a kind and of something; what follows a job is called by `wait`, in the caller's thread.

    As a context it ends early where an exception leaves it: jobs that report progress stop there, others are left to the
    end of the process. So Ctrl-C does not wait for a host.
    """

    def __init__(self) -> None:
        self.stopped = Event()
        self._running: dict[Future[Any], _Job] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.stopped.set()
            wait(self._running, STOP_SECONDS)

    def __len__(self) -> int:
        return len(self._running)

    def of(self, kind: str) -> list[str]:
        """What the jobs of a kind are working on."""
        return [job.of for job in self._running.values() if job.kind == kind]

    def start(self, kind: str, of: str, work: Callable[[], T], then: Callable[[Future[T]], None]) -> None:
        """Begin a job; `then` takes its future, which is done. Context variables go along, so engines know their run."""
        future: Future[T] = Future()
        context = copy_context()

        def run() -> None:
            try:
                future.set_result(context.run(work))
            except BaseException as error:  # noqa: BLE001 - the scheduler's thread raises it
                future.set_exception(error)

        self._running[future] = _Job(kind, of, then)
        Thread(target=run, name=f"{NAME} {kind} {of}", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until a job ends, so long at most, and go on with what follows those that have."""
        done = wait(self._running, seconds, FIRST_COMPLETED).done
        for future in [each for each in self._running if each in done]:
            self._running.pop(future).then(future)


def left_behind() -> bool:
    """Whether jobs of an interrupted run are still at work in this process."""
    return any(thread.name.startswith(f"{NAME} ") for thread in enumerate_threads())


@dataclass(slots=True)
class StoppableReporter(Reporter):
    """A `Reporter` whose steps end with KeyboardInterrupt, once the run was stopped, where they tell their progress."""

    stopped: Event

    @contextmanager
    def step(self, text: str) -> Iterator[Advance]:
        """See `Reporter`."""
        with Reporter.step(self, text) as advance:

            def go_on(done: float, total: float | None, stage: str = "", /) -> None:
                if self.stopped.is_set():
                    raise KeyboardInterrupt
                advance(done, total, stage)

            yield go_on
