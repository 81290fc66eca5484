"""Points at which a process is killed: operations on files, statements of SQLite, calls of the store and of LanceDB."""

import os
import signal
import threading
import time
from itertools import count

import pytest

from index.store.lance import Store
from tests.faults import Faults

STORE = ("create", "publish", "replace", "remove", "move", "heal", "maintain")
TABLE = ("add", "delete", "optimize", "create_index")
DELAYS = (0.0, 0.002, 0.006)  # seconds after the beginning of a LanceDB call, most of which take a few milliseconds


class Points(Faults):
    """Counts the points; at the one numbered `at` (from 1) the process is gone, by SIGKILL. `seen` lists what they were."""

    def __init__(self, at, within):
        super().__init__(pytest.MonkeyPatch, at, within=within)
        self.seen, self._number = [], count(1)

    def __enter__(self):
        super().__enter__()
        for name in STORE:
            self._around(Store, name)
        from lancedb import AsyncConnection, AsyncTable
        from lancedb.merge import LanceMergeInsertBuilder

        for name in TABLE:
            self._around_coroutine(AsyncTable, name)
        self._around_coroutine(AsyncConnection, "create_table")
        self._around_coroutine(LanceMergeInsertBuilder, "execute")
        return self

    def operation(self, what):
        self._point(what)

    def sql(self, statement):
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            self._point(f"sql {' '.join(statement.split())[:50]}")

    def half_written(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def _point(self, what, delay=0.0):
        self.seen.append(what)
        if next(self._number) != self.at:
            return
        if what.startswith("write "):
            raise KeyboardInterrupt  # `half_written` follows at once
        if not delay:
            os.kill(os.getpid(), signal.SIGKILL)

        def later():
            time.sleep(delay)
            os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=later).start()

    def _around(self, owner, name):
        function = getattr(owner, name)

        def call(*arguments, **options):
            self._point(f"before {name}")
            result = function(*arguments, **options)
            self._point(f"after {name}")
            return result

        setattr(owner, name, call)

    def _around_coroutine(self, owner, name):
        function = getattr(owner, name)

        async def call(*arguments, **options):
            for delay in DELAYS:
                self._point(f"in {name} after {delay * 1000:.0f} ms", delay)
            result = await function(*arguments, **options)
            self._point(f"after {name}")
            return result

        setattr(owner, name, call)
