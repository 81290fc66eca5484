"""The command `transcribe`: a local file to stdout, or episodes of the library anew."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import output as terminal
from flows.cli.options import Podcast, settings_of
from flows.cli.search import Form
from flows.context import Studio, open_studio
from ingest import pipeline as steps
from ingest.errors import AudioError, NotFoundError, SoundbiteError
from ingest.identity import slug
from ingest.models import Episode, Transcript
from ingest.speech.glossary import correct, read_glossary
from ingest.transcripts.document import turns_from_segments
from ingest.transcripts.export import render

app = typer.Typer()


@app.command()
def transcribe(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="An audio file, or an episode's key or guid.")] = "",
    podcast: Podcast = "",
    model: Annotated[str, typer.Option(help="Another speech model than the one in the settings.")] = "",
    to: Annotated[Form, typer.Option(help="For a file: what to print.")] = Form.md,
) -> None:
    """Transcribe a local audio file and print it, or transcribe episodes of the library anew.

    An episode keeps its old transcript until the new one is whole. Stopped, the command goes on where it was.
    """
    if bool(what) == bool(podcast):
        raise typer.BadParameter("name an audio file or an episode, or a --podcast")
    file = Path(what).expanduser()
    if file.suffix.lower() in steps.AUDIO_SUFFIXES and not file.is_file():
        raise AudioError(file, "does not exist; check the name")
    settings = settings_of(context)
    if model:
        settings = settings.model_copy(update={"whisper_model": model})
    with open_studio(settings) as studio, terminal.reporting() as reporter:
        if what and file.is_file():
            with reporter.step(f"transcribing {file}") as advance:
                transcript = of_file(studio, file, advance)
            typer.echo(render(transcript, to.value), nl=False)
            return
        failed = again(studio, reporter, list(_episodes(studio, what, podcast)))
    for title, reason in failed:
        terminal.say(f"soundbite: {title}: {reason}")
    if failed:
        raise typer.Exit(1)


def of_file(studio: Studio, file: Path, advance: terminal.Advance) -> Transcript:
    """The transcript of a local audio file; nothing but a checkpoint is stored. Raises `AudioError`."""
    name = sha256(str(file.resolve()).encode()).hexdigest()[:16]
    checkpoint = studio.settings.audio_dir / f"file-{name}.checkpoint.json"
    made = studio.transcriber.transcribe(
        file, language=studio.settings.language, checkpoint=checkpoint, progress=advance
    )
    checkpoint.unlink(missing_ok=True)
    glossary = read_glossary(studio.settings.glossary_dir / "files.txt")
    segments, corrected = correct(made.segments, glossary)
    episode = Episode("files", f"file:{name}", file.stem, duration=made.duration)
    provenance = made.provenance | {"corrections": corrected}
    return Transcript(episode, turns_from_segments(segments), segments, steps.stamp(), provenance)


def _episodes(studio: Studio, name: str, podcast: str) -> Iterator[Episode]:
    """The episodes meant. Raises `NotFoundError` where there are none."""
    if name:
        yield studio.library.read(studio.library.find(name)).episode
        return
    paths = [path for path in studio.library.paths() if path.parent.name == slug(podcast)]
    if not paths:
        raise NotFoundError(podcast, "has no transcripts in the library; `soundbite episodes` lists what is there")
    for path in paths:
        yield studio.library.read(path).episode


def again(studio: Studio, reporter: terminal.Reporter, episodes: list[Episode]) -> list[tuple[str, str]]:
    """Transcribe episodes anew and index them; those that failed, with the reason, keep what they had."""
    failed = []
    for episode in episodes:
        try:
            _one(studio, reporter, episode)
        except SoundbiteError as error:
            failed.append((episode.title, str(error)))
    with reporter.step("indexing") as advance:
        steps.update_index(studio.settings, advance)
    return failed


def _one(studio: Studio, reporter: terminal.Reporter, episode: Episode) -> None:
    if not episode.audio_url:
        raise AudioError(episode.title, "its transcript names no audio address, so it cannot be transcribed")
    with reporter.step(f"{episode.title}: downloading") as advance:
        sound = steps.download(studio, episode, advance)
    with reporter.step(f"{episode.title}: transcribing") as advance:
        obtained = steps.transcribe(studio, episode, sound, advance)
    steps.keep(studio, obtained.transcript)
