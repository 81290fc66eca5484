"""The HTTP operations for programs: search, episodes and transcripts under `/v1`; whether the server lives and is ready."""

from typing import Any

from fastapi import APIRouter

from index.query import Answer
from search_api import problems
from search_api.deps import BackendDep
from search_api.operation import KnownParametersRoute
from search_api.params import QueryDep
from search_api.problems import documented
from search_api.responses import Liveness, Readiness

NO_INDEX = documented(problems.INDEX_NOT_BUILT, problems.INDEX_MISMATCH, problems.INDEX_UNUSABLE)
BAD_PARAMETER = documented(problems.INVALID_PARAMETER, problems.NO_SUCH_PODCAST)
BAD_QUERY = documented(
    problems.EMPTY_QUERY,
    problems.INVALID_QUERY,
    problems.INVALID_PARAMETER,
    problems.NO_SUCH_PODCAST,
    problems.EPISODE_NOT_FOUND,
    problems.OTHER_CURSOR,
    problems.NO_SUCH_LANGUAGE,
)
NO_HOME = documented(problems.HOME_UNUSABLE, problems.INDEX_UNUSABLE)
UNREADABLE = documented(problems.UNREADABLE_TRANSCRIPT)
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged since `If-None-Match`"}}


router = APIRouter()
searches = APIRouter(prefix="/v1", tags=["search"], route_class=KnownParametersRoute, responses=UNCHANGED)


@router.get("/livez", operation_id="live", tags=["server"], summary="Alive")
async def live() -> Liveness:
    """Answers as soon as the server runs."""
    return Liveness()


@router.get("/readyz", operation_id="ready", tags=["server"], summary="Ready", responses=NO_INDEX)
def ready(backend: BackendDep) -> Readiness:
    """Says whether questions can be answered: the index is open, has chunks, and its full-text index covers them."""
    return backend.readiness()


@searches.get("/search", operation_id="search", summary="Search", responses=BAD_QUERY | NO_INDEX)
def search(query: QueryDep, backend: BackendDep) -> Answer:
    """The passages that answer a question, best first: the same document that `soundbite search --json` prints."""
    return backend.search(query)


router.include_router(searches)
