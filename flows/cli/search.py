"""Commands that answer: search and episodes."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Json, Podcast, parse_day, settings_of
from flows.names import check_podcast
from index import catalogue
from index.open import open_searcher, open_store
from index.query import DEFAULT_LIMIT, MAX_LIMIT, Query
from ingest.identity import slug
from ingest.ledger import Ledger, unless_damaged
from ingest.open import open_library

app = typer.Typer()


class Mode(StrEnum):
    """How to search."""

    hybrid = "hybrid"
    vector = "vector"
    text = "text"


@app.command()
def search(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What you want to know, in your own words.")],
    limit: Annotated[int, typer.Option(help=f"How many hits, 1 to {MAX_LIMIT}.")] = DEFAULT_LIMIT,
    mode: Annotated[Mode, typer.Option(help="By words and meaning, by meaning, or by words.")] = Mode.hybrid,
    podcast: Podcast = "",
    speaker: Annotated[str, typer.Option(help="Only what this speaker says, by a name or words of it.")] = "",
    language: Annotated[str, typer.Option(help="Only transcripts in this language, as de or German.")] = "",
    since: Annotated[str, typer.Option(metavar="DATE", help="Published on this day or later, as 2026-01-31.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Published on this day or earlier.")] = "",
    adverts: Annotated[bool, typer.Option("--adverts", help="Rank adverts like anything else, not low.")] = False,
    by_episode: Annotated[bool, typer.Option("--by-episode", help="One hit an episode, and how many more.")] = False,
    json: Json = False,
) -> None:
    """Ask a question; each hit has the words, who says them, when, and a link that plays them."""
    days = parse_day(since), parse_day(until)
    query = Query(
        question, limit, mode.value, podcast, speaker, *days, adverts, "episode" if by_episode else None, language
    )
    check_podcast(settings_of(context), podcast)
    answer = open_searcher(settings_of(context)).search(query)
    if json:
        output.emit(asdict(answer))
    else:
        output.show_answer(answer)


@app.command()
def episodes(
    context: typer.Context,
    podcast: Podcast = "",
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those that failed; `soundbite retry` forgets that.")
    ] = False,
    json: Json = False,
) -> None:
    """List every episode known and what became of it: indexed, transcribed, pending or failed, and why."""
    settings = settings_of(context)
    check_podcast(settings, podcast)
    library, ledger = open_library(settings), Ledger(settings.ledger_place)
    known = catalogue.episodes(open_store(settings), library, unless_damaged(ledger.records, []))
    known = [episode for episode in known if not failed or episode.status == "failed"]
    listed = [episode for episode in known if not podcast or slug(episode.podcast) == slug(podcast)]
    if json:
        output.emit({"episodes": [asdict(episode) for episode in listed]})
        return
    if failed and not listed:
        typer.echo("No episode has failed.")
    elif not listed:
        typer.echo("No episodes yet. Next: soundbite add FEED_URL, then soundbite run")
    else:
        rows = [
            (e.key[:8], e.podcast, e.title, (e.published or "-")[:10], e.status, e.reason or e.flag) for e in listed
        ]
        output.table(("key", "podcast", "title", "published", "status", "reason"), rows)
