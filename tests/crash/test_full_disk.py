"""A disk that fills up anywhere in a run, on a small file system of its own: with room again, the next run ends it."""

import shutil
import subprocess

import pytest

from tests.crash.test_crash import compare, fresh, host, worker  # noqa: F401 - fixtures

DISK = 4 * 2**20  # bytes
LEFT = (0, 16, 48, 96, 160, 256, 384, 640)  # KiB that a run finds


@pytest.fixture
def disk(tmp_path):
    """A small file system; only root may have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small file system can be made here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder, left):
    """A file that leaves so many bytes free."""
    filler = folder / "filler"
    filler.write_bytes(b"\0" * max(0, shutil.disk_usage(folder).free - left))
    return filler


@pytest.mark.slow
def test_a_disk_that_fills_up_anywhere_loses_nothing(disk, worker, fresh):  # noqa: F811
    undisturbed = fresh.with_name("undisturbed")
    shutil.copytree(fresh, undisturbed)
    expected = worker.told(undisturbed)["state"]
    failed = 0
    for left in LEFT:
        home = disk / "home"
        shutil.copytree(fresh, home)
        filler = fill(disk, left * 1024)
        failed += worker.run(home) != 0
        filler.unlink()
        told = home.with_name("told.json")
        assert {} == compare(expected, worker, home), f"{left} KiB"
        told.unlink()
        shutil.rmtree(home)
    print(f"full disks {len(LEFT)}, runs that they stopped {failed}, lost or doubled 0")
    assert failed >= len(LEFT) // 2
