"""Arguments and file names in bytes that are no UTF-8: names of files may be any, all else is wrong usage."""

import json
import os
import shutil

import pytest

from flows.cli.main import check_text
from ingest.errors import QueryError
from tests.conftest import Command

VTT = b"WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ann>Ask for the next meeting.</v>\n"
BYTES = [b"\xff", b"caf\xe9", b"a\xc3"]
COMMANDS = [
    ("show",), ("retry",), ("transcribe",), ("add",), ("inspect",), ("search",), ("remove",), ("episodes", "--podcast"),
    ("run", "--podcast"), ("run", "--match"), ("import",), ("convert", "--to", "vtt"), ("alert", "add", "x"), ("key", "add"),
    ("model", "pull"), ("--home",), (),
]  # fmt: skip


@pytest.mark.parametrize("given", BYTES)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_argument_that_is_no_text_is_wrong_usage(call, command, given):
    code, out, told = call(*command, os.fsdecode(given))

    assert (2, "", 1) == (code, out, told.count("\n")), told
    assert f"argument {len(command) + 1}: holds bytes that are no UTF-8" in told


@pytest.mark.parametrize("given", [b"http://\xff/", b"http://ex\xe9mple.com/feed.xml", b"--auth=name:secr\xe9t"])
def test_an_address_or_a_password_that_is_no_text_is_told_without_it(call, given):
    code, _, told = call("add", "http://127.0.0.1:1/", os.fsdecode(given))
    assert (2, False, False) == (code, "secr" in told, "http" in told), told


@pytest.mark.parametrize("given", BYTES)
def test_a_name_that_is_there_passes_and_one_that_is_not_does_not(tmp_path, given):
    name = os.path.join(os.fsencode(tmp_path), given)  # noqa: PTH118 - bytes
    with pytest.raises(QueryError, match="argument 2"):
        check_text(["convert", os.fsdecode(name)])
    with open(name, "wb"):  # noqa: PTH123 - bytes
        check_text(["convert", os.fsdecode(name)])
        check_text(["convert", "--file=" + os.fsdecode(name)])


def test_a_file_of_that_name_makes_it_no_episode(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given in BYTES:
        with open(given, "wb"):  # noqa: PTH123 - bytes
            code, _, told = call("show", os.fsdecode(given))
        assert (2, 1, True) == (code, told.count("\n"), "no UTF-8" in told), told


@pytest.fixture
def strict(home):
    """The command in a locale whose output takes UTF-8 alone."""
    command = Command(home)
    command.environment |= {"PYTHONIOENCODING": "utf-8:strict"}
    return command


@pytest.mark.parametrize("given", BYTES)
def test_transcripts_in_such_files_are_converted_and_imported(strict, tmp_path, given):
    folder = tmp_path / os.fsdecode(given)
    folder.mkdir()
    file = folder / os.fsdecode(given + b".vtt")
    file.write_bytes(VTT)

    assert "Ask for the next" in strict("convert", file, "--to", "srt").stdout
    ran = strict("import", folder, "--json")
    assert (0, [str(file)]) == (ran.returncode, json.loads(ran.stdout)["added"]), ran.stderr


def test_audio_in_such_files_is_transcribed(strict, tmp_path, spoken):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    shutil.copy(spoken, folder / os.fsdecode(b"a\xff.flac"))

    ran = strict("transcribe", folder, "--to", "txt")

    assert (0, "Traceback" in ran.stderr) == (ran.returncode, False), ran.stderr
    assert r"caf\udce9/a\udcff.txt" in ran.stdout
    assert (folder / os.fsdecode(b"a\xff.txt")).read_text()
