"""What is known but not yet done: subscriptions, and which episodes are pending, done or failed, in one SQLite file.

The library of transcripts is the truth about what is done; the ledger remembers what a `304 Not Modified` no longer
tells, and why something failed. Losing it costs a poll, not a transcript.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ingest.errors import HomeError, NotFoundError
from ingest.models import Episode, TranscriptLink

Status = Literal["pending", "done", "failed"]

_TABLES = """
CREATE TABLE IF NOT EXISTS feeds (
  podcast TEXT PRIMARY KEY, url TEXT NOT NULL UNIQUE, title TEXT NOT NULL DEFAULT '',
  etag TEXT NOT NULL DEFAULT '', last_modified TEXT NOT NULL DEFAULT '',
  added REAL NOT NULL, last_success REAL, last_error TEXT NOT NULL DEFAULT '',
  failures INTEGER NOT NULL DEFAULT 0, next_poll REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS episodes (
  key TEXT PRIMARY KEY, podcast TEXT NOT NULL, published REAL, data TEXT NOT NULL, status TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS episodes_by_status ON episodes (status, podcast);
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed we poll, and how the last polls went; `etag` and `last_modified` are the host's words, verbatim."""

    podcast: str
    url: str
    title: str = ""
    etag: str = ""
    last_modified: str = ""
    added: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""
    failures: int = 0
    next_poll: datetime | None = None


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """An episode the ledger knows of and what became of it; `next_try` only matters once it has failed."""

    episode: Episode
    status: Status
    reason: str = ""
    attempts: int = 0
    next_try: datetime | None = None


class Ledger:
    """One connection per call, so that threads and processes may share the file.

    Raises `HomeError` where the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(path.parent, f"cannot be written ({error.strerror}); choose another --home") from error
        with self._open() as db:
            db.executescript(_TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as db:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA journal_mode=WAL")
                with db:
                    yield db
        except sqlite3.Error as error:
            raise HomeError(self.path, f"cannot be used ({error}); check the disk and the permissions") from error

    # -- feeds

    def feeds(self) -> list[Subscription]:
        """Every subscription, by podcast."""
        with self._open() as db:
            return [_subscription(row) for row in db.execute("SELECT * FROM feeds ORDER BY podcast")]

    def feed(self, podcast: str) -> Subscription:
        """One subscription; raises `NotFoundError` with the names there are."""
        known = {feed.podcast: feed for feed in self.feeds()}
        if podcast not in known:
            names = ", ".join(known) or "none yet; `soundbite add URL` adds one"
            raise NotFoundError(podcast, f"no such podcast here (known: {names})")
        return known[podcast]

    def subscribe(self, feed: Subscription, now: datetime) -> bool:
        """Add a subscription; False where its URL or its slug is there already, which stays as it was."""
        with self._open() as db:
            added = db.execute(
                "INSERT OR IGNORE INTO feeds (podcast, url, title, added) VALUES (?, ?, ?, ?)",
                (feed.podcast, feed.url, feed.title, now.timestamp()),
            )
            return added.rowcount == 1

    def unsubscribe(self, podcast: str) -> None:
        """Stop polling and forget what was pending; transcripts stay. Raises `NotFoundError`."""
        self.feed(podcast)
        with self._open() as db:
            db.execute("DELETE FROM feeds WHERE podcast = ?", (podcast,))
            db.execute("DELETE FROM episodes WHERE podcast = ? AND status != 'done'", (podcast,))

    def polled(self, feed: Subscription, now: datetime) -> None:
        """Record a poll that succeeded; `feed` carries the new validators, title, URL and next poll."""
        self._record_poll(feed, "last_success = ?, last_error = '', failures = 0", now.timestamp())

    def poll_failed(self, feed: Subscription, reason: str) -> None:
        """Record a poll that failed; validators stay, so nothing published meanwhile is missed."""
        self._record_poll(feed, "last_error = ?, failures = failures + 1", reason)

    def _record_poll(self, feed: Subscription, outcome: str, value: float | str) -> None:
        due = feed.next_poll.timestamp() if feed.next_poll else 0.0
        with self._open() as db:
            db.execute(
                f"UPDATE feeds SET {outcome}, url = ?, title = ?, etag = ?, last_modified = ?, next_poll = ? "  # noqa: S608 - constant text
                "WHERE podcast = ?",
                (value, feed.url, feed.title, feed.etag, feed.last_modified, due, feed.podcast),
            )

    # -- episodes

    def found(self, episodes: Iterable[Episode]) -> int:
        """Remember episodes a poll has shown; how many were new.

        One that is known and not done takes the feed's newer words (a moved enclosure, a corrected title).
        """
        with self._open() as db:
            before = db.execute("SELECT count(*) FROM episodes").fetchone()[0]
            db.executemany(
                "INSERT INTO episodes (key, podcast, published, data, status) VALUES (?, ?, ?, ?, 'pending') "
                "ON CONFLICT (key) DO UPDATE SET data = excluded.data, published = excluded.published "
                "WHERE status != 'done'",
                [_row(episode) for episode in episodes],
            )
            return int(db.execute("SELECT count(*) FROM episodes").fetchone()[0] - before)

    def records(self, podcast: str = "") -> list[EpisodeRecord]:
        """Every episode known, newest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT * FROM episodes WHERE ? IN ('', podcast) ORDER BY published IS NULL, published DESC, key",
                (podcast,),
            )
            return [_record(row) for row in rows]

    def finish(self, episode: Episode) -> None:
        """The episode's transcript lies in the library."""
        self._settle(episode, "done", "", None)

    def fail(self, episode: Episode, reason: str, next_try: datetime) -> None:
        """The episode could not be had this time; it is tried again from `next_try` on."""
        self._settle(episode, "failed", reason, next_try)

    def _settle(self, episode: Episode, status: Status, reason: str, next_try: datetime | None) -> None:
        with self._open() as db:
            db.execute(
                "INSERT INTO episodes (key, podcast, published, data, status) VALUES (?, ?, ?, ?, 'pending') "
                "ON CONFLICT (key) DO NOTHING",
                _row(episode),
            )
            db.execute(
                "UPDATE episodes SET status = ?, reason = ?, attempts = attempts + 1, next_try = ? WHERE key = ?",
                (status, reason, next_try.timestamp() if next_try else 0.0, episode.key),
            )

    def counts(self) -> tuple[int, int]:
        """How many episodes are pending, how many failed."""
        with self._open() as db:
            rows = dict(db.execute("SELECT status, count(*) FROM episodes GROUP BY status").fetchall())
        return int(rows.get("pending", 0)), int(rows.get("failed", 0))


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _subscription(row: sqlite3.Row) -> Subscription:
    moments = {name: _moment(row[name]) for name in ("added", "last_success", "next_poll")}
    return Subscription(**{**{name: row[name] for name in row.keys()}, **moments})  # noqa: SIM118 - a Row is no dict


def _row(episode: Episode) -> tuple[Any, ...]:
    moment = episode.published_at
    return (episode.key, episode.podcast, moment.timestamp() if moment else None, json.dumps(asdict(episode)))


def _record(row: sqlite3.Row) -> EpisodeRecord:
    data = json.loads(row["data"])
    data["people"] = tuple(data["people"])
    data["transcripts"] = tuple(TranscriptLink(**link) for link in data["transcripts"])
    return EpisodeRecord(Episode(**data), row["status"], row["reason"], row["attempts"], _moment(row["next_try"]))
