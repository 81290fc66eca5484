"""Commands about feeds: add, inspect, feeds, remove."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import output
from flows.cli.options import Json, settings_of
from flows.context import open_web
from ingest.errors import FeedError, SoundbiteError
from ingest.feeds.parse import parse
from ingest.feeds.poll import gone_for_good, read_feed, subscribe
from ingest.ledger import Ledger
from ingest.models import Feed, Subscription
from ingest.settings import Settings
from ingest.times import clock, now
from ingest.web.client import Client

app = typer.Typer()


@app.command()
def add(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A feed's URL, or an OPML file exported from a podcast app.")],
    podcast: Annotated[str, typer.Option(help="The short name to file it under; made from the title.")] = "",
    user_agent: Annotated[
        str, typer.Option(help="The User-Agent for this feed, where its host refuses ours.", show_default=False)
    ] = "",
    language: Annotated[
        str, typer.Option(help="What is spoken, as en or de; else it is detected in each episode.", show_default=False)
    ] = "",
    dry_run: Annotated[
        bool, typer.Option(help="Only say what an OPML file would add; nothing is asked or kept.")
    ] = False,
) -> None:
    """Subscribe to a podcast. The feed is read once to see that it is one; `soundbite run` does the work."""
    settings = settings_of(context)
    file = Path(source).expanduser()
    if file.is_file():
        if podcast or user_agent or language:
            raise typer.BadParameter("--podcast, --user-agent and --language are for one feed; an OPML file holds many")
        _subscribe_all(settings, file, dry_run=dry_run)
        return
    if dry_run:
        raise typer.BadParameter("--dry-run is for an OPML file; `soundbite inspect URL` shows what a feed holds")
    with open_web(settings) as client:
        _subscribe(settings, client, source, podcast, user_agent=user_agent, language=language)


def _subscribe_all(settings: Settings, file: Path, *, dry_run: bool) -> None:
    """Every feed of an OPML file; what could not be added is said, and ends with 1."""
    from ingest.feeds.opml import read_opml

    listed = read_opml(file.read_bytes(), file.name)
    if dry_run:
        _preview(Ledger(settings.ledger_path), listed)
        return
    failed = 0
    with open_web(settings) as client, output.reporting() as reporter:
        for _, url in listed:
            try:
                with reporter.step(url):
                    _subscribe(settings, client, url)
            except SoundbiteError as error:
                output.say(f"soundbite: {error}")
                failed += 1
    output.say(f"{len(listed) - failed} of {len(listed)} feeds are subscribed to")
    if failed:
        raise typer.Exit(1)


def _preview(ledger: Ledger, listed: list[tuple[str, str]]) -> None:
    fresh = 0
    for title, url in listed:
        known = ledger.find_by_url(url)
        fresh += not known
        typer.echo(f"already    {known.podcast}: {url}" if known else f"would add  {title or '-'}: {url}")
    typer.echo(f"{fresh} of {len(listed)} feeds would be added")


def _subscribe(
    settings: Settings, client: Client, url: str, podcast: str = "", *, user_agent: str = "", language: str = ""
) -> None:
    ledger = Ledger(settings.ledger_path)
    if known := ledger.find_by_url(url):
        ledger.set_overrides(known.podcast, user_agent=user_agent, language=language)
        _already(known, url, " and ".join(filter(None, (user_agent, language))))
        return
    feed, fetched = read_feed(client, url, podcast, now=now(), user_agent=user_agent)
    subscribe(ledger, feed, fetched, now())
    ledger.set_overrides(feed.podcast, user_agent=user_agent, language=language)
    for warning in feed.warnings:
        output.say(f"{feed.podcast}: {warning}")
    typer.echo(f"Added {feed.podcast}: {feed.title} ({len(feed.episodes)} episodes). Next: soundbite run --latest 1")


def _already(known: Subscription, url: str, changed: str) -> None:
    if changed:
        typer.echo(f"{known.podcast} is subscribed to already; from now on with {changed}")
        return
    moved = "" if known.url == url else f" (it has moved to {known.url})"
    typer.echo(f"{known.podcast} is subscribed to already{moved}; `soundbite run` fetches what is new")


@app.command()
def inspect(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A feed's URL, or a file that holds one.")],
    json: Json = False,
) -> None:
    """Show what a feed holds and what is wrong with it. Nothing is stored."""
    file = Path(source).expanduser()
    if file.is_file():
        feed = parse(file.absolute().as_uri(), file.read_bytes())
    elif "://" not in source:
        raise FeedError(source, "is neither a file here nor a URL; a URL begins with https://")
    else:
        with open_web(settings_of(context)) as client:
            feed, _ = read_feed(client, source, now=now())
    if json:
        output.emit(_described(feed))
        return
    typer.echo(f"{feed.title} ({feed.podcast}), {len(feed.episodes)} episodes")
    rows = [
        (e.published, e.title, clock(e.duration) if e.duration else "-", len(e.transcripts), e.audio_url)
        for e in feed.episodes
    ]
    output.table(("published", "title", "duration", "transcripts", "audio"), rows)
    for warning in feed.warnings:
        typer.echo(f"warning: {warning}")


def _described(feed: Feed) -> dict[str, Any]:
    shown = (
        "guid",
        "title",
        "published",
        "audio_url",
        "duration",
        "link",
        "season",
        "number",
        "people",
    )
    return {
        "podcast": feed.podcast,
        "title": feed.title,
        "url": feed.url,
        "language": feed.language,
        "new_url": feed.new_url,
        "episodes": [
            {name: getattr(episode, name) for name in shown}
            | {"transcripts": [asdict(link) for link in episode.transcripts]}
            for episode in feed.episodes
        ],
        "warnings": list(feed.warnings),
    }


@app.command("feeds")
def list_feeds(
    context: typer.Context,
    opml: Annotated[
        bool, typer.Option("--opml", help="Print them as OPML, for `soundbite add` or a podcast app.")
    ] = False,
    json: Json = False,
) -> None:
    """List the podcasts subscribed to: last success, last error, next poll, episodes done, pending and failed."""
    ledger = Ledger(settings_of(context).ledger_path)
    known, counts = ledger.feeds(), ledger.counts_by_podcast()
    if opml:
        from ingest.feeds.opml import write_opml

        sys.stdout.write(write_opml([(feed.title, feed.url) for feed in known]))
    elif json:
        none = {"done": 0, "pending": 0, "failed": 0}
        output.emit({"feeds": [asdict(feed) | {"episodes": counts.get(feed.podcast, none)} for feed in known]})
    elif known:
        rows = [_row(feed, counts.get(feed.podcast, {})) for feed in known]
        columns = ("podcast", "last success (UTC)", "next poll", "done", "pending", "failed", "last error", "url")
        output.table(columns, rows)
    else:
        typer.echo("No feeds yet. Next: soundbite add FEED_URL")


def _row(feed: Subscription, tally: dict[str, int]) -> tuple[object, ...]:
    upcoming = f"{feed.next_poll:%Y-%m-%d %H:%M}" if feed.next_poll else "now"
    counts = (tally.get(status, 0) for status in ("done", "pending", "failed"))
    times = f" ({feed.failures} times in a row)" if feed.failures > 1 else ""
    return (
        feed.podcast,
        f"{feed.last_success:%Y-%m-%d %H:%M}" if feed.last_success else "never",
        "none" if feed.gone else upcoming,
        *counts,
        gone_for_good(feed.podcast) if feed.gone else f"{feed.last_error}{times}" if feed.last_error else "-",
        feed.url,
    )


@app.command()
def remove(context: typer.Context, podcast: Annotated[str, typer.Argument(metavar="SLUG")]) -> None:
    """Stop polling a podcast. Its transcripts stay in the library and can still be searched."""
    settings = settings_of(context)
    feed = Ledger(settings.ledger_path).unsubscribe(podcast)
    typer.echo(f"Removed {feed.podcast}; its transcripts stay in {settings.library_dir / feed.podcast}")
