"""Brings the ledger back to what is so: what the library holds, and what time it is."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from operator import itemgetter

from ingest.database import Connection, Database


class Reconciliation(Database):
    """What a run does before it looks at the queue. Raises as `Database`."""

    def reconcile(self, held: Callable[[], Collection[str]]) -> int:
        """Bring the statuses to what the library holds; how many episodes are to be made again.

        `held` gives the keys of the library's documents. The library is looked at after the ledger: what another machine
        saves and settles meanwhile is not lost. An episode whose document is gone is pending again, and its feed is asked
        for whole, since the ledger keeps little of what is done; one whose document is there is done.
        """
        with self._reading() as db:
            rows = db.execute(
                "SELECT key, podcast, status = 'done' FROM episodes WHERE podcast IN (SELECT podcast FROM feeds)"
            ).fetchall()
        keys = held()
        lost = [(key, podcast) for key, podcast, done in rows if done and key not in keys]
        changes = [("pending", key) for key, _ in lost] + [
            ("done", key) for key, _, done in rows if not done and key in keys
        ]
        if changes:
            with self._writing() as db:
                in_order(
                    db,
                    "UPDATE feeds SET etag = '', last_modified = '', next_poll = 0 WHERE podcast = ?",
                    {podcast for _, podcast in lost},
                )
                db.executemany(
                    "UPDATE episodes SET status = :status, reason = '', next_try = 0, "
                    "attempts = CASE WHEN :status = 'done' THEN attempts ELSE 0 END WHERE key = :key",
                    [{"status": status, "key": key} for status, key in sorted(changes, key=itemgetter(1))],
                )
        return len(lost)

    def mend_moments(self, now: datetime, longest_wait: timedelta) -> int:
        """Bring back what a run under a wrong clock has put off; how many moments that were.

        What waits for longer than anything is made to wait is due now, and what began later than now began now.
        """
        waits = (
            ("feeds", "next_poll"),
            ("episodes", "next_try"),
            ("episodes", "claimed_until"),
            ("hosts", "backoff_until"),
        )
        latest = (now + longest_wait).timestamp()
        changes = [(table, name, latest) for table, name in waits]
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


def in_order(db: Connection, statement: str, values: Iterable[str]) -> None:
    """Run a statement with each value, in one order for all that write at once."""
    if rows := [(value,) for value in sorted(values)]:
        db.executemany(statement, rows)
