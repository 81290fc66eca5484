"""The web application: HTTP for programs under `/v1`, a page for people at `/`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from index.open import open_searcher
from index.search import Searcher
from ingest.errors import SoundbiteError
from ingest.settings import VERSION, Settings, read_settings
from search_api import episode_routes, library_routes, load, page, passage_routes, routes
from search_api.deps import Backend
from search_api.guards import answer_json, guarded
from search_api.methods import MethodsMiddleware
from search_api.metrics import MEDIA_TYPE as MEDIA_METRICS
from search_api.metrics import Metrics, MetricsMiddleware
from search_api.middleware import SECURITY_HEADERS, EncodedPathMiddleware
from search_api.problems import documented, problem_of
from search_api.responses import ProblemDocument

GZIP_BYTES = 1_000  # less fits one packet anyway
GZIP_LEVEL = 5  # transcripts shrink to 28 % in 13 ms a megabyte; level 9 makes it 27 % in 20 ms


class WebApplication(FastAPI):
    """FastAPI whose OpenAPI document has the schema that `problems.documented` refers to."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        document["components"]["schemas"][ProblemDocument.__name__] = TypeAdapter(ProblemDocument).json_schema()
        return document


def create_app(settings: Settings | None = None, opener: Callable[[Settings], Searcher] = open_searcher) -> FastAPI:
    """The application; it opens library and index when it starts.

    Without `settings` they come from the environment, as `uvicorn --factory` needs it.
    """
    settings = settings or read_settings()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = load.THREADS
        app.state.backend = Backend(settings, opener(settings), metrics.observe_stages)
        metrics.describe(app.state.backend)
        app.state.backend.warm()
        yield

    app = WebApplication(
        title="Soundbite",
        version=VERSION,
        description="Podcasts in, quotable moments out: passages with their speaker and the second they are said.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own documentation pages load scripts from a CDN; ours is `page.docs`
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(routes.router, responses=documented())
    for module in (passage_routes, episode_routes, library_routes):
        app.include_router(module.router, responses=documented())
    app.include_router(page.router)
    app.add_api_route("/metrics", lambda: Response(metrics.text(), media_type=MEDIA_METRICS), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    for family in (SoundbiteError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(family, answer_problem)
    app.add_middleware(EncodedPathMiddleware)  # the innermost; each next one stands around those before
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_BYTES, compresslevel=GZIP_LEVEL)
    app.add_middleware(MethodsMiddleware)
    app.add_middleware(guarded, settings=settings, answer=answer_problem, open_to_all=episode_routes.is_transcript)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    return app


def answer_problem(request: Request, error: Exception) -> Response:
    """The response to any error: a page where a page was asked for, else a problem document."""
    if not page.is_page(request.url.path):
        return answer_json(request, error)
    problem = problem_of(error)
    headers = SECURITY_HEADERS | problem.headers() | dict(getattr(error, "headers", None) or {})
    return HTMLResponse(page.problem_page(request, problem), problem.status, headers)
