"""What is known but not yet done: subscriptions, and which episodes are pending, done or failed, in one place.

The library of transcripts is the truth about what is done; the ledger remembers what a `304 Not Modified` no longer
tells, and why something failed. Losing it costs a poll, not a transcript.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from ingest.claims import Claims
from ingest.database import Connection, named
from ingest.errors import DamagedLedgerError, LedgerUnreachableError, NotFoundError
from ingest.identity import SHORT_KEY, slug
from ingest.ledger_rows import (
    episode_record,
    episode_row,
    moment,
    seconds,
    without_notes,
)
from ingest.models import Episode, EpisodeRecord, EpisodeStatus
from ingest.reconciliation import Reconciliation, in_order
from ingest.subscriptions import Subscriptions
from ingest.web.credentials import without_userinfo

_INSERT = """INSERT INTO episodes (key, podcast, published, data, guid, captioned, status)
VALUES (:key, :podcast, :published, :data, :guid, :captioned, 'pending') ON CONFLICT (key) DO NOTHING"""
_TAKE_NEWER = """UPDATE episodes SET data = :data, published = :published, captioned = :captioned
WHERE key = :key AND status != 'done' AND data != :data"""
_TRY_AGAIN = "UPDATE episodes SET status = 'pending', reason = '', attempts = 0, next_try = 0, lasting = 0 "
_RANKED = """(SELECT *, row_number() OVER (PARTITION BY podcast ORDER BY published IS NULL, published DESC, key) AS place
FROM episodes) AS ranked"""
T = TypeVar("T")
logger = logging.getLogger(__name__)


def unless_damaged(read: Callable[[], T], otherwise: T) -> T:
    """What the ledger says; `otherwise`, and a warning, where it is damaged or out of reach: for what needs it not."""
    try:
        return read()
    except (DamagedLedgerError, LedgerUnreachableError) as error:
        logger.warning("%s", error)
        return otherwise


class Ledger(Subscriptions, Claims, Reconciliation):
    """Feeds, episodes and claims on them. Raises `HomeError` where the file cannot be used, `DiskFullError` where there is no room."""

    def upsert_episodes(self, episodes: Iterable[Episode]) -> int:
        """Remember episodes a poll has shown; how many were new.

        One that is known and not done takes the feed's newer words (a moved enclosure, a corrected title). One that is
        not tried again is pending once its audio has another address.
        """
        known = sorted(episodes, key=lambda episode: episode.key)  # two that write at once take the rows in one order
        rows = [episode_row(episode) for episode in known]
        if not rows:
            return 0
        with self._writing() as db:
            new = db.executemany(_INSERT, rows).rowcount
            moved = self._with_other_audio(db, known)
            db.executemany(_TAKE_NEWER, rows)
            in_order(db, "UPDATE episodes SET status = 'pending' WHERE key = ? AND status = 'failed'", moved)
            return new

    def _with_other_audio(self, db: Connection, episodes: Sequence[Episode]) -> list[str]:
        """The keys of the episodes that are not tried again and whose audio had another address than now."""
        given_up: dict[str, str] = {}
        for podcast in {slug(episode.podcast) for episode in episodes}:
            rows = db.execute(
                "SELECT * FROM episodes WHERE podcast = ? AND status = 'failed' AND next_try = 0", (podcast,)
            )
            given_up |= {row["key"]: episode_record(row).episode.audio_url for row in named(rows)}
        return [
            one.key
            for one in episodes
            if one.key in given_up and _address(given_up[one.key]) != _address(one.audio_url)
        ]

    def update_done(self, episodes: Iterable[Episode], *, revised: bool = True) -> None:
        """Take the feed's newer words for episodes that are done; they stay done.

        Those that are `revised` say so; a new token in an address is no revision.
        """
        reason = "revised by its publisher since" if revised else ""
        rows = [episode_row(without_notes(episode)) for episode in sorted(episodes, key=lambda episode: episode.key)]
        if not rows:
            return
        with self._writing() as db:
            db.executemany(
                "UPDATE episodes SET published = :published, data = :data, captioned = :captioned, "
                "reason = CASE WHEN :reason = '' THEN reason ELSE :reason END WHERE key = :key",
                [row | {"reason": reason} for row in rows],
            )

    def records(self, podcast: str = "") -> list[EpisodeRecord]:
        """Every episode known, newest first."""
        with self._reading() as db:
            rows = db.execute(
                f"SELECT * FROM episodes {'WHERE podcast = ? ' if podcast else ''}"  # noqa: S608 - constant text
                "ORDER BY published IS NULL, published DESC, key",
                (podcast,) if podcast else (),
            )
            return [episode_record(row) for row in named(rows)]

    def record(self, name: str) -> EpisodeRecord | None:
        """The episode with this key or guid; None where there is none."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM episodes WHERE key = :name OR guid = :name ORDER BY key != :name, key", {"name": name}
            )
            return next(map(episode_record, named(rows)), None)

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
                f"SELECT key FROM {_RANKED if latest else 'episodes'} WHERE podcast IN (SELECT podcast FROM feeds) "  # noqa: S608 - ours
                f"{'AND podcast = :podcast ' if podcast else ''}{'AND place <= :latest ' if latest else ''}"
                f"{'AND published >= :since ' if since else ''}"
                "AND (status = 'pending' OR (status = 'failed' AND next_try > 0 AND (next_try <= :now "
                "OR (:all = 1 AND (lasting = 0 OR :podcast != ''))))) "
                "ORDER BY published IS NULL, published DESC, key",
                {
                    "podcast": podcast, "latest": latest, "since": since.timestamp() if since else 0.0,
                    "all": int(retry_all), "now": now.timestamp(),
                },
            )  # fmt: skip
            return [row[0] for row in rows]

    def captioned(self) -> set[str]:
        """Keys of the episodes that are not done and whose publisher offers a transcript."""
        with self._reading() as db:
            return {row[0] for row in db.execute("SELECT key FROM episodes WHERE status != 'done' AND captioned = 1")}

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
            return db.execute(f"{_TRY_AGAIN} WHERE key = ? AND status = 'failed'", (key,)).rowcount == 1

    def _settle(
        self, episode: Episode, status: EpisodeStatus, reason: str, next_try: datetime | None, *, lasting: bool = False
    ) -> None:
        row = episode_row(episode)
        outcome = {"status": status, "reason": reason, "next_try": seconds(next_try), "lasting": int(lasting)}
        with self._writing() as db:
            db.execute(_INSERT, row)
            db.execute(
                "UPDATE episodes SET data = :data, captioned = :captioned, status = :status, reason = :reason, "
                "attempts = attempts + 1, next_try = :next_try, lasting = :lasting WHERE key = :key",
                row | outcome,
            )

    def retry(self, *, key: str = "", podcast: str = "") -> int:
        """Make failed episodes pending as if never tried: one, those of a podcast, or all; how many."""
        with self._writing() as db:
            return db.execute(
                f"{_TRY_AGAIN} WHERE status = 'failed' AND :key IN ('', key) AND :podcast IN ('', podcast)",
                {"key": key, "podcast": podcast},
            ).rowcount

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
            rows = list(named(db.execute("SELECT * FROM episodes WHERE key >= ? AND key < ?", (key, key + "g"))))
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


def _address(url: str) -> str:
    """What stays of an audio address when tokens and passwords in it change."""
    return without_userinfo(url).partition("?")[0]
