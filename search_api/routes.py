"""What programs ask: search, episodes and transcripts under `/v1`, and whether the server lives and is ready."""

import json
from dataclasses import asdict
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.exceptions import HTTPException

from index.search import as_dict
from ingest.errors import TranscriptError
from ingest.transcripts.export import Format, render
from search_api import examples, problems
from search_api.deps import Desk
from search_api.documents import FORMS, MEDIA_TYPES, episode_document, preferred
from search_api.params import Question, read_question
from search_api.problems import NotAcceptableError, documented

# Browsers let a player on another site show a transcript only where its host allows it (Podcasting 2.0, `transcript`).
FOR_PLAYERS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
NO_INDEX = (problems.INDEX_NOT_BUILT, problems.INDEX_MISMATCH, problems.INDEX_UNUSABLE)
NO_QUERY = (problems.EMPTY_QUERY, problems.INVALID_QUERY, problems.INVALID_PARAMETER)
NO_EPISODE = (problems.EPISODE_NOT_FOUND, problems.UNREADABLE_TRANSCRIPT)

router = APIRouter()


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _name(name: Annotated[str, Path(description="The episode's key, or its guid, percent-encoded.")]) -> str:
    return unquote(name)


DeskDep = Annotated[Desk, Depends(_desk)]
QuestionDep = Annotated[Question, Depends(read_question)]
NameDep = Annotated[str, Depends(_name)]


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _tagged(request: Request, body: bytes, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """The body with its content hash as ETag, or 304 where the client has it already (RFC 9110, section 13.1.2)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    kept = {word.strip().removeprefix("W/") for word in request.headers.get("if-none-match", "").split(",")}
    # A transcript may be corrected at any time, so caches keep it but ask each time; the answer is then a 304.
    headers = {"ETag": tag, "Cache-Control": "no-cache"} | (headers or {})
    if kept & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


@router.get("/livez", operation_id="live", tags=["server"], summary="Alive")
def live() -> dict[str, str]:
    """Answers as soon as the server runs."""
    return {"status": "alive"}


@router.get("/readyz", operation_id="ready", tags=["server"], summary="Ready", responses=documented(*NO_INDEX))
def ready(desk: DeskDep) -> dict[str, Any]:
    """Can questions be answered? An index with rows is open, and its full-text index covers them."""
    return {"status": "ready"} | desk.readiness()


@router.get(
    "/v1/search",
    operation_id="search",
    tags=["search"],
    summary="Search",
    responses=examples.answer("The hits, best first", examples.SEARCH) | documented(*NO_QUERY, *NO_INDEX),
)
def search(question: QuestionDep, desk: DeskDep) -> Response:
    """The passages that answer a question: the same document that `soundbite search --json` prints."""
    return Response(_json(as_dict(desk.search(question))), media_type="application/json")


@router.get(
    "/v1/episodes",
    operation_id="list_episodes",
    tags=["episodes"],
    summary="Episodes",
    responses=examples.answer("The episodes, newest first", examples.EPISODES),
)
def list_episodes(
    request: Request, desk: DeskDep, podcast: Annotated[str, Query(description="Only this podcast's (its slug).")] = ""
) -> Response:
    """Every episode known here, newest first, with what became of it."""
    found = [asdict(status) for status in desk.episodes(podcast.strip())]
    return _tagged(request, _json({"count": len(found), "episodes": found}), "application/json")


@router.get(
    "/v1/episodes/{name:path}/transcript.{form}",
    operation_id="get_transcript_as",
    tags=["episodes"],
    summary="Transcript, by suffix",
    responses=examples.transcript() | documented(*NO_EPISODE, problems.NO_SUCH_ADDRESS, problems.NOT_ACCEPTABLE),
)
def transcript_as(
    request: Request,
    name: NameDep,
    form: Annotated[str, Path(description=f"One of {', '.join(FORMS)}.")],
    desk: DeskDep,
) -> Response:
    """An episode's transcript in the form its suffix names."""
    known = next((known for known in FORMS if known == form), None)
    if known is None:
        raise HTTPException(404)
    return _transcript(request, desk, name, known)


@router.get(
    "/v1/episodes/{name:path}/transcript",
    operation_id="get_transcript",
    tags=["episodes"],
    summary="Transcript, by Accept",
    responses=examples.transcript() | documented(*NO_EPISODE, problems.NOT_ACCEPTABLE),
)
def transcript(request: Request, name: NameDep, desk: DeskDep) -> Response:
    """An episode's transcript in the form the `Accept` header likes best; Markdown where it does not say."""
    answer = _transcript(request, desk, name, preferred(request.headers.get("accept", "*/*")))
    answer.headers["Vary"] = "Accept"
    return answer


def _transcript(request: Request, desk: Desk, name: str, form: Format) -> Response:
    path = desk.library.find(name)
    found = desk.library.read(path)
    try:
        text = render(found, form)
    except TranscriptError as error:
        raise NotAcceptableError(form, error.message) from error
    headers = FOR_PLAYERS | {"Content-Disposition": f'inline; filename="{path.stem}.{form}"'}
    return _tagged(request, text.encode(), MEDIA_TYPES[form], headers)


@router.get(
    "/v1/episodes/{name:path}",
    operation_id="get_episode",
    tags=["episodes"],
    summary="One episode",
    responses=examples.answer("The episode", examples.EPISODE) | documented(*NO_EPISODE),
)
def episode(request: Request, name: NameDep, desk: DeskDep) -> Response:
    """What its feed says of an episode, where its words came from, and the forms its transcript is given in."""
    return _tagged(request, _json(episode_document(*desk.episode(name))), "application/json")
