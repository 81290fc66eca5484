"""Options that several commands share."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from ingest.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]
Podcast = Annotated[
    str, typer.Option(help="Only this podcast, by the name `soundbite feeds` shows.", show_default=False)
]


def parse_day(text: str) -> date | None:
    """An ISO date, which means the whole day in UTC, or a date-time; None for nothing."""
    try:
        return (datetime if len(text) > len("2026-01-31") else date).fromisoformat(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date; write 2026-01-31") from error


def beginning(text: str) -> datetime | None:
    """The moment at which a date begins, in UTC; None for nothing."""
    day = parse_day(text)
    if day is None:
        return None
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def settings_of(context: typer.Context) -> Settings:
    """The settings that the root command has read."""
    settings = context.find_root().obj
    assert isinstance(settings, Settings)
    return settings
