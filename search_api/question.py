"""What is asked, read from the address: the same parameters for the page and for programs."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from fastapi import Depends, Query

from ingest.errors import QueryError

Mode = Literal["hybrid", "vector", "text"]
DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A query and its limits; `since` and `until` are inclusive moments in UTC."""

    query: str
    limit: int = DEFAULT_LIMIT
    mode: Mode = "hybrid"
    podcast: str = ""
    speaker: str = ""
    since: datetime | None = None
    until: datetime | None = None


def moment(text: str, name: str, of_day: time) -> datetime | None:
    """The moment an ISO 8601 date or date-time names, None for an empty text; a date means `of_day` in UTC.

    Raises `QueryError`.
    """
    text = text.strip()
    if not text:
        return None
    try:
        found = datetime.combine(date.fromisoformat(text), of_day) if len(text) <= 10 else datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(name, f"{text[:40]!r} is no date; write it like 2025-02-20 or 2025-02-20T09:00:00Z") from error


def read_limits(  # noqa: PLR0917 - FastAPI passes them by name
    limit: Annotated[int, Query(description="How many hits at most.")] = DEFAULT_LIMIT,
    mode: Annotated[Mode, Query(description="Look by words and meaning together, or by one of them.")] = "hybrid",
    podcast: Annotated[str, Query(description="Only this podcast's episodes (its slug).")] = "",
    speaker: Annotated[str, Query(description="Only what this speaker says.")] = "",
    since: Annotated[str, Query(description="Only episodes published on this date or later (ISO 8601).")] = "",
    until: Annotated[
        str, Query(description="Only episodes published on this date or earlier, that day included.")
    ] = "",
) -> Question:
    """A question's limits, before it is asked. Raises `QueryError` for a date that is none."""
    first, last = moment(since, "since", time.min), moment(until, "until", time.max)
    return Question("", limit, mode, podcast.strip(), speaker.strip(), first, last)


LimitsDep = Annotated[Question, Depends(read_limits)]


def read_question(
    q: Annotated[
        str, Query(description="The question, or a few words.", examples=["how do I push my top performers?"])
    ],
    limits: LimitsDep,
) -> Question:
    """The question an address asks."""
    return replace(limits, query=q)
