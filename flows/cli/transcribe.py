"""The command `transcribe`: a local file to stdout, or episodes of the library anew."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Format, Podcast, settings_of
from flows.context import RunContext, open_context
from index.build import index_document
from ingest import pipeline
from ingest.errors import AudioError, NotFoundError, SoundbiteError
from ingest.library import Library
from ingest.models import Advance, Episode, Transcript
from ingest.pipeline import IngestContext
from ingest.speech.glossary import correct, read_glossary
from ingest.times import iso_milliseconds, now
from ingest.transcripts.document import turns_from_segments
from ingest.transcripts.export import render

app = typer.Typer()


@app.command()
def transcribe(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="An audio file, or an episode's key or guid.")] = "",
    podcast: Podcast = "",
    model: Annotated[str, typer.Option(help="Another speech model than the one in the settings.")] = "",
    to: Annotated[Format, typer.Option(help="For a file: what to print.")] = Format.md,
) -> None:
    """Transcribe a local audio file and print it, or transcribe episodes of the library anew.

    An episode keeps its old transcript until the new one is whole. Stopped, the command goes on where it was.
    """
    if bool(what) == bool(podcast):
        raise typer.BadParameter("name an audio file or an episode, or a --podcast")
    file = Path(what).expanduser()
    if file.suffix.lower() in pipeline.AUDIO_SUFFIXES and not file.is_file():
        raise AudioError(file, "does not exist; check the name")
    settings = settings_of(context)
    if model:
        settings = settings.model_copy(update={"whisper_model": model})
    with open_context(settings) as opened, output.reporting() as reporter:
        if what and file.is_file():
            with reporter.step(f"transcribing {file}") as advance:
                transcript = of_file(opened.ingest, file, advance)
            typer.echo(render(transcript, to.value), nl=False)
            return
        failed = again(opened, reporter, list(_episodes(opened.ingest.library, what, podcast)))
    for title, reason in failed:
        output.say(f"soundbite: {title}: {reason}")
    if failed:
        raise typer.Exit(1)


def of_file(context: IngestContext, file: Path, advance: Advance) -> Transcript:
    """The transcript of a local audio file; nothing but a checkpoint is stored. Raises `AudioError`."""
    name = sha256(str(file.resolve()).encode()).hexdigest()[:16]
    checkpoint = context.audio_dir / f"file-{name}.checkpoint.json"
    made = context.transcriber.transcribe(file, language=context.language, checkpoint=checkpoint, progress=advance)
    checkpoint.unlink(missing_ok=True)
    glossary = read_glossary(context.glossary_dir / "files.txt")
    segments, corrected = correct(made.segments, glossary)
    episode = Episode("files", f"file:{name}", file.stem, duration=made.duration)
    provenance = made.provenance | {"corrections": corrected}
    return Transcript(episode, turns_from_segments(segments), segments, iso_milliseconds(now()), provenance)


def _episodes(library: Library, name: str, podcast: str) -> Iterator[Episode]:
    """The episodes meant. Raises `NotFoundError` where there are none."""
    if name:
        yield library.read(library.find(name).name).episode
        return
    documents = library.documents(podcast)
    if not documents:
        raise NotFoundError(podcast, "has no transcripts in the library; `soundbite episodes` lists what is there")
    for document in documents:
        yield library.read(document.name).episode


def again(context: RunContext, reporter: output.Reporter, episodes: list[Episode]) -> list[tuple[str, str]]:
    """Transcribe episodes anew and index each; those that failed, with the reason, keep what they had."""
    failed = []
    for episode in episodes:
        try:
            _one(context, reporter, episode)
        except SoundbiteError as error:
            failed.append((episode.title, str(error)))
    return failed


def _one(context: RunContext, reporter: output.Reporter, episode: Episode) -> None:
    if not episode.audio_url:
        raise AudioError(episode.title, "its transcript names no audio address, so it cannot be transcribed")
    context.ingest.transcriber.load()  # what is missing is said before the download
    with reporter.step(f"{episode.title}: downloading") as advance:
        sound = pipeline.download(context.ingest, episode, advance)
    with reporter.step(f"{episode.title}: transcribing") as advance:
        obtained = pipeline.transcribe(context.ingest, episode, sound, advance)
    document = pipeline.save_transcript(context.ingest, obtained)
    with reporter.step(f"{episode.title}: indexing"):
        index_document(context.ingest.library, context.store, context.embedder, document.name)
    pipeline.settle(context.ingest, episode)
