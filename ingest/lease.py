"""The right to write alone where no lock ends with its holder's process: a document that the holder keeps renewing."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from ingest.errors import ConflictError, StorageError

if TYPE_CHECKING:
    from ingest.storage import Storage

# The holder renews three times before others take it for dead. Clocks of machines differ, so that others wait this long
# themselves, for as long as the document stays as it is.
SECONDS = 30.0
RENEW_SECONDS = SECONDS / 3
POLL_SECONDS = 0.5
logger = logging.getLogger(__name__)


class Lease:
    """One holding of the document `name`; an empty document, or none, is free."""

    def __init__(self, storage: "Storage", name: str) -> None:
        self._storage, self._name = storage, name
        self._token, self._version, self._count = uuid4().hex, "", 0  # drawn: two holders must differ
        self._ended, self._lost = Event(), False
        self._renewed = 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for it, hold it, give it back. Raises `StorageError`."""
        self._acquire()
        renewing = Thread(target=self._renew, name="lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._ended.set()
            renewing.join()
            with suppress(ConflictError, StorageError):  # others have it, or take it when its time is over
                self._storage.put(self._name, b"", over=self._version)

    def check(self) -> None:
        """Raises `StorageError` where another may have it by now."""
        if self._lost or time.monotonic() - self._renewed > SECONDS:
            where = self._storage.where(self._name)
            raise StorageError(where, "was not renewed in time, and another may write now; run the command again")

    def _acquire(self) -> None:
        seen, since = "", time.monotonic()
        while True:
            try:
                content, version = self._storage.read(self._name)
            except FileNotFoundError:
                content, version = b"", ""
            if version != seen:
                if content:
                    logger.info("waiting for another writer of %s", self._storage.where())
                seen, since = version, time.monotonic()
            if not content or time.monotonic() - since > SECONDS:
                with suppress(ConflictError):
                    return self._write(version)
            time.sleep(POLL_SECONDS)

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            try:
                self._write(self._version)
            except ConflictError:
                self._lost = True
                return
            except StorageError as error:  # another try follows; `check` says where all have failed
                logger.warning("a lease could not be renewed: %s", error)

    def _write(self, over: str) -> None:
        began = time.monotonic()
        self._count += 1
        self._version = self._storage.put(self._name, f"{self._token} {self._count}".encode(), over=over)
        self._renewed = began
