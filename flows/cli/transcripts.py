"""Commands about transcripts: import them, show one, convert a file."""

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Format, Json, settings_of
from flows.indexing import update_index
from flows.progress import reporting, say
from ingest.errors import SoundbiteError, UnknownFormatError
from ingest.intake import Intake, LeftOut, find_sources, read_source, repeated_names
from ingest.ledger import Ledger, unless_damaged
from ingest.open import open_library
from ingest.transcripts.export import render
from ingest.transcripts.importing import read_transcript

app = typer.Typer()
NAMED = 6  # files that are left out for one reason are named, up to so many


@app.command()
def show(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="The episode's key (8 digits are enough) or its guid.")],
    form: Annotated[Format, typer.Option("--format", help="vtt and srt need times.")] = Format.md,
) -> None:
    """Print an episode's transcript."""
    library = open_library(settings_of(context))
    typer.echo(render(library.read(library.find(episode).name), form.value), nl=False)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Any transcript file that can be read; docs/formats.md lists which.")],
    to: Annotated[Format, typer.Option(help="vtt and srt need times.")],
) -> None:
    """Print a transcript file in another format. Nothing is stored."""
    typer.echo(render(read_transcript(file), to.value), nl=False)


@app.command("import")
def import_transcripts(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="Transcript files, or folders of them; docs/formats.md lists which.")
    ],
    podcast: Annotated[str, typer.Option(help="The podcast to file them under; else as the files say.")] = "",
    json: Json = False,
) -> None:
    """Take transcripts you have into the library and the index. Importing a file twice changes nothing."""
    settings = settings_of(context)
    unless_damaged(Ledger(settings.ledger_place).open, None)  # says at once where the home directory cannot be written
    sources, left_out = find_sources(paths)
    intake = Intake(open_library(settings), repeated_names(sources))
    done: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": []}
    failed: list[dict[str, str]] = []
    with reporting() as reporter:
        for source in sources:
            try:
                with reporter.step(f"importing {source.paths[0]}"):
                    transcript, path, others = read_source(source, podcast)
                    done[intake.take_in(transcript, path, source.names)].append(str(path))
                    left_out += others
            except UnknownFormatError as error:
                if source.in_folder:
                    left_out.append(LeftOut(source.paths[0], error.message))
                else:
                    failed.append({"subject": error.subject, "reason": error.message})
            except SoundbiteError as error:
                failed.append({"subject": error.subject, "reason": error.message})
        with reporter.step("indexing") as advance:
            built = update_index(settings, advance)
    taken = [Path(name).resolve() for names in done.values() for name in names]
    failed += [
        {"subject": str(folder), "reason": "holds no transcript that can be read; docs/formats.md lists the formats"}
        for folder in paths
        if folder.is_dir() and not any(path.is_relative_to(folder.resolve()) for path in taken)
    ]
    if json:
        told = [{"subject": str(one.path), "reason": one.reason} for one in left_out]
        output.emit({**done, "left_out": told, "failed": failed, "chunks": built.chunks_embedded})
    else:
        counts = [f"{len(names)} {outcome}" for outcome, names in done.items()]
        counts += [f"{len(left_out)} left out"] if left_out else []
        typer.echo(", ".join([*counts, f"{len(failed)} failed"]))
        for reason, group in groupby(sorted(left_out, key=lambda one: one.reason), key=lambda one: one.reason):
            names = [str(one.path) for one in group]
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            say(f"left out {', '.join(names[:NAMED])}{more}: {reason}")
    for failure in failed:
        say(f"soundbite: {failure['subject']}: {failure['reason']}")
    if failed:
        raise typer.Exit(1)
