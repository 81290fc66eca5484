"""HEAD, OPTIONS and ranges, for every address that GET reads."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALLOWED = "GET, HEAD, OPTIONS"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class MethodsMiddleware:
    """Answers HEAD as GET without its body, and OPTIONS wherever another method is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] == "GET":
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        inner = {**scope, "method": "GET", "headers": _without_range(scope)} if method == "HEAD" else scope
        empty = method == "HEAD"

        async def send_what_was_asked(message: Message) -> None:
            nonlocal empty
            if message["type"] == "http.response.start" and message["status"] == 405:
                if method == "OPTIONS":
                    allowed = [(name, value) for name, value in message["headers"] if name.lower() == b"allow"]
                    message, empty = {**message, "status": 204, "headers": allowed}, True
                headers = MutableHeaders(scope=message)
                headers["Allow"] = ALLOWED if headers.get("allow") != "POST" else "POST, OPTIONS"
            elif message["type"] == "http.response.body" and empty:
                message = {**message, "body": b""}
            await send(message)

        await self.app(inner, receive, send_what_was_asked)


def _without_range(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in scope["headers"] if name != b"range"]  # which is for GET alone


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First byte and end of a single range of `size` bytes (RFC 9110, 14.1.2); None where it is none, and all is sent.

    Raises ValueError where the range lies beyond the end.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.groups() == ("", ""):
        return None  # several ranges, or another unit: a server may send the whole
    first, last = found.groups()
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < begin:
        return None
    if begin >= size or begin >= end:
        raise ValueError(header)
    return begin, end
