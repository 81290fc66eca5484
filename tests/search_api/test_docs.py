"""The curl lines of docs/api.md work as they stand there; and its tables name every parameter there is."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from index.alerts import Alert, Alerts
from search_api.app import create_app
from tests.search_api.home import SELLERS, TIMED, UNTIMED, Client, add, opener

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
LINES = [line for line in PAGE.splitlines() if line.startswith("curl ")]
BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from ingest.settings import Settings

    settings = Settings(home=tmp_path_factory.mktemp("docs"))
    add(settings, TIMED, UNTIMED)
    Alerts(settings.alerts_path).add(Alert("people", "why do the best people leave?"))
    with Client(create_app(settings, opener)) as client:
        yield client


def test_there_are_lines_to_try():
    assert len(LINES) > 12


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_documentation_works(served, line):
    passage = served.get("/v1/search?q=people").json()["hits"][0]["id"]
    for name, value in (("EPISODE", SELLERS.key), ("PASSAGE", passage), ("ALERT", "people")):
        line = re.sub(rf"\b{name}\b", value, line)
    words = shlex.split(line)[1:]
    address = next(word for word in words if word.startswith(BASE)).removeprefix(BASE)
    options = dict(pairwise(words))
    headers = dict([options["-H"].split(": ", 1)]) if "-H" in options else {}
    answer = (
        served.post(address, content=options["-d"].encode(), headers=headers)
        if "-d" in options
        else served.get(address, headers=headers)
    )
    assert answer.status_code == 200, answer.text
    assert answer.content


@pytest.mark.parametrize(("path", "until"), [("/v1/search", "## Passages"), ("/v1/episodes", "## Everything")])
def test_every_parameter_is_explained(served, path, until):
    part = PAGE.partition(until)[0]
    parameters = [one["name"] for one in served.get("/openapi.json").json()["paths"][path]["get"]["parameters"]]
    assert [name for name in parameters if f"`{name}`" not in part] == []
