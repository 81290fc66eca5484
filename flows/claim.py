"""An episode in the hands of one worker of many: claimed for a short time, which is extended while the work goes on."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from socket import gethostname
from threading import Event, Thread

from ingest.errors import SoundbiteError
from ingest.ledger import Ledger
from ingest.times import now

# A dead worker's episode is free again before Prefect calls its run crashed (60 to 90 s after the last heartbeat), so
# that whoever is sent to take it over need not wait. Two renewals may fail before a claim is lost.
LEASE = timedelta(seconds=45)
RENEW_SECONDS = 15.0
LOOK_SECONDS = 3.0  # between two tries to claim what another has

logger = logging.getLogger(__name__)


def this_process() -> str:
    """Who claims: `host:process`."""
    return f"{gethostname()}:{os.getpid()}"


@contextmanager
def claimed(
    ledger: Ledger,
    key: str,
    owner: str,
    *,
    lease: timedelta = LEASE,
    renew_seconds: float = RENEW_SECONDS,
    patience: timedelta = LEASE,
) -> Iterator[bool]:
    """Hold an episode while the block works on it; False where it is done, or another holds it for all of `patience`.

    A claim that is lost is logged and the work goes on: whoever saves first wins, and both would save the same.
    """
    if not _claim(ledger, key, owner, lease, patience):
        yield False
        return
    over = Event()
    renewing = Thread(target=_renew, args=(ledger, key, owner, lease, lambda: over.wait(renew_seconds)), daemon=True)
    renewing.start()
    try:
        yield True
    finally:
        over.set()
        renewing.join()
        with suppress(SoundbiteError):  # then it runs out
            ledger.release(key, owner)


def _claim(ledger: Ledger, key: str, owner: str, lease: timedelta, patience: timedelta) -> bool:
    deadline = time.monotonic() + patience.total_seconds()
    while not ledger.claim(key, owner, now(), now() + lease):
        if ledger.find(key).status == "done" or time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _renew(ledger: Ledger, key: str, owner: str, lease: timedelta, wait: Callable[[], bool]) -> None:
    """Extend a claim until `wait` says that the work is over."""
    while not wait():
        try:
            if not ledger.renew(key, owner, now() + lease):
                logger.warning("the claim on %s is lost; another worker may have it by now", key[:8])
                return
        except SoundbiteError as error:
            logger.warning("the claim on %s could not be renewed: %s", key[:8], error)
