"""Prefect's surroundings: its state under our home, no telemetry, nothing beyond this machine; set before it is imported."""

import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

from flows import listening
from flows.children import answer, child, needed, wait_until_answers
from flows.logs import log_to
from flows.progress import say
from flows.run import Run, handed_over
from flows.steps import Selection
from ingest.errors import SoundbiteError, first_line
from ingest.settings import Settings
from ingest.storage import home_error, write_in_home

# Seconds. A first start migrates a fresh SQLite file; on two slow cores that was seen to take over a minute.
SERVER_START_LIMIT = 240
PORT = 4200  # Prefect's own; another is taken where this one is
KEPT = timedelta(days=30)  # how long Prefect remembers a run
SERVICES = "PREFECT_SERVER_SERVICES"
SERVER = "flows.prefect_server"
HEALTH = "/api/health"
SETTINGS = "/api/admin/settings"  # of the server, with its home
ENDED = (
    "soundbite: Prefect: its server has ended in the middle of the run; what is done is kept, and the same command goes "
    "on from here; {}/logs/prefect.log may say why"
)
logger = logging.getLogger(__name__)


def prepare(home: Path, *, api_url: str = "", log_level: str = "INFO") -> None:
    """Put Prefect's settings into the environment, for this process and its children.

    What a user has set stays: PREFECT_API_URL leads to a server of their own. Raises `HomeError`.
    """
    prefect_home = home / "prefect"
    try:
        prefect_home.mkdir(parents=True, exist_ok=True)  # its server opens a database there and makes no folders
    except OSError as error:
        raise home_error(prefect_home, error) from error
    wanted = {
        "PREFECT_HOME": str(prefect_home.absolute()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_LOGGING_LEVEL": log_level,
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,ingest,index",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        # Nothing here needs these, or so often: an idle hour of the server took 69 s of CPU with
        # Prefect's own, 41 s with these
        f"{SERVICES}_PAUSE_EXPIRATIONS_ENABLED": "false",
        f"{SERVICES}_FOREMAN_ENABLED": "false",
        f"{SERVICES}_TRIGGERS_ENABLED": "false",  # for automations, of which we make none
        f"{SERVICES}_LATE_RUNS_LOOP_SECONDS": "600",
        f"{SERVICES}_CLEANUP_RECONCILER_LOOP_SECONDS": "600",
        f"{SERVICES}_CANCELLATION_CLEANUP_LOOP_SECONDS": "600",
        f"{SERVICES}_REPOSSESSOR_LOOP_SECONDS": "600",
        f"{SERVICES}_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "60",
        # Old runs are deleted, else its database only grows
        f"{SERVICES}_DB_VACUUM_ENABLED": "events,flow_runs",
        f"{SERVICES}_DB_VACUUM_RETENTION_PERIOD": str(int(KEPT.total_seconds())),
    }
    if api_url:
        wanted["PREFECT_API_URL"] = api_url
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


def set_aside_if_broken(database: Path) -> None:
    """Rename Prefect's SQLite file where it is damaged, and say so: it only remembers past runs, and a server hangs on it.

    Raises `HomeError`.
    """
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database, timeout=30)) as db:
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                return
    except sqlite3.OperationalError:
        return  # in use, or not ours to open: its server says more
    except sqlite3.DatabaseError:
        pass
    broken = database.with_name(f"{database.name}.broken")
    try:
        database.replace(broken)
        for end in ("-wal", "-shm"):
            database.with_name(database.name + end).unlink(missing_ok=True)
    except OSError as error:
        raise home_error(database, error) from error
    say(f"Prefect's record of earlier runs was damaged and is now {broken}; nothing else is lost")


@dataclass(frozen=True, slots=True)
class Server:
    """Prefect's server as a child of this process, and its port on the loopback."""

    process: Popen[bytes]
    port: int

    def wait(self) -> None:
        """Return once it answers. Raises `SoundbiteError` where it ends first or takes too long."""
        wait_until_answers(self.port, HEALTH, self.process, "Prefect", SERVER_START_LIMIT)


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server of this home's own, and its address in the environment; whoever needs it waits for it.

    It inherits a socket that listens already: what answers there is this server, and nothing once it has ended. Raises
    `HomeError`.
    """
    with ExitStack() as stack:
        with listening.near(PORT) as socket:
            port, descriptor = socket.getsockname()[1], socket.fileno()
            prepare(home, api_url=_api(port))
            set_aside_if_broken(home / "prefect" / "prefect.db")
            module = SERVER, str(descriptor)
            process = stack.enter_context(child(home / "logs" / "prefect.log", *module, descriptors=(descriptor,)))
        yield Server(process, port)


@contextmanager
def noted(home: Path, server: Server) -> Iterator[None]:
    """Name the port in `home/prefect/port`, so that runs in this home use the server while it is at work.

    Raises `HomeError`.
    """
    note = home / "prefect" / "port"
    write_in_home(note, str(server.port))
    try:
        yield
    finally:
        with suppress(OSError):  # what it says is looked at before it is believed
            note.unlink()


def _api(port: int) -> str:
    return f"http://127.0.0.1:{port}/api"


@contextmanager
def _engine(home: Path) -> Iterator[None]:
    """A server to run a flow with: the user's, that of `soundbite up` in this home, or one for this run alone."""
    prepare(home)
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    if port := _port_of_up(home):
        os.environ["PREFECT_API_URL"] = _api(port)
        with needed(lambda: not listening.is_open(port), ENDED.format(home)):
            yield
        return
    os.environ.setdefault("PREFECT_UI_ENABLED", "0")  # nobody looks at it
    with serving(home) as server:
        import flows.prefect_flow  # noqa: F401 - takes seconds, as the server does

        server.wait()
        with needed(lambda: server.process.poll() is not None, ENDED.format(home)):
            yield


def _port_of_up(home: Path) -> int:
    """The port of a server that answers and says that it works in this home; 0 where none does.

    A note stays behind a killed `up`, and its port may be that of another home's server by now.
    """
    with suppress(OSError, ValueError, LookupError, TypeError):
        port = int((home / "prefect" / "port").read_text())
        theirs = json.loads(answer(port, SETTINGS) or "{}")["home"]
        return port if Path(theirs).resolve() == Path(os.environ["PREFECT_HOME"]).resolve() else 0
    return 0


def complete(settings: Settings, begun: Run, selection: Selection) -> dict[str, Any]:
    """Let the flow complete a run that was begun here; its report as plain data.

    Raises `SoundbiteError` where Prefect fails.
    """
    # The terminal already says what fails and why; Prefect's own log would say it again with a traceback
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    with _engine(settings.home), handed_over(begun):
        from httpx import HTTPError
        from prefect.exceptions import PrefectException

        from flows.prefect_flow import run

        log_to(settings.home / "logs" / "run.log")  # after Prefect has set up its own
        try:
            report: dict[str, Any] = run(**asdict(selection), workers=begun.context.workers)
        except (RuntimeError, PrefectException, HTTPError) as error:
            logger.exception("Prefect failed")
            reason = first_line(error)
            raise SoundbiteError(
                "Prefect", f"{reason} (its state lies in {settings.home / 'prefect'}; try again)"
            ) from error
    return report
