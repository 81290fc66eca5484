"""`soundbite runs`: what the last runs did, for people and for programs."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from flows.cli import main
from ingest.run_history import remember, run_record

NOW = datetime(2026, 10, 20, 6, 5, tzinfo=UTC)


@pytest.fixture
def soundbite(tmp_path, monkeypatch):
    monkeypatch.setenv("SOUNDBITE_HOME", str(tmp_path))
    main._register(["runs"])
    return lambda *arguments: CliRunner().invoke(main.app, arguments, catch_exceptions=False).output


def test_the_last_runs_are_shown_the_newest_first(soundbite, tmp_path):
    assert "No run yet" in soundbite("runs")
    remember(tmp_path, run_record(NOW, NOW + timedelta(seconds=75), ["quota: One"], [("feed", "gone")], 3))
    remember(tmp_path, run_record(NOW + timedelta(hours=1), NOW + timedelta(hours=1, seconds=2), [], [], 3))

    _head, newest, oldest = soundbite("runs").splitlines()
    assert newest.split() == ["2026-10-20", "07:05", "0:02", "0", "0", "3"]
    assert oldest.split() == ["2026-10-20", "06:05", "1:15", "1", "1", "3"]
    told = json.loads(soundbite("runs", "--json"))
    assert (told[1]["episodes"], told[1]["failures"], told[1]["seconds"]) == (["quota: One"], ["feed: gone"], 75.0)
    assert datetime.fromisoformat(told[0]["began"]) == NOW + timedelta(hours=1)
