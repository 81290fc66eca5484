"""Log files under the home: bounded, so that months of runs fill no disk."""

import logging
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from subprocess import Popen
from threading import Thread

from flows.progress import say
from ingest.storage import home_error

MAX_BYTES, BACKUPS = 5 * 2**20, 3  # of each log file, and older ones kept beside it
PACKAGES = ("flows", "ingest", "index", "search_api")


class _Handler(RotatingFileHandler):
    """Makes the folder at its first line, and says once where the file cannot be written: a log stops no work."""

    failed = False

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - of the base class
        """See `logging.Handler`."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self.failed:
            self.failed = True
            say(f"warning  {home_error(self.baseFilename, error)}")


def rotating(file: Path) -> RotatingFileHandler:
    """A handler that writes to a file of at most `MAX_BYTES`."""
    return _Handler(file, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True)


def log_to(file: Path) -> None:
    """Write what our own modules log, with tracebacks, to a file."""
    handler = rotating(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for package in PACKAGES:
        logger = logging.getLogger(package)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False  # the terminal has its own, shorter words


def drain(process: Popen[bytes], file: Path) -> Thread:
    """Write what a child prints to a log file, until it ends."""
    handler = rotating(file)

    def copy() -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip("\n")
                handler.emit(logging.LogRecord(file.stem, logging.INFO, "", 0, text, None, None))
        handler.close()

    thread = Thread(target=copy, daemon=True)
    thread.start()
    return thread
