"""The feeds in the ledger: what is polled, how the last polls went, what lets us in, which hosts want to be left alone."""

import json
from datetime import UTC, datetime
from uuid import UUID

from ingest.database import Database, named
from ingest.errors import ConflictError, NotFoundError
from ingest.identity import slug
from ingest.ledger_rows import credentials_of, seconds, subscription
from ingest.models import Subscription
from ingest.web.credentials import Credentials, without_userinfo
from ingest.web.same_address import address_key

# Beside an old URL of a feed, `aliases.url` holds `address_key` of its URL, and its `guid_name`
ALIAS = "INSERT INTO aliases (url, podcast) VALUES (?, ?) ON CONFLICT DO NOTHING"


def guid_name(guid: str) -> str:
    """A feed's `podcast:guid` as an alias; empty for what is no UUID, which some hosts write for all of their feeds."""
    try:
        number = UUID(guid.strip())
    except ValueError:
        return ""
    return f"guid:{number}" if number.int else ""


class Subscriptions(Database):
    """The tables about feeds. Raises `HomeError` where the file cannot be used, `DiskFullError` where there is no room."""

    def feeds(self) -> list[Subscription]:
        """Every subscription, by podcast."""
        with self._reading() as db:
            return [subscription(row) for row in named(db.execute("SELECT * FROM feeds ORDER BY podcast"))]

    def due_feeds(self, now: datetime, podcast: str = "") -> list[Subscription]:
        """The subscriptions whose next poll has come, of all podcasts or of one, by podcast; found by an index."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM feeds WHERE next_poll <= :now AND :podcast IN ('', podcast)",
                {"now": now.timestamp(), "podcast": podcast},
            )
            return sorted(map(subscription, named(rows)), key=lambda feed: feed.podcast)

    def names(self) -> list[str]:
        """The podcasts subscribed to, in order."""
        with self._reading() as db:
            return [row[0] for row in db.execute("SELECT podcast FROM feeds ORDER BY podcast")]

    def opted_out(self) -> dict[str, str]:
        """The podcasts whose publishers opt out of use by AI, and how."""
        with self._reading() as db:
            rows = db.execute("SELECT podcast, opted_out FROM feeds WHERE opted_out != '' ORDER BY podcast")
            return dict(rows.fetchall())

    def titles(self) -> dict[str, str]:
        """The names of the podcasts subscribed to, by slug."""
        with self._reading() as db:
            return dict(db.execute("SELECT podcast, title FROM feeds WHERE title != ''").fetchall())

    def feed(self, podcast: str) -> Subscription:
        """One subscription, by the podcast's name or slug; raises `NotFoundError` with the names there are."""
        with self._reading() as db:
            found = list(named(db.execute("SELECT * FROM feeds WHERE podcast = ?", (slug(podcast),))))
        if not found:
            names = ", ".join(self.names()) or "none yet; `soundbite add URL` adds one"
            raise NotFoundError(podcast, f"no such podcast here (known: {names})")
        return subscription(found[0])

    def find_by_url(self, url: str) -> Subscription | None:
        """The subscription that has this URL, or had it before its feed moved; None where there is none.

        How the URL is written makes no difference, nor do a user and password in it.
        """
        url = without_userinfo(url)
        return self._find(url) or self._find(address_key(url))

    def find_by_guid(self, guid: str) -> Subscription | None:
        """The subscription whose feed has called itself by this `podcast:guid`; None where there is none."""
        return self._find(guid_name(guid)) if guid_name(guid) else None

    def _find(self, name: str) -> Subscription | None:
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM feeds WHERE url = :name OR podcast IN (SELECT podcast FROM aliases WHERE url = :name)",
                {"name": name},
            )
            return next(map(subscription, named(rows)), None)

    def subscribe(self, feed: Subscription, now: datetime) -> bool:
        """Add a subscription; False where its URL or its slug is there already, which stays as it was."""
        podcast, url = slug(feed.podcast), without_userinfo(feed.url)
        with self._writing() as db:
            added = db.execute(
                "INSERT INTO feeds (podcast, url, title, added) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (podcast, url, feed.title, now.timestamp()),
            )
            if added.rowcount == 1:
                db.execute(ALIAS, (address_key(url), podcast))
            return added.rowcount == 1

    def know_as(self, podcast: str, *, url: str = "", guid: str = "") -> None:
        """The podcast is found by this URL or `podcast:guid`, too, unless another is."""
        names = [name for name in (address_key(without_userinfo(url)), guid_name(guid)) if name]
        if any(self._find(name) is None for name in names):
            with self._writing() as db:
                db.executemany(ALIAS, [(name, podcast) for name in names])

    def unsubscribe(self, podcast: str) -> Subscription:
        """Stop polling and forget what was pending; transcripts stay. Raises `NotFoundError`."""
        feed = self.feed(podcast)
        with self._writing() as db:
            for table in ("feeds", "aliases", "credentials"):
                db.execute(f"DELETE FROM {table} WHERE podcast = ?", (feed.podcast,))  # noqa: S608 - ours
            db.execute("DELETE FROM episodes WHERE podcast = ? AND status != 'done'", (feed.podcast,))
        return feed

    def set_overrides(self, podcast: str, *, user_agent: str = "", language: str = "") -> None:
        """What counts for one feed instead of the settings; what is empty stays as it was."""
        with self._writing() as db:
            for name, value in (("user_agent_override", user_agent), ("language_override", language)):
                if value:
                    db.execute(f"UPDATE feeds SET {name} = ? WHERE podcast = ?", (value, podcast))  # noqa: S608 - ours

    def credentials(self, podcast: str) -> Credentials:
        """What a feed's own hosts are sent to let us in; what a person gave counts more than what the feed says."""
        with self._reading() as db:
            rows = db.execute("SELECT * FROM credentials WHERE podcast = ? ORDER BY stated DESC", (slug(podcast),))
            return credentials_of(named(rows))

    def set_credentials(self, podcast: str, new: Credentials, *, stated: bool = False) -> None:
        """Add to what a person gave for a feed, or (`stated`) replace what the feed's own addresses carry."""
        name = slug(podcast)
        with self._writing() as db:
            own = (name, int(stated))
            old = credentials_of(named(db.execute("SELECT * FROM credentials WHERE podcast = ? AND stated = ?", own)))
            kept = new if stated else old.under(new)
            if kept != old:
                db.execute("DELETE FROM credentials WHERE podcast = ? AND stated = ?", own)
                rows = [(name, origin, int(stated), json.dumps(dict(told))) for origin, told in kept.by_origin.items()]
                db.executemany(
                    "INSERT INTO credentials (podcast, origin, stated, headers) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (podcast, origin, stated) DO UPDATE SET headers = excluded.headers",
                    rows,
                )

    def move(self, feed: Subscription, url: str) -> bool:
        """The feed has moved for good; its old URL stays known. False, and nothing done, where the new one is another's.

        `feed` carries the validators of the copy at the new URL.
        """
        there = self._find(address_key(url))
        if there and there.podcast != feed.podcast and address_key(there.url) == address_key(url):
            return False
        try:
            with self._writing() as db:
                moved = db.execute(
                    "UPDATE feeds SET url = ?, etag = ?, last_modified = ?, new_url = '', agreed = 0, "
                    "agreed_since = NULL WHERE podcast = ?",
                    (url, feed.etag, feed.last_modified, feed.podcast),
                ).rowcount
                if moved:
                    db.execute("DELETE FROM aliases WHERE url = ?", (url,))
                    names = (feed.url, address_key(feed.url), address_key(url))
                    db.executemany(
                        "INSERT INTO aliases (url, podcast) VALUES (?, ?) "
                        "ON CONFLICT (url) DO UPDATE SET podcast = excluded.podcast",
                        [(name, feed.podcast) for name in names],
                    )
                return moved == 1
        except ConflictError:
            return False

    def set_backoff(self, host: str, until: datetime) -> None:
        """A host has asked to be left alone."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO hosts (host, backoff_until) VALUES (?, ?) "
                "ON CONFLICT (host) DO UPDATE SET backoff_until = excluded.backoff_until",
                (host, until.timestamp()),
            )

    def backoffs(self, now: datetime) -> dict[str, datetime]:
        """The hosts that have asked to be left alone, each with the moment until when, which is still to come."""
        with self._reading() as db:
            rows = db.execute("SELECT host, backoff_until FROM hosts WHERE backoff_until > ?", (now.timestamp(),))
            return {host: datetime.fromtimestamp(until, UTC) for host, until in rows}

    def record_poll(self, feed: Subscription, now: datetime) -> None:
        """Record a poll that succeeded; `feed` carries the new validators, title and next poll."""
        self._record_poll(feed, "last_success = ?, last_error = '', failures = 0", now.timestamp())

    def record_poll_failure(self, feed: Subscription, reason: str) -> None:
        """Record a poll that failed; validators stay, so nothing published meanwhile is missed."""
        self._record_poll(feed, "last_error = ?, failures = failures + 1", reason)

    def _record_poll(self, feed: Subscription, outcome: str, value: float | str) -> None:
        names = ("title", "etag", "last_modified", "language", "stated_url", "new_url", "agreed", "opted_out")
        moments = ("next_poll", "agreed_since", "gone")
        told = ", ".join(f"{name} = ?" for name in names + moments)
        values = [getattr(feed, name) for name in names] + [seconds(getattr(feed, name)) for name in moments]
        with self._writing() as db:
            db.execute(
                f"UPDATE feeds SET {outcome}, {told} WHERE podcast = ?",  # noqa: S608 - constant text
                (value, *values, feed.podcast),
            )
