"""Prefect's state under our home: what is set aside, what is kept."""

import json
import os
import sqlite3
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, Settings, temporary_settings
from prefect.states import Completed

from flows import engine, listening
from flows.children import answer
from flows.engine import KEPT, prepare, set_aside_if_broken
from flows.prefect_flow import maintain
from ingest.errors import SoundbiteError
from tests.flows.test_children import wait_for
from tests.podcast_host import PodcastHost, document


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "prefect.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE runs (name TEXT)")
        db.executemany("INSERT INTO runs VALUES (?)", [(f"run {n} " * 20,) for n in range(500)])
    return path


@pytest.mark.parametrize("left", [100, 512, 4096, 20_000])
def test_a_database_that_was_cut_is_set_aside_and_told(database, left, capsys):
    whole = database.read_bytes()
    database.write_bytes(whole[:left])
    database.with_name("prefect.db-wal").write_bytes(b"")

    set_aside_if_broken(database)

    assert ["prefect.db.broken"] == [file.name for file in database.parent.iterdir()]
    assert "prefect.db.broken" in capsys.readouterr().err.replace("\n", "")


def test_a_whole_database_an_empty_one_and_none_stay_as_they_are(database, tmp_path):
    whole, empty = database.read_bytes(), tmp_path / "empty.db"
    empty.touch()
    for path in (database, empty, tmp_path / "none.db"):
        set_aside_if_broken(path)
    assert (whole, b"", False) == (database.read_bytes(), empty.read_bytes(), (tmp_path / "none.db").exists())


@pytest.fixture
def server_of_up(tmp_path):
    """A server that says it works in this home, as that of `soundbite up` does, and its port in the home."""
    with PodcastHost() as host:
        (tmp_path / "prefect").mkdir()
        (tmp_path / "prefect" / "port").write_text(str(host.port))
        host.serve(engine.SETTINGS, says(tmp_path / "prefect"))
        yield host


def says(home):
    return document(json.dumps({"home": str(home)}).encode())


@pytest.mark.usefixtures("own_environment")
def test_a_run_beside_up_uses_its_server(tmp_path, server_of_up, monkeypatch):
    monkeypatch.setattr(engine, "serving", None)  # it would start one

    with engine._engine(tmp_path):
        assert server_of_up.url("/api") == os.environ["PREFECT_API_URL"]


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("other", ["other/prefect", "", "prefect/prefect"])
def test_a_run_does_not_use_a_server_of_another_home_on_the_port_of_an_up_that_was_killed(
    tmp_path, server_of_up, other
):
    prepare(tmp_path)
    assert server_of_up.port == engine._port_of_up(tmp_path)
    server_of_up.serve(engine.SETTINGS, says(tmp_path / other))

    assert 0 == engine._port_of_up(tmp_path)


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("told", [b"", b"true", b"{}", b'{"home": 7}', b"\xff", b"<html>"])
def test_a_server_that_does_not_say_whose_it_is_is_not_used(tmp_path, server_of_up, told):
    prepare(tmp_path)
    server_of_up.serve(engine.SETTINGS, document(told))

    assert 0 == engine._port_of_up(tmp_path)


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("note", ["", "no port", "1", "99999999"])
def test_a_port_that_nobody_answers_on_is_not_used(tmp_path, note):
    prepare(tmp_path)
    (tmp_path / "prefect" / "port").write_text(note)

    assert 0 == engine._port_of_up(tmp_path)


SERVER = """
import json, os, socket, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["PREFECT_HOME"].encode())
time.sleep(1)  # as Prefect loads before it serves
server = HTTPServer(("127.0.0.1", 0), Answer, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.serve_forever()
"""


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("homes", [("one", "two"), ("one", "two", "three")])
def test_homes_that_start_at_once_have_a_server_each(tmp_path, monkeypatch, homes):
    (tmp_path / "slow.py").write_text(SERVER)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setattr(engine, "SERVER", "slow")
    servers, ports = [], []
    with ExitStack() as stack:
        for home in homes:
            for name in [name for name in os.environ if name.startswith("PREFECT_")]:
                del os.environ[name]  # each home has a process of its own
            servers.append(stack.enter_context(engine.serving(tmp_path / home)))
        for home, server in zip(homes, servers, strict=True):
            server.wait()
            assert str(tmp_path / home / "prefect").encode() == answer(server.port, engine.HEALTH)
            ports.append(server.port)
    assert len(homes) == len(set(ports))
    assert not any(listening.is_open(port) for port in ports)


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize(
    "code", ["raise SystemExit(1)", "raise OSError(98, 'Address already in use')", "import nothing"]
)
def test_a_server_that_ends_before_it_answers_is_told_whoever_answers_there(tmp_path, monkeypatch, code):
    (tmp_path / "short.py").write_text(f"import time; time.sleep(0.5); {code}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setattr(engine, "SERVER", "short")

    with (
        engine.serving(tmp_path) as server,
        pytest.raises(SoundbiteError, match=f"did not start on port {server.port}"),
    ):
        server.wait()


def test_prefect_deletes_old_runs_unless_a_person_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "7"})

    prepare(tmp_path)

    told = {name.removeprefix("PREFECT_SERVER_SERVICES_"): value for name, value in os.environ.items()}
    assert "flow_runs" in told["DB_VACUUM_ENABLED"].split(",")
    assert str(int(KEPT.total_seconds())) == told["DB_VACUUM_RETENTION_PERIOD"]
    assert "7" == told["LATE_RUNS_LOOP_SECONDS"]


def test_prefect_knows_the_settings_that_it_is_given(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    prepare(tmp_path)
    known = {name.upper() for name in Settings().to_environment_variables()}

    assert {name for name in os.environ if name.startswith("PREFECT_")} - known == set()


@pytest.mark.slow
@pytest.mark.usefixtures("own_environment")
def test_prefect_forgets_runs_that_are_older_than_we_keep_them(tmp_path, monkeypatch):
    """Those of the last month stay; a real server, whose hourly look is made every two seconds."""
    monkeypatch.setenv("PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS", "2")
    ages = {"old": KEPT + timedelta(days=1), "older": 9 * KEPT, "kept": KEPT - timedelta(days=1), "new": timedelta()}
    with engine.serving(tmp_path) as server:
        server.wait()
        database = tmp_path / "prefect" / "prefect.db"
        with (
            temporary_settings({PREFECT_API_URL: os.environ["PREFECT_API_URL"]}),
            get_client(sync_client=True) as client,
        ):
            for name in ages:
                client.create_flow_run(maintain, name=name, state=Completed())
            with closing(sqlite3.connect(database, timeout=30)) as db, db:
                for name, age in ages.items():
                    end = (datetime.now(UTC) - age).strftime("%Y-%m-%d %H:%M:%S.%f")
                    assert 1 == db.execute("UPDATE flow_run SET end_time = ? WHERE name = ?", (end, name)).rowcount
            wait_for(lambda: {"kept", "new"} == {run.name for run in client.read_flow_runs()}, 60)
