"""`soundbite up`: the flow on a schedule and the search page, as children of one process that stops them together."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread

from flows import engine
from flows.logs import drain
from flows.progress import say
from ingest.errors import QueryError, SoundbiteError
from ingest.settings import Settings

PREFECT_PORT = 4200  # Prefect's own; another is taken where this one is
STOP_SECONDS = 20  # a child that has not ended by then is ended
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def interval(text: str) -> timedelta:
    """`30m`, `1h`, `1d` as a length of time. Raises `QueryError` for anything else and for less than ten seconds."""
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip().lower())
    length = timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else timedelta()
    if length < timedelta(seconds=10):
        raise QueryError(text, "is no interval; write 30m, 1h or 1d")
    return length


def free_port(wanted: int) -> int:
    """`wanted` where nothing listens there on the loopback, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SoundbiteError("127.0.0.1", "has no free port")


@contextmanager
def child(log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process of ours that writes to a log and ends with the block, by request first.

    Ctrl-C reaches only its parent, which ends its children in order.
    """
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", *arguments], start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    copying = drain(process, log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        copying.join(STOP_SECONDS)


@contextmanager
def watched(children: Mapping[str, subprocess.Popen[bytes]]) -> Iterator[None]:
    """Interrupt the block when a child ends by itself. Raises `SoundbiteError` that names it."""
    over, ended = Event(), list[str]()

    def watch() -> None:
        while not over.wait(1):
            ended.extend(name for name, process in children.items() if process.poll() is not None)
            if ended:
                os.kill(os.getpid(), signal.SIGINT)
                return

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        if not ended:
            raise
    finally:
        over.set()
        watcher.join()
    if ended:
        raise SoundbiteError(ended[0], "has ended by itself, so all is stopped; the logs in the home say why")


def wait_until_answers(port: int, path: str, process: subprocess.Popen[bytes], name: str) -> None:
    """Return once the child answers on the loopback. Raises `SoundbiteError` where it ends first or takes too long."""
    deadline = time.monotonic() + engine.SERVER_START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            answered = connection.getresponse().status == 200
            connection.close()
            if answered:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.3)
    raise SoundbiteError(name, f"did not start on port {port}; choose another with --port, or see the logs in the home")


def keep_going(settings: Settings, every: timedelta, host: str, port: int) -> None:
    """Serve the page and run the flow every so often, until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prefect_port = free_port(PREFECT_PORT)
    engine.prepare(settings.home, api_url=f"http://127.0.0.1:{prefect_port}/api")
    server = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(prefect_port))
    page = ("flows", "serve", "--host", host, "--port", str(port), "--without-keys")  # which was asked before
    logs = settings.home / "logs"
    with child(logs / "prefect.log", *server) as prefect, child(logs / "page.log", *page) as api:
        wait_until_answers(prefect_port, "/api/health", prefect, "Prefect")
        wait_until_answers(port, "/livez", api, "the search page")
        say(f"Search page: http://{host}:{port}/")
        say(f"Runs: http://127.0.0.1:{prefect_port}/   every {every}; Ctrl-C stops")
        with watched({"Prefect": prefect, "the search page": api}):
            _schedule(every)
    say("Stopped; `soundbite up` goes on from here")


def _schedule(every: timedelta) -> None:
    """Serve the flow to Prefect's scheduler until interrupted; the first run is due at once."""
    from prefect import serve
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Interval
    from prefect.types.entrypoint import EntrypointType

    from flows.prefect_flow import run

    deployment = run.to_deployment(
        name="every",
        schedule=Interval(every, anchor_date=datetime.now(UTC) + timedelta(seconds=5)),
        parameters={"due_only": True},
        concurrency_limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(deployment, RunnerDeployment)  # it would be a coroutine only under a running event loop
    serve(deployment, pause_on_shutdown=False, print_starting_message=False, limit=1)
