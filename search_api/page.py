"""The pages to ask on, rendered on the server and readable without JavaScript; text from others is always escaped."""

from dataclasses import asdict, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.datastructures import QueryParams

from index.query import DEFAULT_LIMIT, MAX_LIMIT, MAX_QUERY, Answer
from index.query import Query as Question
from index.speakers import meant
from index.speakers import near as near_names
from ingest.identity import slug
from search_api import browse, operations, problems, syndication
from search_api.deps import BackendDep
from search_api.display import AROUND, hit_view, podcast_title
from search_api.overview import Overview, OverviewDep, get_overview
from search_api.params import OptionalQueryDep, QueryDep
from search_api.problems import FOREIGN_HOST, FOREIGN_ORIGIN, KINDS, NO_KEY, TOO_OFTEN, Problem
from search_api.suggestions import suggestions
from search_api.templating import render

MODES = (("hybrid", "words and meaning"), ("vector", "meaning"), ("text", "exact words"))
DEFAULTS = {"mode": MODES[0][0], "limit": str(DEFAULT_LIMIT), "adverts": "false"}
FILTERS = ("podcast", "speaker", "language", "since", "until", "episode", "mode", "adverts")
FOLLOWED = ("q", "podcast", "speaker", "language", "since", "until")  # what a feed of a question is narrowed by
LATEST = 6  # episodes on the first page
# What a person can do, in words that speak of no command; other problems say themselves what is wrong.
ADVICE = {
    problems.INDEX_NOT_BUILT: "The first episodes are still being prepared. Try again in a few minutes.",
    problems.INDEX_MISMATCH: "The search index is being replaced. Try again later, or tell whoever runs this server.",
    problems.INDEX_UNUSABLE: "The search index cannot be read. Tell whoever runs this server.",
    problems.HOME_UNUSABLE: "The collection cannot be read. Tell whoever runs this server.",
    problems.NO_SUCH_PODCAST: "Choose one from the list, or search all of them.",
    problems.EPISODE_NOT_FOUND: "It may have been removed. All episodes are listed under Browse.",
    problems.NO_SUCH_ADDRESS: "The link may be mistyped. Ask a question, or browse the episodes.",
    problems.UNREADABLE_TRANSCRIPT: "This transcript cannot be read. Tell whoever runs this server.",
    problems.OTHER_CURSOR: "The collection has changed since. Ask again to see the answers from the first.",
    problems.FOREIGN_HOST: problems.FOREIGN_HOST.advice,
    problems.FOREIGN_ORIGIN: problems.FOREIGN_ORIGIN.advice,
}  # fmt: skip

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
router.include_router(browse.router)
router.include_router(operations.router)


def is_page(path: str) -> bool:
    """Whether this address is a page, so that errors there are pages too."""
    return path in {"/", "/docs", "/podcasts", "/episodes", "/collections", "/operations"} or path.startswith(
        "/episodes/"
    )


def short_address(asked: QueryParams) -> str:
    """The address of a search without empty fields and defaults."""
    kept = [(name, value) for name, value in asked.multi_items() if value.strip() and DEFAULTS.get(name) != value]
    return f"/?{urlencode(kept)}" if kept else "/"


def without(asked: QueryParams, *names: str, **others: str) -> str:
    """The address of a search without some fields, and with others."""
    kept = [(name, value) for name, value in asked.multi_items() if name not in {*names, *others, "cursor"}]
    return f"/?{urlencode([*kept, *others.items()])}"


def _filters(form: dict[str, str], asked: QueryParams, overview: Overview) -> list[tuple[str, str]]:
    """The filters that are set, each in words and with the address of the search without it."""
    said = {
        "podcast": podcast_title(form["podcast"], overview.titles),
        "speaker": f"said by {form['speaker']}",
        "language": dict(overview.languages).get(form["language"], form["language"]),
        "since": f"from {form['since']}",
        "until": f"until {form['until']}",
        "episode": next((one.title for one in overview.episodes if one.key == form["episode"]), "one episode"),
        "mode": f"by {dict(MODES).get(form['mode'], form['mode'])}",
        "adverts": "adverts too",
    }
    return [(said[name], without(asked, name)) for name in FILTERS if form[name]]


