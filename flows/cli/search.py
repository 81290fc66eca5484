"""Commands that answer: search, episodes, show, convert."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import output as terminal
from flows.cli.options import Json, Podcast, parse_day, settings_of
from index import catalogue
from index.search import as_dict, open_searcher
from index.store.lance import Store
from ingest.identity import slug
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.transcripts.export import render
from ingest.transcripts.importing import read_transcript

app = typer.Typer()


class Mode(StrEnum):
    """How to search."""

    hybrid = "hybrid"
    vector = "vector"
    text = "text"


class Form(StrEnum):
    """What a transcript is given out as."""

    md = "md"
    vtt = "vtt"
    srt = "srt"
    json = "json"
    txt = "txt"


@app.command()
def search(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What you want to know, in your own words.")],
    limit: Annotated[int, typer.Option(help="How many hits, 1 to 100.")] = 10,
    mode: Annotated[Mode, typer.Option(help="By words and meaning, by meaning, or by words.")] = Mode.hybrid,
    podcast: Podcast = "",
    speaker: Annotated[str, typer.Option(help="Only what this speaker says.")] = "",
    since: Annotated[str, typer.Option(metavar="DATE", help="Published on this day or later, as 2026-01-31.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Published on this day or earlier.")] = "",
    adverts: Annotated[bool, typer.Option("--adverts", help="Rank adverts like anything else, not low.")] = False,
    json: Json = False,
) -> None:
    """Ask a question; each hit has the words, who says them, when, and a link that plays them."""
    answer = open_searcher(settings_of(context)).search(
        question,
        limit=limit,
        mode=mode.value,
        podcast=podcast,
        speaker=speaker,
        since=parse_day(since),
        until=parse_day(until),
        adverts=adverts,
    )
    (terminal.emit if json else terminal.show_answer)(as_dict(answer))


@app.command()
def episodes(context: typer.Context, podcast: Podcast = "", json: Json = False) -> None:
    """List every episode known and what became of it: indexed, pending or failed, and why."""
    settings = settings_of(context)
    known = catalogue.episodes(Store(settings.index_dir), Ledger(settings.ledger_path).records())
    listed = [episode for episode in known if not podcast or slug(episode.podcast) == slug(podcast)]
    if json:
        terminal.emit({"episodes": [asdict(episode) for episode in listed]})
        return
    if not listed:
        typer.echo("No episodes yet. Next: soundbite add FEED_URL, then soundbite run")
        return
    rows = [(e.key[:8], e.podcast, e.title, (e.published or "-")[:10], e.status, e.reason or e.flag) for e in listed]
    terminal.table(("key", "podcast", "title", "published", "status", "reason"), rows)


@app.command()
def show(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="The episode's key (8 digits are enough) or its guid.")],
    form: Annotated[Form, typer.Option("--format", help="vtt and srt need times.")] = Form.md,
) -> None:
    """Print an episode's transcript."""
    library = Library(settings_of(context).library_dir)
    typer.echo(render(library.read(library.find(episode)), form.value), nl=False)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Any transcript file we can read: md txt vtt srt json html.")],
    to: Annotated[Form, typer.Option(help="vtt and srt need times.")],
) -> None:
    """Print a transcript file in another format. Nothing is stored."""
    typer.echo(render(read_transcript(file), to.value), nl=False)
