"""Options that several commands share."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated

import typer

from ingest import times
from ingest.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]
Podcast = Annotated[
    str, typer.Option(help="Only this podcast, by the name `soundbite feeds` shows.", show_default=False)
]

MOST_WORKERS = 32  # a slip of the finger beyond; each decodes audio here, and keeps an episode's file on the disk
Workers = Annotated[
    int,
    typer.Option(
        help="Transcriptions at a time, each with a model of its own and its share of the cores. One uses four cores at "
        "most, or a GPU; more pay off where a server transcribes (SOUNDBITE_WHISPER_URL), or from eight cores on.",
        min=1,
        max=MOST_WORKERS,
    ),
]


class Format(StrEnum):
    """What a transcript is given out as."""

    md = "md"
    vtt = "vtt"
    srt = "srt"
    json = "json"
    txt = "txt"


def parse_day(text: str) -> date | None:
    """An ISO date, which means the whole day in UTC, or a date-time; None for nothing."""
    try:
        return times.parse_day(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def beginning(text: str) -> datetime | None:
    """The moment at which a date begins, in UTC; None for nothing."""
    day = parse_day(text)
    return day if day is None or isinstance(day, datetime) else times.in_utc(datetime.combine(day, time()))


def settings_of(context: typer.Context) -> Settings:
    """The settings that the root command has read."""
    settings = context.find_root().obj
    assert isinstance(settings, Settings)
    return settings
