"""`soundbite up`: the flow on a schedule and the search page, as children of one process that stops them together."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from subprocess import Popen

from flows import engine, listening
from flows.children import PARENT, child, wait_until_answers, watched
from flows.progress import say
from ingest.errors import QueryError
from ingest.settings import Settings

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DEPLOYMENT = "every"
FIRST_MAINTENANCE, DAILY = timedelta(hours=1), timedelta(days=1)
PAGE = "the search page"


def interval(text: str) -> timedelta:
    """`30m`, `1h`, `1d` as a length of time. Raises `QueryError` for anything else and for less than ten seconds."""
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip().lower())
    length = timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else timedelta()
    if length < timedelta(seconds=10):
        raise QueryError(text, "is no interval; write 30m, 1h or 1d")
    return length


def keep_going(settings: Settings, every: timedelta | None, page: tuple[str, int] | None, workers: int = 1) -> None:
    """Run the flow every so often and serve the page at a host and port, or one of the two, until Ctrl-C or SIGTERM.

    `workers` are transcriptions at a time. Raises `SoundbiteError` where the page's port is taken.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ[PARENT] = str(os.getpid())
    with ExitStack() as stack:
        children = {}
        if page:
            children[PAGE], host = stack.enter_context(_page(settings, *page))
        if every:
            server = stack.enter_context(engine.serving(settings.home))
            children["Prefect"] = server.process
            stack.enter_context(engine.noted(settings.home, server))
            server.wait()
        if page:
            wait_until_answers(page[1], "/livez", children[PAGE], PAGE, engine.SERVER_START_LIMIT, host)
            say(f"Search page: {listening.web_address(*page)}")
        if every:
            say(f"Runs: {os.environ['PREFECT_API_URL'].removesuffix('api')}   every {every}; Ctrl-C stops")
        with watched(children):
            if every:
                _schedule(every, workers)
            else:
                _sleep()
    say("Stopped; `soundbite up` goes on from here")


@contextmanager
def _page(settings: Settings, host: str, port: int) -> Iterator[tuple[Popen[bytes], str]]:
    """The search page as a child, on sockets that listen already, and the address by which it is reached from here.

    Raises `SoundbiteError` where its port is taken.
    """
    with ExitStack() as sockets, ExitStack() as started:
        opened = [sockets.enter_context(one) for one in listening.at(host, port)]
        where, descriptors = listening.reached_at(opened[0]), tuple(one.fileno() for one in opened)
        given = [word for one in descriptors for word in ("--descriptor", str(one))]
        # Whether keys are needed was asked before
        serve = ("flows", "serve", "--host", host, "--port", str(port), "--without-keys", *given)
        page = started.enter_context(child(settings.home / "logs" / "page.log", *serve, descriptors=descriptors))
        sockets.close()  # else it would seem to listen after its end
        yield page, where


def _sleep() -> None:
    """Until interrupted."""
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _schedule(every: timedelta, workers: int) -> None:
    """Serve the flows to Prefect's scheduler until interrupted; the first run is due at once, maintenance an hour later.

    A run that comes due while one is at work is cancelled: the next one does what it would have done.
    """
    from prefect import serve
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments import run_deployment
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Interval
    from prefect.types.entrypoint import EntrypointType

    from flows.prefect_flow import maintain, run
    from flows.takeover import take_over

    deployments = []
    for flow, name, length, wait, parameters in (
        (run, DEPLOYMENT, every, every, {"due_only": True, "workers": workers}),
        (maintain, "daily", DAILY, FIRST_MAINTENANCE, {}),
    ):
        take_over(f"{flow.name}/{name}")
        deployment = flow.to_deployment(
            name=name,
            schedule=Interval(length, anchor_date=datetime.now(UTC) + wait),
            parameters=parameters,
            description=flow.description,
            tags=["soundbite"],
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        assert isinstance(deployment, RunnerDeployment)  # it would be a coroutine only under a running event loop
        deployments.append(deployment)
    deployments[0].apply()  # a first date on the schedule would be passed over where the scheduler looks too late
    run_deployment(f"{run.name}/{DEPLOYMENT}", timeout=0, as_subflow=False)
    serve(*deployments, pause_on_shutdown=False, print_starting_message=False)
