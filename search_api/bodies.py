"""What programs send: a batch of searches, a quote to check; and a bound on how much."""

from collections.abc import Callable
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.query import DEFAULT_LIMIT, MAX_CONTEXT, MAX_LIMIT, MAX_QUERY, GroupBy, Mode, Query
from index.quotes import MAX_QUOTE
from ingest.times import parse_day
from search_api.params import CURSOR_LENGTH, DAY_OR_TIME, Words
from search_api.problems import TooLargeError

MAX_BODY = 262_144  # bytes; a hundred questions of a thousand characters are half of that
MAX_BATCH = 100


def json_day(value: object) -> date | None:
    """A date or moment of JSON; None for null and for empty text. Raises ValueError for anything else."""
    if value is None or isinstance(value, str):
        return parse_day(value or "")
    raise ValueError("is not a date; write 2026-01-31 or 2026-01-31T09:00:00Z")


Day = Annotated[
    date | None, PlainValidator(json_day), WithJsonSchema({"anyOf": [*DAY_OR_TIME["anyOf"], {"type": "null"}]})
]


def json_whole(value: object) -> object:
    """`3.0` as 3: JSON knows one kind of numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Strict(BaseModel):
    """A body that has no other fields than these."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SearchRequest(Strict):
    """One search of a batch; its fields are the parameters of `GET /v1/search`."""

    q: Annotated[Words, Field(min_length=1, max_length=MAX_QUERY)]
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT), BeforeValidator(json_whole)] = DEFAULT_LIMIT
    mode: Mode = "hybrid"
    podcast: list[Words] = []
    speaker: Words = ""
    since: Day = None
    until: Day = None
    adverts: bool = False
    group_by: GroupBy | None = None
    language: Words = ""
    episode: Words = ""
    min_score: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    cursor: Annotated[str, Field(max_length=CURSOR_LENGTH)] = ""
    context: Annotated[int, Field(ge=0, le=MAX_CONTEXT), BeforeValidator(json_whole)] = 0
    explain: bool = False

    def query(self) -> Query:
        """The query. Raises `QueryError`."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name not in {"q", "podcast"}}
        return Query(self.q, podcast=tuple(self.podcast), **values)


class Batch(Strict):
    """Searches that are answered together."""

    searches: Annotated[list[SearchRequest], Field(min_length=1, max_length=MAX_BATCH)]


class QuoteRequest(Strict):
    """A quote, and where it is said to come from: an episode (key or guid), or some podcasts (names or slugs)."""

    text: Annotated[Words, Field(min_length=1, max_length=MAX_QUOTE)]
    episode: Words = ""
    podcast: list[Words] = []


class BodyLimitMiddleware:
    """Refuses bodies of more than `MAX_BODY` bytes; `answer` makes the response to an error."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Response]) -> None:
        self.app, self.answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        length = Headers(scope=scope).get("content-length", "0") if scope["type"] == "http" else "0"
        if not length.isdecimal() or len(length) > 15 or int(length) > MAX_BODY:
            await self._refuse(scope, receive, send)
            return
        read = 0

        async def receive_bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:  # sent in chunks, without a length
                raise HTTPException(413)  # FastAPI makes 400 of any other error while it reads
            return message

        await self.app(scope, receive_bounded, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLargeError("", f"the body has more than {MAX_BODY:,} bytes; send less at a time")
        await self.answer(Request(scope), error)(scope, receive, send)
