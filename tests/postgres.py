"""A PostgreSQL server of Debian's package on a socket in a temporary folder; each test has a schema of its own in it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest


def programs():
    """The folder of `initdb` and `postgres`, the newest; None where they are not installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


def missing():
    """Without a server its tests are skipped, but never in CI."""
    told = "PostgreSQL's server is not installed (Debian: postgresql)"
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)


@contextmanager
def server(fsync="off"):
    """The URL of a server's database, gone at the end. It refuses to run as root, so that root runs it as its own user."""
    there, folder = programs(), Path(tempfile.mkdtemp(prefix="soundbite-pg-"))
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "postgres", "postgres")
    data, log = folder / "data", folder / "log"
    subprocess.run(
        [there / "initdb", "-D", data, "-A", "trust", "-U", "ledger", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, cwd="/", **who,
    )  # fmt: skip
    options = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": fsync, "max_connections": "60"}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with log.open("w") as out:
        running = subprocess.Popen([there / "postgres", "-D", data, *flags], stdout=out, stderr=out, cwd="/", **who)
    try:
        url = f"postgresql+psycopg://ledger@/postgres?host={folder}"
        _wait(url, running, log)
        yield url
    finally:
        running.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
        running.wait(30)
        shutil.rmtree(folder)


def _wait(url, running, log):
    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(url.replace("+psycopg", "")).close()
        except psycopg.OperationalError:
            assert running.poll() is None, log.read_text()
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


def schema(url, name):
    """The URL of an empty schema in that database."""
    statements(url, f"CREATE SCHEMA {name}")
    return f"{url}&options={quote(f'-csearch_path={name}')}"


def statements(url, *told):
    """Run statements as another program does; the rows of the last one."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as db:
        for statement in told:
            cursor = db.execute(statement)
        return cursor.fetchall() if cursor.description else []
