"""Commands that do the work: run, up, serve, index."""

import os
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from socket import socket
from typing import Annotated, Any

import typer

from flows import engine, listening
from flows.cli import output
from flows.cli.options import Json, Workers, beginning, settings_of
from flows.context import open_context
from flows.names import next_feed
from flows.progress import Reporter, reporting, say
from flows.report import RunReport
from flows.run import begin
from flows.steps import ACTIONS, Selection
from index.compare import Comparison
from index.store.lance import Store
from ingest.errors import IndexingError
from ingest.keys import Keys
from ingest.ledger import Ledger, unless_damaged
from ingest.settings import Settings

app = typer.Typer()
DRAIN_SECONDS = 20  # for requests that are being answered when the server is told to stop
Host = Annotated[
    str,
    typer.Option(
        help="The address to listen on; others on your network can reach 0.0.0.0, which takes --without-keys."
    ),
]
WithoutKeys = Annotated[
    bool, typer.Option("--without-keys", help="Let everybody who can reach that address search and read everything.")
]
Port = Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)]


@app.command()
def run(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    podcast: Annotated[str, typer.Option(help="Only this podcast.")] = "",
    latest: Annotated[
        int | None, typer.Option(help="Look only at this many newest episodes of each podcast.", min=1)
    ] = None,
    since: Annotated[str, typer.Option(metavar="DATE", help="Only episodes of this day or later, as 2026-01-31.")] = "",
    match: Annotated[str, typer.Option(metavar="WORDS", help="Only episodes with these words in their titles.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Every episode there is, newest first, those on a feed's older pages, too.")
    ] = False,
    workers: Workers = 1,
    json: Json = False,
) -> None:
    """Poll the feeds, transcribe what is new, index it. Stopped anywhere, it goes on from there the next time."""
    if everything and (latest or since):
        raise typer.BadParameter("--all means every episode; leave it out, or leave out --latest and --since")
    settings = settings_of(context)
    first = beginning(since)
    ledger = Ledger(settings.ledger_place)
    if podcast:
        ledger.feed(podcast)
    if not ledger.feeds():
        say(f"No feeds yet, so there is nothing to poll. {next_feed(settings)}")
        if json:
            output.emit(RunReport().as_dict())
        return
    selection = Selection(podcast, latest or 0, first, match=match, everything=everything)
    with open_context(settings, workers=workers) as opened:
        with reporting() as reporter:
            begun = begin(opened, reporter, selection)
            done = None if begun.has_work else begun.complete(reporter, ACTIONS).as_dict()
        if done is None:
            say("Starting the flow engine (Prefect); the first start takes longest")
        report = done or engine.complete(settings, begun, selection)
    if json:
        output.emit(report)
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
        say(f"warning  {warning}")
    typer.echo(report["summary"])


@app.command()
def index(
    context: typer.Context,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Build it anew beside the old one, which is searched meanwhile, then swap."),
    ] = False,
    questions: Annotated[
        Path | None, typer.Option(help="With --rebuild: a file, one question a line, to compare both before the swap.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Swap after the comparison without asking.")] = False,
    json: Json = False,
) -> None:
    """Bring the index up to date with the library, offline. Needed after editing transcripts by hand.

    To change the embedding model without an outage: SOUNDBITE_EMBEDDING_MODEL=NAME soundbite index --rebuild
    --questions FILE. Servers that run go on with the old index and then with the new one; set the model for good, too.
    """
    from flows.indexing import compared, update_index

    if questions and not rebuild:
        raise typer.BadParameter("--questions compares an old index with a new one; add --rebuild")
    settings = settings_of(context)
    unless_damaged(Ledger(settings.ledger_place).open, None)
    asked = _read_questions(questions) if questions else []

    def approve(beside: Store) -> None:
        if asked:
            _show_comparison(compared(settings, asked, beside))
            if not yes and not typer.confirm("Swap the new index in?", err=True):
                raise IndexingError("index", "the old one stays")

    with reporting() as reporter:
        told = reporter if not asked else Reporter(None)  # a question to a person and a moving bar do not go together
        with told.step("indexing") as advance:
            built = update_index(settings, advance, rebuild=rebuild, approve=approve)
    if json:
        output.emit(asdict(built))
    else:
        typer.echo(
            f"{built.added} added, {built.changed} changed, {built.unchanged} unchanged, {built.removed} removed, "
            f"{len(built.failed)} failed; {built.chunks_embedded} chunks embedded"
        )
    for subject, reason in built.failed:
        say(f"soundbite: {subject}: {reason}")
    if built.failed:
        raise typer.Exit(1)


