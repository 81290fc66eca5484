"""What is freed goes back to the system, whichever thread had it."""

import ctypes
import platform
import subprocess
import sys

import pytest

# Six threads at once, so that each has an arena of its own; each frees blocks of a few megabytes at its end.
PROGRAM = """
import ctypes, sys, threading
from flows.memory import keep_flat
if sys.argv[1] == "flat":
    keep_flat()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
size = int(sys.argv[2]) << 20
def taken(count):
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in reversed(blocks):
        libc.free(block)
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
taken(1)  # glibc's own bound rises to what was freed
before, together = resident(), threading.Barrier(6)
def work():
    together.wait()
    taken(2)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(resident() - before)
"""


def held(way, size):
    """Megabytes that a process keeps after its threads have freed twelve blocks of this many."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, way, str(size)], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries are not told anything")
@pytest.mark.parametrize("size", [5, 12, 24])
def test_what_threads_free_goes_back_to_the_system(size):
    assert held("flat", size) < 6
    assert held("as it is", size) > 2 * size, "without this the threads' arenas keep it"


def test_another_systems_library_is_left_alone(monkeypatch):
    from flows import memory

    def missing(_name):
        raise OSError("no such library")

    for found in (missing, lambda _name: object()):
        monkeypatch.setattr(ctypes, "CDLL", found)
        memory.keep_flat()
