"""What is known but not yet done: subscriptions, and which episodes are pending, done or failed, in one SQLite file.

The library of transcripts is the truth about what is done; the ledger remembers what a `304 Not Modified` no longer
tells, and why something failed. Losing it costs a poll, not a transcript.
"""

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ingest.claims import Claims
from ingest.errors import DamagedLedgerError, NotFoundError
from ingest.identity import SHORT_KEY
from ingest.ledger_rows import (
    episode_record,
    episode_row,
    moment,
    seconds,
    without_notes,
)
from ingest.models import Episode, EpisodeRecord, EpisodeStatus
from ingest.subscriptions import Subscriptions

_UPSERT = """INSERT INTO episodes (key, podcast, published, data, status) VALUES (?1, ?2, ?3, ?4, 'pending')
ON CONFLICT (key) DO UPDATE SET data = excluded.data, published = excluded.published,
  status = iif(status = 'failed' AND next_try = 0 AND instr(json_extract(data, '$.audio_url') || '?', ?5) != 1,
    'pending', status)
WHERE status != 'done'"""
T = TypeVar("T")
logger = logging.getLogger(__name__)


def unless_damaged(read: Callable[[], T], otherwise: T) -> T:
    """What the ledger says; `otherwise`, and a warning, where its file is damaged: for what can be done without it."""
    try:
        return read()
    except DamagedLedgerError as error:
        logger.warning("%s", error)
        return otherwise


