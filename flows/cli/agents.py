"""The command `mcp`: tools for agents, over stdin and stdout or over HTTP."""

import runpy
from importlib.util import find_spec
from typing import Annotated

import typer

from flows import listening
from flows.cli.options import settings_of
from flows.cli.run import Host, Port, WithoutKeys, check_reach, publish, serve_until_stopped
from flows.progress import say
from ingest.errors import SettingsError

app = typer.Typer()


@app.command()
def mcp(
    context: typer.Context,
    http: Annotated[bool, typer.Option("--http", help="Over streamable HTTP, not stdin and stdout.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 8001,
    without_keys: WithoutKeys = False,
) -> None:
    """Let agents search, read around a moment and check quotes (Model Context Protocol)."""
    settings = settings_of(context)
    if find_spec("mcp") is None:
        raise SettingsError("mcp", "is not installed; `pip install 'soundbite[mcp]'` brings it")
    publish(settings)
    if not http:
        runpy.run_module("search_api.agents", run_name="__main__")
        return
    check_reach(host, settings, without_keys=without_keys)
    sockets = listening.at(host, port)
    say(f"Tools for agents: {listening.web_address(host, port)}mcp   (Ctrl-C stops)")
    serve_until_stopped("search_api.agents:create_mcp_app", sockets, settings)
