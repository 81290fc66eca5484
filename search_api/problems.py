"""Every error as one problem document (RFC 9457): which status, which stable name, and words without our paths in them."""

import logging
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ingest.errors import (
    HomeError,
    IndexingError,
    IndexMismatchError,
    IndexNotBuiltError,
    NotFoundError,
    QueryError,
    SoundbiteError,
    TranscriptError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 30  # an index that is being built is asked for again after this

_log = logging.getLogger(__name__)


class NotAcceptableError(SoundbiteError):
    """The transcript cannot be given in any form the client accepts."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: `name` is its stable address under `/problems/`, `meaning` what to do about it."""

    name: str
    status: int
    title: str
    meaning: str


EMPTY_QUERY = Kind("empty-query", 422, "Nothing was asked", "Ask a question, or give a few words (`q`).")
INVALID_QUERY = Kind("invalid-query", 422, "The query cannot be asked", "Change that and ask again.")
INVALID_PARAMETER = Kind("invalid-parameter", 422, "A parameter is not valid", "Change that and ask again.")
EPISODE_NOT_FOUND = Kind("episode-not-found", 404, "No such episode here", "/v1/episodes lists those there are.")
NO_SUCH_ADDRESS = Kind("no-such-address", 404, "There is nothing at this address", "/docs lists what there is.")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This address is only read", "Use GET.")
NOT_ACCEPTABLE = Kind(
    "not-acceptable", 406, "The transcript has no such form", "VTT and SRT need times; Markdown and text always exist."
)
UNREADABLE_TRANSCRIPT = Kind(
    "unreadable-transcript",
    409,
    "The transcript cannot be read",
    "Correct its file in the library, or import it again.",
)
INDEX_NOT_BUILT = Kind(
    "index-not-built", 503, "There is nothing to search yet", "Run `soundbite index`, then ask again."
)
INDEX_MISMATCH = Kind(
    "index-mismatch",
    503,
    "The index was built with another model",
    "Run `soundbite index --rebuild`, or set the model back.",
)
INDEX_UNUSABLE = Kind(
    "index-unusable", 503, "The index cannot be read", "Run `soundbite doctor` where the server runs."
)
HOME_UNUSABLE = Kind(
    "home-unusable", 503, "The home directory cannot be used", "Run `soundbite doctor` where the server runs."
)
REFUSED = Kind("refused", 400, "The request cannot be answered", "Change that and ask again.")
INTERNAL = Kind("internal", 500, "Something went wrong here", "Ask again; if it stays, the server's log says more.")

KINDS = (
    EMPTY_QUERY, INVALID_QUERY, INVALID_PARAMETER, EPISODE_NOT_FOUND, NO_SUCH_ADDRESS, METHOD_NOT_ALLOWED, NOT_ACCEPTABLE,
    UNREADABLE_TRANSCRIPT, INDEX_NOT_BUILT, INDEX_MISMATCH, INDEX_UNUSABLE, HOME_UNUSABLE, REFUSED, INTERNAL,
)  # fmt: skip

# The most particular first: the first class an error belongs to names its kind.
_BY_ERROR: tuple[tuple[type[SoundbiteError], Kind], ...] = (
    (QueryError, INVALID_QUERY),
    (NotFoundError, EPISODE_NOT_FOUND),
    (NotAcceptableError, NOT_ACCEPTABLE),
    (TranscriptError, UNREADABLE_TRANSCRIPT),
    (IndexNotBuiltError, INDEX_NOT_BUILT),
    (IndexMismatchError, INDEX_MISMATCH),
    (IndexingError, INDEX_UNUSABLE),
    (HomeError, HOME_UNUSABLE),
)
_BY_STATUS = {404: NO_SUCH_ADDRESS, 405: METHOD_NOT_ALLOWED}
# Their subject is what the client sent; that of the others may be a path on the server.
_ABOUT_THE_REQUEST = (QueryError, NotFoundError, NotAcceptableError)
_SAYS_WHAT_TO_DO = (IndexNotBuiltError, IndexMismatchError)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with one request."""

    kind: Kind
    detail: str
    status: int

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "type": f"/problems/{self.kind.name}",
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail,
        }

    def headers(self) -> dict[str, str]:
        """What a client should know beside the body."""
        return {"Retry-After": str(RETRY_SECONDS)} if self.status == 503 else {}


def problem_of(error: Exception, query: str | None = None) -> Problem:
    """The problem an error is; `query` is what was asked, where something was."""
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code, REFUSED)
        return Problem(kind, kind.meaning, error.status_code)
    if isinstance(error, QueryError) and query is not None and not query.strip():
        return Problem(EMPTY_QUERY, EMPTY_QUERY.meaning, EMPTY_QUERY.status)
    for family, kind in _BY_ERROR:
        if isinstance(error, family):
            return Problem(kind, _detail(error, kind), kind.status)
    _log.error("unexpected error", exc_info=error)
    return Problem(INTERNAL, INTERNAL.meaning, INTERNAL.status)


def _detail(error: SoundbiteError, kind: Kind) -> str:
    if isinstance(error, _ABOUT_THE_REQUEST):
        return str(error)
    _log.warning("%s: %s", kind.name, error)
    if not isinstance(error, _SAYS_WHAT_TO_DO):
        return kind.meaning
    return f"the index {error.message}" if error.subject else error.message


def _invalid(error: RequestValidationError) -> Problem:
    faults = error.errors()
    if any(fault["type"] == "missing" and fault["loc"][-1:] == ("q",) for fault in faults):
        return Problem(EMPTY_QUERY, EMPTY_QUERY.meaning, EMPTY_QUERY.status)
    detail = "; ".join(f"{fault['loc'][-1]}: {fault['msg'].lower()}" for fault in faults)
    return Problem(INVALID_PARAMETER, detail, INVALID_PARAMETER.status)


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems an operation can have."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        answer = answers.setdefault(kind.status, {"description": kind.title, "content": {MEDIA_TYPE: _content()}})
        problem = Problem(kind, kind.meaning, kind.status)
        answer["content"][MEDIA_TYPE]["examples"][kind.name] = {"value": problem.document()}
    return answers


def _content() -> dict[str, Any]:
    words = {name: {"type": "string"} for name in ("type", "title", "detail")}
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": words | {"status": {"type": "integer"}},
    }
    return {"schema": schema, "examples": {}}
