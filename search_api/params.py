"""The parameters of a search, read from the address into an `index.query.Query`: the same for programs and the page."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends
from fastapi import Query as Parameter
from pydantic import PlainValidator, StringConstraints, WithJsonSchema

from index.query import DEFAULT_LIMIT, MAX_CONTEXT, MAX_LIMIT, MAX_QUERY, GroupBy, Mode, Query
from ingest.times import parse_day

CURSOR_LENGTH = 31  # five digits of a place, twelve of the question, twelve of the index
A_WORD = r"[\p{L}\p{N}]"  # for clients; `Query` checks it
Words = Annotated[str, StringConstraints(strip_whitespace=True)]
DAY_OR_TIME: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "maxLength": 0},  # a form's empty field
    ],
    "examples": ["2025-02-20"],
}
DayOrTime = Annotated[date | None, PlainValidator(parse_day), WithJsonSchema(DAY_OR_TIME)]


def optional_query(  # noqa: PLR0917 - FastAPI passes them by name
    q: Annotated[Words, Parameter(max_length=MAX_QUERY)] = "",
    limit: Annotated[
        int, Parameter(ge=1, le=MAX_LIMIT, description=f"The largest number of hits, 1 to {MAX_LIMIT}.")
    ] = DEFAULT_LIMIT,
    mode: Annotated[Mode, Parameter(description="Search by words and meaning together, or by one.")] = "hybrid",
    podcast: Annotated[
        list[Words] | None, Parameter(description="Only this podcast's episodes (its name or slug); may be repeated.")
    ] = None,
    speaker: Annotated[Words, Parameter(description="Only what this speaker says: a name, or words of it.")] = "",
    since: Annotated[DayOrTime, Parameter(description="Published on this date or later (ISO 8601).")] = None,
    until: Annotated[DayOrTime, Parameter(description="Published on this date, itself included, or earlier.")] = None,
    adverts: Annotated[
        bool, Parameter(description="Rank adverts, and what is read out in many episodes, like anything else.")
    ] = False,
    group_by: Annotated[
        GroupBy | None, Parameter(description="One hit an episode, with its further ones in `more`.")
    ] = None,
    language: Annotated[Words, Parameter(description="Only transcripts in this language (its code or name).")] = "",
    episode: Annotated[Words, Parameter(description="Only this episode (its key or guid).")] = "",
    min_score: Annotated[
        float | None, Parameter(ge=0, allow_inf_nan=False, description="Leave out hits with a lower score.")
    ] = None,
    cursor: Annotated[
        str,
        Parameter(
            max_length=CURSOR_LENGTH, description="An answer's `cursor`, for the hits after it; all else as before."
        ),
    ] = "",
    context: Annotated[
        int, Parameter(ge=0, le=MAX_CONTEXT, description="Sentences to show before and after each passage.")
    ] = 0,
    explain: Annotated[bool, Parameter(description="Say what the search did, and how long each stage took.")] = False,
) -> Query | None:
    """The query; None where `q` is blank. Raises `QueryError`."""
    if not q:
        return None
    return Query(
        q, limit, mode, tuple(podcast or ()), speaker, since, until, adverts, group_by, language, episode, min_score, cursor,
        context, explain,
    )  # fmt: skip


OptionalQueryDep = Annotated[Query | None, Depends(optional_query)]


def required_query(
    q: Annotated[
        Words,
        Parameter(
            min_length=1,
            max_length=MAX_QUERY,
            json_schema_extra={"pattern": A_WORD},
            description=f"The question, at most {MAX_QUERY:,} characters.",
        ),
    ],
    query: OptionalQueryDep,
) -> Query:
    """The same with `q` required. Raises `QueryError`."""
    assert query is not None, q
    return query


QueryDep = Annotated[Query, Depends(required_query)]
