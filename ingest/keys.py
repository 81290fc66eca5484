"""Keys to the server: names, rates and hashes in one file; a key itself is shown once and kept nowhere."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from re import fullmatch
from secrets import token_urlsafe

from ingest.errors import HomeError, NotFoundError, QueryError
from ingest.identity import slug
from ingest.storage import home_error, write_in_home

PREFIX = "sb_"  # by which tools that look for leaked secrets know a key
DEFAULT_RATE = "120/minute"
_RATE = r"[1-9]\d{0,6}/(second|minute|hour|day)"


@dataclass(frozen=True, slots=True)
class Key:
    """Who a key belongs to, how often it may ask (`120/minute`), and the key's SHA-256.

    A fast hash is enough: a key has 256 random bits, which nobody tries out.
    """

    name: str
    rate: str
    sha256: str


class Keys:
    """The keys in one JSON file; changes to it count at once. Raises `HomeError` where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[int, list[Key]] = (-1, [])

    def all(self) -> list[Key]:
        """Every key, by name; none where there is no file."""
        try:
            stamp = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        except OSError as error:
            raise home_error(self.path, error) from error
        if stamp != self._read[0]:
            try:
                entries = json.loads(self.path.read_text("utf-8"))
                self._read = stamp, [Key(one["name"], one["rate"], one["sha256"]) for one in entries]
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise HomeError(self.path, f"cannot be read ({error}); correct or remove it") from error
        return self._read[1]

    def holder(self, key: str) -> Key | None:
        """Whose key this is; None for nobody's. Takes as long whichever it is."""
        digest = sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
        found: Key | None = None
        for one in self.all():
            found = one if compare_digest(one.sha256, digest) else found
        return found

    def add(self, name: str, rate: str = DEFAULT_RATE) -> str:
        """Make a key, and return it. Raises `QueryError` for a name that is taken and for a rate that is none."""
        if not fullmatch(_RATE, rate):
            raise QueryError(rate[:40], "is no rate; write 120/minute, or second, hour or day in its place")
        known, name = self.all(), slug(name)
        if name in {one.name for one in known}:
            raise QueryError(name, "has a key; remove it first, or choose another name")
        key = PREFIX + token_urlsafe(32)
        self._write([*known, Key(name, rate, sha256(key.encode()).hexdigest())])
        return key

    def remove(self, name: str) -> Key:
        """Take a key away, which counts at once. Raises `NotFoundError`."""
        known = self.all()
        for one in known:
            if one.name == slug(name):
                self._write([other for other in known if other is not one])
                return one
        there = ", ".join(one.name for one in known) or "there are none"
        raise NotFoundError(name[:60], f"has no key ({there})")

    def _write(self, keys: list[Key]) -> None:
        entries = [asdict(one) for one in sorted(keys, key=lambda one: one.name)]
        write_in_home(self.path, json.dumps(entries, indent=1) + "\n", mode=0o600)
