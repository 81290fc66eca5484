"""Commands on standing questions, whose new moments the server gives out as feeds: alert add, list, remove."""

from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Json, Podcast, settings_of
from flows.names import check_podcast
from index.alerts import Alert, Alerts

app = typer.Typer()
alert = typer.Typer(no_args_is_help=True, help="Standing questions: new moments that answer one are an RSS feed.")
app.add_typer(alert, name="alert")


@alert.command()
def add(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called in its feed's address.")],
    question: Annotated[str, typer.Argument(help="What you want to hear of, in your own words.")],
    podcast: Podcast = "",
    speaker: Annotated[str, typer.Option(help="Only what this speaker says.")] = "",
    language: Annotated[str, typer.Option(help="Only transcripts in this language, as de or German.")] = "",
) -> None:
    """Keep a question, in place of one of the same name."""
    settings = settings_of(context)
    check_podcast(settings, podcast)
    kept = Alerts(settings.alerts_path).add(Alert(name, question, podcast, speaker, language))
    typer.echo(f"{kept.name}: `soundbite serve` gives out its feed at /v1/alerts/{kept.name}.xml")


@alert.command("list")
def list_alerts(context: typer.Context, json: Json = False) -> None:
    """Show the standing questions."""
    known = Alerts(settings_of(context).alerts_path).all()
    if json:
        output.emit({"alerts": [asdict(one) for one in known]})
        return
    if not known:
        typer.echo("No alerts yet. Next: soundbite alert add NAME QUESTION")
        return
    rows = [(one.name, one.question, one.podcast, one.speaker, one.language) for one in known]
    output.table(("name", "question", "podcast", "speaker", "language"), rows)


@alert.command()
def remove(context: typer.Context, name: Annotated[str, typer.Argument(help="The alert's name.")]) -> None:
    """Forget a standing question."""
    typer.echo(f"{Alerts(settings_of(context).alerts_path).remove(name).name} is forgotten")