def _meant(form: dict[str, str], asked: QueryParams, overview: Overview) -> list[tuple[str, str]]:
    """Names close to a podcast or a speaker that is not there, each with the address of the search with it."""
    near: list[tuple[str, str]] = []
    if form["podcast"] and slug(form["podcast"]) not in overview.titles:
        close = near_names(form["podcast"], [("", title) for title in overview.titles.values()])
        near += [(name, without(asked, podcast=slug(name))) for name in close]
    if form["speaker"] and not meant(form["speaker"], [("", name) for name in overview.speakers]).all:
        close = near_names(form["speaker"], [("", name) for name in overview.speakers])
        near += [(name, without(asked, speaker=name)) for name in close]
    return near


def _search_page(request: Request, answer: Answer | None = None, problem: Problem | None = None) -> str:
    """The form as it was filled in, and below it the answer or the problem, if there is one."""
    asked = request.query_params
    form = {name: asked.get(name, "") if asked.get(name) != DEFAULTS.get(name) else "" for name in ("q", *FILTERS)}
    usable = problem is None or problem.status < 500
    cache = get_overview(request, request.app.state.backend)
    overview = cache.get() if usable else Overview()
    home = not form["q"] and not problem
    return render(
        "search.html",
        form=form,
        home=home,
        filters=_filters(form, asked, overview),
        meant=_meant(form, asked, overview),
        modes=MODES,
        max_query=MAX_QUERY,
        overview=overview,
        examples=cache.examples() if home and overview.searchable else (),
        latest=overview.searchable[:LATEST],
        problem=problem,
        advice=ADVICE.get(problem.kind, "") if problem else "",
        answer=answer,
        hits=[hit_view(hit, overview.titles) for hit in answer.hits] if answer else [],
        more=without(asked, cursor=answer.cursor) if answer and answer.cursor else "",
        first=without(asked) if asked.get("cursor") else "",
        feed=f"/feed.xml?{urlencode({name: form[name] for name in FOLLOWED if form[name]})}" if form["q"] else "",
    )


def problem_page(request: Request, problem: Problem) -> str:
    """An error as a page; what was asked stays in the form, which a caller who may not ask does not see."""
    if request.url.path == "/" and problem.kind not in {FOREIGN_HOST, FOREIGN_ORIGIN, NO_KEY, TOO_OFTEN}:
        return _search_page(request, problem=problem)
    return render("problem.html", problem=problem, advice=ADVICE.get(problem.kind, ""))


def _for_people(query: Question) -> Question:
    """People read one card an episode; within one episode, one a passage; both with what stands around the answer."""
    return replace(query, context=AROUND, group_by=query.group_by if query.episode else "episode")


@router.get("/", response_model=None)
def home(request: Request, query: OptionalQueryDep, backend: BackendDep) -> str | Response:
    """The question box, and the hits where something was asked; an address with empty fields leads to its short form."""
    short = short_address(request.query_params)
    if request.query_params and short != f"/?{urlencode(request.query_params.multi_items())}":
        return RedirectResponse(short, 303)
    return HTMLResponse(_search_page(request, backend.search(_for_people(query)) if query else None))


@router.get("/feed.xml")
def feed(request: Request, query: QueryDep, backend: BackendDep) -> Response:
    """The question as a feed, for those who have no name for it on the server: moments that answer it, the newest first."""
    asked = Question(
        query.text, MAX_LIMIT, podcast=query.podcasts, speaker=query.speaker, since=query.since, until=query.until,
        language=query.language,
    )  # fmt: skip
    base = str(request.base_url).rstrip("/")
    feed = syndication.alert_feed(query.text, backend.moments(asked), base, str(request.url))
    return Response(feed, media_type=syndication.MEDIA_TYPE)


@router.get("/suggest")
def suggest(overview: OverviewDep, q: Annotated[str, Query(max_length=MAX_QUERY)] = "") -> Response:
    """Completions of what is being typed, for the box on the page."""
    there = overview.get()
    episodes = ((one.key, one.title) for one in there.searchable)
    found = suggestions(q, overview.examples(), there.speakers, episodes, there.titles.items())
    return JSONResponse([asdict(one) for one in found])


@router.get("/collections")
def collections() -> str:
    """The lists of moments that a person keeps in the browser; nothing of them is on the server."""
    return render("collections.html")


@router.get("/docs")
def docs(request: Request) -> str:
    """The HTTP interface for people, from the same OpenAPI document that programs read, and every kind of problem."""
    return render("docs.html", api=request.app.openapi(), kinds=KINDS)
