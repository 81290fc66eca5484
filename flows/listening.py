"""Sockets that listen before the server behind them is loaded, so that no other process can come to answer in its place."""

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ingest.errors import SoundbiteError

NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}  # as of `localhost` where a machine has no IPv6

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the loopback of each family


def near(wanted: int) -> socket.socket:
    """A socket that listens on the loopback, at `wanted` where nothing else does, else at any free port."""
    for port in (wanted, 0):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
    raise SoundbiteError("127.0.0.1", "has no free port")


def at(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at each address of a host. Raises `SoundbiteError` where the port is taken or cannot be had."""
    sockets: list[socket.socket] = []
    reason = "is no address of this machine"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((one[0], one[4]) for one in found):
            try:
                sockets.append(socket.create_server(address, family=family))
            except OSError as error:
                if error.errno not in NOT_HERE:
                    raise
    except OSError as error:
        for one in sockets:
            one.close()
        sockets.clear()
        reason = f"cannot be listened on ({os.strerror(error.errno) if error.errno else error})"
        if error.errno == errno.EADDRINUSE:
            reason = "is taken by another program, which may be a Soundbite at work; end that, or choose another --port"
    if not sockets:
        raise SoundbiteError(f"{host}:{port}", reason)
    return sockets


def reached_at(listens: socket.socket) -> str:
    """The address by which this machine reaches a socket, which may listen at all of its addresses."""
    address = str(listens.getsockname()[0])
    return EVERYWHERE.get(address, address)


def web_address(host: str, port: int) -> str:
    """A server's address for a browser."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_open(port: int) -> bool:
    """Whether anything listens there on the loopback, however busy it is."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        pass
    return True


def serve(app: object, sockets: Sequence[socket.socket], **options: Any) -> None:
    """Serve an ASGI application until told to stop; the options are Uvicorn's. Raises SystemExit where it cannot start."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, **options))  # type: ignore[arg-type]  # an object, or where one is made
    with suppress(KeyboardInterrupt):
        server.run(sockets=list(sockets))
    if not server.started:
        raise SystemExit(1)
