"""Prefect's state under our home: what is set aside, what is kept."""

import sqlite3
from contextlib import closing

import pytest

from flows.engine import set_aside_if_broken


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "prefect.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE runs (name TEXT)")
        db.executemany("INSERT INTO runs VALUES (?)", [(f"run {n} " * 20,) for n in range(500)])
    return path


@pytest.mark.parametrize("left", [100, 512, 4096, 20_000])
def test_a_database_that_was_cut_is_set_aside_and_told(database, left, capsys):
    whole = database.read_bytes()
    database.write_bytes(whole[:left])
    database.with_name("prefect.db-wal").write_bytes(b"")

    set_aside_if_broken(database)

    assert ["prefect.db.broken"] == [file.name for file in database.parent.iterdir()]
    assert "prefect.db.broken" in capsys.readouterr().err.replace("\n", "")


def test_a_whole_database_an_empty_one_and_none_stay_as_they_are(database, tmp_path):
    whole, empty = database.read_bytes(), tmp_path / "empty.db"
    empty.touch()
    for path in (database, empty, tmp_path / "none.db"):
        set_aside_if_broken(path)
    assert (whole, b"", False) == (database.read_bytes(), empty.read_bytes(), (tmp_path / "none.db").exists())
