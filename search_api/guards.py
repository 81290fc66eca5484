"""What stands around every application of ours: checks of who asks, how much, how often, and with how large a body."""

from collections.abc import Callable, Collection
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from ingest.keys import Keys
from ingest.settings import Settings
from search_api.access_log import RequestLogMiddleware
from search_api.admission import KeysMiddleware
from search_api.bodies import BodyLimitMiddleware
from search_api.callers import CallersMiddleware
from search_api.load import LoadMiddleware
from search_api.middleware import SECURITY_HEADERS, SecurityHeadersMiddleware
from search_api.problems import MEDIA_TYPE, problem_of

ALWAYS = ("/livez",)  # answered at once, to everybody


def answer_json(_: Request, error: Exception) -> Response:
    """The response to any error as a problem document."""
    problem = problem_of(error)
    headers = SECURITY_HEADERS | problem.headers() | dict(getattr(error, "headers", None) or {})
    return JSONResponse(asdict(problem.document()), problem.status, headers, media_type=MEDIA_TYPE)


def guarded(
    app: ASGIApp,
    settings: Settings,
    answer: Callable[[Request, Exception], Response] = answer_json,
    open_to_all: Callable[[str], bool] = lambda _: False,
    always: Collection[str] = ALWAYS,
) -> ASGIApp:
    """The application behind all checks; `answer` makes the response to an error.

    The order matters: who may not ask takes no place of those who may, and a preflight carries no key.
    """
    app = BodyLimitMiddleware(app, answer)
    app = LoadMiddleware(app, answer, always)
    app = KeysMiddleware(app, Keys(settings.keys_path), answer, always)
    app = CallersMiddleware(app, settings.names_served, answer, open_to_all, settings.origins_allowed)
    app = SecurityHeadersMiddleware(app)
    return RequestLogMiddleware(app, settings.access_log)
