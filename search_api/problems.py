"""Every error as one problem document (RFC 9457): its status, its stable name, and a text without paths of the server."""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ingest.errors import (
    AlertNotFoundError,
    CursorError,
    HomeError,
    IndexingError,
    IndexMismatchError,
    IndexNotBuiltError,
    LanguageError,
    NotFoundError,
    PassageNotFoundError,
    PodcastNotFoundError,
    QueryError,
    SoundbiteError,
    TranscriptError,
)
from search_api.responses import ProblemDocument

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 30  # after which an index that is being built may be asked again
BUSY_SECONDS = 1  # in which forty searches of 15 ms are done
MAX_DETAIL = 300  # characters; a longer text is mostly what the client sent

_log = logging.getLogger(__name__)


class NoSuchFormatError(SoundbiteError):
    """The transcript cannot be given in this format."""


class ForeignHostError(SoundbiteError):
    """The request calls the server by a name that is not its own."""


class ForeignOriginError(SoundbiteError):
    """The request comes from a page of another site."""


class NoKeyError(SoundbiteError):
    """The request carries no key that is known."""

    headers: ClassVar = {"WWW-Authenticate": 'Bearer realm="Soundbite", Basic realm="Soundbite"'}


class TooOftenError(SoundbiteError):
    """A key asks more often than it may; it may again after `seconds`."""

    def __init__(self, subject: object, message: str, seconds: int) -> None:
        super().__init__(subject, message)
        self.headers = {"Retry-After": str(seconds)}


class TooLargeError(SoundbiteError):
    """The request's body is larger than any that is meant."""


class BusyError(SoundbiteError):
    """As many requests are being answered as the server takes at once."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: `name` is its anchor on the API page, `advice` says what to do."""

    name: str
    status: int
    title: str
    advice: str

    @property
    def address(self) -> str:
        """Where the API page explains it."""
        return f"/docs#problem-{self.name}"


# fmt: off
EMPTY_QUERY = Kind("empty-query", 422, "Nothing was asked", "Ask a question, or give a few words (`q`).")
INVALID_QUERY = Kind("invalid-query", 422, "The query cannot be asked", "Change it and ask again.")
OTHER_CURSOR = Kind("other-cursor", 409, "The cursor is of another question", "Begin without it; a cursor is good for the same question with the same options.")
INVALID_PARAMETER = Kind("invalid-parameter", 422, "A parameter is not valid", "Change it and ask again.")
NO_SUCH_PODCAST = Kind("no-such-podcast", 404, "No such podcast here", "Leave `podcast` out to search all; /v1/episodes shows their names.")
NO_SUCH_LANGUAGE = Kind("no-such-language", 404, "There is no such language", "Give a code or a name, as de or German.")
EPISODE_NOT_FOUND = Kind("episode-not-found", 404, "No such episode here", "/v1/episodes lists those there are.")
ALERT_NOT_FOUND = Kind("alert-not-found", 404, "No such alert", "`soundbite alert add NAME QUESTION` adds one where the server runs.")
PASSAGE_NOT_FOUND = Kind("passage-not-found", 404, "No such passage", "Search again; hits have the names of passages (`id`).")
NO_SUCH_FORMAT = Kind("no-such-format", 404, "The transcript has no such format", "VTT and SRT need times; md, json and txt do not.")
NO_SUCH_ADDRESS = Kind("no-such-address", 404, "There is nothing at this address", "/docs lists what there is.")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This address is only read", "Use GET.")
UNREADABLE_TRANSCRIPT = Kind("unreadable-transcript", 409, "The transcript cannot be read", "Correct its file in the library, or import it again.")
INDEX_NOT_BUILT = Kind("index-not-built", 503, "There is nothing to search yet", "Run `soundbite index`, then ask again.")
INDEX_MISMATCH = Kind("index-mismatch", 503, "The index was built with another model", "Run `soundbite index --rebuild`, or set the model back.")
INDEX_UNUSABLE = Kind("index-unusable", 503, "The index cannot be read", "Run `soundbite doctor` where the server runs.")
HOME_UNUSABLE = Kind("home-unusable", 503, "The home directory cannot be used", "Run `soundbite doctor` where the server runs.")
NO_KEY = Kind("no-key", 401, "A key is needed here", "Give one as a bearer token, as X-API-Key, or as the password that a browser asks for.")
TOO_OFTEN = Kind("too-often", 429, "This key asks too often", "Ask again after the seconds in `Retry-After`.")
TOO_LARGE = Kind("too-large", 413, "The body is too large", "Send less at a time.")
BUSY = Kind("busy", 503, "Too much is asked at once", "Ask again after the seconds in `Retry-After`.")
FOREIGN_HOST = Kind("foreign-host", 421, "This server does not go by that name", "Use localhost or its address, or add the name to SOUNDBITE_SERVER_NAMES where it runs.")
FOREIGN_ORIGIN = Kind("foreign-origin", 403, "Pages of other sites may not ask here", "Ask from a program, or from this server's own page.")
REFUSED = Kind("refused", 400, "The request cannot be answered", "Change it and ask again.")
INTERNAL = Kind("internal", 500, "Something went wrong here", "Ask again; if it stays, the server's log says more.")
KINDS = (
    EMPTY_QUERY, INVALID_QUERY, OTHER_CURSOR, INVALID_PARAMETER, NO_SUCH_PODCAST, NO_SUCH_LANGUAGE, EPISODE_NOT_FOUND,
    PASSAGE_NOT_FOUND, ALERT_NOT_FOUND, NO_SUCH_FORMAT, NO_SUCH_ADDRESS, NO_KEY, TOO_OFTEN, TOO_LARGE, METHOD_NOT_ALLOWED, UNREADABLE_TRANSCRIPT, INDEX_NOT_BUILT, INDEX_MISMATCH,
    INDEX_UNUSABLE, HOME_UNUSABLE, BUSY, FOREIGN_HOST, FOREIGN_ORIGIN, REFUSED, INTERNAL,
)
# fmt: on

