"""The HTTP operations on the library as a whole: podcasts, the export, feeds of transcripts and of standing questions."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from ingest.identity import slug
from search_api import problems, syndication
from search_api.deps import BackendDep
from search_api.export import MEDIA, ExportFormat, exported
from search_api.listing import PodcastList
from search_api.operation import KnownParametersRoute
from search_api.params import Words
from search_api.problems import documented
from search_api.routes import BAD_PARAMETER, NO_HOME, NO_INDEX, UNCHANGED

FEED: dict[int | str, dict[str, Any]] = {200: {"content": {syndication.MEDIA_TYPE: {"schema": {"type": "string"}}}}}
FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()}}
}
KEY = r"^[0-9a-f]{16}$"
router = APIRouter(prefix="/v1", route_class=KnownParametersRoute)
Podcasts = Annotated[list[Words] | None, Query(description="Only this podcast's (its name or slug); may be repeated.")]


@router.get(
    "/podcasts", operation_id="list_podcasts", tags=["podcasts"], summary="Podcasts", responses=UNCHANGED | NO_HOME
)
def list_podcasts(backend: BackendDep) -> PodcastList:
    """Every podcast that is subscribed to or has transcripts: its episodes by state, and how its feed does."""
    found = tuple(backend.podcasts())
    return PodcastList(len(found), found)


@router.get(
    "/export",
    operation_id="export",
    tags=["library"],
    summary="Everything as one file",
    response_class=Response,
    responses=FILES | BAD_PARAMETER | NO_HOME,
)
def export(
    backend: BackendDep,
    format: Annotated[ExportFormat, Query(description="JSON Lines, or Parquet.")] = "jsonl",  # noqa: A002
    podcast: Podcasts = None,
    after: Annotated[
        str,
        Query(
            pattern=rf"^$|{KEY}", description="Only episodes after this key: to go on with an export that was cut off."
        ),
    ] = "",
) -> StreamingResponse:
    """Every transcript with its times and where it comes from, in the order of the episodes' keys."""
    rows = backend.export_rows(tuple(podcast or ()), after)
    headers = {"Content-Disposition": f'attachment; filename="soundbite.{format}"', "Cache-Control": "no-store"}
    return StreamingResponse(exported(rows, format), media_type=MEDIA[format], headers=headers)


@router.get(
    "/feed.xml",
    operation_id="transcript_feed",
    tags=["feeds"],
    summary="Transcripts as a feed",
    response_class=Response,
    responses=UNCHANGED | FEED | BAD_PARAMETER | NO_HOME,
)
def transcript_feed(
    request: Request,
    backend: BackendDep,
    podcast: Annotated[Words, Query(description="Only this podcast's (its name or slug).")] = "",
    limit: Annotated[int, Query(ge=1, le=1000, description="The largest number of episodes, newest first.")] = 100,
) -> Response:
    """RSS with each episode that has a transcript, which players find by `podcast:transcript`."""
    found = [one for one in backend.episodes(podcast) if one.status in {"indexed", "transcribed"}][:limit]
    title = backend.titles().get(slug(podcast), podcast) if podcast else "Transcripts"
    return _feed(syndication.transcript_feed(found, title, _base(request), str(request.url)))


@router.get(
    "/alerts/{name}.xml",
    operation_id="alert_feed",
    tags=["feeds"],
    summary="New moments as a feed",
    response_class=Response,
    responses=UNCHANGED | FEED | NO_INDEX | documented(problems.ALERT_NOT_FOUND, problems.INVALID_PARAMETER),
)
def alert_feed(
    name: Annotated[str, Path(description="The alert's name: `soundbite alert add NAME QUESTION`.")],
    request: Request,
    backend: BackendDep,
) -> Response:
    """RSS with the moments that answer a standing question, the latest published first."""
    alert, hits = backend.alert(name)
    return _feed(syndication.alert_feed(alert.question, hits, _base(request), str(request.url)))


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _feed(body: bytes) -> Response:
    return Response(body, media_type=syndication.MEDIA_TYPE)
