"""What is asked, read from the address: the same parameters for the page and for programs."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, Query

from index.query import MAX_LIMIT, MAX_QUERY, Mode
from ingest.errors import QueryError

DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A query and its limits; a plain date in `until` is itself included, a moment is not."""

    query: str
    limit: int = DEFAULT_LIMIT
    mode: Mode = "hybrid"
    podcast: str = ""
    speaker: str = ""
    since: date | None = None
    until: date | None = None
    adverts: bool = False


def day_or_moment(text: str, name: str) -> date | None:
    """The day, or the aware moment, that an ISO 8601 text names; None for an empty text. Raises `QueryError`."""
    text = text.strip()
    if not text:
        return None
    try:
        if len(text) <= 10:
            return date.fromisoformat(text)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(name, f"{text[:40]!r} is no date; write it like 2025-02-20 or 2025-02-20T09:00:00Z") from error


def read_limits(  # noqa: PLR0917 - FastAPI passes them by name
    limit: Annotated[int, Query(description=f"How many hits at most, 1 to {MAX_LIMIT}.")] = DEFAULT_LIMIT,
    mode: Annotated[Mode, Query(description="Look by words and meaning together, or by one of them.")] = "hybrid",
    podcast: Annotated[str, Query(description="Only this podcast's episodes (its slug).")] = "",
    speaker: Annotated[str, Query(description="Only what this speaker says.")] = "",
    since: Annotated[str, Query(description="Only episodes published on this date or later (ISO 8601).")] = "",
    until: Annotated[
        str, Query(description="Only episodes published on this date or earlier, that day included.")
    ] = "",
    adverts: Annotated[
        bool, Query(description="Rank adverts, and what is read out in many episodes, like anything else.")
    ] = False,
) -> Question:
    """A question's limits, before it is asked. Raises `QueryError` for a date that is none."""
    first, last = day_or_moment(since, "since"), day_or_moment(until, "until")
    return Question("", limit, mode, podcast.strip(), speaker.strip(), first, last, adverts)


LimitsDep = Annotated[Question, Depends(read_limits)]


def read_question(
    q: Annotated[
        str,
        Query(
            description=f"The question, or a few words; at most {MAX_QUERY:,} characters.",
            examples=["how do I push my top performers?"],
        ),
    ],
    limits: LimitsDep,
) -> Question:
    """The question an address asks."""
    return replace(limits, query=q)
