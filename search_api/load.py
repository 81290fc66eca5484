"""A bound on how much is done at once: what comes on top is told to come again, at once."""

import os
from collections.abc import Callable, Collection

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from search_api.problems import BusyError

MAX_IN_FLIGHT = 40  # searches of 20 ms or so: the last of them waits less than a second
# Threads that work; the others wait. On two cores with 30 clients 40 threads answered 35 searches a second and /livez in at
# most 176 ms, since each wants the interpreter's lock; 4 threads answered 45, and /livez in 87 ms.
THREADS = max(4, os.cpu_count() or 1)


class LoadMiddleware:
    """Lets `limit` requests in at a time; `exempt` paths are answered always. `answer` makes the response to an error."""

    def __init__(
        self,
        app: ASGIApp,
        answer: Callable[[Request, Exception], Response],
        exempt: Collection[str],
        limit: int = MAX_IN_FLIGHT,
    ) -> None:
        self.app, self.answer, self.exempt, self.limit = app, answer, exempt, limit
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in self.exempt:
            await self.app(scope, receive, send)
            return
        if self.in_flight >= self.limit:
            error = BusyError("", f"{self.limit} requests are being answered; ask again in a moment")
            await self.answer(Request(scope), error)(scope, receive, send)
            return
        self.in_flight += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_flight -= 1
