"""Options that several commands share."""

from typing import Annotated

import typer

from ingest.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]
Podcast = Annotated[
    str, typer.Option(help="Only this podcast, by the name `soundbite feeds` shows.", show_default=False)
]


def settings_of(context: typer.Context) -> Settings:
    """The settings that the root command has read."""
    settings = context.find_root().obj
    assert isinstance(settings, Settings)
    return settings
