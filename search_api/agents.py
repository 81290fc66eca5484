"""The door for agents: a few read-only tools over the Model Context Protocol, on the same layer as the HTTP operations.

Answers have a hard bound on their size, a citation and a link for every passage, and say that transcripts are data.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field
from starlette.types import ASGIApp

from index.open import open_searcher
from index.query import Mode, Query
from index.references import parse_reference, refer, resolve
from index.search import Searcher
from index.spoken import spoken
from ingest.errors import CursorError, QueryError, SoundbiteError
from ingest.identity import slug
from ingest.settings import VERSION, Settings, read_settings
from ingest.times import iso, parse_day
from search_api import agent_text as text_of
from search_api.agent_text import DATA, EpisodeResult, EpisodesResult, PassageResult, QuoteResult, SearchResult
from search_api.citations import cited_address
from search_api.deps import Backend
from search_api.guards import guarded
from search_api.listing import EpisodeFilter, ordered, page_after
from search_api.problems import problem_of
from search_api.responses import episode_detail

PATH = "/mcp"
LIMIT, MAX_LIMIT = 8, 20
WORDS_BEFORE, MAX_WORDS = 80, 2_500  # about half a minute before the moment; 2,500 words are some 15,000 characters
READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
Episode = Annotated[str, Field(description="An episode's key or guid.", max_length=500)]
Podcast = Annotated[str, Field(description="Only this podcast (name or slug).", max_length=200)]
Day = Annotated[str, Field(description="A date, as 2026-01-31.", max_length=40)]
Cursor = Annotated[str, Field(description="From the last result, for what comes after it.", max_length=60)]


def build_server(backend: Backend) -> MCPServer[Any]:
    """The tools over one backend."""
    server: MCPServer[Any] = MCPServer(
        "soundbite", title="Soundbite", version=VERSION, log_level="WARNING",
        instructions=f"Search what was said in podcasts and cite the moment. {DATA}",
    )  # fmt: skip
    tool = partial(server.tool, annotations=READ_ONLY)

    @tool(title="Search")
    async def search(  # noqa: PLR0917 - agents pass them by name
        query: Annotated[str, Field(description="A question or a few words.", min_length=1, max_length=1000)],
        podcast: Podcast = "",
        speaker: Annotated[str, Field(description="Only what this person says.", max_length=200)] = "",
        since: Day = "",
        until: Day = "",
        episode: Episode = "",
        mode: Mode = "hybrid",
        limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = LIMIT,
        cursor: Cursor = "",
    ) -> Annotated[CallToolResult, SearchResult]:
        """Find passages of podcast transcripts: the words, who says them, when, and a link that plays them."""

        def work() -> tuple[str, SearchResult]:
            days = parse_day(since), parse_day(until)
            asked = Query(query, limit, mode, podcast, speaker, *days, episode=_keyed(backend, episode), cursor=cursor)
            return text_of.found(backend.search(asked), asked)

        return await _answered(work)

    @tool(title="Read around a moment")
    async def get_passage(
        passage: Annotated[str, Field(description="A passage's name, from search or check_quote.", max_length=60)] = "",
        episode: Episode = "",
        at: Annotated[float | None, Field(description="The moment, in seconds.", ge=0)] = None,
        cursor: Cursor = "",
    ) -> Annotated[CallToolResult, PassageResult]:
        """Read the transcript around a passage, or around a moment of an episode, turn by turn."""
        return await _answered(lambda: read_around(backend, passage, episode, at, cursor))

    @tool(title="One episode")
    async def get_episode(episode: Episode) -> Annotated[CallToolResult, EpisodeResult]:
        """What is known of an episode: podcast, date, speakers, how its transcript was made; not the transcript."""

        def work() -> tuple[str, EpisodeResult]:
            detail = episode_detail(*backend.episode(episode))
            return text_of.described(detail, backend.titles().get(detail.podcast) or detail.podcast)

        return await _answered(work)

    @tool(title="Episodes")
    async def list_episodes(  # noqa: PLR0917 - agents pass them by name
        podcast: Podcast = "",
        title: Annotated[str, Field(description="Words of the title.", max_length=200)] = "",
        since: Day = "",
        until: Day = "",
        sort: Literal["newest", "oldest", "title"] = "newest",
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
        cursor: Cursor = "",
    ) -> Annotated[CallToolResult, EpisodesResult]:
        """List episodes by podcast, words of the title and date."""

        def work() -> tuple[str, EpisodesResult]:
            wanted = EpisodeFilter(None, title, parse_day(since), parse_day(until))
            found = ordered(wanted.of(backend.episodes(podcast)), sort)
            shown, following = page_after(found, cursor, limit)
            return text_of.listed(shown, len(found), following)

        return await _answered(work)

    @tool(title="Check a quote")
    async def check_quote(
        text: Annotated[str, Field(description="The quote, at least three words.", min_length=1, max_length=3000)],
        episode: Episode = "",
        podcast: Podcast = "",
    ) -> Annotated[CallToolResult, QuoteResult]:
        """Say whether a quote was said word for word, nearly so, joined from several places, or not at all; and where."""
        podcasts = (podcast,) if podcast else ()
        return await _answered(lambda: text_of.checked(backend.check_quote(text, episode, podcasts)))

    return server


def read_around(
    backend: Backend, passage: str, episode: str, at: float | None, cursor: str
) -> tuple[str, PassageResult]:
    """The turns around a passage, or around a moment of an episode; a cursor (a word's number) goes on from there.

    Raises `QueryError` where neither is given, `NotFoundError`, `TranscriptError`.
    """
    if not passage and not episode:
        raise QueryError("", "give `passage`, or `episode` and `at`")
    reference = parse_reference(passage) if passage else None
    transcript = backend.transcript(reference.key if reference else episode)
    words = spoken(transcript)
    first = resolve(reference, words).first if reference else words.word_at(at or 0.0)
    begin = words.around(max(0, first - WORDS_BEFORE), first + 1, 0)[0] if first else 0
    if cursor:
        if not cursor.isascii() or not cursor.isdecimal() or int(cursor[:8]) >= len(words.words):
            raise CursorError("", "the cursor is of another episode, or it was edited; begin without it")
        begin = int(cursor)
    end, body = begin, ""
    for sentence in (end for end in words.sentences if end > begin):
        longer = text_of.turns_text(words.by_turns(begin, sentence))
        if body and (sentence - begin > MAX_WORDS or len(longer) > text_of.MAX_PASSAGE - 2_000):
            break
        end, body = sentence, longer
    said = words.excerpt(begin, end)
    link = cited_address(transcript.episode.link, transcript.episode.audio_url, said.start)
    title = backend.titles().get(slug(transcript.episode.podcast)) or transcript.episode.podcast
    published = iso(transcript.episode.published_at)
    head = f"{DATA}\n{text_of.reference('', transcript.episode.title, title, published, said.start)}. {link}"
    following = str(end) if end < len(words.words) else ""
    result = PassageResult(
        transcript.episode.key, str(refer(transcript.episode.key, words, begin, end)), said.start, said.end, link,
        bool(following), following,
    )  # fmt: skip
    return f"{head}\n\n{body}"[: text_of.MAX_PASSAGE - 1_000], result


async def _answered(work: Callable[[], tuple[str, Any]]) -> CallToolResult:
    """What a tool answers, worked out in a thread. Raises `ToolError` in words that help to ask better."""
    try:
        text, structured = await to_thread.run_sync(work)
    except SoundbiteError as error:
        raise ToolError(problem_of(error).detail) from error
    except ValueError as error:  # a date that is none
        raise ToolError(str(error)[:300]) from error
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=asdict(structured))


def _keyed(backend: Backend, episode: str) -> str:
    return backend.library.find(episode).key if episode else ""


def create_mcp_app(settings: Settings | None = None, opener: Callable[[Settings], Searcher] = open_searcher) -> ASGIApp:
    """The tools over streamable HTTP at `/mcp`, behind the same checks of Host, Origin, body and key as the HTTP API."""
    settings = settings or read_settings()
    backend = Backend(settings, opener(settings))
    app = build_server(backend).streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # `guarded` does it
    )
    return guarded(app, settings)


def main() -> None:
    """Serve the tools over stdin and stdout until they close."""
    settings = read_settings()
    backend = Backend(settings, open_searcher(settings))
    build_server(backend).run("stdio")


if __name__ == "__main__":
    main()
