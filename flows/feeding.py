"""Commands that say where episodes come from: add, feeds, remove, inspect, import."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from flows import steps, terminal
from flows.options import Json, settings_of
from flows.studio import open_web
from ingest import feeds
from ingest.client import Client
from ingest.errors import FeedError, SoundbiteError, TranscriptError
from ingest.importing import read_transcript
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Feed, Transcript
from ingest.settings import Settings
from ingest.transcript import slug

app = typer.Typer()
READABLE = frozenset({".md", ".txt", ".vtt", ".srt", ".json", ".html", ".htm"})


@app.command()
def add(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A feed's URL, or an OPML file exported from a podcast app.")],
    podcast: Annotated[str, typer.Option(help="The short name to file it under; made from the title.")] = "",
) -> None:
    """Subscribe to a podcast. The feed is read once to see that it is one; `soundbite run` does the work."""
    settings = settings_of(context)
    file = Path(source).expanduser()
    if not file.is_file():
        with open_web(settings) as client:
            _subscribe(client, Ledger(settings.ledger_path), source, podcast)
        return
    if podcast:
        raise typer.BadParameter("--podcast names one feed; an OPML file holds many")
    failed = _subscribe_all(settings, file)
    if failed:
        raise typer.Exit(1)


def _subscribe_all(settings: Settings, file: Path) -> int:
    """Every feed of an OPML file; how many could not be added."""
    from ingest.opml import read_opml

    ledger, failed = Ledger(settings.ledger_path), 0
    listed = read_opml(file.read_bytes())
    with open_web(settings) as client, terminal.reporting() as reporter:
        for _, url in listed:
            try:
                with reporter.step(url):
                    _subscribe(client, ledger, url, "")
            except SoundbiteError as error:
                terminal.say(f"soundbite: {error}")
                failed += 1
    terminal.say(f"{len(listed) - failed} of {len(listed)} feeds are subscribed to")
    return failed


def _subscribe(client: Client, ledger: Ledger, url: str, podcast: str) -> None:
    known = next((feed for feed in ledger.feeds() if feed.url == url), None)
    if known:
        typer.echo(f"{known.podcast} is subscribed to already; `soundbite run` fetches what is new")
        return
    feed, fetched = read_feed(client, url, podcast)
    steps.subscribe(ledger, feed, fetched)
    for warning in feed.warnings:
        terminal.say(f"{feed.podcast}: {warning}")
    typer.echo(f"Added {feed.podcast}: {feed.title} ({len(feed.episodes)} episodes). Next: soundbite run --latest 1")


def read_feed(client: Client, url: str, podcast: str = "") -> tuple[Feed, feeds.Fetched]:
    """One feed, fetched and parsed. Raises `FetchError` and `FeedError`."""
    fetched = feeds.fetch(client, url, now=steps.now())
    assert fetched.body is not None  # no validators were sent, so nothing can be unchanged
    name = slug(podcast) if podcast else ""
    return feeds.parse(url, fetched.body, name, content_type=fetched.content_type, base=fetched.url), fetched


@app.command("feeds")
def list_feeds(context: typer.Context, json: Json = False) -> None:
    """List the podcasts subscribed to: last success, last error, next poll."""
    known = Ledger(settings_of(context).ledger_path).feeds()
    if json:
        terminal.emit({"feeds": [asdict(feed) for feed in known]})
        return
    if not known:
        typer.echo("No feeds yet. Next: soundbite add FEED_URL")
        return
    rows = [
        (
            feed.podcast,
            f"{feed.last_success:%Y-%m-%d %H:%M}" if feed.last_success else "never",
            f"{feed.next_poll:%Y-%m-%d %H:%M}" if feed.next_poll else "now",
            feed.last_error or "-",
            feed.url,
        )
        for feed in known
    ]
    terminal.table(("podcast", "last success (UTC)", "next poll", "last error", "url"), rows)


@app.command()
def remove(context: typer.Context, podcast: Annotated[str, typer.Argument(metavar="SLUG")]) -> None:
    """Stop polling a podcast. Its transcripts stay in the library and can still be searched."""
    settings = settings_of(context)
    Ledger(settings.ledger_path).unsubscribe(podcast)
    typer.echo(f"Removed {podcast}; its transcripts stay in {settings.library_dir / slug(podcast)}")


@app.command()
def inspect(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A feed's URL, or a file that holds one.")],
    json: Json = False,
) -> None:
    """Show what a feed holds and what is wrong with it. Nothing is stored."""
    file = Path(source).expanduser()
    if file.is_file():
        feed = feeds.parse(file.absolute().as_uri(), file.read_bytes())
    elif "://" not in source:
        raise FeedError(source, "is neither a file here nor a URL; a URL begins with https://")
    else:
        with open_web(settings_of(context)) as client:
            feed, _ = read_feed(client, source)
    if json:
        terminal.emit(_described(feed))
        return
    typer.echo(f"{feed.title} ({feed.podcast}), {len(feed.episodes)} episodes")
    rows = [
        (e.published, e.title, terminal.timestamp(e.duration) if e.duration else "-", len(e.transcripts), e.audio_url)
        for e in feed.episodes
    ]
    terminal.table(("published", "title", "duration", "transcripts", "audio"), rows)
    for warning in feed.warnings:
        typer.echo(f"warning: {warning}")


def _described(feed: Feed) -> dict[str, Any]:
    shown = ("guid", "title", "published", "audio_url", "audio_type", "duration", "link", "season", "number", "people")
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


@app.command("import")
def import_transcripts(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="Transcript files, or folders of them: md txt vtt srt json html.")
    ],
    podcast: Annotated[str, typer.Option(help="The podcast to file them under; else as the files say.")] = "",
    json: Json = False,
) -> None:
    """Take transcripts you have into the library and the index. Importing a file twice changes nothing."""
    settings = settings_of(context)
    Ledger(settings.ledger_path)  # says at once where the home directory cannot be written
    library = Library(settings.library_dir)
    done: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": []}
    failed = []
    with terminal.reporting() as reporter:
        for path in _files(paths):
            try:
                with reporter.step(f"importing {path}"):
                    done[_take_in(library, _read(path, podcast))].append(str(path))
            except SoundbiteError as error:
                failed.append({"subject": error.subject, "reason": error.message})
        with reporter.step("indexing") as advance:
            built = steps.update_index(settings, advance)
    if json:
        terminal.emit({**done, "failed": failed, "chunks": built.chunks_embedded})
    else:
        typer.echo(", ".join(f"{len(names)} {outcome}" for outcome, names in done.items()) + f", {len(failed)} failed")
    for failure in failed:
        terminal.say(f"soundbite: {failure['subject']}: {failure['reason']}")
    if failed:
        raise typer.Exit(1)


def _files(paths: list[Path]) -> Iterator[Path]:
    """The files named, and those we can read in the folders named; a library's timed segments come with their text."""
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in READABLE and not p.name.startswith("."))
            yield from (p for p in found if not (p.suffix == ".json" and p.with_suffix(".md") in found))
        else:
            yield path


def _read(path: Path, podcast: str) -> Transcript:
    """A file's transcript, marked with the file's hash, so that taking it in again undoes no edit in the library."""
    transcript = read_transcript(path, podcast)
    mark = {"imported_sha256": sha256(path.read_bytes()).hexdigest(), "file": path.name}
    return replace(transcript, provenance=transcript.provenance | mark)


def _take_in(library: Library, new: Transcript) -> str:
    """Write a transcript unless it is there already; says which. Raises `TranscriptError` rather than lose another file's."""
    path = library.locate(new.episode)
    stamped = new if new.transcribed_at else replace(new, transcribed_at=steps.stamp())
    if path is None:
        library.write(stamped)
        return "added"
    old = library.read(path).provenance
    if old.get("imported_sha256") == new.provenance["imported_sha256"]:
        return "unchanged"
    if old.get("file", new.provenance["file"]) != new.provenance["file"]:
        raise TranscriptError(
            new.provenance["file"],
            f"has the podcast and title of {old['file']}, imported before; give one of them another title",
        )
    library.write(stamped)
    return "updated"
