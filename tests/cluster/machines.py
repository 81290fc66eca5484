"""PostgreSQL, Prefect's server, workers and a search server as processes, which end with the block that started them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from urllib.request import Request, urlopen

import pytest

from flows.children import answers, free_port
from tests.conftest import ROOT, SOUNDBITE

START = 240  # seconds, of Prefect's first start on slow cores that others use, too
SUPERUSER = "postgres"  # PostgreSQL refuses to run as root


def tool(name):
    """A program of PostgreSQL, from the path or from where Debian puts it."""
    places = [shutil.which(name), *sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)]
    if found := next((str(place) for place in places if place), None):
        return found
    pytest.skip(f"PostgreSQL's {name} is not on this machine")


@contextmanager
def postgres(*databases):
    """A server on the loopback; gives its address without a driver, `user@host:port`."""
    folder = Path(mkdtemp(prefix="soundbite-postgres-"))
    port = free_port(0)
    demote = ["setpriv", f"--reuid={SUPERUSER}", f"--regid={SUPERUSER}", "--clear-groups"] if not os.getuid() else []
    if demote:
        shutil.chown(folder, SUPERUSER, SUPERUSER)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"

    def call(*command):
        subprocess.run([*demote, *command], check=True, capture_output=True, cwd=folder)

    call(tool("initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", SUPERUSER)
    call(tool("pg_ctl"), "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
    try:
        for database in databases:
            call(tool("createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", SUPERUSER, database)
        yield f"{SUPERUSER}@127.0.0.1:{port}"
    finally:
        call(tool("pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder)


class Machines:
    """Processes that share an environment; each writes to a log of its own in `logs`."""

    def __init__(self, logs, environment):
        self.logs, self.environment = logs, environment
        self.running = {}

    def call(self, *command):
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def prefect(self, *arguments):
        return self.call(sys.executable, "-m", "prefect", "--no-prompt", *arguments)

    def soundbite(self, *arguments):
        return self.call(SOUNDBITE, *arguments)

    def start(self, name, *command):
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def serve_prefect(self, port):
        self.start(
            "server", sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)
        )
        self.wait_for(lambda: answers(port, "/api/health"), START)

    def work(self, name, *options):
        worker = ("prefect", "worker", "start", "--pool", "soundbite", "--name", name, *options)
        self.start(name, sys.executable, "-m", *worker)

    def wait_for(self, condition, seconds):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"see {self.logs}"
            for name, process in self.running.items():
                assert process.poll() is None, f"{name} has ended; see {self.logs}"
            time.sleep(0.5)

    def runs(self):
        """The last 200 runs that Prefect's server knows."""
        headers = {"Content-Type": "application/json"}
        asked = Request(f"{self.environment['PREFECT_API_URL']}/flow_runs/filter", b"{}", headers, method="POST")
        with urlopen(asked, timeout=60) as found:
            return json.load(found)

    def run_seconds(self):
        """How long each run took that has ended."""
        return [run["total_run_time"] for run in self.runs() if run["end_time"]]

    def kill(self, name):
        """What a machine does that loses its power: the worker and all that it started are gone."""
        process = self.running.pop(name)
        for pid in [process.pid, *descendants(process.pid)]:
            os.kill(pid, signal.SIGKILL)
        process.wait()

    def stop(self):
        for process in self.running.values():
            for pid in [process.pid, *descendants(process.pid)]:
                os.kill(pid, signal.SIGKILL)
            process.wait()


def descendants(pid):
    """The processes that a process has started, and those have."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            child, rest = stat.read_text().split(" ", 1)
        except OSError:
            continue
        parents.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(int(child))
    found = list(parents.get(pid, []))
    for child in found:
        found += parents.get(child, [])
    return found


def parent_of(owner):
    """The process that started the one that made a claim (`host:process`) on this machine."""
    host, _, pid = owner.rpartition(":")
    assert host == socket.gethostname()
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@contextmanager
def cluster(folder, environment) -> Iterator[Machines]:
    """PostgreSQL and a Prefect server on it, with the deployments and the automations; workers are started by the test."""
    with ExitStack() as stack:
        address = stack.enter_context(postgres("prefect", "ledger"))
        port = free_port(0)
        logs = folder / "logs"
        logs.mkdir()
        machines = Machines(logs, environment | {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{address}/prefect",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,ingest,index",
            "DO_NOT_TRACK": "1",
        })  # fmt: skip
        stack.callback(machines.stop)
        machines.serve_prefect(port)
        machines.prefect("work-pool", "create", "soundbite", "--type", "process")
        machines.prefect("work-queue", "create", "control", "--pool", "soundbite", "--priority", "1")
        machines.prefect("work-queue", "create", "speech", "--pool", "soundbite")
        machines.prefect("deploy", "--all")
        machines.call(sys.executable, "-m", "flows.automations")
        yield machines
