"""The pages: rendered on the server, readable without JavaScript; text from feeds and transcripts is always escaped."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from index.query import DEFAULT_LIMIT, MAX_QUERY, Answer
from ingest.links import is_video, playing, web_address
from ingest.times import clock, fragment_seconds
from search_api.deps import BackendDep, get_backend
from search_api.display import hit_view, long_date, transcript_paragraphs
from search_api.params import OptionalQueryDep
from search_api.problems import FOREIGN_HOST, FOREIGN_ORIGIN, KINDS, NO_KEY, TOO_OFTEN, Problem
from search_api.responses import CAPTION_FORMATS, FORMATS, formats_of, transcript_path

MODES = (("hybrid", "words and meaning"), ("vector", "meaning"), ("text", "words"))
LIMITS = (5, 10, 20, 50)
FIELDS = ("q", "podcast", "speaker", "since", "until", "mode", "limit", "adverts", "group_by", "language")
FILTERS = ("podcast", "speaker", "since", "until", "adverts", "group_by", "language")
TEMPLATES = Environment(
    loader=PackageLoader("search_api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
for function in (clock, fragment_seconds, is_video, long_date, playing, transcript_path, web_address):
    TEMPLATES.globals[function.__name__] = function

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def render(name: str, **values: Any) -> str:
    """One page from its template."""
    return TEMPLATES.get_template(name).render(values)


def is_page(path: str) -> bool:
    """Whether this address is a page, so that errors there are pages too."""
    return path in {"/", "/docs"} or path.startswith("/episodes/")


def _search_page(request: Request, answer: Answer | None = None, problem: Problem | None = None) -> str:
    """The form as it was filled in, and below it the answer or the problem, if there is one."""
    defaults = {"mode": MODES[0][0], "limit": str(DEFAULT_LIMIT)}
    form = {name: request.query_params.get(name) or defaults.get(name, "") for name in FIELDS}
    return render(
        "search.html",
        form=form,
        narrowed=any(form[name] for name in FILTERS),
        modes=MODES,
        limits=LIMITS,
        max_query=MAX_QUERY,
        podcasts=get_backend(request).library.podcasts() if problem is None or problem.status < 500 else [],
        problem=problem,
        answer=answer,
        hits=[hit_view(hit) for hit in answer.hits] if answer else [],
        formats=FORMATS,
        caption_formats=CAPTION_FORMATS,
    )


def problem_page(request: Request, problem: Problem) -> str:
    """An error as a page; what was asked stays in the form, which a caller who may not ask does not see."""
    if request.url.path == "/" and problem.kind not in {FOREIGN_HOST, FOREIGN_ORIGIN, NO_KEY, TOO_OFTEN}:
        return _search_page(request, problem=problem)
    return render("problem.html", problem=problem)


@router.get("/")
def home(request: Request, query: OptionalQueryDep, backend: BackendDep) -> str:
    """The search form, and the hits where something was asked."""
    return _search_page(request, backend.search(query) if query else None)


@router.get("/episodes/{key}")
def episode(key: str, backend: BackendDep) -> str:
    """One whole transcript, with times that play."""
    transcript = backend.transcript(key)
    return render(
        "episode.html",
        episode=transcript.episode,
        flag=transcript.provenance.get("flag", ""),
        formats=formats_of(transcript),
        paragraphs=transcript_paragraphs(transcript),
    )


@router.get("/docs")
def docs(request: Request) -> str:
    """The HTTP interface for people, from the same OpenAPI document that programs read, and every kind of problem."""
    return render("docs.html", api=request.app.openapi(), kinds=KINDS)
