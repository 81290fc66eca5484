"""Commands about feeds: inspect, feeds, remove."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import output
from flows.cli.options import Json, settings_of
from flows.context import open_web
from flows.names import next_feed, subscription_named
from ingest.errors import FeedError
from ingest.feeds.addresses import read_address
from ingest.feeds.parse import parse
from ingest.feeds.poll import gone_for_good
from ingest.feeds.reading import read_feed
from ingest.ledger import Ledger
from ingest.models import Feed, Subscription
from ingest.open import open_library
from ingest.times import clock, now
from ingest.web.credentials import without_userinfo

app = typer.Typer()


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
    else:
        urls = read_address(source)
        if not urls:
            raise FeedError(without_userinfo(source), "is neither a file here nor a web address")
        with open_web(settings_of(context)) as client:
            feed, _ = read_feed(client, urls[0], now=now())
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
    settings = settings_of(context)
    ledger = Ledger(settings.ledger_place)
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
        typer.echo(f"No feeds yet. {next_feed(settings)}")


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
def remove(
    context: typer.Context,
    podcast: Annotated[str, typer.Argument(help="Its name, title or URL, as `soundbite feeds` shows them.")],
) -> None:
    """Stop polling a podcast. Its transcripts stay in the library and can still be searched."""
    settings = settings_of(context)
    ledger = Ledger(settings.ledger_place)
    feed = ledger.unsubscribe(subscription_named(ledger, podcast).podcast)
    typer.echo(f"Removed {feed.podcast}; its transcripts stay in {open_library(settings).storage.where(feed.podcast)}")
