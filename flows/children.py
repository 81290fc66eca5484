"""Processes of ours that end with us, however we end; `python -m flows.children PARENT MODULE ARGUMENT...` is one of them."""

import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Lock, Thread

from flows.logs import drain
from ingest.errors import SoundbiteError

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 20  # a child that has not ended by then is ended
LOOK_SECONDS = 0.5  # between two looks for the parent; a new `soundbite up` needs longer to take its ports
SEEN_SECONDS = 1.0  # after a connection broke, for its server to be seen to have ended
PARENT = "PARENT_OF_FLOW_RUNS"  # environment variable with the process that Prefect's runner starts flow runs from


@contextmanager
def child(log: Path, *arguments: str, descriptors: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module that writes to a log and ends with the block, by request first, or with this process.

    It inherits these open files. Ctrl-C reaches only its parent, which ends its children in order.
    """
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "flows.children", str(os.getpid()), *arguments],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=descriptors,
    )
    copying = drain(process, log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        copying.join(STOP_SECONDS)


def end_with(parent: int) -> None:
    """Kill this process as soon as `parent`, which has started it, is gone: nobody is left who would stop it."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    Thread(target=look, daemon=True).start()


@contextmanager
def watched(children: Mapping[str, subprocess.Popen[bytes]]) -> Iterator[None]:
    """Interrupt the block when a child ends by itself. Raises `SoundbiteError` that names it.

    A shell starts what it puts in the background with interrupts ignored; here they are heard.
    """
    over, ended = Event(), list[str]()

    def watch() -> None:
        while not over.wait(1):
            ended.extend(name for name, process in children.items() if process.poll() is not None)
            if ended:
                os.kill(os.getpid(), signal.SIGINT)
                return

    watcher = Thread(target=watch, daemon=True)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        if not ended:
            raise
    finally:
        over.set()
        watcher.join()
        signal.signal(signal.SIGINT, before)
    if ended:
        raise SoundbiteError(ended[0], "has ended by itself, so all is stopped; the logs in the home say why")


@contextmanager
def needed(has_ended: Callable[[], bool], words: str) -> Iterator[None]:
    """Say these words and end this process with exit code 1 where a server that the block cannot do without has ended.

    Its client would try for minutes, and then print what it meets.
    """
    over, saying = Event(), Lock()

    def look() -> None:
        if has_ended():
            with saying:  # once: nobody comes out of here
                print(words, file=sys.stderr, flush=True)  # noqa: T201
                os._exit(1)

    def watch() -> None:
        while not over.wait(1):
            look()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except Exception:
        time.sleep(SEEN_SECONDS)
        look()
        raise
    finally:
        over.set()
        watcher.join()


def wait_until_answers(  # noqa: PLR0917 - where, what, and for how long
    port: int, path: str, process: subprocess.Popen[bytes], name: str, limit: float, host: str = LOOPBACK
) -> None:
    """Return once the child answers. Raises `SoundbiteError` where it ends first or takes longer than `limit` seconds."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if answers(port, path, host):
            return
        time.sleep(0.3)
    raise SoundbiteError(name, f"did not start on port {port}; the logs in the home say why")


def answers(port: int, path: str, host: str = LOOPBACK) -> bool:
    """Whether a server of this machine answers there with 200."""
    return answer(port, path, host) is not None


def answer(port: int, path: str, host: str = LOOPBACK) -> bytes | None:
    """What a server of this machine answers there with 200; None where it does not."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.read() if response.status == 200 else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
