"""A podcast host on the loopback that does right and wrong on demand: a real server, told in each test what to answer.

with PodcastHost() as host:
    host.serve("/feed.xml", document(body, etag='"1"'))
    ... fetch host.url("/feed.xml"), then look at host.requests ...
"""

import gzip
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; header names are lower-case."""

    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer and what is wrong with it.

    `promised` is the Content-Length claimed (None: the true one); after `drop_after` bytes the connection is cut;
    `wait` seconds pass before the first byte and `pause` after every `piece` bytes, `trickle_headers` from the start.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    drop_after: int | None = None
    wait: float = 0.0
    pause: float = 0.0
    piece: int = 1
    trickle_headers: bool = False


Answer = Callable[[Asked], Reply]
Route = Reply | Answer | Sequence[Reply | Answer]


def document(
    body: bytes,
    content_type: str = "application/rss+xml",
    *,
    etag: str = "",
    last_modified: str = "",
    packed: bool = False,
    **faults: float | None,
) -> Answer:
    """A file served as it should be: conditional GET, ranges under If-Range, gzip where asked for; and `faults`."""

    def answer(asked: Asked) -> Reply:
        headers = {"Content-Type": content_type, "Date": formatdate(usegmt=True)}
        headers |= {"ETag": etag} if etag else {}
        headers |= {"Last-Modified": last_modified} if last_modified else {}
        if _unchanged(asked, etag, last_modified):
            return Reply(304, headers=headers)
        if packed and "gzip" in asked.headers.get("accept-encoding", ""):
            return Reply(200, gzip.compress(body), {**headers, "Content-Encoding": "gzip"}, **faults)
        start = asked.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
        if start.isdigit() and asked.headers.get("if-range", etag) in (etag, last_modified):
            if int(start) >= len(body):
                return Reply(416, headers={"Content-Range": f"bytes */{len(body)}"})
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return Reply(206, body[int(start) :], headers, **faults)
        return Reply(200, body, headers, **faults)

    return answer


def _unchanged(asked: Asked, etag: str, last_modified: str) -> bool:
    if "if-none-match" in asked.headers:
        return bool(etag) and asked.headers["if-none-match"] == etag
    return bool(last_modified) and asked.headers.get("if-modified-since") == last_modified


def redirect(status: int, to: str) -> Reply:
    """One hop."""
    return Reply(status, b"elsewhere", {"Location": to})


def for_agent(name: str, reply: Answer) -> Answer:
    """Refuses whoever does not call himself `name`."""
    return lambda asked: reply(asked) if name in asked.headers.get("user-agent", "") else Reply(403, b"no")


class PodcastHost:
    """The server: a context manager with its routes and the requests it saw."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[Asked] = []
        self.stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a path."""
        return f"http://{host}:{self.port}{path}"

    def serve(self, path: str, route: Route) -> str:
        """Answer `path` with `route` (the members of a sequence one after the other, the last for ever); its address."""
        self.routes[path] = route
        return self.url(path)

    def answer(self, asked: Asked) -> Reply:
        """What the route has to say."""
        earlier = sum(seen.path == asked.path for seen in self.requests)
        self.requests.append(asked)
        route = self.routes.get(asked.path, Reply(404, b"nothing here"))
        if isinstance(route, Sequence):
            route = route[min(earlier, len(route) - 1)]
        return route if isinstance(route, Reply) else route(asked)


def _handler(host: PodcastHost) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = host.answer(Asked(self.path, headers))
            host.stopping.wait(reply.wait)
            try:
                self._send(reply)
            except OSError:
                self.close_connection = True  # the client had enough

        def _send(self, reply: Reply) -> None:
            head = [f"HTTP/1.1 {reply.status} so"] + [f"{name}: {value}" for name, value in reply.headers.items()]
            if reply.status != 304:
                head.append(f"Content-Length: {len(reply.body) if reply.promised is None else reply.promised}")
            start = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
            if not reply.trickle_headers:
                self.wfile.write(start)
                start = b""
            everything = start + reply.body
            cut = len(everything) if reply.drop_after is None else reply.drop_after
            step = reply.piece if reply.pause else max(cut, 1)
            for at in range(0, cut, step):
                self.wfile.write(everything[at : min(at + step, cut)])
                if host.stopping.wait(reply.pause):
                    break
            if reply.drop_after is not None or reply.promised is not None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_words: object) -> None:
            """Tests look at `requests` instead."""

    return Handler