# The most particular first: the first class that an error belongs to decides.
_BY_ERROR: tuple[tuple[type[SoundbiteError], Kind], ...] = (
    (LanguageError, NO_SUCH_LANGUAGE),
    (CursorError, OTHER_CURSOR),
    (QueryError, INVALID_QUERY),
    (PodcastNotFoundError, NO_SUCH_PODCAST),
    (AlertNotFoundError, ALERT_NOT_FOUND),
    (PassageNotFoundError, PASSAGE_NOT_FOUND),
    (NotFoundError, EPISODE_NOT_FOUND),
    (TooLargeError, TOO_LARGE),
    (NoKeyError, NO_KEY),
    (TooOftenError, TOO_OFTEN),
    (NoSuchFormatError, NO_SUCH_FORMAT),
    (BusyError, BUSY),
    (ForeignHostError, FOREIGN_HOST),
    (ForeignOriginError, FOREIGN_ORIGIN),
    (TranscriptError, UNREADABLE_TRANSCRIPT),
    (IndexNotBuiltError, INDEX_NOT_BUILT),
    (IndexMismatchError, INDEX_MISMATCH),
    (IndexingError, INDEX_UNUSABLE),
    (HomeError, HOME_UNUSABLE),
)
_BY_STATUS = {404: NO_SUCH_ADDRESS, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE}
# These errors tell of what the client sent or did; the subject of the others may be a path on the server.
_SUBJECT_FROM_CLIENT = (
    QueryError,
    NotFoundError,
    NoSuchFormatError,
    ForeignHostError,
    ForeignOriginError,
    BusyError,
    TooLargeError,
    NoKeyError,
    TooOftenError,
)
_MESSAGE_WITHOUT_PATH = (IndexNotBuiltError, IndexMismatchError)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with one request."""

    kind: Kind
    detail: str
    status: int

    def document(self) -> ProblemDocument:
        """The body of the response."""
        return ProblemDocument(self.kind.address, self.kind.title, self.status, self.detail[:MAX_DETAIL])

    def headers(self) -> dict[str, str]:
        """The headers of the response beside the usual ones."""
        return {"Retry-After": str(BUSY_SECONDS if self.kind is BUSY else RETRY_SECONDS)} if self.status == 503 else {}


def problem_of(error: Exception) -> Problem:
    """The problem that an error is; what is not the client's fault is logged."""
    if isinstance(error, RequestValidationError):
        return _invalid_request(error)
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code, REFUSED)
        return Problem(kind, kind.advice, error.status_code)
    for family, kind in _BY_ERROR:
        if isinstance(error, family):
            return Problem(kind, _detail(error, kind), kind.status)
    _log.error("unexpected error", exc_info=error)
    return Problem(INTERNAL, INTERNAL.advice, INTERNAL.status)


def _detail(error: SoundbiteError, kind: Kind) -> str:
    if isinstance(error, _SUBJECT_FROM_CLIENT):
        return str(error)
    _log.warning("%s: %s", kind.name, error)
    if not isinstance(error, _MESSAGE_WITHOUT_PATH):
        return kind.advice
    return f"the index {error.message}" if error.subject else error.message


def _invalid_request(error: RequestValidationError) -> Problem:
    faults = error.errors()
    if any(fault["type"] in {"missing", "string_too_short"} and fault["loc"][-1] == "q" for fault in faults):
        return Problem(EMPTY_QUERY, EMPTY_QUERY.advice, EMPTY_QUERY.status)
    kind = NO_SUCH_FORMAT if faults[0]["loc"][0] == "path" else INVALID_PARAMETER
    return Problem(kind, "; ".join(dict.fromkeys(map(_sentence, faults))), kind.status)


def _sentence(fault: dict[str, Any]) -> str:
    """`limit: input should be less than or equal to 100`."""
    message = str(fault["msg"]).removeprefix("Value error, ")
    where = ".".join(str(part)[:40] for part in fault["loc"][1:]) or fault["loc"][0]
    return f"{where}: {message[:1].lower()}{message[1:]}"


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems that an operation can have, by status; `default` for all others."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}}}
    titles: dict[int | str, list[str]] = {}
    for kind in kinds:
        titles.setdefault(kind.status, []).append(f"{kind.title} ({kind.name})")
    titles["default"] = ["Any other problem"]
    return {status: {"description": "; ".join(words), "content": content} for status, words in titles.items()}
