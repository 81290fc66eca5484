"""A real S3 server for the session: SeaweedFS on the loopback, in a folder of its own, ended with the session."""

import ctypes
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from urllib.error import HTTPError
from urllib.request import Request, urlopen

READER = "soundbite-reader"  # a key that may only read, with the same secret
KEY, SECRET, REGION, BUCKET = "soundbite-tests", "only-for-the-loopback", "us-east-1", "tests"
SERVER = Path(sys.executable).parent / "weed"
PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
         "s3.port", "s3.port.grpc")  # fmt: skip
NUMBERS = count(1)


class S3Server:
    """`environment` is what a process needs to use it."""

    def __init__(self, endpoint, filer):
        self.endpoint, self._filer = endpoint, filer
        self.environment = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
        }

    def place(self):
        """An address nobody has used, in the one bucket: SeaweedFS makes seven volumes for each bucket, of a hundred."""
        return f"s3://{BUCKET}/place-{next(NUMBERS)}"

    def is_ready(self):
        """Whether a document can be written."""
        try:
            urlopen(Request(f"{self._filer}/buckets/{BUCKET}/ready", b"1", method="PUT"), timeout=10).close()
            urlopen(self.endpoint, timeout=10)
        except HTTPError as refusal:
            return refusal.code == 403  # it wants a signature
        except OSError:
            return False
        return True


@contextmanager
def serve():
    """The server, ready for requests."""
    folder = Path(mkdtemp(prefix="soundbite-s3-"))
    identities = [
        {"name": key, "credentials": [{"accessKey": key, "secretKey": SECRET}], "actions": actions}
        for key, actions in ((KEY, ["Admin"]), (READER, ["Read", "List"]))
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = free_ports(len(PORTS))
    options = [f"-{name}={port}" for name, port in zip(PORTS, ports, strict=True)]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=100"]
    options += ["-master.telemetry=false", "-master.volumeSizeLimitMB=64", f"-s3.config={folder / 's3.json'}"]
    port = dict(zip(PORTS, ports, strict=True))
    server = S3Server(f"http://127.0.0.1:{port['s3.port']}", f"http://127.0.0.1:{port['filer.port']}")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        log = stack.enter_context((folder / "log").open("wb"))
        command = [SERVER, "server", f"-dir={folder}", "-filer", "-s3", *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, preexec_fn=_end_with_parent)  # noqa: PLW1509 - no threads yet that hold locks
        stack.callback(process.wait)
        stack.callback(process.kill)
        wait_for(server, process, folder / "log")
        yield server


def _end_with_parent():
    """Where the tests are killed the server ends, too (Linux, prctl: PR_SET_PDEATHSIG is 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait_for(server, process, log):
    for _ in range(300):
        assert process.poll() is None, log.read_text()[-2000:]
        if server.is_ready():
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


def free_port():
    [port] = free_ports(1)
    return port


def free_ports(number):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
