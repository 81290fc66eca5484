"""Commands about this machine: speech models, and what is missing."""

from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Json, settings_of
from flows.progress import reporting

app = typer.Typer()
model = typer.Typer(no_args_is_help=True, help="Speech models: fetch one, list what there is to choose from.")
app.add_typer(model, name="model")


@model.command()
def pull(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A published Whisper model; default: the one in the settings.")] = "",
) -> None:
    """Fetch a speech model once. The only command, beside polling feeds, that uses the network."""
    from ingest.speech.pull import pull_model
    from ingest.speech.weights import MODELS

    settings = settings_of(context)
    wanted = name or settings.whisper_model
    total = next((facts.gigabytes * 1e9 for facts in MODELS if facts.name == wanted), None)
    with reporting() as reporter, reporter.step(f"fetching {wanted} into {settings.models_dir}") as advance:
        path = pull_model(wanted, settings.models_dir, lambda come: advance(min(come, total or come), total))
    typer.echo(f"{wanted} is at {path}")


@model.command("list")
def list_models(context: typer.Context) -> None:
    """Show the published models: size, memory, speed beside the large one, when to choose which, and whether it is here."""
    from ingest.speech.weights import MODELS, model_path

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
    output.table(("model", "on disk", "memory", "speed", "here", "choose it for"), rows)


@app.command()
def doctor(context: typer.Context, json: Json = False) -> None:
    """Say what this machine can do, what is set, and what is missing; nothing is fetched or loaded."""
    from flows.doctor import examine

    findings = examine(settings_of(context))
    if json:
        output.emit({"ok": all(finding.ok for finding in findings), "findings": [f.as_dict() for f in findings]})
    else:
        output.table(("", "what", "found"), [("ok" if f.ok else "NO", f.what, f.found) for f in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
