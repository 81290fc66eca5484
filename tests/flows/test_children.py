"""Children of `soundbite up`: bounded logs, an end when one of them ends, and an end with whoever started them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from flows import children, logs
from ingest.errors import SoundbiteError

CHATTER = "for n in range(2000): print('line', n, 'x' * 100)"
SLEEPER = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
STARTER = """
import pathlib, sys, time
from flows.children import child
with child(pathlib.Path(sys.argv[1] + ".log"), "sleeper", sys.argv[1]):
    time.sleep(60)
"""


def test_a_childs_log_stays_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 10_000)
    module = tmp_path / "chatter.py"
    module.write_text(CHATTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with children.child(tmp_path / "logs" / "child.log", "chatter") as process:
        process.wait(60)

    files = list((tmp_path / "logs").iterdir())
    assert len(files) == 1 + logs.BACKUPS
    assert all(file.stat().st_size <= 10_000 for file in files)
    assert "line 1999" in (tmp_path / "logs" / "child.log").read_text()


def test_a_child_that_ends_by_itself_ends_everything_and_is_named(tmp_path, monkeypatch):
    (tmp_path / "short.py").write_text("import time; time.sleep(0.5)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with (
        pytest.raises(SoundbiteError, match="the search page"),
        children.child(tmp_path / "short.log", "short") as process,
        children.watched({"the search page": process}),
    ):
        time.sleep(60)


def test_a_child_that_ends_is_noticed_where_a_shell_has_interrupts_ignored(tmp_path, monkeypatch):
    (tmp_path / "short.py").write_text("import time; time.sleep(0.5)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with (
            pytest.raises(SoundbiteError, match="Prefect"),
            children.child(tmp_path / "short.log", "short") as process,
            children.watched({"Prefect": process}),
        ):
            time.sleep(60)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_block_that_ends_first_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "long.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with (
        children.child(tmp_path / "long.log", "long") as process,
        children.watched({"Prefect": process}),
    ):
        pass

    assert process.poll() is not None


NEEDING = """
import sys, time
from flows.children import needed
began = time.monotonic()
with needed(lambda: time.monotonic() > began + float(sys.argv[1]), "the server has ended"):
    {}
print("done")
"""


@pytest.mark.parametrize(
    ("block", "seconds", "told"),
    [
        ("time.sleep(60)", 0.5, (1, "", "the server has ended\n")),  # hangs, as a client that tries again
        ("raise ConnectionError('refused')", 0.5, (1, "", "the server has ended\n")),  # before the end is seen
        ("pass", 60, (0, "done\n", "")),
        ("time.sleep(1.5)", 60, (0, "done\n", "")),
    ],
)
def test_a_block_ends_in_one_line_when_the_server_that_it_needs_has_ended(block, seconds, told):
    command = [sys.executable, "-c", NEEDING.format(block), str(seconds)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert told == (ran.returncode, ran.stdout, ran.stderr)


def test_an_error_of_a_block_whose_server_is_there_stays_what_it_is():
    with pytest.raises(LookupError, match="ours"), children.needed(lambda: False, "the server has ended"):
        raise LookupError("ours")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGABRT, signal.SIGHUP])
def test_a_child_ends_with_its_parent_however_that_one_dies(tmp_path, monkeypatch, how):
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    note = tmp_path / "child"
    parent = subprocess.Popen([sys.executable, "-c", STARTER, note])
    wait_for(note.exists, 60)
    child = int(note.read_text())

    parent.send_signal(how)
    parent.wait()

    wait_for(lambda: not is_alive(child), 10 * children.LOOK_SECONDS)


def wait_for(is_so, seconds):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def is_alive(pid):
    """Whether a process is there and is more than a name that nobody has read yet."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")
