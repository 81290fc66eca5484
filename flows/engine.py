"""Prefect's surroundings: its state under our home, no telemetry, nothing beyond this machine; set before it is imported."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.logs import log_to
from ingest.errors import SoundbiteError
from ingest.settings import Settings

# Seconds. A first start migrates a fresh SQLite file; on two slow cores that was seen to take over a minute.
SERVER_START_LIMIT = 240


def prepare(home: Path, *, api_url: str = "", log_level: str = "INFO") -> None:
    """Put Prefect's settings into the environment, for this process and its children.

    What a user has set stays: PREFECT_API_URL leads to a server of their own.
    """
    prefect_home = home / "prefect"
    prefect_home.mkdir(parents=True, exist_ok=True)  # its server opens a database there and makes no folders
    wanted = {
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(SERVER_START_LIMIT),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_LOGGING_LEVEL": log_level,
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,ingest,index",
        "PREFECT_RUNNER_HEARTBEAT_FREQUENCY": "30",
    }
    if api_url:
        wanted["PREFECT_API_URL"] = api_url
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


def run_once(
    settings: Settings,
    *,
    podcast: str = "",
    latest: int = 0,
    since: datetime | None = None,
    match: str = "",
    everything: bool = False,
) -> dict[str, Any]:
    """One run of the flow, here and now; its report as plain data. Raises `SoundbiteError` where Prefect fails."""
    # The terminal already says what fails and why; Prefect's own log would say it again with a traceback
    prepare(settings.home, log_level="CRITICAL")
    from flows.prefect_flow import run

    log_to(settings.home / "logs" / "run.log")  # after Prefect has set up its own
    try:
        return run(podcast=podcast, latest=latest, since=since, match=match, everything=everything)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise SoundbiteError(
            "Prefect", f"{reason} (its state lies in {settings.home / 'prefect'}; try again)"
        ) from error
