"""The command `transcribe`: local files, or episodes of the library anew, or one that is still to come."""

import os
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Format, Podcast, settings_of
from flows.context import RunContext, open_context
from flows.names import check_podcast
from flows.progress import Reporter, reporting, say
from flows.run import take_one
from flows.steps import ExpiredAddresses, opted_out
from index.build import index_document
from ingest import pipeline
from ingest.errors import AudioError, FeedError, NotFoundError, SoundbiteError, TranscriptionError
from ingest.feeds import opt_out
from ingest.library import Library
from ingest.models import Advance, Episode, Transcript
from ingest.pipeline import IngestContext
from ingest.speech.attribution import with_speakers
from ingest.speech.glossary import correct, read_glossary
from ingest.storage import write_atomically
from ingest.times import iso_milliseconds, now
from ingest.transcripts.document import turns_from_segments
from ingest.transcripts.export import render

app = typer.Typer()
SILENT = {Format.vtt: "WEBVTT\n", Format.srt: ""}  # whole files without cues


@app.command()
def transcribe(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="An audio file, a folder of them, or an episode's key or guid.")] = "",
    podcast: Podcast = "",
    model: Annotated[str, typer.Option(help="Another speech model than the one in the settings.")] = "",
    speakers: Annotated[bool, typer.Option("--speakers", help="Tell voices apart, whatever the settings say.")] = False,
    to: Annotated[Format, typer.Option(help="For files: what to print or write.")] = Format.md,
) -> None:
    """Transcribe a local audio file and print it, a folder of them beside the files, or episodes of a podcast.

    An episode of the library keeps its old transcript until the new one is whole; one that is pending or has failed is
    taken as a run takes it. Stopped, the command goes on where it was.
    """
    if bool(what) == bool(podcast):
        raise typer.BadParameter("name an audio file or an episode, or a --podcast")
    file = Path(what).expanduser()
    if file.suffix.lower() in pipeline.AUDIO_SUFFIXES and not file.is_file():
        raise AudioError(file, "does not exist; check the name")
    settings = settings_of(context)
    if model:
        settings = settings.model_copy(update={"whisper_model": model})
    if speakers and settings.speakers == "off":
        settings = settings.model_copy(update={"speakers": "auto"})
    check_podcast(settings, podcast)
    with open_context(settings) as opened, reporting() as reporter:
        if what and file.is_file():
            with reporter.step(f"transcribing {file}") as advance:
                transcript = of_file(opened.ingest, file, advance)
            typer.echo(_rendered(file, transcript, to), nl=False)
            return
        failed = _folder(opened, reporter, file, to) if what and file.is_dir() else []
        if not (what and file.is_dir()):
            failed = _of_episodes(opened, reporter, what, podcast)
    for title, reason in failed:
        say(f"soundbite: {title}: {reason}")
    if failed:
        raise typer.Exit(1)


def _rendered(file: Path, transcript: Transcript, to: Format) -> str:
    """The transcript as asked for; of audio without speech an empty one, with a word about that."""
    if transcript.segments:
        return render(transcript, to.value)
    say(f"{file}: no speech was found")
    return SILENT[to] if to in SILENT else render(transcript, to.value)