def _read_questions(file: Path) -> list[str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    if found := [line.strip() for line in lines if line.strip()]:
        return found
    raise typer.BadParameter(f"{file} holds no question; write one a line")


def _show_comparison(found: list[Comparison]) -> None:
    """What both indexes answer, on stderr."""
    for one in found:
        before, after = (f"{hit.title}: {hit.answer.text}" if hit else "nothing" for hit in (one.before, one.after))
        say(f"{'=' if one.same_first else '#'} {one.question}")
        for name, text in (("old", before), ("new", after)) if not one.same_first else (("both", before),):
            say(f"    {name}: {text}")
    same, shared = sum(one.same_first for one in found), sum(one.shared for one in found)
    say(f"{same} of {len(found)} questions have the same first answer; {shared} episodes of the first hits are shared")


@app.command()
def serve(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    without_keys: WithoutKeys = False,
    descriptor: Annotated[list[int] | None, typer.Option(hidden=True, help="Sockets that `up` has opened.")] = None,
) -> None:
    """Serve the search page and the HTTP API until Ctrl-C."""
    settings = settings_of(context)
    check_reach(host, settings, without_keys=without_keys)
    sockets = [socket(fileno=one) for one in descriptor or ()] or listening.at(host, port)
    publish(settings)
    if not _is_loopback(host) and not Keys(settings.keys_path).all():
        say(f"Anybody who can reach {host} may search and read everything here: there are no keys")
    there = listening.web_address(host, port)
    say(f"Search page: {there}   API: {there}docs   (Ctrl-C stops)")
    serve_until_stopped("search_api.app:create_app", sockets, settings)


@app.command()
def up(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    every: Annotated[str, typer.Option(help="How often to look for new episodes: 30m, 1h, 1d.")] = "1h",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    without_keys: WithoutKeys = False,
    no_api: Annotated[bool, typer.Option("--no-api", help="Without the search page and the HTTP API.")] = False,
    no_flows: Annotated[bool, typer.Option("--no-flows", help="Without the scheduled runs.")] = False,
    workers: Workers = 1,
) -> None:
    """Keep going: the flow on a schedule and the search page, in the foreground until Ctrl-C.

    Once a day the index is compacted and compared with library and ledger, as by `soundbite maintain` and `verify`.
    SOUNDBITE_NOTIFY_URL names a webhook that is told what fails.
    """
    if no_api and no_flows:
        raise typer.BadParameter("--no-api and --no-flows leave nothing to do; leave one of them out")
    settings = settings_of(context)
    if not no_api:
        check_reach(host, settings, without_keys=without_keys)
    Ledger(settings.ledger_place).open()
    publish(settings)
    from flows.up import interval, keep_going

    keep_going(settings, None if no_flows else interval(every), None if no_api else (host, port), workers)


def check_reach(host: str, settings: Settings, *, without_keys: bool) -> None:
    """Raises `typer.BadParameter` where others could reach the server without a key and nobody said that they may."""
    if not _is_loopback(host) and not without_keys and not Keys(settings.keys_path).all():
        raise typer.BadParameter(
            f"others can reach {host}, and there are no keys: all that is transcribed here could be read by anybody "
            "there; make one with `soundbite key add NAME`, say so with --without-keys, or leave --host out"
        )


def serve_until_stopped(factory: str, sockets: Sequence[socket], settings: Settings) -> None:
    """Serve what a factory, `module:function`, makes. Raises SystemExit where that fails."""
    listening.serve(
        factory,
        sockets,
        factory=True,
        log_level="warning",
        log_config=server_logging(settings.access_log),
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def server_logging(access_log: str) -> dict[str, Any]:
    """Uvicorn's own logging, and a line for each request on stderr where `access_log` is on."""
    from uvicorn.config import LOGGING_CONFIG

    config: dict[str, Any] = deepcopy(LOGGING_CONFIG)
    if access_log != "off":
        config["formatters"]["line"] = {"format": "%(asctime)s %(message)s"}
        config["handlers"]["line"] = {"class": "logging.StreamHandler", "formatter": "line"}
        config["loggers"]["search_api.access"] = {"handlers": ["line"], "level": "INFO", "propagate": False}
    return config


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def publish(settings: Settings) -> None:
    """What this process was told on its command line, told to its children."""
    os.environ["SOUNDBITE_HOME"] = str(settings.home)
