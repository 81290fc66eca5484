"""The HTTP operations for programs: search, episodes and transcripts under `/v1`; whether the server lives and is ready."""

from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response

from index.query import Answer
from ingest.errors import TranscriptError
from ingest.identity import slug
from ingest.transcripts.export import Format, render
from search_api import problems
from search_api.deps import BackendDep, EpisodeName
from search_api.operation import KnownParametersRoute
from search_api.params import QueryDep
from search_api.problems import NoSuchFormatError, documented
from search_api.responses import MEDIA_TYPES, EpisodeDetail, EpisodeList, Liveness, Readiness, episode_detail

# Browsers let a player on another site show a transcript only where its host allows it (Podcasting 2.0, `transcript`).
CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
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


def _schema(media: str) -> dict[str, str]:
    return {"type": "object" if media == MEDIA_TYPES["json"] else "string"}


router = APIRouter()
searches = APIRouter(prefix="/v1", tags=["search"], route_class=KnownParametersRoute, responses=UNCHANGED)
episodes = APIRouter(prefix="/v1/episodes", tags=["episodes"], route_class=KnownParametersRoute, responses=UNCHANGED)


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


@episodes.get("", operation_id="list_episodes", summary="Episodes", responses=BAD_PARAMETER | NO_HOME)
def list_episodes(
    backend: BackendDep, podcast: Annotated[str, Query(description="Only this podcast's (its name or slug).")] = ""
) -> EpisodeList:
    """Every known episode, newest first, with its state."""
    found = tuple(backend.episodes(podcast))
    return EpisodeList(len(found), found)


@episodes.get(
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


@episodes.get(
    "/{name:path}",
    operation_id="get_episode",
    summary="One episode",
    responses=documented(problems.EPISODE_NOT_FOUND, problems.INVALID_PARAMETER) | UNREADABLE,
)
def episode(name: EpisodeName, backend: BackendDep) -> EpisodeDetail:
    """What the feed says of an episode, how its transcript was made, and the formats it is given in."""
    return episode_detail(*backend.episode(name))


router.include_router(searches)
router.include_router(episodes)


def is_transcript(path: str) -> bool:
    """Whether a path is one of the transcripts, which players on other sites may read."""
    return path.startswith(episodes.prefix) and "/transcript." in path


def inline_as(file_name: str) -> str:
    """A Content-Disposition that proposes a file name: in ASCII, and where that differs in UTF-8 (RFC 6266, RFC 8187)."""
    stem, _, suffix = file_name.rpartition(".")
    plain = f"{slug(stem, 200)}.{suffix}"
    exact = "" if plain == file_name else f"; filename*=UTF-8''{quote(file_name, safe='', errors='replace')}"
    return f'inline; filename="{plain}"{exact}'
