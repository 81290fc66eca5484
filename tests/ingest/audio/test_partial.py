"""A download that is stopped at any file operation can be resumed, or is whole under its name."""

import os
from pathlib import Path

import pytest

from ingest.audio.partial import DownloadState, PartialDownload

URL = "https://cdn.example/1.mp3"
STATE = DownloadState(URL, URL, '"1"', 4, {})


class DiskFailure:
    """Makes the n-th file operation of some kinds fail; with `after`, it is done first."""

    def __init__(self, monkeypatch, at, *, after):
        self.count, self.at, self.after = 0, at, after
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink")):
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, operation):
        def run(*arguments, **options):
            self.count += 1
            if self.count == self.at and not self.after:
                raise OSError(28, "No space left on device")
            done = operation(*arguments, **options)
            if self.count == self.at:
                raise OSError(28, "No space left on device")
            return done

        return run


@pytest.fixture
def part(tmp_path):
    part = PartialDownload(tmp_path / "1.mp3")
    part.begin(STATE)
    part.path.write_bytes(b"ID3.")
    return part


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("operation", range(1, 5))
def test_a_finish_that_fails_at_any_operation_loses_nothing(part, monkeypatch, operation, after):
    with monkeypatch.context() as patch:
        DiskFailure(patch, operation, after=after)
        with pytest.raises(OSError, match="No space"):
            part.finish()

    assert part.target.exists() or part.resumable(URL) == STATE


def test_a_finish_makes_the_content_durable_then_the_name_then_drops_the_state(part, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda number: done.append(str(Path(f"/proc/self/fd/{number}").readlink())))
    monkeypatch.setattr(Path, "replace", lambda old, new: done.append((str(old), str(new))))
    monkeypatch.setattr(Path, "unlink", lambda path, **_: done.append(str(path)))
    part.finish()

    assert [
        str(part.path), (str(part.path), str(part.target)), str(part.target.parent), str(part.state_path)
    ] == done  # fmt: skip


@pytest.mark.parametrize("operation", range(1, 6))
def test_a_begin_that_fails_at_any_operation_leaves_no_state_that_another_answers_bytes_could_meet(
    part, monkeypatch, operation
):
    """The old bytes may stay with the old state, but never with the new one, and no state is ever half written."""
    other = DownloadState(URL, URL, '"2"', 4, {})
    with monkeypatch.context() as patch:
        DiskFailure(patch, operation, after=False)
        with pytest.raises(OSError, match="No space"):
            part.begin(other)

    assert part.resumable(URL) in (None, STATE)
    assert not (part.path.exists() and part.state_path.exists()) or part.resumable(URL) == STATE


def test_a_state_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    part = PartialDownload(tmp_path / "1.mp3")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: pytest.fail("stopped before the rename"))
        with pytest.raises(pytest.fail.Exception):
            part.begin(STATE)

    assert not part.state_path.exists()
