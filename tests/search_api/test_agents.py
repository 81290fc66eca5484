"""The tools for agents, by the protocol's own client: over stdin and stdout, over HTTP, and within their bounds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

mcp = pytest.importorskip("mcp")

from mcp.client import Client  # noqa: E402 - optional
from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: E402

from ingest.keys import Keys  # noqa: E402
from ingest.models import Episode, Transcript, Turn  # noqa: E402
from search_api.agent_text import DATA, MAX_PASSAGE, MAX_SEARCH  # noqa: E402
from search_api.agents import build_server, create_mcp_app  # noqa: E402
from search_api.deps import Backend  # noqa: E402
from tests.search_api.home import SELLERS, TIMED, UNTIMED, add, opener, running  # noqa: E402

ROOT = Path(__file__).parents[2]
TOOLS = ["search", "get_passage", "get_episode", "list_episodes", "check_quote"]
WORDS = " ".join(f"Number {n} of the plan is to raise prices again and to tell all buyers why." for n in range(400))
LONG = Transcript(Episode("long", "l1", "L" * 400, link="https://a.example/" + "x" * 900), (Turn(WORDS, "Ann" * 50),))


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    from ingest.settings import Settings

    settings = Settings(home=tmp_path_factory.mktemp("agents"))
    many = [
        Transcript(
            Episode("many", f"m{n}", f"Talk {n} " + "é" * 300), (Turn(f"Prices rise in year {n}. " * 40, "Ben"),)
        )
        for n in range(12)  # of all fewer chunks than a search looks at, so that none of equals is left out
    ]
    add(settings, TIMED, UNTIMED, LONG, *many)
    return settings


def asked(settings, work):
    """What `work` returns, given a client in this process."""

    async def run():
        async with Client(build_server(Backend(settings, opener(settings)))) as client:
            return await work(client)

    return anyio.run(run)


def call(settings, tool, **arguments):
    return asked(settings, lambda client: client.call_tool(tool, arguments))


def text(result):
    assert not result.is_error, result.content[0].text
    assert len(result.content) == 1
    return result.content[0].text


def size(result):
    return len(text(result)) + len(json.dumps(result.structured_content))


def test_the_tools_are_few_read_only_and_short_to_read(settings):
    tools = asked(settings, lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == TOOLS
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert len(tool.description) < 140
        assert tool.output_schema["type"] == "object"
    assert len(json.dumps([tool.model_dump(mode="json", exclude_none=True) for tool in tools])) < 12_000


def test_a_search_reads_as_text_with_a_citation_and_a_link_for_each_passage(settings):
    result = call(settings, "search", query="why do the best people leave?", podcast="selling-well", limit=1)
    read = text(result)
    assert DATA in read
    assert "Ben, “Keeping your best seller”, Selling Well, 20 February 2025, at 0:04" in read
    assert "https://podcast.example/1.mp3#t=4.5" in read
    (found,) = result.structured_content["passages"]
    assert f"(passage {found['passage']})" in read
    assert (found["episode"], found["speaker"], found["start"]) == (SELLERS.key, "Ben", 4.5)
    assert "Welcome to the show" in read
    assert "Welcome to the show" not in json.dumps(result.structured_content)  # not the same twice


@pytest.mark.parametrize("limit", [8, 20])
def test_a_search_stays_within_its_bound_and_goes_on_with_its_cursor(settings, limit):
    seen, cursor = [], ""
    while True:
        result = call(settings, "search", query="prices rise", limit=limit, **({"cursor": cursor} if cursor else {}))
        assert size(result) <= MAX_SEARCH
        seen += [one["passage"] for one in result.structured_content["passages"]]
        cursor = result.structured_content["cursor"]
        assert result.structured_content["truncated"] is bool(cursor)
        if not cursor:
            break
    assert len(seen) == len(set(seen)) > 20


def test_a_moment_is_read_turn_by_turn_with_what_is_around(settings):
    result = call(settings, "get_passage", episode=SELLERS.key, at=5)
    assert "[0:00] Ann: Welcome to the show about selling.\n\n[0:04] Ben: The best people" in text(result)
    passage = result.structured_content["passage"]
    assert text(call(settings, "get_passage", passage=passage)) == text(result)
    assert result.structured_content["link"] == "https://podcast.example/1.mp3#t=0"


def test_a_long_transcript_is_read_in_parts_that_leave_nothing_out(settings):
    read, cursor = "", ""
    while True:
        result = call(settings, "get_passage", episode=LONG.episode.key, **({"cursor": cursor} if cursor else {}))
        assert size(result) <= MAX_PASSAGE
        read += text(result).partition("\n\n")[2].partition(": ")[2] + " "
        cursor = result.structured_content["cursor"]
        assert result.structured_content["truncated"] is bool(cursor)
        if not cursor:
            break
    assert read.strip() == WORDS


def test_an_episode_is_described_without_its_transcript(settings):
    read = text(call(settings, "get_episode", episode=SELLERS.key))
    assert "Speakers: Ann, Ben" in read
    assert "Welcome" not in read


def test_episodes_are_listed_in_bounded_parts(settings):
    result = call(settings, "list_episodes", podcast="many", limit=100)
    assert result.structured_content["count"] == 12
    assert size(result) <= MAX_SEARCH
    more = call(settings, "list_episodes", podcast="many", limit=2)
    assert more.structured_content["truncated"]
    again = call(settings, "list_episodes", podcast="many", limit=2, cursor=more.structured_content["cursor"])
    assert again.structured_content["episodes"] != more.structured_content["episodes"]


def test_a_quote_is_checked_with_its_place(settings):
    result = call(settings, "check_quote", text="the best people leave when nobody asks them for less")
    assert result.structured_content["verdict"] == "near"
    assert "Differs: “less” for “more”" in text(result)
    assert "https://podcast.example/1.mp3#t=2.5,9" in text(result)


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search", {"query": "?!"}, "at least one word"),
        ("search", {"query": "x", "podcast": "nosuch"}, "no such podcast"),
        ("search", {"query": "x", "since": "soon"}, "is not a date"),
        ("search", {"query": "x", "limit": 21}, "20"),
        ("search", {"query": "x", "cursor": "1-x.y"}, "cursor"),
        ("get_passage", {}, "give `passage`, or `episode` and `at`"),
        ("get_passage", {"passage": "x"}, "no name of a passage"),
        ("get_passage", {"episode": SELLERS.key, "cursor": "9999"}, "cursor"),
        ("get_episode", {"episode": "nobody"}, "no such episode"),
        ("check_quote", {"text": "three words here", "episode": "nobody"}, "no such episode"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words_that_help(settings, tool, arguments, said):
    result = call(settings, tool, **arguments)
    assert result.is_error
    assert said in result.content[0].text


def test_an_agent_reaches_the_tools_over_http_and_pages_of_others_do_not(settings):
    async def run(address):
        async with Client(f"{address}/mcp") as client:
            result = await client.call_tool("search", {"query": "best people leave", "limit": 1})
            return [tool.name for tool in (await client.list_tools()).tools], result

    with running(create_mcp_app(settings, opener)) as address:
        names, result = anyio.run(run, address)
        assert names == TOOLS
        assert DATA in text(result)
        from tests.search_api.test_admission import ask_from_outside

        assert ask_from_outside(f"{address}/mcp", "Host=evil.example") == ["421"]
        assert ask_from_outside(f"{address}/mcp", "Origin=https://evil.example") == ["403"]


def test_with_keys_an_agent_needs_one_too(own):
    add(own, TIMED)
    Keys(own.keys_path).add("agent")
    from tests.search_api.test_admission import ask_from_outside

    with running(create_mcp_app(own, opener)) as address:
        assert ask_from_outside(f"{address}/mcp") == ["401"]


SERVE = """
from pathlib import Path
import sys
from ingest.settings import Settings
from search_api.agents import build_server
from search_api.deps import Backend
from tests.search_api.home import opener
settings = Settings(home=Path(sys.argv[1]))
build_server(Backend(settings, opener(settings))).run("stdio")
"""


def test_an_agent_reaches_the_tools_over_stdin_and_stdout(settings):
    server = StdioServerParameters(
        command=sys.executable,
        args=["-c", SERVE, str(settings.home)],
        cwd=str(ROOT),
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
    )

    async def run():
        async with Client(stdio_client(server)) as client:
            return (await client.list_tools()).tools, await client.call_tool(
                "get_passage", {"episode": SELLERS.key, "at": 5}
            )

    tools, result = anyio.run(run)
    assert [tool.name for tool in tools] == TOOLS
    assert "Ben: The best people leave" in text(result)


def test_the_command_says_what_it_is_and_needs():
    code = "import sys; from flows.cli.main import main; sys.argv = ['soundbite', 'mcp', '--help']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "--http" in done.stdout
