"""What benchmarks share: CPU time of calls, memory of processes, and one table of ratios."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a figure, what it is compared with, and the target if there is one."""

    what: str
    measured: str
    against: str = ""
    wanted: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU milliseconds of one call, all threads together, so that other work on the machine hardly counts."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} ms"


def row(
    what: str, value: float, against: str, *, least: float | None = None, most: float | None = None, unit: str = " x"
) -> Row:
    """A figure with a target that it must reach (`least`) or stay within (`most`), or with none."""
    told = f"{value:.3f}" if not unit else f"{value:.{1 if value >= 10 else 2}f}{unit}"
    if least is not None:
        return Row(what, told, against, f">= {least:g}", value >= least)
    if most is not None:
        return Row(what, told, against, f"<= {most:g}", value <= most)
    return Row(what, told, against)


def taking_turns(
    calls: Sequence[Callable[[Any], Any]], arguments: Sequence[Any], rounds: int = 1, warm: int = 3
) -> list[Spent]:
    """CPU time of several calls that take turns, so that whatever slows the machine slows all of them."""
    for argument in arguments[:warm]:
        for call in calls:
            call(argument)
    times: list[list[float]] = [[] for _ in calls]
    for argument in list(arguments) * rounds:
        for call, own in zip(calls, times, strict=True):
            own.append(seconds(lambda call=call, argument=argument: call(argument)) * 1000)
    return [Spent(float(np.median(own)), float(np.percentile(own, 99))) for own in times]


def seconds(call: Callable[[], Any]) -> float:
    """CPU seconds of one call, all threads together."""
    begun = process_time()
    call()
    return process_time() - begun


def process(*arguments: str) -> float:
    """CPU seconds of a Python process from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)[:200]} failed:\n{done.stderr[-2_000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak() -> float:
    """Megabytes of memory that this process had at most (Linux)."""
    status = Path("/proc/self/status").read_text()  # getrusage would count what the parent had before
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def table(rows: Iterable[Row]) -> str:
    """All rows in columns."""
    told = [
        (one.what, one.measured, one.against, one.wanted, {True: "met", False: "missed", None: ""}[one.met])
        for one in rows
    ]
    told.insert(0, ("what", "measured", "against", "target", ""))
    widths = [max(map(len, column)) for column in zip(*told, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in told
    )