def _folder(context: RunContext, reporter: Reporter, folder: Path, to: Format) -> list[tuple[str, str]]:
    """Transcribe the audio files of a folder, each into a file beside it; those that are there are kept.

    Those that failed, with the reason. Raises `AudioError` where there are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in pipeline.AUDIO_SUFFIXES)
    files = [path for path in found if path.is_file() and not path.name.startswith(".")]
    if not files:
        endings = " ".join(sorted(pipeline.AUDIO_SUFFIXES))
        raise AudioError(folder, f"holds no audio files ({endings})")
    names, failed = Counter(path.with_suffix("") for path in files), []
    for file in files:
        beside = file.with_name(file.name if names[file.with_suffix("")] > 1 else file.stem)
        target = beside.with_name(f"{beside.name}.{to.value}")
        if target.exists():
            say(f"{target} is there already, kept")
            continue
        try:
            with reporter.step(f"transcribing {file}") as advance:
                transcript = of_file(context.ingest, file, advance)
            write_atomically(target, _rendered(file, transcript, to))
            typer.echo(str(target))
        except SoundbiteError as error:
            failed.append((str(file), error.message))
        except OSError as error:
            failed.append((str(target), f"cannot be written ({error.strerror})"))
    return failed


def _of_episodes(context: RunContext, reporter: Reporter, name: str, podcast: str) -> list[tuple[str, str]]:
    """Transcribe what is meant: anew where the library has it, else as a run does. Those that failed, with the reason."""
    library, ledger = context.ingest.library, context.ingest.ledger
    if not name:
        return again(context, reporter, _documents(library, podcast))
    try:
        document = library.find(name)
    except NotFoundError:
        episode = ledger.find(name).episode
    else:
        return again(context, reporter, [document.name])
    report = take_one(context, reporter, episode.key)
    for warning in report.warnings:
        say(f"warning  {warning}")
    for title in report.new:
        typer.echo(f"new      {title}")
    return report.failed


def of_file(context: IngestContext, file: Path, advance: Advance) -> Transcript:
    """The transcript of a local audio file; nothing but a checkpoint is stored. Raises `AudioError`."""
    name = sha256(os.fsencode(file.resolve())).hexdigest()[:16]
    title = os.fsencode(file.stem).decode("utf-8", "replace")  # a name may hold any bytes
    checkpoint = context.audio_dir / f"file-{name}.checkpoint.json"
    made = context.transcriber.transcribe(file, language=context.language, checkpoint=checkpoint, progress=advance)
    glossary = read_glossary(context.glossary_dir / "files.txt")
    episode = Episode("files", f"file:{name}", title, duration=made.duration)
    spoken, who = with_speakers(context.diarizer, file, made, episode, advance)
    checkpoint.unlink(missing_ok=True)
    segments, corrected = correct(spoken, glossary)
    provenance = made.provenance | {"corrections": corrected} | who
    return Transcript(episode, turns_from_segments(segments), segments, iso_milliseconds(now()), provenance)


def _documents(library: Library, podcast: str) -> list[str]:
    """The names of a podcast's documents. Raises `NotFoundError` where there are none."""
    documents = library.documents(podcast)
    if not documents:
        raise NotFoundError(podcast, "has no transcripts in the library; `soundbite episodes` lists what is there")
    return [document.name for document in documents]


def again(context: RunContext, reporter: Reporter, names: list[str]) -> list[tuple[str, str]]:
    """Transcribe the episodes of documents anew and index each.

    Those that failed, or whose document cannot be read, with the reason; they keep what they had.
    """
    failed, expired = [], ExpiredAddresses(context.ingest)
    for name in names:
        title = name
        try:
            episode = context.ingest.library.read(name).episode
            title = episode.title
            _one(context, reporter, episode, expired)
        except SoundbiteError as error:
            failed.append((title, str(error)))
    return failed


def _one(context: RunContext, reporter: Reporter, episode: Episode, expired: ExpiredAddresses) -> None:
    if refusal := opted_out(context.ingest, episode):
        raise FeedError(episode.title, opt_out.told(refusal))
    if not episode.audio_url:
        raise AudioError(episode.title, "its transcript names no audio address, so it cannot be transcribed")
    context.ingest.transcriber.load()  # what is missing is said before the download
    episode, sound = expired.download(reporter, episode)
    with reporter.step(f"{episode.title}: transcribing") as advance:
        obtained = pipeline.transcribe(context.ingest, episode, sound, advance)
    if reason := obtained.transcript.provenance.get("speakers", {}).get("error"):
        raise TranscriptionError(episode.title, f"{reason}; the earlier text is kept")
    document = pipeline.save_transcript(context.ingest, obtained)
    with reporter.step(f"{episode.title}: indexing"):
        index_document(context.ingest.library, context.store, context.embedder, document.name)
    pipeline.settle(context.ingest, episode)
