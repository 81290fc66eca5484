"""What a person, or a program, sees: one JSON document on stdout, everything else on stderr or laid out to be read."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.progress import say
from index.query import Answer
from ingest.times import clock


def emit(document: Any) -> None:
    """Print one JSON document, the only thing `--json` puts on stdout; dates as ISO 8601."""
    # The bytes of a file name that are no UTF-8 become escapes of JSON
    text = json.dumps(document, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


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
    if answer.suggestion:
        console.print(f"Did you mean: [bold]{escape(answer.suggestion)}[/bold]? These are its hits.\n")
    for hit in answer.hits:
        start, end = hit.answer.start, hit.answer.end
        when = f" · {clock(start)}-{clock(end or start)}" if start is not None else ""
        date = f" · {hit.published[:10]}" if hit.published else ""
        date += " · advert" if hit.advert else ""
        console.print(f"[bold]{hit.rank:>2}  {escape(hit.title)}[/bold]  [dim]{hit.score:.2f}[/dim]")
        console.print(
            f"    [dim]{escape(hit.answer.speaker or 'speaker unknown')}{when} · {escape(hit.podcast)}{date}[/dim]"
        )
        console.print(f"    “{escape(hit.answer.text)}”")
        if hit.play_url or hit.link:
            console.print(f"    {escape(hit.play_url or hit.link)}")
        if hit.more:
            times = ", ".join(clock(one.answer.start) for one in hit.more if one.answer.start is not None)
            console.print(f"    [dim]{hit.moments - 1} more in this episode{': ' * bool(times)}{times}[/dim]")
        console.print()
    if not answer.hits:
        console.print("No hits.")
    for note in answer.notes:
        say(note)
    covered = answer.coverage
    if covered.pending or covered.failed:
        say(f"{covered.indexed} episodes searched; {covered.pending} pending, {covered.failed} failed")
