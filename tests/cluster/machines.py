"""PostgreSQL, Prefect's server, workers and a search server as processes, which end with the block that started them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from flows.children import answers
from index.open import EXPORTS
from tests import postgres
from tests.conftest import ROOT, SOUNDBITE
from tests.s3_server import free_port

START = 240  # seconds, of Prefect's first start on slow cores that others use, too


class Machines:
    """Processes with the same settings, each with a home and a log of its own in `folder`: they share the stores only."""

    def __init__(self, folder, environment, encoder):
        self.folder, self.encoder = folder, encoder
        self.environment = environment | {"SOUNDBITE_HOME": str(self.home("person"))}
        self.running = {}

    def home(self, name):
        """The home of a process, with the embedding model ready."""
        home = self.folder / name
        if not home.exists():
            (home / "index").mkdir(parents=True)
            (home / "index" / EXPORTS).symlink_to(self.encoder)
        return home

    def call(self, *command):
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def prefect(self, *arguments):
        return self.call(sys.executable, "-m", "prefect", "--no-prompt", *arguments)

    def soundbite(self, *arguments):
        return self.call(SOUNDBITE, *arguments)

    def start(self, name, *command):
        environment = self.environment | {"SOUNDBITE_HOME": str(self.home(name))}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
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
            assert time.monotonic() < deadline, f"see {self.folder}"
            for name, process in self.running.items():
                assert process.poll() is None, f"{name} has ended; see {self.folder}"
            time.sleep(0.5)

    def ask(self, path, **asked):
        """What Prefect's server answers."""
        url, headers = f"{self.environment['PREFECT_API_URL']}/{path}", {"Content-Type": "application/json"}
        with urlopen(Request(url, json.dumps(asked).encode(), headers, method="POST"), timeout=60) as found:
            return json.load(found)

    def runs(self):
        """The last 200 flow runs."""
        return self.ask("flow_runs/filter")

    def step_is_running(self, name):
        """Whether a task run of this name is at work."""
        return any(
            run["state_type"] == "RUNNING" for run in self.ask("task_runs/filter", task_runs={"name": {"any_": [name]}})
        )

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
def cluster(folder, environment, encoder) -> Iterator[Machines]:
    """PostgreSQL and a Prefect server on it, with the deployments and the automations; workers are started by the test."""
    with ExitStack() as stack:
        if not postgres.programs():
            postgres.missing()
        url = stack.enter_context(postgres.server())
        postgres.statements(url, "CREATE DATABASE prefect")
        port = free_port()
        engine = {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_API_DATABASE_CONNECTION_URL": url.replace("psycopg", "asyncpg").replace("/postgres?", "/prefect?"),
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,ingest,index",
            "DO_NOT_TRACK": "1",
            "SOUNDBITE_LEDGER": url,
        }
        machines = Machines(folder, environment | engine, encoder)
        stack.callback(machines.stop)
        machines.serve_prefect(port)
        machines.prefect("work-pool", "create", "soundbite", "--type", "process")
        machines.prefect("work-queue", "create", "control", "--pool", "soundbite", "--priority", "1")
        machines.prefect("work-queue", "create", "speech", "--pool", "soundbite")
        machines.prefect("deploy", "--all")
        machines.call(sys.executable, "-m", "flows.automations")
        yield machines
