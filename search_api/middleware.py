"""ASGI middleware: security headers on every response, and paths that stay percent-encoded where guids stand in them."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Scripts, styles and pictures only from this server; audio from any host, since each podcast chooses its own.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src http: https:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the address contains the question
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
ENCODED_PREFIX = b"/v1/episodes/"


class SecurityHeadersMiddleware:
    """Adds `SECURITY_HEADERS` to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if "content-encoding" in headers and headers.get("etag", "").startswith('"'):
                    headers["ETag"] = f"W/{headers['etag']}"  # of the same words in other bytes
            await send(message)

        await self.app(scope, receive, send_with_headers)


class EncodedPathMiddleware:
    """Lets routes under `/v1/episodes/` match the path as it was sent, still percent-encoded.

    A guid is often a URL: `https%3A%2F%2Fa.example%2F1` stays one path segment; `deps.EpisodeName` decodes it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw_path = scope.get("raw_path") or b""
        if raw_path.startswith(ENCODED_PREFIX):
            scope = {**scope, "path": raw_path.decode("ascii", "replace")}
        await self.app(scope, receive, send)
