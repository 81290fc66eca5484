"""What benchmarks share: CPU time of one call, and one table of what was measured beside what is wanted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `met` is None where nothing is wanted, or nothing could be measured."""

    what: str
    measured: str
    wanted: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU milliseconds of one call, all threads together, so that a busy machine hardly shows."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50:.2f} / {self.p99:.2f} ms"


def spent(call: Callable[[Any], Any], arguments: Sequence[Any], rounds: int = 1, warm: int = 3) -> Spent:
    """What a call costs, over these arguments."""
    return taking_turns([call], arguments, rounds, warm)[0]


def taking_turns(
    calls: Sequence[Callable[[Any], Any]], arguments: Sequence[Any], rounds: int = 1, warm: int = 3
) -> list[Spent]:
    """The same of several calls that take turns, so that whatever else slows the machine slows them all."""
    for argument in arguments[:warm]:
        for call in calls:
            call(argument)
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for argument in arguments:
            for call, own in zip(calls, times, strict=True):
                begun = process_time()
                call(argument)
                own.append((process_time() - begun) * 1000)
    return [Spent(float(np.median(own)), float(np.percentile(own, 99))) for own in times]


def seconds(call: Callable[[], Any]) -> float:
    """CPU seconds of one call, all threads together."""
    begun = process_time()
    call()
    return process_time() - begun


def at_least(what: str, value: float, wanted: float, more: str = "", unit: str = "x") -> Row:
    return Row(what, f"{value:.4g} {unit}{f' ({more})' if more else ''}", f">= {wanted:g}", value >= wanted)


def at_most(what: str, value: float, wanted: float, more: str = "", unit: str = "x") -> Row:
    return Row(what, f"{value:.4g} {unit}{f' ({more})' if more else ''}", f"<= {wanted:g}", value <= wanted)


def table(rows: Iterable[Row]) -> str:
    """All lines under each other, in columns."""
    told = [(row.what, row.measured, row.wanted, {True: "met", False: "MISSED", None: ""}[row.met]) for row in rows]
    told.insert(0, ("what", "measured", "wanted", ""))
    widths = [max(len(line[i]) for line in told) for i in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]).rstrip()
        for line in told
    )
