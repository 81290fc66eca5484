"""A name for every request, and a line for each in the log where a setting asks for it."""

import json
import logging
import re
import time
from typing import Literal
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AccessLog = Literal["off", "paths", "full"]
HEADER = "X-Request-ID"
_NAME = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_log = logging.getLogger("search_api.access")


def request_id(given: str) -> str:
    """The client's own name for its request where it is one, else a new one."""
    return given if _NAME.fullmatch(given) else uuid4().hex


class RequestLogMiddleware:
    """Names each request in `X-Request-ID`. `mode` says what a line has: nothing, the path, or the query's text, too."""

    def __init__(self, app: ASGIApp, mode: AccessLog) -> None:
        self.app, self.mode = app, mode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name, began = request_id(Headers(scope=scope).get(HEADER, "")), time.perf_counter()
        status = 500

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        try:
            await self.app(scope, receive, send_named)
        finally:
            if self.mode != "off":
                self._write(scope, name, status, time.perf_counter() - began)

    def _write(self, scope: Scope, name: str, status: int, seconds: float) -> None:
        line = {
            "request": name, "method": scope["method"], "path": scope["path"][:500], "status": status,
            "ms": round(seconds * 1000, 1), "key": scope.get("key_name", ""),
        }  # fmt: skip
        if self.mode == "full":
            line["query"] = scope.get("query_string", b"").decode("latin-1")[:2_000]
        _log.info(json.dumps(line, ensure_ascii=False))
