"""The window onto the library: HTTP for programs under `/v1`, a page for people at `/`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.search import Searcher, open_searcher
from ingest.errors import SoundbiteError
from ingest.settings import VERSION, Settings
from search_api import page
from search_api import routes as api
from search_api.deps import Desk
from search_api.problems import MEDIA_TYPE, problem_of

# Scripts, styles and pictures only of our own; audio plays from wherever a podcast keeps it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src http: https:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the question is in the address, and is nobody else's business
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_ENCODED = b"/v1/episodes/"


class Frame:
    """ASGI around the app: security headers on every answer, and guids that keep their slashes.

    A guid is often an address. Under `/v1/episodes/` routes match the path as it was sent, still percent-encoded, so
    that `https%3A%2F%2Fa.example%2F1` is one step of the path; `api.EpisodeName` decodes it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        raw = scope.get("raw_path") or b""
        if raw.startswith(_ENCODED):
            scope = {**scope, "path": raw.decode("ascii", "replace")}
        await self.app(scope, receive, send_framed)


def create_app(settings: Settings | None = None, opener: Callable[[Settings], Searcher] = open_searcher) -> FastAPI:
    """The app; what it answers from is opened when it starts, and closed when it stops.

    Without `settings` they come from the environment, as `uvicorn --factory` needs it.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.desk = Desk(settings, opener(settings))
        app.state.desk.warm()
        yield

    app = FastAPI(
        title="Soundbite",
        version=VERSION,
        description="Podcasts in, quotable moments out: passages with their speaker and the second they are said.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own documentation pages load scripts from a CDN; ours is `page.docs`
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.views = page.Views()
    app.include_router(api.router)
    app.include_router(page.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    for family in (SoundbiteError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(family, answer_problem)
    app.add_middleware(Frame)
    return app


def answer_problem(request: Request, error: Exception) -> Response:
    """One answer for everything that goes wrong: a page where a page was asked for, else a problem document."""
    problem = problem_of(error, request.query_params.get("q"))
    headers = SECURITY_HEADERS | problem.headers() | dict(getattr(error, "headers", None) or {})
    if page.is_page(request.url.path):
        return HTMLResponse(page.problem_page(request, problem), problem.status, headers)
    return JSONResponse(problem.document(), problem.status, headers, media_type=MEDIA_TYPE)
