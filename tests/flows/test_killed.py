"""The command killed in mid-run: nothing of it stays behind, and the next one goes on."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from flows.children import answers
from index.store.lance import Store
from tests.conftest import SOUNDBITE, Command
from tests.flows.test_children import wait_for
from tests.flows.test_run import CAPTIONED, SRT, feed
from tests.podcast_host import PodcastHost, Reply, document
from tests.s3_server import free_port

FOREVER = Reply(200, b"1\n", wait=900.0)
READY = document(SRT.encode(), "application/x-subrip")
START = 240  # seconds, of Prefect's first start on slow cores that others use, too


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed("two", more=CAPTIONED)))
        yield host


@pytest.fixture
def command(home, host):
    command = Command(home)
    assert command("add", host.url("/feed.xml")).returncode == 0
    return command


@contextmanager
def started(command, *arguments):
    """The command as a process; it and all that it started are gone afterwards."""
    with (command.home / "told").open("ab") as told:
        process = subprocess.Popen([SOUNDBITE, *arguments], env=command.environment, stdout=told, stderr=told)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def prefect(*arguments, api):
    """What Prefect's own command says of our server."""
    command = [sys.executable, "-m", "prefect", *arguments]
    environment = os.environ | {"PREFECT_API_URL": f"{api}api", "COLUMNS": "200"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def run_names(api):
    """The names of the last runs that our server knows."""
    headers = {"Content-Type": "application/json"}
    newest = b'{"sort": "START_TIME_DESC", "limit": 50}'
    with urlopen(Request(f"{api}api/flow_runs/filter", newest, headers, method="POST"), timeout=30) as found:
        return [run["name"] for run in json.load(found)]


def at_work(home):
    """Processes that work for a home."""
    return [
        int(place.parent.name) for place in Path("/proc").glob("[0-9]*/environ")
        if f"SOUNDBITE_HOME={home}\0".encode() in _content(place)
    ]  # fmt: skip


def _content(file):
    try:
        return file.read_bytes()
    except OSError:
        return b""


def asked(host):
    """Whether a run has come to the transcript."""
    return any(request.path == "/two.srt" for request in host.requests)


def kill(process, home):
    """SIGKILL for the one process that a person sees."""
    assert at_work(home)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_up_goes_on_after_it_was_killed_in_the_middle_of_a_run(command, host):
    host.serve("/two.srt", FOREVER)
    up = "up", "--every", "10s", "--port", str(free_port()), "--workers", "2"
    with started(command, *up) as process:
        wait_for(lambda: asked(host), START)
        kill(process, command.home)
        wait_for(lambda: not at_work(command.home), 5)

    host.serve("/two.srt", READY)
    with started(command, "up", "--every", "1h", *up[3:]):
        wait_for(lambda: Store(command.home / "index").episodes(), START)
        told = (command.home / "told").read_text()
        api = re.findall(r"Runs: (\S+)", told)[-1]
        listed = prefect("deployment", "ls", api=api)
        parameters = prefect("deployment", "inspect", "soundbite/every", api=api)
        wait_for(lambda: " Running " not in prefect("flow-run", "ls", api=api), 120)
        host.serve("/feed.xml", document(feed("one", "two", more=CAPTIONED)))  # there is work again
        host.serve("/audio/one.mp3", Reply(404))
        ran = command("run", "--podcast", "quota", "--match", "one")
        names = run_names(api)
    assert {"soundbite/every", "maintain/daily"} <= set(re.findall(r"[a-z]+/[a-z]+", listed))
    assert "'workers': 2" in parameters
    assert "1 new" in ran.stdout, ran.stderr
    assert any(name.startswith("quota, ") for name in names), f"a run beside `up` uses its server: {names}"
    assert "at capacity" not in told
    assert len(re.findall("Search page", told)) == 2
    assert not at_work(command.home)


@pytest.mark.slow
def test_up_serves_the_page_alone_where_no_flows_are_wanted(command):
    port = free_port()
    with started(command, "up", "--no-flows", "--port", str(port)) as process:
        wait_for(lambda: "Search page" in (command.home / "told").read_text(), START)
        time.sleep(1)
        assert answers(port, "/livez")
        assert not (command.home / "prefect").exists()
    assert 0 == process.returncode
    assert not at_work(command.home)


@pytest.mark.slow
def test_a_run_that_is_interrupted_ends_while_a_host_is_silent(command, host):
    """Also where threads wait for it."""
    host.serve("/two.srt", FOREVER)
    with started(command, "run") as process:
        wait_for(lambda: asked(host), START)
        process.send_signal(signal.SIGINT)
        process.wait(40)
    assert 130 == process.returncode
    assert not at_work(command.home)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_that_was_killed_leaves_no_server_behind(command, host):
    host.serve("/two.srt", FOREVER)
    with started(command, "run") as process:
        wait_for(lambda: asked(host), START)
        kill(process, command.home)
        wait_for(lambda: not at_work(command.home), 5)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_runs_that_start_at_once_have_a_server_each_and_one_that_loses_its_own_says_so(command, host, tmp_path):
    host.serve("/two.srt", FOREVER)
    other = Command(tmp_path / "other")
    shutil.copytree(command.home, other.home, symlinks=True)
    with started(command, "run") as losing, started(other, "run") as keeping:
        wait_for(lambda: len([request for request in host.requests if request.path == "/two.srt"]) == 2, 2 * START)
        [server] = [one for one in at_work(command.home) if one != losing.pid]
        host.serve("/two.srt", READY)
        os.kill(server, signal.SIGKILL)
        assert 1 == losing.wait(20)
        assert keeping.poll() is None
        keeping.send_signal(signal.SIGINT)
        assert 130 == keeping.wait(60)
    told = (command.home / "told").read_text()
    assert ("its server has ended", False) == (*re.findall("its server has ended", told), "Traceback" in told), told
    assert "in use" not in "".join((one.home / "logs" / "prefect.log").read_text() for one in (command, other))
    assert 0 == command("run").returncode
    assert not at_work(command.home)
