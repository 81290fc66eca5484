"""Commands about transcripts: import them, show one, convert a file."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Format, Json, settings_of
from flows.indexing import update_index
from ingest.errors import SoundbiteError, UnknownFormatError
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.transcripts.export import render
from ingest.transcripts.importing import read_transcript
from ingest.transcripts.intake import Intake, LeftOut, find_sources, read_source, repeated_names

app = typer.Typer()


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
    Ledger(settings.ledger_path).open()  # says at once where the home directory cannot be written
    sources, left_out = find_sources(paths)
    intake = Intake(Library(settings.library_dir), repeated_names(sources))
    done: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": []}
    failed: list[dict[str, str]] = []
    with output.reporting() as reporter:
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
    failed += [
        {"subject": str(folder), "reason": "holds no transcript that can be read; docs/formats.md lists the formats"}
        for folder in paths
        if (folder.is_dir() and not any(one.in_folder and _lies_in(one.paths[0], folder) for one in sources))
        or (folder.is_dir() and not any(done.values()) and not failed)
    ]
    told = [{"subject": str(one.path), "reason": one.reason} for one in left_out]
    if json:
        output.emit({**done, "left_out": told, "failed": failed, "chunks": built.chunks_embedded})
    else:
        counts = [f"{len(names)} {outcome}" for outcome, names in done.items()]
        typer.echo(", ".join([*counts, *([f"{len(told)} left out"] if told else []), f"{len(failed)} failed"]))
        for one in told:
            output.say(f"left out {one['subject']}: {one['reason']}")
    for failure in failed:
        output.say(f"soundbite: {failure['subject']}: {failure['reason']}")
    if failed:
        raise typer.Exit(1)


def _lies_in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
