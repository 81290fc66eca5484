"""What `soundbite up` does for its children: bounded logs, and an end when one of them ends."""

import time

import pytest

from flows import logs, up
from ingest.errors import QueryError, SoundbiteError

CHATTER = "for n in range(2000): print('line', n, 'x' * 100)"


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("1h", 3600), ("1d", 86_400), ("10 s", 10)])
def test_an_interval_is_read(text, seconds):
    assert seconds == up.interval(text).total_seconds()


@pytest.mark.parametrize("text", ["", "never", "5s", "0h", "-1h", "1w"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(QueryError):
        up.interval(text)


def test_a_childs_log_stays_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 10_000)
    module = tmp_path / "chatter.py"
    module.write_text(CHATTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with up.child(tmp_path / "logs" / "child.log", "chatter") as process:
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
        up.child(tmp_path / "short.log", "short") as process,
        up.watched({"the search page": process}),
    ):
        time.sleep(60)


def test_a_block_that_ends_first_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "long.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with up.child(tmp_path / "long.log", "long") as process, up.watched({"Prefect": process}):
        pass

    assert process.poll() is not None
