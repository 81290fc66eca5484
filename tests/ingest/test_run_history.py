from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from ingest.run_history import FILE, KEPT, MAX_LINE, NAMED, RunRecord, last_runs, remember, run_record
from tests.faults import Faults, KilledError

NOW = datetime(2026, 10, 20, 6, tzinfo=UTC)


def record(number, **others):
    return RunRecord(NOW + timedelta(hours=number), 12.5, **{"new": 1, "failed": 0, "pending": 0} | others)


def test_the_newest_runs_come_first_and_the_oldest_are_forgotten(tmp_path):
    for number in range(KEPT + 3):
        remember(tmp_path, record(number))

    assert last_runs(tmp_path, 2) == [record(KEPT + 2), record(KEPT + 1)]
    assert last_runs(tmp_path)[-1] == record(3)
    assert len((tmp_path / FILE).read_text().splitlines()) == KEPT


@pytest.mark.parametrize(
    ("new", "failed", "episodes", "failures"),
    [
        (["quota: One"], [("feed", "timed\nout")], ("quota: One",), ("feed: timed out",)),
        ([f"e{n}" for n in range(99)], [], tuple(f"e{n}" for n in range(NAMED)), ()),
        ([], [("x", "y" * 999)], (), (f"x: {'y' * 999}"[:MAX_LINE],)),
    ],
)
def test_a_run_is_named_by_its_first_episodes_and_failures_and_counted_whole(new, failed, episodes, failures):
    made = run_record(NOW, NOW + timedelta(seconds=61.23), new, failed, 7)

    assert (made.new, made.failed, made.pending, made.seconds) == (len(new), len(failed), 7, 61.2)
    assert (made.episodes, made.failures) == (episodes, failures)


def test_a_clock_that_was_set_back_gives_no_negative_time():
    assert run_record(NOW, NOW - timedelta(hours=1), [], [], 0).seconds == 0.0


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "5", '{"began": "soon"}', '{"began": 5}', '{"began": "2026-10-20", "new": "many"}', "\x00\xff"],
)
def test_a_line_that_cannot_be_read_is_passed_over(tmp_path, line):
    remember(tmp_path, record(1, episodes=("Tea – 日本",), failures=("x: y",)))  # noqa: RUF001
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    remember(tmp_path, record(2))

    assert last_runs(tmp_path) == [record(2), record(1, episodes=("Tea – 日本",), failures=("x: y",))]  # noqa: RUF001


def test_where_no_run_was_there_is_none(tmp_path):
    assert last_runs(tmp_path / "nowhere") == []


@pytest.mark.parametrize("kill", [False, True])
def test_whatever_fails_the_file_holds_the_old_runs_or_the_new_whole(tmp_path, monkeypatch, kill):
    remember(tmp_path, record(1))
    for at in range(1, 99):
        with Faults(monkeypatch, at, kill=kill, within=tmp_path) as faults, suppress(OSError, KilledError):
            remember(tmp_path, record(2))
        assert last_runs(tmp_path)[-1] == record(1)
        if not faults.failed:
            break
    assert at > 3
    assert last_runs(tmp_path)[0] == record(2)
