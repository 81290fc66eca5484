"""What programs send: a batch of searches, a quote to check; and a bound on how much."""

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.query import DEFAULT_LIMIT, MAX_CONTEXT, MAX_LIMIT, MAX_QUERY, GroupBy, Mode, Query
from index.quotes import MAX_QUOTE
from search_api.params import A_WORD, CURSOR_LENGTH, DayOrTime, Words
from search_api.problems import TooLargeError

MAX_BODY = 262_144  # bytes; a hundred questions of a thousand characters are half of that
MAX_BATCH = 100


class Strict(BaseModel):
    """A body that has no other fields than these."""

    model_config = ConfigDict(extra="forbid")


class SearchRequest(Strict):
    """One search of a batch; its fields are the parameters of `GET /v1/search`."""

    q: Annotated[Words, Field(min_length=1, max_length=MAX_QUERY, json_schema_extra={"pattern": A_WORD})]
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    mode: Mode = "hybrid"
    podcast: list[Words] = []
    speaker: Words = ""
    since: DayOrTime = None
    until: DayOrTime = None
    adverts: bool = False
    group_by: GroupBy | None = None
    language: Words = ""
    episode: Words = ""
    min_score: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    cursor: Annotated[str, Field(max_length=CURSOR_LENGTH)] = ""
    context: Annotated[int, Field(ge=0, le=MAX_CONTEXT)] = 0
    explain: bool = False

    def query(self) -> Query:
        """The query. Raises `QueryError`."""
        values = self.model_dump(exclude={"q", "podcast"})
        return Query(self.q, podcast=tuple(self.podcast), **values)


class Batch(Strict):
    """Searches that are answered together."""

    searches: Annotated[list[SearchRequest], Field(min_length=1, max_length=MAX_BATCH)]


class QuoteRequest(Strict):
    """A quote, and where it is said to come from: an episode (key or guid), or some podcasts (names or slugs)."""

    text: Annotated[Words, Field(min_length=1, max_length=MAX_QUOTE, json_schema_extra={"pattern": A_WORD})]
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
