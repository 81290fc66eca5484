"""Prefect's server on a socket that its parent has opened; `python -m flows.prefect_server DESCRIPTOR`.

Prefect's own command takes the number of a port, which another process may take before it is bound.
"""

import os
import socket
import sys

from prefect import __version__
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings

from flows.listening import serve

if __name__ == "__main__":
    print("Prefect", __version__, "at", os.environ.get("PREFECT_API_URL"), "process", os.getpid(), flush=True)  # noqa: T201
    settings = get_current_settings().server
    serve(
        create_app(final=True),
        [socket.socket(fileno=int(sys.argv[1]))],
        log_level=settings.logging_level.lower(),
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
    )
