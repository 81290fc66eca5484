"""What the last runs on this machine did, one JSON line each in the home: for people, who lose nothing with the file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.identity import one_line
from ingest.storage import write_atomically
from ingest.times import iso, parse_date

FILE = "runs.jsonl"
KEPT = 200  # runs: more than a week of hourly ones
NAMED = 10  # new episodes and failures of a run that are named; their number is kept, too
MAX_LINE = 300  # characters of one


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: when it began, its seconds, how many episodes are new, failed and still pending.

    `episodes` are the first new ones, `failures` the first subjects and reasons, as lines of text.
    """

    began: datetime
    seconds: float
    new: int
    failed: int
    pending: int
    episodes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def run_record(
    began: datetime, ended: datetime, new: Sequence[str], failed: Sequence[tuple[str, str]], pending: int
) -> RunRecord:
    """The record of a run; `failed` holds (what, why)."""
    failures = tuple(one_line(f"{subject}: {reason}")[:MAX_LINE] for subject, reason in failed[:NAMED])
    episodes = tuple(one_line(name)[:MAX_LINE] for name in new[:NAMED])
    seconds = round((ended - began).total_seconds(), 1)
    return RunRecord(began, max(0.0, seconds), len(new), len(failed), pending, episodes, failures)


def remember(home: Path, record: RunRecord) -> None:
    """Add a run, whole or not at all, and forget the oldest beyond `KEPT`. Raises OSError."""
    line = json.dumps(asdict(record) | {"began": iso(record.began)}, ensure_ascii=True)
    write_atomically(home / FILE, "".join(f"{one}\n" for one in [*_lines(home)[-KEPT + 1 :], line]))


def last_runs(home: Path, limit: int = KEPT) -> list[RunRecord]:
    """The last runs, the newest first; lines that cannot be read are left out."""
    read = (_read(line) for line in reversed(_lines(home)))
    return [record for record in read if record][:limit]


def _lines(home: Path) -> list[str]:
    try:
        return (home / FILE).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _read(line: str) -> RunRecord | None:
    try:
        entry: dict[str, Any] = json.loads(line)
        began = parse_date(entry["began"])
        new, failed, pending = (int(entry[name]) for name in ("new", "failed", "pending"))
        episodes, failures = (tuple(map(str, entry[name])) for name in ("episodes", "failures"))
        return RunRecord(began, float(entry["seconds"]), new, failed, pending, episodes, failures) if began else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
