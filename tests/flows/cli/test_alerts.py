"""`soundbite alert`: kept by name, shown, forgotten."""

import json

import pytest
from typer.testing import CliRunner

from flows.cli import alerts, main
from ingest.errors import AlertNotFoundError, LanguageError, NotFoundError, QueryError


@pytest.fixture
def soundbite(tmp_path, monkeypatch):
    monkeypatch.setenv("SOUNDBITE_HOME", str(tmp_path))
    main._register(["alert"])

    def run(*arguments):
        done = CliRunner().invoke(main.app, ["alert", *arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    return run


def test_a_question_is_kept_shown_and_forgotten(soundbite):
    assert "No alerts yet" in soundbite("list")
    assert "/v1/alerts/cold-calls.xml" in soundbite(
        "add", "Cold Calls", "how do I open a cold call?", "--speaker", "Ann"
    )
    assert json.loads(soundbite("list", "--json")) == {
        "alerts": [{"name": "cold-calls", "question": "how do I open a cold call?", "podcast": "", "speaker": "Ann", "language": ""}]
    }  # fmt: skip
    assert "how do I open" in soundbite("list")
    assert "forgotten" in soundbite("remove", "cold-calls")
    assert "No alerts yet" in soundbite("list")
    assert alerts.app.registered_groups[0].name == "alert"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("remove", "nosuch"), AlertNotFoundError),
        (("add", "x", "?!"), QueryError),
        (("add", "x", "why?", "--language", "qq"), LanguageError),
        (("add", "x", "why?", "--podcast", "nosuch"), NotFoundError),
    ],
)
def test_what_cannot_be_kept_is_an_error(soundbite, arguments, error):
    with pytest.raises(error):
        soundbite(*arguments)
