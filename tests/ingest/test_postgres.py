"""The ledger in a PostgreSQL database: made once however many begin, and what is said where it cannot be used."""

import multiprocessing
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from ingest import postgres as engine
from ingest.errors import HomeError, LedgerUnreachableError
from ingest.ledger import Ledger, unless_damaged
from ingest.migrations import STEPS
from ingest.models import Subscription
from tests import postgres
from tests.ingest.test_ledger import FEED, NOW, OLD
from tests.ingest.test_sqlite_file import path  # noqa: F401 - a fixture

TABLES = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"


@pytest.fixture
def ledger(postgres_url):
    ledger = Ledger(postgres_url)
    ledger.subscribe(FEED, NOW)
    return ledger


def test_both_engines_have_the_same_columns(postgres_url, path):  # noqa: F811
    Ledger(path).open()
    Ledger(postgres_url).open()
    with closing(sqlite3.connect(path)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        ours = {(table, row[1]) for table in tables for row in db.execute(f"PRAGMA table_info({table})")}

    assert ours | {("ledger_version", "version")} == set(postgres.statements(postgres_url, TABLES))
    assert [(len(STEPS),)] == postgres.statements(postgres_url, "SELECT version FROM ledger_version")


def test_reading_makes_nothing(postgres_url):
    ledger = Ledger(postgres_url)

    assert ((0, 0), [], [], None) == (ledger.counts(), ledger.feeds(), ledger.records(), ledger.record("x"))
    assert [] == postgres.statements(postgres_url, TABLES)


def begin(url, start, ended):
    ledger = Ledger(url)
    start.wait()
    ledger.open()
    ended.put(ledger.subscribe(FEED, NOW))


def test_workers_that_start_at_once_make_the_tables_once(postgres_url):
    spawn = multiprocessing.get_context("spawn")
    start, ended = spawn.Barrier(4), spawn.Queue()
    workers = [spawn.Process(target=begin, args=(postgres_url, start, ended)) for _ in range(4)]
    for worker in workers:
        worker.start()

    assert [False, False, False, True] == sorted(ended.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    assert [(len(STEPS),)] == postgres.statements(postgres_url, "SELECT version FROM ledger_version")


def test_a_later_version_takes_its_steps_and_keeps_what_is_there(ledger, postgres_url, monkeypatch):
    ledger.upsert_episodes([OLD])
    monkeypatch.setattr(engine, "STEPS", (*STEPS, ()))
    monkeypatch.setattr("ingest.migrations.STEPS", (*STEPS, ("ALTER TABLE feeds ADD COLUMN more TEXT",)))

    assert [OLD] == [record.episode for record in Ledger(postgres_url).records()]
    assert ("feeds", "more") in postgres.statements(postgres_url, TABLES)
    assert [(len(STEPS) + 1,)] == postgres.statements(postgres_url, "SELECT version FROM ledger_version")


def test_a_ledger_of_a_newer_version_is_left_alone(ledger, postgres_url):
    postgres.statements(postgres_url, "UPDATE ledger_version SET version = version + 1")

    with pytest.raises(HomeError, match="newer Soundbite"):
        ledger.feeds()
    with pytest.raises(HomeError, match="newer Soundbite"):
        ledger.settle(OLD)


def delete_and_fail(ledger):
    with ledger._writing() as db:
        db.execute("DELETE FROM feeds")
        db.execute("SELECT nonsense FROM feeds")


def test_a_change_that_fails_half_way_changes_nothing(ledger):
    ledger.subscribe(Subscription("other", "https://other.example/feed"), NOW)
    assert not ledger.move(FEED, "https://other.example/feed")
    with pytest.raises(HomeError):
        delete_and_fail(ledger)

    assert 2 == len(ledger.feeds())


def test_writers_that_meet_in_the_same_rows_in_any_order_all_end(ledger):
    """Two that each wait for a row of the other's would be a deadlock, which the server ends after a second."""
    known = [replace(OLD, guid=f"g{n}") for n in range(200)]
    ledger.upsert_episodes(known)

    def write(worker):
        order = random.Random(worker).sample(known, len(known))
        ledger.upsert_episodes([replace(one, title=f"{worker}") for one in order])
        ledger.reconcile(lambda: {one.key for one in order[:100]})
        ledger.update_done([replace(one, title=f"{worker}") for one in order])

    with ThreadPoolExecutor(6) as threads:
        assert [None] * 6 == list(threads.map(write, range(6)))
    assert 200 == len(ledger.records())


def test_sessions_that_the_server_ended_are_opened_again(ledger, postgres_url):
    ledger.feeds()
    postgres.statements(
        postgres_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
    )

    assert ["quota"] == [feed.podcast for feed in ledger.feeds()]


def test_a_role_that_may_only_read_can_search(ledger, postgres_url):
    ledger.upsert_episodes([OLD])
    (schema,) = postgres.statements(postgres_url, "SELECT current_schema()")[0]
    postgres.statements(
        postgres_url, f"CREATE ROLE {schema}_reader LOGIN", f"GRANT USAGE ON SCHEMA {schema} TO {schema}_reader",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {schema}_reader",
    )  # fmt: skip
    reader = Ledger(postgres_url.replace("ledger@", f"{schema}_reader@"))

    assert (1, 0) == reader.counts()
    with pytest.raises(HomeError, match="permission denied"):
        reader.settle(OLD)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ann:s3cret@127.0.0.1:1/ledger",
        "postgresql://ann:s3cret@nowhere.invalid/ledger?connect_timeout=2",
        "postgresql://ann@/ledger?host=/nowhere&password=s3cret",
    ],
)
def test_a_server_out_of_reach_is_told_without_its_password_and_not_waited_for_again(url):
    ledger = Ledger(url)
    with pytest.raises(LedgerUnreachableError, match="cannot be reached") as told:
        ledger.feeds()
    began = time.monotonic()
    assert unless_damaged(ledger.feeds, []) == []

    assert time.monotonic() - began < 1.5
    assert "s3cret" not in f"{told.value} {ledger} {told.value.__cause__}"


@pytest.mark.parametrize(
    "url", ["postgresql://ann:s3cret@x:port/y", "postgresql://ann:s3cret@[::1/y", "postgresql://ann@x/y?s3cret=1"]
)
def test_a_url_that_is_none_is_told_without_its_password(url):
    with pytest.raises(HomeError) as told:
        Ledger(url).open()

    assert "s3cret" not in f"{told.value} {told.value.__cause__}"
    assert "SOUNDBITE_LEDGER" in str(told.value)


def test_a_database_or_a_role_that_is_not_there_is_told(postgres_url):
    for url in (postgres_url.replace("/postgres?", "/nobodys?"), postgres_url.replace("ledger@", "nobody@")):
        with pytest.raises(LedgerUnreachableError, match="does not exist"):
            Ledger(url).open()
