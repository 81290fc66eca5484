"""The ledger's tables, and how a ledger written by an earlier version becomes one of this version."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from ingest.errors import HomeError
from ingest.identity import episode_key, slug
from ingest.web.credentials import Credentials, without_userinfo
from ingest.web.same_address import address_key

Step = tuple[str, ...] | Callable[[Any], None]

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
_NAMES = (
    "ALTER TABLE feeds RENAME COLUMN spoken TO language_override",
    "ALTER TABLE feeds RENAME COLUMN user_agent TO user_agent_override",
    "ALTER TABLE hosts RENAME COLUMN rest_until TO backoff_until",
)


def _one_slug(db: sqlite3.Connection) -> None:
    """File every podcast under the slug that the library uses, and every episode under the key that follows from it."""
    for (podcast,) in db.execute("SELECT podcast FROM feeds").fetchall():
        if slug(podcast) != podcast:
            db.execute("UPDATE OR IGNORE feeds SET podcast = ? WHERE podcast = ?", (slug(podcast), podcast))
            db.execute("UPDATE aliases SET podcast = ? WHERE podcast = ?", (slug(podcast), podcast))
    for key, text in db.execute("SELECT key, data FROM episodes").fetchall():
        data = json.loads(text)
        podcast = slug(data["podcast"])
        new_key = episode_key(podcast, data["guid"])
        if (key, data["podcast"]) != (new_key, podcast):
            db.execute(
                "UPDATE OR REPLACE episodes SET key = ?, podcast = ?, data = ? WHERE key = ?",
                (new_key, podcast, json.dumps(data | {"podcast": podcast}), key),
            )


_CREDENTIALS = (
    """CREATE TABLE credentials (podcast TEXT NOT NULL, origin TEXT NOT NULL, stated INTEGER NOT NULL,
  headers TEXT NOT NULL, PRIMARY KEY (podcast, origin, stated)) WITHOUT ROWID""",
    "ALTER TABLE feeds ADD COLUMN opted_out TEXT NOT NULL DEFAULT ''",
)

_LASTING = ("ALTER TABLE episodes ADD COLUMN lasting INTEGER NOT NULL DEFAULT 0",)
_CLAIMS = (
    "ALTER TABLE episodes ADD COLUMN claimed_by TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE episodes ADD COLUMN claimed_until DOUBLE PRECISION NOT NULL DEFAULT 0",
)


def _part_credentials(db: sqlite3.Connection) -> None:
    """Take users and passwords out of the addresses; those of feeds are kept apart.

    An episode that had one forgets where it is from, and its feed is asked for whole: the next poll then sees a
    difference and brings the clean addresses to its document.
    """
    insert = "INSERT OR IGNORE INTO credentials VALUES (?, ?, ?, ?)"
    for podcast, url in db.execute("SELECT podcast, url FROM feeds WHERE url LIKE '%@%'").fetchall():
        for origin, headers in Credentials.for_url(url).by_origin.items():
            db.execute(insert, (podcast, origin, False, json.dumps(headers)))
    for table, column in (("feeds", "url"), ("feeds", "stated_url"), ("feeds", "new_url"), ("aliases", "url")):
        for (url,) in db.execute(f"SELECT {column} FROM {table} WHERE {column} LIKE '%@%'").fetchall():  # noqa: S608
            change = f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {column} = ?"  # noqa: S608 - constant text
            db.execute(change, (without_userinfo(url), url))
    for key, podcast, text in db.execute("SELECT key, podcast, data FROM episodes WHERE data LIKE '%@%'").fetchall():
        data = json.loads(text)
        for origin, headers in Credentials.for_url(data.get("audio_url", "")).by_origin.items():
            db.execute(insert, (podcast, origin, True, json.dumps(headers)))
        told = {name: str(data.get(name, "")) for name in ("audio_url", "source_feed")}
        clean = {name: without_userinfo(url) for name, url in told.items()}
        if clean != told:
            clean["source_feed"] = ""
            db.execute("UPDATE feeds SET etag = '', last_modified = '' WHERE podcast = ?", (podcast,))
        links = [link | {"url": without_userinfo(link["url"])} for link in data.get("transcripts", ())]
        db.execute(
            "UPDATE episodes SET data = ? WHERE key = ?", (json.dumps(data | clean | {"transcripts": links}), key)
        )


_LOOKED_UP = (
    "ALTER TABLE episodes ADD COLUMN guid TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE episodes ADD COLUMN captioned INTEGER NOT NULL DEFAULT 0",
    """UPDATE episodes SET guid = json_extract(data, '$.guid'),
  captioned = coalesce(json_array_length(data, '$.transcripts'), 0) > 0""",
    "CREATE INDEX episodes_by_guid ON episodes (guid)",
)


def _address_keys(db: Any) -> None:
    """Let every feed be found by its address in any form; of two that are one, the older is."""
    for table in ("feeds ORDER BY added", "aliases"):
        for podcast, url in db.execute(f"SELECT podcast, url FROM {table}").fetchall():  # noqa: S608 - constant text
            db.execute(
                "INSERT INTO aliases (url, podcast) VALUES (?, ?) ON CONFLICT DO NOTHING", (address_key(url), podcast)
            )


_DUE = ("CREATE INDEX feeds_by_next_poll ON feeds (next_poll)",)

# What a ledger of version n lacks is STEPS[n:]; steps are only ever added. From POSTGRES_VERSION on they are of tables
# on PostgreSQL, too, and hold statements that both engines take.
STEPS: tuple[Step, ...] = (
    _FIRST, _MOVES, _SPOKEN, _NAMES, _one_slug, _CREDENTIALS, _part_credentials, _LASTING, _CLAIMS, _LOOKED_UP,
    _DUE, _address_keys,
)  # fmt: skip

POSTGRES_VERSION = 10  # of the tables below
# Collation C compares bytes, as SQLite does; FLOAT8 is SQLite's REAL.
POSTGRES_TABLES = (
    """CREATE TABLE feeds (
  podcast TEXT COLLATE "C" PRIMARY KEY, url TEXT NOT NULL UNIQUE, title TEXT NOT NULL DEFAULT '',
  etag TEXT NOT NULL DEFAULT '', last_modified TEXT NOT NULL DEFAULT '',
  added FLOAT8 NOT NULL, last_success FLOAT8, last_error TEXT NOT NULL DEFAULT '',
  failures INTEGER NOT NULL DEFAULT 0, next_poll FLOAT8 NOT NULL DEFAULT 0,
  language TEXT NOT NULL DEFAULT '', user_agent_override TEXT NOT NULL DEFAULT '', stated_url TEXT NOT NULL DEFAULT '',
  new_url TEXT NOT NULL DEFAULT '', agreed INTEGER NOT NULL DEFAULT 0, agreed_since FLOAT8, gone FLOAT8,
  language_override TEXT NOT NULL DEFAULT '', opted_out TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE episodes (
  key TEXT COLLATE "C" PRIMARY KEY, podcast TEXT COLLATE "C" NOT NULL, published FLOAT8, data TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
  next_try FLOAT8 NOT NULL DEFAULT 0, lasting INTEGER NOT NULL DEFAULT 0, claimed_by TEXT NOT NULL DEFAULT '',
  claimed_until FLOAT8 NOT NULL DEFAULT 0, guid TEXT NOT NULL DEFAULT '', captioned INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX episodes_by_status ON episodes (status, podcast)",
    "CREATE INDEX episodes_by_date ON episodes (podcast, published)",
    "CREATE INDEX episodes_by_guid ON episodes (guid)",
    "CREATE TABLE aliases (url TEXT PRIMARY KEY, podcast TEXT NOT NULL)",
    "CREATE TABLE hosts (host TEXT PRIMARY KEY, backoff_until FLOAT8 NOT NULL)",
    """CREATE TABLE credentials (podcast TEXT NOT NULL, origin TEXT NOT NULL, stated INTEGER NOT NULL,
  headers TEXT NOT NULL, PRIMARY KEY (podcast, origin, stated))""",
)


def version_of(db: sqlite3.Connection) -> int:
    """The version that wrote an open SQLite ledger."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection, subject: object) -> None:
    """Take the steps that the open ledger lacks, all or none. Raises `HomeError` where a newer version wrote it."""
    check_version(version_of(db), subject)
    if version_of(db) == len(STEPS):
        return
    db.execute("BEGIN IMMEDIATE")  # another process may be about to do the same
    take_steps(db, version_of(db))
    db.execute(f"PRAGMA user_version = {len(STEPS)}")


def check_version(version: int, subject: object) -> None:
    """Raises `HomeError` where a newer version wrote the ledger."""
    if version > len(STEPS):
        raise HomeError(subject, "was written by a newer Soundbite; update this one")


def take_steps(db: Any, version: int) -> None:
    """Take the steps that a ledger of this version lacks, in the transaction that is open."""
    for step in STEPS[version:]:
        if callable(step):
            step(db)
        else:
            for statement in step:
                db.execute(statement)
