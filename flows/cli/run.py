"""Commands that do the work: run, up, serve, index, transcribe models, doctor."""

import os
from typing import Annotated, Any

import typer

from flows import engine
from flows.cli import output as terminal
from flows.cli.options import Json, beginning, settings_of
from flows.context import alone
from flows.report import RunReport
from ingest.ledger import Ledger
from ingest.settings import Settings

app = typer.Typer()
model = typer.Typer(no_args_is_help=True, help="Speech models: fetch one, list what there is to choose from.")
app.add_typer(model, name="model")
Host = Annotated[str, typer.Option(help="The address to listen on; others on your network can reach 0.0.0.0.")]
Port = Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)]


@app.command()
def run(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    podcast: Annotated[str, typer.Option(help="Only this podcast.")] = "",
    latest: Annotated[
        int | None, typer.Option(help="Look only at this many newest episodes of each podcast.", min=1)
    ] = None,
    since: Annotated[str, typer.Option(metavar="DATE", help="Only episodes of this day or later, as 2026-01-31.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Every episode there is, newest first: the default.")
    ] = False,
    json: Json = False,
) -> None:
    """Poll the feeds, transcribe what is new, index it. Stopped anywhere, it goes on from there the next time."""
    if everything and (latest or since):
        raise typer.BadParameter("--all means every episode; leave it out, or leave out --latest and --since")
    settings = settings_of(context)
    first = beginning(since)
    ledger = Ledger(settings.ledger_path)
    if podcast:
        ledger.feed(podcast)
    if not ledger.feeds():
        terminal.say("No feeds yet, so there is nothing to poll. Next: soundbite add FEED_URL")
        if json:
            terminal.emit(RunReport().as_dict())
        return
    with alone(settings.home):
        pass  # said now rather than after the engine has started
    terminal.say("Starting the flow engine (Prefect); the first start takes longest")
    report = engine.run_once(settings, podcast=podcast, latest=latest or 0, since=first)
    if json:
        terminal.emit(report)
    else:
        _tell(report)
    if report["failed"]:
        raise typer.Exit(1)


def _tell(report: dict[str, Any]) -> None:
    for name in report["new"]:
        typer.echo(f"new      {name}")
    for failure in report["failed"]:
        typer.echo(f"failed   {failure['subject']}: {failure['reason']}")
    for warning in report["warnings"]:
        terminal.say(f"warning  {warning}")
    typer.echo(report["summary"])


@app.command()
def index(
    context: typer.Context,
    rebuild: Annotated[bool, typer.Option(help="Build it anew beside the old one, then swap.")] = False,
    json: Json = False,
) -> None:
    """Bring the index up to date with the library, offline. Needed after editing transcripts by hand."""
    from dataclasses import asdict

    from ingest.pipeline import update_index

    settings = settings_of(context)
    Ledger(settings.ledger_path)
    with terminal.reporting() as reporter, reporter.step("indexing") as advance:
        built = update_index(settings, advance, rebuild=rebuild)
    if json:
        terminal.emit(asdict(built))
    else:
        typer.echo(
            f"{built.added} added, {built.changed} changed, {built.unchanged} unchanged, {built.removed} removed, "
            f"{len(built.failed)} failed; {built.chunks_embedded} chunks embedded"
        )
    for subject, reason in built.failed:
        terminal.say(f"soundbite: {subject}: {reason}")
    if built.failed:
        raise typer.Exit(1)


@app.command()
def serve(context: typer.Context, host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the search page and the HTTP API until Ctrl-C."""
    import uvicorn

    _publish(settings_of(context))
    terminal.say(f"Search page: http://{host}:{port}/   API: http://{host}:{port}/docs   (Ctrl-C stops)")
    uvicorn.run("search_api.app:create_app", factory=True, host=host, port=port, log_level="warning")


@app.command()
def up(
    context: typer.Context,
    every: Annotated[str, typer.Option(help="How often to look for new episodes: 30m, 1h, 1d.")] = "1h",
    host: Host = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Keep going: the flow on a schedule and the search page, in the foreground until Ctrl-C."""
    settings = settings_of(context)
    Ledger(settings.ledger_path)
    _publish(settings)
    from flows.up import interval, keep_going

    keep_going(settings, interval(every), host, port)


def _publish(settings: Settings) -> None:
    """What this process was told on its command line, told to its children."""
    os.environ["SOUNDBITE_HOME"] = str(settings.home)


@model.command()
def pull(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A published Whisper model; default: the one in the settings.")] = "",
) -> None:
    """Fetch a speech model once. The only command, beside polling feeds, that uses the network."""
    from ingest.speech.faster_whisper import MODELS, pull_model

    settings = settings_of(context)
    wanted = name or settings.whisper_model
    os.environ.pop("HF_HUB_OFFLINE", None)  # this command is the asking
    total = next((facts.gigabytes * 1e9 for facts in MODELS if facts.name == wanted), None)
    with terminal.reporting() as reporter, reporter.step(f"fetching {wanted} into {settings.models_dir}") as advance:
        path = pull_model(wanted, settings.models_dir, lambda come: advance(come, total))
    typer.echo(f"{wanted} is at {path}")


@model.command("list")
def list_models(context: typer.Context) -> None:
    """Show the published models: size, memory, speed beside the large one, when to choose which, and whether it is here."""
    from ingest.speech.faster_whisper import MODELS, model_path

    here = settings_of(context).models_dir
    rows = [
        (
            m.name,
            f"{m.gigabytes} GB",
            f"{m.memory} GB",
            f"{m.speed} x",
            "yes" if model_path(m.name, here) else "no",
            m.choose,
        )
        for m in MODELS
    ]
    terminal.table(("model", "on disk", "memory", "speed", "here", "choose it for"), rows)


@app.command()
def doctor(context: typer.Context, json: Json = False) -> None:
    """Say what this machine can do, what is set, and what is missing; nothing is fetched or loaded."""
    from flows.doctor import examine

    findings = examine(settings_of(context))
    if json:
        terminal.emit({"ok": all(finding.ok for finding in findings), "findings": [f.as_dict() for f in findings]})
    else:
        terminal.table(("", "what", "found"), [("ok" if f.ok else "NO", f.what, f.found) for f in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
