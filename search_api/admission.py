"""Who may ask how often, where there are keys; each needs a key then, but for whether the server lives."""

import base64
import binascii
import math
import time
from collections.abc import Callable, Collection

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.errors import HomeError
from ingest.keys import Key, Keys
from search_api.problems import NoKeyError, TooOftenError

UNCOUNTED = "/static/"  # styles and scripts of the page: with eight a view they would use up a rate


def given_key(headers: Headers) -> str:
    """The key that a request carries: as a bearer token, as X-API-Key, or as the password that a browser asks for."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return headers.get("x-api-key", "").strip()


class KeysMiddleware:
    """Lets in who has a key, as often as its rate says; everybody where there are no keys. `exempt` paths need none."""

    def __init__(
        self, app: ASGIApp, keys: Keys, answer: Callable[[Request, Exception], Response], exempt: Collection[str]
    ) -> None:
        self.app, self.keys, self.answer, self.exempt = app, keys, answer, exempt
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in self.exempt:
            await self.app(scope, receive, send)
            return
        try:
            error = self._refusal(scope)
        except HomeError as unreadable:  # nobody comes in by a broken lock
            error = unreadable
        if error is None:
            await self.app(scope, receive, send)
        else:
            await self.answer(Request(scope), error)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Exception | None:
        if not self.keys.all():
            return None
        holder = self.keys.holder(given_key(Headers(scope=scope)))
        if holder is None:
            return NoKeyError(
                "", "give a key as a bearer token, as X-API-Key, or as the password that a browser asks for"
            )
        scope["key_name"] = holder.name
        wait = 0 if scope["path"].startswith(UNCOUNTED) else self._wait(holder)
        return (
            TooOftenError(holder.name, f"may ask {holder.rate.replace('/', ' times a ')}; wait {wait} s", wait)
            if wait
            else None
        )

    def _wait(self, holder: Key) -> int:
        """Seconds until this key may ask again; 0 where it may now, which is counted."""
        rate = parse(holder.rate)
        if self.limiter.hit(rate, holder.name):
            return 0
        return max(1, math.ceil(self.limiter.get_window_stats(rate, holder.name).reset_time - time.time()))
