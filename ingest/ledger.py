"""What is known but not yet done: subscriptions, and which episodes are pending, done or failed, in one SQLite file.

The library of transcripts is the truth about what is done; the ledger remembers what a `304 Not Modified` no longer
tells, and why something failed. Losing it costs a poll, not a transcript.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ingest.errors import HomeError, NotFoundError
from ingest.migrations import bring_up_to_date
from ingest.models import Episode, TranscriptLink

Status = Literal["pending", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed we poll, and how the last polls went; `etag` and `last_modified` are the host's words, verbatim.

    `language` is what the feed declares, `spoken` what a person says of it. `stated_url` is where the feed itself says it has moved to; `new_url` where it seems to have moved, which `agreed`
    polls have said since `agreed_since`; `gone` when the host said that it is gone for good.
    """

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
    language: str = ""
    user_agent: str = ""
    spoken: str = ""
    stated_url: str = ""
    new_url: str = ""
    agreed: int = 0
    agreed_since: datetime | None = None
    gone: datetime | None = None


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
            bring_up_to_date(db, path)

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

    def known(self, url: str) -> Subscription | None:
        """The subscription that has this URL, or had it before its feed moved; None where there is none."""
        with self._open() as db:
            row = db.execute(
                "SELECT * FROM feeds WHERE url = ?1 OR podcast IN (SELECT podcast FROM aliases WHERE url = ?1)", (url,)
            ).fetchone()
            return _subscription(row) if row else None

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
            db.execute("DELETE FROM aliases WHERE podcast = ?", (podcast,))
            db.execute("DELETE FROM episodes WHERE podcast = ? AND status != 'done'", (podcast,))

    def override(self, podcast: str, *, user_agent: str = "", spoken: str = "") -> None:
        """What counts for one feed instead of the settings: its User-Agent, its language; what is empty stays."""
        with self._open() as db:
            for name, value in (("user_agent", user_agent), ("spoken", spoken)):
                if value:
                    db.execute(f"UPDATE feeds SET {name} = ? WHERE podcast = ?", (value, podcast))  # noqa: S608 - ours

    def move(self, feed: Subscription, url: str) -> bool:
        """The feed has moved for good; its old URL stays known. False, and nothing done, where the new one is another's.

        `feed` carries the validators of the copy at the new URL.
        """
        with self._open() as db:
            moved = db.execute(
                "UPDATE OR IGNORE feeds SET url = ?, etag = ?, last_modified = ?, new_url = '', agreed = 0, "
                "agreed_since = NULL WHERE podcast = ?",
                (url, feed.etag, feed.last_modified, feed.podcast),
            )
            if moved.rowcount:
                db.execute("DELETE FROM aliases WHERE url = ?", (url,))
                db.execute("INSERT OR REPLACE INTO aliases (url, podcast) VALUES (?, ?)", (feed.url, feed.podcast))
            return moved.rowcount == 1

    def rest(self, host: str, until: datetime) -> None:
        """A host has asked to be left alone."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO hosts (host, rest_until) VALUES (?, ?)", (host, until.timestamp()))

    def resting(self, host: str) -> datetime | None:
        """Until when a host has asked to be left alone, which may be over; None where it never asked."""
        with self._open() as db:
            row = db.execute("SELECT rest_until FROM hosts WHERE host = ?", (host,)).fetchone()
            return _moment(row[0]) if row else None

    def polled(self, feed: Subscription, now: datetime) -> None:
        """Record a poll that succeeded; `feed` carries the new validators, title and next poll."""
        self._record_poll(feed, "last_success = ?, last_error = '', failures = 0", now.timestamp())

    def poll_failed(self, feed: Subscription, reason: str) -> None:
        """Record a poll that failed; validators stay, so nothing published meanwhile is missed."""
        self._record_poll(feed, "last_error = ?, failures = failures + 1", reason)

    def _record_poll(self, feed: Subscription, outcome: str, value: float | str) -> None:
        names = ("title", "etag", "last_modified", "language", "stated_url", "new_url", "agreed")
        moments = ("next_poll", "agreed_since", "gone")
        told = ", ".join(f"{name} = ?" for name in names + moments)
        values = [getattr(feed, name) for name in names] + [_seconds(getattr(feed, name)) for name in moments]
        with self._open() as db:
            db.execute(
                f"UPDATE feeds SET {outcome}, {told} WHERE podcast = ?",  # noqa: S608 - constant text
                (value, *values, feed.podcast),
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

    def revise(self, episodes: Iterable[Episode]) -> None:
        """Take the feed's newer words for episodes that are done; they stay done."""
        with self._open() as db:
            db.executemany(
                "UPDATE episodes SET published = ?, data = ?, reason = 'revised by its publisher since' WHERE key = ?",
                [(published, data, key) for key, _, published, data in map(_row, map(_small, episodes))],
            )

    def records(self, podcast: str = "") -> list[EpisodeRecord]:
        """Every episode known, newest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT * FROM episodes WHERE ? IN ('', podcast) ORDER BY published IS NULL, published DESC, key",
                (podcast,),
            )
            return [_record(row) for row in rows]

    def published(self, podcast: str) -> list[datetime]:
        """When its latest hundred episodes came out, newest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT published FROM episodes WHERE podcast = ? AND published IS NOT NULL "
                "ORDER BY published DESC LIMIT 100",
                (podcast,),
            )
            return [datetime.fromtimestamp(row[0], UTC) for row in rows]

    def finish(self, episode: Episode) -> None:
        """The episode's transcript lies in the library."""
        self._settle(episode, "done", "", None)

    def fail(self, episode: Episode, reason: str, next_try: datetime) -> None:
        """The episode could not be had this time; it is tried again from `next_try` on."""
        self._settle(episode, "failed", reason, next_try)

    def _settle(self, episode: Episode, status: Status, reason: str, next_try: datetime | None) -> None:
        kept = _small(episode) if status == "done" else episode
        with self._open() as db:
            db.execute(
                "INSERT INTO episodes (key, podcast, published, data, status) VALUES (?, ?, ?, ?, 'pending') "
                "ON CONFLICT (key) DO NOTHING",
                _row(kept),
            )
            db.execute(
                "UPDATE episodes SET data = ?, status = ?, reason = ?, attempts = attempts + 1, next_try = ? WHERE key = ?",
                (_row(kept)[3], status, reason, _seconds(next_try), episode.key),
            )

    def tallies(self) -> dict[str, dict[str, int]]:
        """For each podcast how many of its episodes have which status."""
        told: dict[str, dict[str, int]] = {}
        with self._open() as db:
            for podcast, status, count in db.execute(
                "SELECT podcast, status, count(*) FROM episodes GROUP BY podcast, status"
            ):
                told.setdefault(podcast, {"done": 0, "pending": 0, "failed": 0})[status] = count
        return told

    def counts(self) -> tuple[int, int]:
        """How many episodes are pending, how many failed."""
        with self._open() as db:
            rows = dict(db.execute("SELECT status, count(*) FROM episodes GROUP BY status").fetchall())
        return int(rows.get("pending", 0)), int(rows.get("failed", 0))


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _subscription(row: sqlite3.Row) -> Subscription:
    names = ("added", "last_success", "next_poll", "agreed_since", "gone")
    moments = {name: _moment(row[name]) for name in names}
    return Subscription(**{**{name: row[name] for name in row.keys()}, **moments})  # noqa: SIM118 - a Row is no dict


def _small(episode: Episode) -> Episode:
    """Without what only obtaining it needs: for a podcast of years, most of the ledger."""
    return replace(episode, summary="", people=(), transcripts=())


def _row(episode: Episode) -> tuple[Any, ...]:
    moment = episode.published_at
    return (episode.key, episode.podcast, moment.timestamp() if moment else None, json.dumps(asdict(episode)))


def _record(row: sqlite3.Row) -> EpisodeRecord:
    data = json.loads(row["data"])
    data["people"] = tuple(data["people"])
    data["transcripts"] = tuple(TranscriptLink(**link) for link in data["transcripts"])
    return EpisodeRecord(Episode(**data), row["status"], row["reason"], row["attempts"], _moment(row["next_try"]))
