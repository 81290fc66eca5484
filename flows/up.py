"""`soundbite up`: the flow on a schedule and the search page, as children of one process that stops them together."""

import os
import re
import signal
from datetime import UTC, datetime, timedelta

from flows import engine
from flows.children import PARENT, child, wait_until_answers, watched
from flows.progress import say
from ingest.errors import QueryError
from ingest.settings import Settings

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DEPLOYMENT = "every"
PAGE = "the search page"


def interval(text: str) -> timedelta:
    """`30m`, `1h`, `1d` as a length of time. Raises `QueryError` for anything else and for less than ten seconds."""
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip().lower())
    length = timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else timedelta()
    if length < timedelta(seconds=10):
        raise QueryError(text, "is no interval; write 30m, 1h or 1d")
    return length


def keep_going(settings: Settings, every: timedelta, host: str, port: int) -> None:
    """Serve the page and run the flow every so often, until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ[PARENT] = str(os.getpid())
    page = ("flows", "serve", "--host", host, "--port", str(port), "--without-keys")  # which was asked before
    with engine.serving(settings.home) as prefect, child(settings.home / "logs" / "page.log", *page) as api:
        engine.wait_for(settings.home, prefect)
        wait_until_answers(port, "/livez", api, PAGE, engine.SERVER_START_LIMIT)
        say(f"Search page: http://{host}:{port}/")
        say(f"Runs: {os.environ['PREFECT_API_URL'].removesuffix('api')}   every {every}; Ctrl-C stops")
        with watched({"Prefect": prefect, PAGE: api}):
            _schedule(every)
    say("Stopped; `soundbite up` goes on from here")


def _schedule(every: timedelta) -> None:
    """Serve the flow to Prefect's scheduler until interrupted; the first run is due at once.

    A run that comes due while one is at work is cancelled: the next one does what it would have done.
    """
    from prefect import serve
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Interval
    from prefect.types.entrypoint import EntrypointType

    from flows.prefect_flow import run
    from flows.takeover import take_over

    take_over(f"{run.name}/{DEPLOYMENT}")
    deployment = run.to_deployment(
        name=DEPLOYMENT,
        schedule=Interval(every, anchor_date=datetime.now(UTC) + timedelta(seconds=5)),
        parameters={"due_only": True},
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(deployment, RunnerDeployment)  # it would be a coroutine only under a running event loop
    serve(deployment, pause_on_shutdown=False, print_starting_message=False)
