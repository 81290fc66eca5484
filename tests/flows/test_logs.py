"""Log files that cannot be written stop no work, and are told once."""

import errno
import logging
import os
from logging.handlers import RotatingFileHandler

import pytest

from flows import logs
from flows.children import child


def lose(handler):
    for number in range(3):
        handler.emit(logging.LogRecord("", logging.INFO, "", 0, f"line {number}", None, None))


@pytest.mark.parametrize("below", ["file/logs/run.log", "file/run.log"])
def test_a_folder_that_cannot_be_made_is_told_once(tmp_path, capsys, below):
    (tmp_path / "file").touch()
    lose(logs.rotating(tmp_path / below))

    told = capsys.readouterr().err
    assert (1, True, False) == (told.count("cannot be written"), below in told.replace("\n", ""), "Traceback" in told)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EROFS, "Read-only"), (errno.ENOSPC, "disk is full"), (errno.EACCES, "denied")]
)
def test_a_disk_that_refuses_is_told_once(tmp_path, capsys, monkeypatch, number, words):
    def refuse(_handler):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(RotatingFileHandler, "_open", refuse)
    lose(logs.rotating(tmp_path / "run.log"))

    told = capsys.readouterr().err
    assert (1, True, False) == (told.count("cannot be written"), words in told, "Traceback" in told)


def test_a_child_whose_log_cannot_be_written_works_to_its_end(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "talks.py").write_text("print('one', flush=True); print('two', flush=True)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with child(tmp_path / "file" / "talks.log", "talks") as process:
        assert 0 == process.wait(60)

    assert "Traceback" not in capsys.readouterr().err
