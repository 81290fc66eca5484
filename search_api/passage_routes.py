"""The HTTP operations on what was said: many searches at once, one passage with its citation, a quote to check."""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Query

from index.query import MAX_CONTEXT, Answer
from index.quotes import QuoteCheck
from ingest.errors import SoundbiteError
from search_api import problems
from search_api.bodies import Batch, QuoteRequest
from search_api.deps import BackendDep
from search_api.operation import KnownParametersRoute
from search_api.passages import PassageDocument
from search_api.problems import documented, problem_of
from search_api.responses import BatchAnswer, BatchResult
from search_api.routes import NO_INDEX, UNCHANGED, UNREADABLE

BAD_BODY = documented(problems.EMPTY_QUERY, problems.INVALID_PARAMETER, problems.TOO_LARGE)
router = APIRouter(prefix="/v1", route_class=KnownParametersRoute)
PassageName = Annotated[str, Path(description="A passage's `id`, from the hits of a search.")]


@router.post(
    "/search/batch",
    operation_id="search_batch",
    tags=["search"],
    summary="Many searches",
    responses=BAD_BODY | NO_INDEX,
)
def search_batch(batch: Batch, backend: BackendDep) -> BatchAnswer:
    """Up to 100 searches in one request, embedded together; each gets an answer or a problem, in the order sent."""
    started = time.perf_counter()
    outcomes = backend.search_all([one.query for one in batch.searches])
    return BatchAnswer(round((time.perf_counter() - started) * 1000, 1), tuple(map(_result, outcomes)))


@router.get(
    "/passages/{id}",
    operation_id="get_passage",
    tags=["passages"],
    summary="One passage, with citations",
    responses=UNCHANGED | documented(problems.PASSAGE_NOT_FOUND, problems.INVALID_PARAMETER) | UNREADABLE,
)
def passage(
    id: PassageName,  # noqa: A002 - the name in the address
    backend: BackendDep,
    context: Annotated[int, Query(ge=0, le=MAX_CONTEXT, description="Sentences to show before and after.")] = 0,
) -> PassageDocument:
    """What is said there now, whether that has changed since the passage was named, and how to cite it."""
    return backend.passage(id, context)


@router.post(
    "/quotes/check",
    operation_id="check_quote",
    tags=["passages"],
    summary="Check a quote",
    responses=BAD_BODY
    | NO_INDEX
    | UNREADABLE
    | documented(problems.INVALID_QUERY, problems.EMPTY_QUERY, problems.INVALID_PARAMETER)
    | documented(problems.EPISODE_NOT_FOUND, problems.NO_SUCH_PODCAST),
)
def check_quote(quote: QuoteRequest, backend: BackendDep) -> QuoteCheck:
    """Whether a quote was said word for word, nearly so, joined from several places, or not at all; and where, by whom.

    Case, accents, punctuation, hyphens, the kind of quotation marks and fillers such as `um` make no difference.
    """
    return backend.check_quote(quote.text, quote.episode, tuple(quote.podcast))


def _result(outcome: Answer | SoundbiteError) -> BatchResult:
    return BatchResult(outcome) if isinstance(outcome, Answer) else BatchResult(problem=problem_of(outcome).document())
