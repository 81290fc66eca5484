"""Commands about transcripts: import them, show one, convert a file."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Format, Json, settings_of
from flows.indexing import update_index
from ingest.errors import SoundbiteError, TranscriptError
from ingest.ledger import Ledger
from ingest.library import ORIGINAL, Library
from ingest.models import Transcript
from ingest.times import iso_milliseconds, now
from ingest.transcripts.export import render
from ingest.transcripts.importing import read_transcript

app = typer.Typer()
READABLE = frozenset({".md", ".txt", ".vtt", ".srt", ".json", ".html", ".htm"})


@app.command()
def show(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="The episode's key (8 digits are enough) or its guid.")],
    form: Annotated[Format, typer.Option("--format", help="vtt and srt need times.")] = Format.md,
) -> None:
    """Print an episode's transcript."""
    library = Library(settings_of(context).library_dir)
    typer.echo(render(library.read(library.find(episode).name), form.value), nl=False)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Any transcript file we can read: md txt vtt srt json html.")],
    to: Annotated[Format, typer.Option(help="vtt and srt need times.")],
) -> None:
    """Print a transcript file in another format. Nothing is stored."""
    typer.echo(render(read_transcript(file), to.value), nl=False)


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
    Ledger(settings.ledger_path).open()  # says at once where the home directory cannot be written
    library = Library(settings.library_dir)
    done: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": []}
    failed = []
    with output.reporting() as reporter:
        for path in _files(paths):
            try:
                with reporter.step(f"importing {path}"):
                    done[_take_in(library, _read(path, podcast))].append(str(path))
            except SoundbiteError as error:
                failed.append({"subject": error.subject, "reason": error.message})
        with reporter.step("indexing") as advance:
            built = update_index(settings, advance)
    if json:
        output.emit({**done, "failed": failed, "chunks": built.chunks_embedded})
    else:
        typer.echo(", ".join(f"{len(names)} {outcome}" for outcome, names in done.items()) + f", {len(failed)} failed")
    for failure in failed:
        output.say(f"soundbite: {failure['subject']}: {failure['reason']}")
    if failed:
        raise typer.Exit(1)


def _files(paths: list[Path]) -> Iterator[Path]:
    """The files named, and those we can read in the folders named; a library's timed segments come with their text."""
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in READABLE and not _is_extra(p))
            there = frozenset(found)
            yield from (p for p in found if not (p.suffix == ".json" and p.with_suffix(".md") in there))
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
    document = library.locate(new.episode)
    stamped = new if new.transcribed_at else replace(new, transcribed_at=iso_milliseconds(now()))
    if document is None:
        library.write(stamped)
        return "added"
    old = library.read(document.name).provenance
    if old.get("imported_sha256") == new.provenance["imported_sha256"]:
        return "unchanged"
    if old.get("file", new.provenance["file"]) != new.provenance["file"]:
        raise TranscriptError(
            new.provenance["file"],
            f"has the podcast and title of {old['file']}, imported before; give one of them another title",
        )
    library.write(stamped)
    return "updated"
