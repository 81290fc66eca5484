"""What is known but not yet done: subscriptions, and which episodes are pending, done or failed, in one SQLite file.

The library of transcripts is the truth about what is done; the ledger remembers what a `304 Not Modified` no longer
tells, and why something failed. Losing it costs a poll, not a transcript.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

from ingest.database import Database
from ingest.errors import NotFoundError
from ingest.identity import slug
from ingest.models import Episode, EpisodeRecord, EpisodeStatus, Subscription, TranscriptLink

_KNOWN = frozenset(field.name for field in fields(Episode))


class Ledger(Database):
    """Feeds and episodes. Raises `HomeError` where the file cannot be used, `DiskFullError` where there is no room."""

    # -- feeds

    def feeds(self) -> list[Subscription]:
        """Every subscription, by podcast."""
        with self._reading() as db:
            return [_subscription(row) for row in db.execute("SELECT * FROM feeds ORDER BY podcast")]

    def feed(self, podcast: str) -> Subscription:
        """One subscription, by the podcast's name or slug; raises `NotFoundError` with the names there are."""
        known = {feed.podcast: feed for feed in self.feeds()}
        if slug(podcast) not in known:
            names = ", ".join(known) or "none yet; `soundbite add URL` adds one"
            raise NotFoundError(podcast, f"no such podcast here (known: {names})")
        return known[slug(podcast)]

    def find_by_url(self, url: str) -> Subscription | None:
        """The subscription that has this URL, or had it before its feed moved; None where there is none."""
        with self._reading() as db:
            row = db.execute(
                "SELECT * FROM feeds WHERE url = ?1 OR podcast IN (SELECT podcast FROM aliases WHERE url = ?1)", (url,)
            ).fetchone()
            return _subscription(row) if row else None

    def subscribe(self, feed: Subscription, now: datetime) -> bool:
        """Add a subscription; False where its URL or its slug is there already, which stays as it was."""
        with self._writing() as db:
            added = db.execute(
                "INSERT OR IGNORE INTO feeds (podcast, url, title, added) VALUES (?, ?, ?, ?)",
                (slug(feed.podcast), feed.url, feed.title, now.timestamp()),
            )
            return added.rowcount == 1

    def unsubscribe(self, podcast: str) -> Subscription:
        """Stop polling and forget what was pending; transcripts stay. Raises `NotFoundError`."""
        feed = self.feed(podcast)
        with self._writing() as db:
            db.execute("DELETE FROM feeds WHERE podcast = ?", (feed.podcast,))
            db.execute("DELETE FROM aliases WHERE podcast = ?", (feed.podcast,))
            db.execute("DELETE FROM episodes WHERE podcast = ? AND status != 'done'", (feed.podcast,))
        return feed

    def set_overrides(self, podcast: str, *, user_agent: str = "", language: str = "") -> None:
        """What counts for one feed instead of the settings; what is empty stays as it was."""
        with self._writing() as db:
            for name, value in (("user_agent_override", user_agent), ("language_override", language)):
                if value:
                    db.execute(f"UPDATE feeds SET {name} = ? WHERE podcast = ?", (value, podcast))  # noqa: S608 - ours

    def move(self, feed: Subscription, url: str) -> bool:
        """The feed has moved for good; its old URL stays known. False, and nothing done, where the new one is another's.

        `feed` carries the validators of the copy at the new URL.
        """
        with self._writing() as db:
            moved = db.execute(
                "UPDATE OR IGNORE feeds SET url = ?, etag = ?, last_modified = ?, new_url = '', agreed = 0, "
                "agreed_since = NULL WHERE podcast = ?",
                (url, feed.etag, feed.last_modified, feed.podcast),
            )
            if moved.rowcount:
                db.execute("DELETE FROM aliases WHERE url = ?", (url,))
                db.execute("INSERT OR REPLACE INTO aliases (url, podcast) VALUES (?, ?)", (feed.url, feed.podcast))
            return moved.rowcount == 1

    def set_backoff(self, host: str, until: datetime) -> None:
        """A host has asked to be left alone."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO hosts (host, backoff_until) VALUES (?, ?)", (host, until.timestamp()))

    def backoff_until(self, host: str) -> datetime | None:
        """Until when a host has asked to be left alone, which may be over; None where it never asked."""
        with self._reading() as db:
            row = db.execute("SELECT backoff_until FROM hosts WHERE host = ?", (host,)).fetchone()
            return _moment(row[0]) if row else None

    def record_poll(self, feed: Subscription, now: datetime) -> None:
        """Record a poll that succeeded; `feed` carries the new validators, title and next poll."""
        self._record_poll(feed, "last_success = ?, last_error = '', failures = 0", now.timestamp())

    def record_poll_failure(self, feed: Subscription, reason: str) -> None:
        """Record a poll that failed; validators stay, so nothing published meanwhile is missed."""
        self._record_poll(feed, "last_error = ?, failures = failures + 1", reason)

    def _record_poll(self, feed: Subscription, outcome: str, value: float | str) -> None:
        names = ("title", "etag", "last_modified", "language", "stated_url", "new_url", "agreed")
        moments = ("next_poll", "agreed_since", "gone")
        told = ", ".join(f"{name} = ?" for name in names + moments)
        values = [getattr(feed, name) for name in names] + [_seconds(getattr(feed, name)) for name in moments]
        with self._writing() as db:
            db.execute(
                f"UPDATE feeds SET {outcome}, {told} WHERE podcast = ?",  # noqa: S608 - constant text
                (value, *values, feed.podcast),
            )

    # -- episodes

    def upsert_episodes(self, episodes: Iterable[Episode]) -> int:
        """Remember episodes a poll has shown; how many were new.

        One that is known and not done takes the feed's newer words (a moved enclosure, a corrected title).
        """
        with self._writing() as db:
            before = db.execute("SELECT count(*) FROM episodes").fetchone()[0]
            db.executemany(
                "INSERT INTO episodes (key, podcast, published, data, status) VALUES (?, ?, ?, ?, 'pending') "
                "ON CONFLICT (key) DO UPDATE SET data = excluded.data, published = excluded.published "
                "WHERE status != 'done'",
                [_row(episode) for episode in episodes],
            )
            return int(db.execute("SELECT count(*) FROM episodes").fetchone()[0] - before)

    def update_done(self, episodes: Iterable[Episode]) -> None:
        """Take the feed's newer words for episodes that are done; they stay done."""
        with self._writing() as db:
            db.executemany(
                "UPDATE episodes SET published = ?, data = ?, reason = 'revised by its publisher since' WHERE key = ?",
                [(published, data, key) for key, _, published, data in map(_row, map(_without_notes, episodes))],
            )

    def records(self, podcast: str = "") -> list[EpisodeRecord]:
        """Every episode known, newest first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM episodes WHERE ? IN ('', podcast) ORDER BY published IS NULL, published DESC, key",
                (podcast,),
            )
            return [_record(row) for row in rows]

    def record(self, name: str) -> EpisodeRecord | None:
        """The episode with this key or guid; None where there is none."""
        with self._reading() as db:
            row = db.execute(
                "SELECT * FROM episodes WHERE key = ?1 OR json_extract(data, '$.guid') = ?1 ORDER BY key != ?1", (name,)
            ).fetchone()
            return _record(row) if row else None

    def queue(
        self,
        now: datetime,
        *,
        podcast: str = "",
        latest: int = 0,
        since: datetime | None = None,
        retry_all: bool = False,
    ) -> list[str]:
        """Keys of the episodes to work on, of all feeds subscribed to or of one, newest first.

        Pending ones, and failed ones that are due (with `retry_all`, all of them). `latest` looks at only so many of the
        newest episodes of each podcast (0: at all), `since` at those published then or later.
        """
        with self._reading() as db:
            rows = db.execute(
                "SELECT key FROM (SELECT *, row_number() OVER (PARTITION BY podcast ORDER BY published IS NULL, "
                "published DESC, key) AS place FROM episodes) WHERE podcast IN (SELECT podcast FROM feeds) "
                "AND :podcast IN ('', podcast) AND (:latest = 0 OR place <= :latest) "
                "AND (:since IS NULL OR published >= :since) "
                "AND (status = 'pending' OR (status = 'failed' AND (:all OR next_try <= :now))) "
                "ORDER BY published IS NULL, published DESC, key",
                {
                    "podcast": podcast, "latest": latest, "since": since.timestamp() if since else None,
                    "all": retry_all, "now": now.timestamp(),
                },
            )  # fmt: skip
            return [row[0] for row in rows]

    def published(self, podcast: str) -> list[datetime]:
        """When its latest hundred episodes came out, newest first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT published FROM episodes WHERE podcast = ? AND published IS NOT NULL "
                "ORDER BY published DESC LIMIT 100",
                (podcast,),
            )
            return [datetime.fromtimestamp(row[0], UTC) for row in rows]

    def settle(self, episode: Episode) -> None:
        """The episode's transcript lies in the library."""
        self._settle(_without_notes(episode), "done", "", None)

    def record_failure(self, episode: Episode, reason: str, next_try: datetime) -> None:
        """The episode could not be had this time; it is tried again from `next_try` on."""
        self._settle(episode, "failed", reason, next_try)

    def _settle(self, episode: Episode, status: EpisodeStatus, reason: str, next_try: datetime | None) -> None:
        with self._writing() as db:
            db.execute(
                "INSERT INTO episodes (key, podcast, published, data, status) VALUES (?, ?, ?, ?, 'pending') "
                "ON CONFLICT (key) DO NOTHING",
                _row(episode),
            )
            db.execute(
                "UPDATE episodes SET data = ?, status = ?, reason = ?, attempts = attempts + 1, next_try = ? WHERE key = ?",
                (_row(episode)[3], status, reason, _seconds(next_try), episode.key),
            )

    def reconcile(self, keys: Collection[str]) -> int:
        """Bring the statuses to what the library holds; how many episodes are to be made again.

        `keys` are those of the library's documents. An episode whose document is gone is pending again, and its feed is
        asked for whole, since the ledger keeps little of what is done; one whose document is there is done.
        """
        with self._reading() as db:
            rows = db.execute(
                "SELECT key, podcast, status = 'done' FROM episodes WHERE podcast IN (SELECT podcast FROM feeds)"
            ).fetchall()
        lost = [(key, podcast) for key, podcast, done in rows if done and key not in keys]
        found = [(key,) for key, _, done in rows if not done and key in keys]
        if lost or found:
            with self._writing() as db:
                db.executemany("UPDATE episodes SET status = 'done', reason = '', next_try = 0 WHERE key = ?", found)
                db.executemany(
                    "UPDATE episodes SET status = 'pending', reason = '', attempts = 0, next_try = 0 WHERE key = ?",
                    [(key,) for key, _ in lost],
                )
                db.executemany(
                    "UPDATE feeds SET etag = '', last_modified = '', next_poll = 0 WHERE podcast = ?",
                    [(podcast,) for podcast in {podcast for _, podcast in lost}],
                )
        return len(lost)

    def counts_by_podcast(self) -> dict[str, dict[str, int]]:
        """For each podcast how many of its episodes have which status."""
        counts: dict[str, dict[str, int]] = {}
        with self._reading() as db:
            for podcast, status, count in db.execute(
                "SELECT podcast, status, count(*) FROM episodes GROUP BY podcast, status"
            ):
                counts.setdefault(podcast, {"done": 0, "pending": 0, "failed": 0})[status] = count
        return counts

    def counts(self) -> tuple[int, int]:
        """How many episodes are pending, how many failed."""
        with self._reading() as db:
            counts = dict(db.execute("SELECT status, count(*) FROM episodes GROUP BY status").fetchall())
        return int(counts.get("pending", 0)), int(counts.get("failed", 0))


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _subscription(row: sqlite3.Row) -> Subscription:
    names = ("added", "last_success", "next_poll", "agreed_since", "gone")
    moments = {name: _moment(row[name]) for name in names}
    return Subscription(**{**{name: row[name] for name in row.keys()}, **moments})  # noqa: SIM118 - a Row is no dict


def _without_notes(episode: Episode) -> Episode:
    """Without what only obtaining it needs: for a podcast of years, most of the ledger."""
    return replace(episode, summary="", people=(), transcripts=())


def _row(episode: Episode) -> tuple[Any, ...]:
    moment = episode.published_at
    podcast = slug(episode.podcast)
    data = json.dumps(asdict(replace(episode, podcast=podcast)))
    return (episode.key, podcast, moment.timestamp() if moment else None, data)


def _record(row: sqlite3.Row) -> EpisodeRecord:
    data = {name: value for name, value in json.loads(row["data"]).items() if name in _KNOWN}
    data["people"] = tuple(data.get("people", ()))
    data["transcripts"] = tuple(TranscriptLink(**link) for link in data.get("transcripts", ()))
    return EpisodeRecord(Episode(**data), row["status"], row["reason"], row["attempts"], _moment(row["next_try"]))
