"""Commands on keys to the server: key add, list, remove."""

from typing import Annotated

import typer

from flows.cli import output
from flows.cli.options import Json, settings_of
from ingest.keys import DEFAULT_RATE, Keys

app = typer.Typer()
key = typer.Typer(no_args_is_help=True, help="Keys to the server: once there is one, every request needs one.")
app.add_typer(key, name="key")


@key.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    rate: Annotated[str, typer.Option(help="How often it may ask: 10/second, 120/minute, 1000/day.")] = DEFAULT_RATE,
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    typer.echo(Keys(settings_of(context).keys_path).add(name, rate))


@key.command("list")
def list_keys(context: typer.Context, json: Json = False) -> None:
    """Show whose keys there are, and how often each may ask."""
    known = Keys(settings_of(context).keys_path).all()
    if json:
        output.emit({"keys": [{"name": one.name, "rate": one.rate} for one in known]})
    elif known:
        output.table(("name", "rate"), [(one.name, one.rate) for one in known])
    else:
        typer.echo("No keys, so everybody who can reach the server may ask. Next: soundbite key add NAME")


@key.command()
def remove(context: typer.Context, name: Annotated[str, typer.Argument(help="Whose key.")]) -> None:
    """Take a key away; it counts at once."""
    typer.echo(f"{Keys(settings_of(context).keys_path).remove(name).name} has no key any more")
