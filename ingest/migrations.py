"""The ledger's tables, and how a ledger written by an earlier version becomes one of this version."""

import sqlite3

from ingest.errors import HomeError

_FIRST = (
    """CREATE TABLE IF NOT EXISTS feeds (
  podcast TEXT PRIMARY KEY, url TEXT NOT NULL UNIQUE, title TEXT NOT NULL DEFAULT '',
  etag TEXT NOT NULL DEFAULT '', last_modified TEXT NOT NULL DEFAULT '',
  added REAL NOT NULL, last_success REAL, last_error TEXT NOT NULL DEFAULT '',
  failures INTEGER NOT NULL DEFAULT 0, next_poll REAL NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS episodes (
  key TEXT PRIMARY KEY, podcast TEXT NOT NULL, published REAL, data TEXT NOT NULL, status TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL DEFAULT 0)""",
    "CREATE INDEX IF NOT EXISTS episodes_by_status ON episodes (status, podcast)",
)
_MOVES = (
    "ALTER TABLE feeds ADD COLUMN language TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feeds ADD COLUMN user_agent TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feeds ADD COLUMN stated_url TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feeds ADD COLUMN new_url TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feeds ADD COLUMN agreed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE feeds ADD COLUMN agreed_since REAL",
    "ALTER TABLE feeds ADD COLUMN gone REAL",
    "CREATE TABLE aliases (url TEXT PRIMARY KEY, podcast TEXT NOT NULL)",
    "CREATE TABLE hosts (host TEXT PRIMARY KEY, rest_until REAL NOT NULL)",
    "CREATE INDEX episodes_by_date ON episodes (podcast, published)",
    """UPDATE episodes SET data =
  json_set(data, '$.summary', '', '$.people', json('[]'), '$.transcripts', json('[]')) WHERE status = 'done'""",
)
_SPOKEN = ("ALTER TABLE feeds ADD COLUMN spoken TEXT NOT NULL DEFAULT ''",)
STEPS = (_FIRST, _MOVES, _SPOKEN)  # what a ledger of version n lacks is STEPS[n:]; steps are only ever added


def bring_up_to_date(db: sqlite3.Connection, subject: object) -> None:
    """Take the steps that the open ledger lacks, all or none. Raises `HomeError` where a newer version wrote it."""
    if _version(db) < len(STEPS):
        db.execute("BEGIN IMMEDIATE")  # another process may be about to do the same
        for statements in STEPS[_version(db) :]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(STEPS)}")
    elif _version(db) > len(STEPS):
        raise HomeError(subject, "was written by a newer Soundbite; update this one")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
