"""The HTTP operations on episodes: their list, one with its provenance, its transcript, its passages, those like it."""

from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response

from index.catalogue import Status
from ingest.errors import TranscriptError
from ingest.identity import slug
from ingest.transcripts.export import Format, render
from search_api import problems
from search_api.deps import BackendDep, EpisodeName
from search_api.listing import EpisodeFilter, PassageList, Sort, ordered, page_after
from search_api.operation import KnownParametersRoute
from search_api.params import DayOrTime, Words
from search_api.problems import NoSuchFormatError, documented
from search_api.responses import MEDIA_TYPES, EpisodeDetail, EpisodeList, SimilarEpisodes, episode_detail
from search_api.routes import BAD_PARAMETER, NO_HOME, NO_INDEX, UNCHANGED, UNREADABLE

# Browsers let a player on another site show a transcript only where its host allows it (Podcasting 2.0, `transcript`).
CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
NO_EPISODE = documented(problems.EPISODE_NOT_FOUND, problems.INVALID_PARAMETER)
OTHER_CURSOR = documented(problems.OTHER_CURSOR)
MAX_EPISODES, MAX_PASSAGES, MAX_SIMILAR = 1_000, 200, 20
router = APIRouter(prefix="/v1/episodes", tags=["episodes"], route_class=KnownParametersRoute, responses=UNCHANGED)


def _schema(media: str) -> dict[str, str]:
    return {"type": "object" if media == MEDIA_TYPES["json"] else "string"}


@router.get("", operation_id="list_episodes", summary="Episodes", responses=BAD_PARAMETER | NO_HOME | OTHER_CURSOR)
def list_episodes(  # noqa: PLR0917 - FastAPI passes them by name
    backend: BackendDep,
    podcast: Annotated[str, Query(description="Only this podcast's (its name or slug).")] = "",
    status: Annotated[Status | None, Query(description="Only those in this state.")] = None,
    q: Annotated[Words, Query(max_length=200, description="Only those with these words in their titles.")] = "",
    since: Annotated[DayOrTime, Query(description="Published on this date or later (ISO 8601).")] = None,
    until: Annotated[DayOrTime, Query(description="Published on this date, itself included, or earlier.")] = None,
    sort: Annotated[Sort, Query(description="In which order; those without a date come last.")] = "newest",
    limit: Annotated[int, Query(ge=1, le=MAX_EPISODES, description="The largest number of episodes.")] = 100,
    cursor: Annotated[Words, Query(max_length=16, description="A list's `cursor`, for the episodes after it.")] = "",
) -> EpisodeList:
    """Known episodes with their states, whether they have a transcript or not; `count` is how many there are in all."""
    wanted = EpisodeFilter(status, q, since, until)
    found = ordered(wanted.of(backend.episodes(podcast)), sort)
    shown, following = page_after(found, cursor, limit)
    return EpisodeList(len(found), tuple(shown), following)


@router.get(
    "/{name:path}/transcript.{suffix}",
    operation_id="get_transcript",
    summary="Transcript",
    response_class=Response,
    responses={200: {"content": {media: {"schema": _schema(media)} for media in MEDIA_TYPES.values()}}}
    | documented(problems.EPISODE_NOT_FOUND, problems.NO_SUCH_FORMAT, problems.INVALID_PARAMETER)
    | UNREADABLE,
)
def transcript(
    name: EpisodeName, suffix: Annotated[Format, Path(description="The format.")], backend: BackendDep
) -> Response:
    """An episode's transcript in the format that the suffix names."""
    document = backend.library.find(name)
    found = backend.library.read(document.name)
    try:
        text = render(found, suffix)
    except TranscriptError as error:
        raise NoSuchFormatError(suffix, error.message) from error
    disposition = inline_as(f"{PurePosixPath(document.name).stem}.{suffix}")
    return Response(text, media_type=MEDIA_TYPES[suffix], headers={**CROSS_ORIGIN, "Content-Disposition": disposition})


@router.get(
    "/{name:path}/passages",
    operation_id="list_passages",
    summary="Passages of an episode",
    responses=NO_EPISODE | UNREADABLE | OTHER_CURSOR,
)
def list_passages(  # noqa: PLR0917 - FastAPI passes them by name
    name: EpisodeName,
    backend: BackendDep,
    begin: Annotated[
        float | None, Query(ge=0, allow_inf_nan=False, description="Only what is said after this second.")
    ] = None,
    end: Annotated[
        float | None, Query(ge=0, allow_inf_nan=False, description="Only what is said before this second.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PASSAGES, description="The largest number of passages.")] = 50,
    cursor: Annotated[Words, Query(max_length=60, description="A list's `cursor`, for the passages after it.")] = "",
) -> PassageList:
    """The transcript in passages of one speaker, each with its permanent name; `count` is how many there are in all."""
    return backend.passages(name, begin, end, limit, cursor)


@router.get(
    "/{name:path}/similar",
    operation_id="similar_episodes",
    summary="Similar episodes",
    responses=NO_EPISODE | NO_INDEX,
)
def similar(
    name: EpisodeName,
    backend: BackendDep,
    limit: Annotated[int, Query(ge=1, le=MAX_SIMILAR, description="The largest number of episodes.")] = 5,
) -> SimilarEpisodes:
    """Other episodes about the same things, the most similar first."""
    return SimilarEpisodes(tuple(backend.similar(name, limit)))


@router.get(
    "/{name:path}",
    operation_id="get_episode",
    summary="One episode",
    responses=documented(problems.EPISODE_NOT_FOUND, problems.INVALID_PARAMETER) | UNREADABLE,
)
def episode(name: EpisodeName, backend: BackendDep) -> EpisodeDetail:
    """What the feed says of an episode, how its transcript was made, and the formats it is given in."""
    return episode_detail(*backend.episode(name))


def is_transcript(path: str) -> bool:
    """Whether a path is one of the transcripts, which players on other sites may read."""
    return path.startswith(router.prefix) and "/transcript." in path


def inline_as(file_name: str) -> str:
    """A Content-Disposition that proposes a file name: in ASCII, and where that differs in UTF-8 (RFC 6266, RFC 8187)."""
    stem, _, suffix = file_name.rpartition(".")
    plain = f"{slug(stem, 200)}.{suffix}"
    exact = "" if plain == file_name else f"; filename*=UTF-8''{quote(file_name, safe='', errors='replace')}"
    return f'inline; filename="{plain}"{exact}'