class Ledger(Subscriptions, Claims):
    """Feeds, episodes and claims on them. Raises `HomeError` where the file cannot be used, `DiskFullError` where there is no room."""

    def upsert_episodes(self, episodes: Iterable[Episode]) -> int:
        """Remember episodes a poll has shown; how many were new.

        One that is known and not done takes the feed's newer words (a moved enclosure, a corrected title). One that is
        not tried again is pending once its audio has another address.
        """
        with self._writing() as db:
            before = db.execute("SELECT count(*) FROM episodes").fetchone()[0]
            db.executemany(_UPSERT, [(*episode_row(one), f"{one.audio_url.partition('?')[0]}?") for one in episodes])
            return int(db.execute("SELECT count(*) FROM episodes").fetchone()[0] - before)

    def update_done(self, episodes: Iterable[Episode], *, revised: bool = True) -> None:
        """Take the feed's newer words for episodes that are done; they stay done.

        Those that are `revised` say so; a new token in an address is no revision.
        """
        reason = "revised by its publisher since" if revised else ""
        with self._writing() as db:
            db.executemany(
                "UPDATE episodes SET published = ?1, data = ?2, reason = iif(?3 = '', reason, ?3) WHERE key = ?4",
                [
                    (published, data, reason, key)
                    for key, _, published, data in map(episode_row, map(without_notes, episodes))
                ],
            )

    def records(self, podcast: str = "") -> list[EpisodeRecord]:
        """Every episode known, newest first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM episodes WHERE ? IN ('', podcast) ORDER BY published IS NULL, published DESC, key",
                (podcast,),
            )
            return [episode_record(row) for row in rows]

    def record(self, name: str) -> EpisodeRecord | None:
        """The episode with this key or guid; None where there is none."""
        with self._reading() as db:
            row = db.execute(
                "SELECT * FROM episodes WHERE key = ?1 OR json_extract(data, '$.guid') = ?1 ORDER BY key != ?1", (name,)
            ).fetchone()
            return episode_record(row) if row else None

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

        Pending ones, and failed ones that are due (with `retry_all`, all that are ever tried again, but those whose
        failure is lasting only where `podcast` names their feed). `latest` looks at only so many of the newest episodes
        of each podcast (0: at all), `since` at those published then or later.
        """
        with self._reading() as db:
            rows = db.execute(
                "SELECT key FROM (SELECT *, row_number() OVER (PARTITION BY podcast ORDER BY published IS NULL, "
                "published DESC, key) AS place FROM episodes) WHERE podcast IN (SELECT podcast FROM feeds) "
                "AND :podcast IN ('', podcast) AND (:latest = 0 OR place <= :latest) "
                "AND (:since IS NULL OR published >= :since) "
                "AND (status = 'pending' OR (status = 'failed' AND next_try > 0 "
                "AND ((:all AND (NOT lasting OR :podcast != '')) OR next_try <= :now))) "
                "ORDER BY published IS NULL, published DESC, key",
                {
                    "podcast": podcast, "latest": latest, "since": since.timestamp() if since else None,
                    "all": retry_all, "now": now.timestamp(),
                },
            )  # fmt: skip
            return [row[0] for row in rows]

    def captioned(self) -> set[str]:
        """Keys of the episodes that are not done and whose publisher offers a transcript."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT key FROM episodes WHERE status != 'done' AND json_array_length(data, '$.transcripts') > 0"
            )
            return {row[0] for row in rows}

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
        self._settle(without_notes(episode), "done", "", None)

    def record_failure(
        self, episode: Episode, reason: str, next_try: datetime | None, *, lasting: bool = False
    ) -> None:
        """The episode could not be had this time; it is tried again from `next_try` on, with None not at all.

        Where that is `lasting`, a run that tries all failed episodes again leaves it until then.
        """
        self._settle(episode, "failed", reason, next_try, lasting=lasting)

    def try_again(self, key: str) -> bool:
        """Let the next run try an episode that failed, as if for the first time; False where none with this key has."""
        with self._writing() as db:
            changed = db.execute(
                "UPDATE episodes SET status = 'pending', reason = '', attempts = 0, next_try = 0, lasting = 0 "
                "WHERE key = ? AND status = 'failed'",
                (key,),
            )
            return changed.rowcount == 1

    def _settle(
        self, episode: Episode, status: EpisodeStatus, reason: str, next_try: datetime | None, *, lasting: bool = False
    ) -> None:
        with self._writing() as db:
            db.execute(
                "INSERT INTO episodes (key, podcast, published, data, status) VALUES (?, ?, ?, ?, 'pending') "
                "ON CONFLICT (key) DO NOTHING",
                episode_row(episode),
            )
            db.execute(
                "UPDATE episodes SET data = ?, status = ?, reason = ?, attempts = attempts + 1, next_try = ?, lasting = ? "
                "WHERE key = ?",
                (episode_row(episode)[3], status, reason, seconds(next_try), lasting, episode.key),
            )

    def retry(self, *, key: str = "", podcast: str = "") -> int:
        """Make failed episodes pending as if never tried: one, those of a podcast, or all; how many."""
        with self._writing() as db:
            return db.execute(
                "UPDATE episodes SET status = 'pending', reason = '', attempts = 0, next_try = 0, lasting = 0 "
                "WHERE status = 'failed' AND ?1 IN ('', key) AND ?2 IN ('', podcast)",
                (key, podcast),
            ).rowcount

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

    def mend_moments(self, now: datetime, longest_wait: timedelta) -> int:
        """Bring back what a run under a wrong clock has put off; how many moments that were.

        What waits for longer than anything is made to wait is due now, and what began later than now began now.
        """
        waits = (("feeds", "next_poll"), ("episodes", "next_try"), ("hosts", "backoff_until"))
        changes = [(table, name, (now + longest_wait).timestamp()) for table, name in waits]
        changes += [("feeds", name, now.timestamp()) for name in ("agreed_since", "last_success", "gone")]
        with self._reading() as db:
            wrong = [
                change
                for change in changes
                if db.execute(f"SELECT 1 FROM {change[0]} WHERE {change[1]} > ? LIMIT 1", change[2:]).fetchone()  # noqa: S608 - ours
            ]
        if not wrong:
            return 0
        with self._writing() as db:
            return sum(
                db.execute(
                    f"UPDATE {table} SET {name} = ? WHERE {name} > ?",  # noqa: S608 - ours
                    (now.timestamp(), limit),
                ).rowcount
                for table, name, limit in wrong
            )

    def next_try(self) -> datetime | None:
        """When the first of the episodes that failed is tried again; None where there are none."""
        with self._reading() as db:
            found = db.execute(
                "SELECT min(next_try) FROM episodes WHERE status = 'failed' AND next_try > 0"
            ).fetchone()[0]
            return moment(found)

    def find(self, name: str) -> EpisodeRecord:
        """The episode whose key (or at least its first 8 digits) or guid is `name`. Raises `NotFoundError`."""
        exact, key = self.record(name), name.lower()
        if exact:
            return exact
        with self._reading() as db:
            rows = db.execute("SELECT * FROM episodes WHERE key >= ? AND key < ?", (key, key + "g")).fetchall()
        if len(rows) == 1 and len(key) >= SHORT_KEY:
            return episode_record(rows[0])
        raise NotFoundError(name, "no such episode here; `soundbite episodes` lists them")

    def counts_by_podcast(self) -> dict[str, dict[str, int]]:
        """For each podcast how many of its episodes have which status."""
        counts: dict[str, dict[str, int]] = {}
        with self._reading() as db:
            for podcast, status, count in db.execute(
                "SELECT podcast, status, count(*) FROM episodes GROUP BY podcast, status"
            ):
                counts.setdefault(podcast, {"done": 0, "pending": 0, "failed": 0})[status] = count
        return counts

    def counts(self, podcasts: Collection[str] = ()) -> tuple[int, int]:
        """How many episodes are pending, how many failed and are tried again; of all podcasts, or of these (slugs)."""
        chosen = f"AND podcast IN ({', '.join('?' * len(podcasts))}) " if podcasts else ""
        sql = (
            f"SELECT status, count(*) FROM episodes WHERE (status != 'failed' OR next_try > 0) {chosen}GROUP BY status"  # noqa: S608 - ours
        )
        with self._reading() as db:
            counts = dict(db.execute(sql, tuple(podcasts)).fetchall())
        return int(counts.get("pending", 0)), int(counts.get("failed", 0))
