"""What a person, or a program, sees: one JSON document on stdout, everything else on stderr or laid out to be read."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from index.query import Answer
from ingest.models import Advance
from ingest.times import clock


def emit(document: Any) -> None:
    """Print one JSON document, the only thing `--json` puts on stdout; dates as ISO 8601."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=_plain) + "\n")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def say(text: str) -> None:
    """One line for the person who waits, on stderr."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(escape(text))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows for a person to read, on stdout; nothing of a feed is taken as markup."""
    grid = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(escape(str(cell)) for cell in row))
    Console(highlight=False).print(grid)


def show_answer(answer: Answer) -> None:
    """The hits as a person reads them: who says it, when, the words, and the link that plays them."""
    console = Console(highlight=False, soft_wrap=True)
    for hit in answer.hits:
        when = f" · {clock(hit.start)}-{clock(hit.end or hit.start)}" if hit.start is not None else ""
        date = f" · {hit.published[:10]}" if hit.published else ""
        date += " · advert" if hit.advert else ""
        console.print(f"[bold]{hit.rank:>2}  {escape(hit.title)}[/bold]  [dim]{hit.score:.2f}[/dim]")
        console.print(f"    [dim]{escape(hit.speaker or 'speaker unknown')}{when} · {escape(hit.podcast)}{date}[/dim]")
        console.print(f"    “{escape(hit.snippet)}”")
        if hit.play_url or hit.link:
            console.print(f"    {escape(hit.play_url or hit.link)}")
        console.print()
    if not answer.hits:
        console.print("No hits.")
    covered = answer.coverage
    if covered.pending or covered.failed:
        say(f"{covered.indexed} episodes searched; {covered.pending} pending, {covered.failed} failed")


@dataclass(slots=True)
class Reporter:
    """Says what a run is doing: bars where a person watches, one line a step where none does."""

    progress: Progress | None

    @contextmanager
    def step(self, text: str) -> Iterator[Advance]:
        """Announce a step; the function given takes how much is done and, where known, of how much."""
        if self.progress is None:
            say(text)
            yield lambda _done, _total: None
            return
        bar = self.progress
        job = bar.add_task(escape(text), total=None)
        try:
            yield lambda done, total: bar.update(job, completed=done, total=total)
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
