"""Which worker has which episode in hand: a claim is a lease, so that what a dead worker held is free again by itself."""

from datetime import datetime

from ingest.database import Database, named
from ingest.ledger_rows import claim_of
from ingest.models import Claim


class Claims(Database):
    """Claims lie in the episodes' own rows: one statement sees status and holder at once. Raises as `Database`."""

    def claim(self, key: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take an episode until then. False where another holds it, and where it is done or unknown here.

        Who holds it already may claim it again; of many at once one has it.
        """
        return self._changes_one(
            "UPDATE episodes SET claimed_by = :owner, claimed_until = :until WHERE key = :key AND status != 'done' "
            "AND (claimed_by = :owner OR claimed_until <= :now)",
            {"key": key, "owner": owner, "now": now.timestamp(), "until": until.timestamp()},
        )

    def renew(self, key: str, owner: str, until: datetime) -> bool:
        """Hold a claimed episode longer; False where it is not this owner's any more."""
        return self._changes_one(
            "UPDATE episodes SET claimed_until = :until WHERE key = :key AND claimed_by = :owner",
            {"key": key, "owner": owner, "until": until.timestamp()},
        )

    def release(self, key: str, owner: str) -> None:
        """Let go of an episode, which another may claim now; one that another holds stays as it is."""
        self._changes_one(
            "UPDATE episodes SET claimed_by = '', claimed_until = 0 WHERE key = :key AND claimed_by = :owner",
            {"key": key, "owner": owner},
        )

    def claimed(self, now: datetime) -> list[Claim]:
        """The claims that hold at this moment, those that end first before."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT key, claimed_by, claimed_until FROM episodes WHERE status != 'done' AND claimed_until > :now "
                "ORDER BY claimed_until, key",
                {"now": now.timestamp()},
            )
            return [claim_of(row) for row in named(rows)]

    def _changes_one(self, statement: str, values: dict[str, str | float]) -> bool:
        with self._writing() as db:
            return db.execute(statement, values).rowcount == 1
