"""Who may ask: requests that call the server by a name of its own, and no pages of other sites.

A web page anywhere can let its own name point to 127.0.0.1 and then read what a server there answers (DNS rebinding). Its
requests carry its name as Host: only names that are ours are answered. Addresses in digits always are, since no page can
give them to another server.
"""

from collections.abc import Callable, Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.problems import ForeignHostError, ForeignOriginError

ErrorAnswer = Callable[[Request, Exception], Response]
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, X-API-Key, X-Request-ID",
    "Access-Control-Max-Age": "600",
    "Vary": "Origin",
}
PORTS = {"http": 80, "https": 443}


def is_own_name(name: str, own: Collection[str]) -> bool:
    """Whether the server goes by this host name: localhost, an address in digits, or one of `own` (in lower case)."""
    name = name.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost") or name in own:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def host_and_port(authority: str, scheme: str = "http") -> tuple[str, int | None]:
    """Name and port of a Host header; an empty name where it is none."""
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        port = parts.port or PORTS.get(scheme)
    except ValueError:
        return "", None
    whole = parts.netloc == authority and not parts.username
    return (parts.hostname or "", port) if whole else ("", None)


def is_own_origin(origin: str, host: str, own: Collection[str]) -> bool:
    """Whether an Origin header names a page of this server: the same name and port as its Host, or a name of `own`."""
    scheme, _, authority = origin.partition("://")
    if scheme not in PORTS:
        return False  # `null`, and extensions
    asking = host_and_port(authority, scheme)
    return bool(asking[0]) and (asking[0] in own or asking == host_and_port(host, scheme))


class CallersMiddleware:
    """Refuses requests under foreign names, and those of other sites' pages where `open_to_all` does not let them in.

    `answer` makes the response to an error, `own` are the server's names beside localhost. Pages of the origins `allowed`
    may read all answers, and ask before (CORS, with its preflight).
    """

    def __init__(
        self,
        app: ASGIApp,
        own: Collection[str],
        answer: ErrorAnswer,
        open_to_all: Callable[[str], bool],
        allowed: Collection[str] = (),
    ) -> None:
        self.app, self.own, self.answer, self.open_to_all, self.allowed = app, own, answer, open_to_all, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not is_own_name(host_and_port(host)[0], self.own):
            error: Exception = ForeignHostError(host, "is no name of this server")
        elif origin is not None and origin.lower() in self.allowed:
            await self._answer_allowed(origin, scope, receive, send)
            return
        elif origin is not None and not is_own_origin(origin, host, self.own) and not self.open_to_all(scope["path"]):
            error = ForeignOriginError(origin, "is another site, whose pages may read transcripts alone")
        else:
            await self.app(scope, receive, send)
            return
        await self.answer(Request(scope), error)(scope, receive, send)

    async def _answer_allowed(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a page of an allowed origin; a preflight is answered here."""
        if scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await Response(status_code=204, headers=PREFLIGHT | cross_origin(origin))(scope, receive, send)
            return

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(cross_origin(origin))
                headers.add_vary_header("Origin")
            await send(message)

        await self.app(scope, receive, send_shared)


def cross_origin(origin: str) -> dict[str, str]:
    """The headers by which a browser lets pages of this origin read an answer."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-ID",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
