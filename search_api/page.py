"""The page: rendered here, readable without JavaScript, and nothing said in a podcast is ever taken for HTML."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from index.query import DEFAULT_LIMIT, MAX_QUERY, Answer, Hit
from ingest.times import parse_date, play_url
from search_api import display as wording
from search_api.documents import FORMS, TIMED, forms_of, transcript_address
from search_api.params import LimitsDep
from search_api.problems import KINDS, Problem
from search_api.routes import DeskDep

MODES = (("hybrid", "words and meaning"), ("vector", "meaning"), ("text", "words"))
LIMITS = (5, 10, 20, 50)
FIELDS = ("q", "podcast", "speaker", "since", "until", "mode", "limit", "adverts")

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Views:
    """The templates, read once; everything put into them is escaped."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("search_api"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, **values: Any) -> str:
        """One page."""
        return self._templates.get_template(name).render(values)


def _views(request: Request) -> Views:
    views: Views = request.app.state.views
    return views


ViewsDep = Annotated[Views, Depends(_views)]


def is_page(path: str) -> bool:
    """Whether people read this address, so that errors there are pages too."""
    return path in {"/", "/docs"} or path.startswith(("/episodes/", "/problems/"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit in the words and addresses of the page."""

    rank: int
    passage: list[wording.Said]
    speaker: str
    time: str
    until: str
    title: str
    podcast: str
    published: str
    moment: str
    page: str
    link: str
    play_url: str
    citation: str
    forms: list[tuple[str, str]]
    score: float
    meaning: float | None
    words: float | None
    approximate: bool
    advert: bool


def shown(hit: Hit) -> Shown:
    """How a hit is shown; it plays from the marked sentence on."""
    published = parse_date(hit.published or "")
    start = hit.start if hit.snippet_start is None else hit.snippet_start
    time = "" if start is None else wording.clock(start)
    until = "" if hit.end is None else wording.clock(hit.end)
    playing, link = wording.web_address(play_url(hit.audio_url, start, hit.end)), wording.web_address(hit.link)
    source = (hit.speaker, f"“{hit.title}”", hit.podcast, wording.day(published), time)
    return Shown(
        hit.rank, wording.said(hit.text, hit.snippet, hit.speaker), hit.speaker, time, until, hit.title, hit.podcast,
        wording.day(published), published.date().isoformat() if published else "",
        wording.at(f"/episodes/{hit.key}", start), link, playing,
        wording.citation(hit.snippet or hit.text, source, wording.at(link, start) or playing),
        _forms(hit.key, hit.start is not None), hit.score, hit.scores.vector, hit.scores.text,
        hit.approximate, hit.advert,
    )  # fmt: skip


def _forms(key: str, timed: bool) -> list[tuple[str, str]]:
    return [(form, transcript_address(key, form)) for form in FORMS if timed or form not in TIMED]


def _form(asked: QueryParams) -> dict[str, str]:
    """What the form shows: what was asked, as it was typed."""
    defaults = {"mode": MODES[0][0], "limit": str(DEFAULT_LIMIT)}
    return {name: asked.get(name, "") or defaults.get(name, "") for name in FIELDS}


def _search_page(request: Request, answer: Answer | None = None, problem: Problem | None = None) -> str:
    form = _form(request.query_params)
    podcasts = request.app.state.desk.podcasts() if problem is None or problem.status < 500 else []
    return _views(request).render(
        "search.html",
        form=form,
        narrowed=any(form[name] for name in ("podcast", "speaker", "since", "until", "adverts")),
        modes=MODES,
        limits=LIMITS,
        longest=MAX_QUERY,
        podcasts=podcasts,
        known=bool(podcasts),
        problem=problem,
        answer=answer,
        hits=[shown(hit) for hit in answer.hits] if answer else [],
        coverage=answer.coverage if answer else None,
    )


def problem_page(request: Request, problem: Problem) -> str:
    """An error for people; what they asked stays in the form."""
    if request.url.path == "/":
        return _search_page(request, problem=problem)
    return _views(request).render("problem.html", problem=problem)


@router.get("/")
def home(request: Request, limits: LimitsDep, desk: DeskDep, q: str = "") -> str:
    """The search box, and the hits once something was asked."""
    asked = replace(limits, query=q)
    return _search_page(request, desk.search(asked) if q.strip() else None)


@router.get("/episodes/{key}")
def episode(key: str, desk: DeskDep, views: ViewsDep) -> str:
    """One whole transcript, with times that play."""
    transcript = desk.transcript(key)
    found = transcript.episode
    return views.render(
        "episode.html",
        episode=found,
        published=wording.day(found.published_at),
        moment=found.published_at.date().isoformat() if found.published_at else "",
        audio=wording.web_address(found.audio_url),
        link=wording.web_address(found.link),
        forms=[(form, transcript_address(found.key, form)) for form in forms_of(transcript)],
        paragraphs=wording.paragraphs(transcript),
        flag=transcript.provenance.get("flag", ""),
        at=wording.at,
        clock=wording.clock,
        seconds=wording.seconds,
    )


@router.get("/docs")
def docs(request: Request, views: ViewsDep) -> str:
    """The HTTP interface in words, from the same OpenAPI document that programs read."""
    return views.render("docs.html", api=request.app.openapi(), kinds=KINDS)


@router.get("/problems/{name}")
def problem(name: str, views: ViewsDep) -> str:
    """What one kind of problem means: each error's `type` leads here."""
    kind = next((kind for kind in KINDS if kind.name == name), None)
    if kind is None:
        raise HTTPException(404)
    return views.render("problem.html", problem=Problem(kind, kind.meaning, kind.status))
