"""Commands that look at what others have made: inspect a feed, import transcripts."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import feeds as subscribing
from flows.cli import output as terminal
from flows.cli.feeds import read_feed
from flows.cli.options import Json, settings_of
from flows.context import open_web
from ingest import pipeline as steps
from ingest.errors import FeedError, SoundbiteError, TranscriptError
from ingest.feeds import parse as feeds
from ingest.ledger import Ledger
from ingest.library import ORIGINAL, Library
from ingest.models import Feed, Transcript
from ingest.transcripts.importing import read_transcript

app = subscribing.app  # one room for the command line: where episodes come from
READABLE = frozenset({".md", ".txt", ".vtt", ".srt", ".json", ".html", ".htm"})


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
    shown = (
        "guid",
        "title",
        "published",
        "audio_url",
        "audio_type",
        "duration",
        "link",
        "season",
        "number",
        "people",
        "chapters_url",
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
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in READABLE and not _is_extra(p))
            yield from (p for p in found if not (p.suffix == ".json" and p.with_suffix(".md") in found))
        else:
            yield path


def _is_extra(path: Path) -> bool:
    """Hidden files, and publishers' own files beside a library's transcripts."""
    return path.name.startswith(".") or path.stem.endswith(ORIGINAL)


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
