"""Everything a run works with, opened once from the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.errors import HomeError
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.settings import Settings
from ingest.speech.transcribe import Transcriber
from ingest.web.client import Client, open_client
from ingest.web.rate_limit import Pace


@dataclass(frozen=True, slots=True)
class Studio:
    """The rooms' resources side by side; the speech model is loaded at its first use."""

    settings: Settings
    client: Client
    ledger: Ledger
    library: Library
    transcriber: Transcriber


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the home directory's run lock, which ends with the process. Raises `HomeError` where another run has it.

    Two runs at once would share half-written downloads and transcribe everything twice.
    """
    lock = FileLock(home / "run.lock", blocking=False)
    try:
        with lock:
            yield
    except Timeout as error:
        raise HomeError(home, "another run is at work here; wait for it to end") from error


@contextmanager
def open_studio(settings: Settings) -> Iterator[Studio]:
    """Open what a run needs. Raises `HomeError` where the home cannot be written or another run is at work in it."""
    ledger = Ledger(settings.ledger_path)
    transcriber = Transcriber(
        settings.whisper_model,
        models_dir=settings.models_dir,
        device=settings.whisper_device,
        compute_type=settings.whisper_compute_type,
        beam_size=settings.whisper_beam_size,
        batch_size=settings.whisper_batch_size,
        threads=settings.whisper_threads,
    )
    with alone(settings.home), open_web(settings) as client:
        yield Studio(settings, client, ledger, Library(settings.library_dir), transcriber)


def open_web(settings: Settings) -> Client:
    """The guarded client with the user's settings."""
    return open_client(
        user_agent=settings.user_agent,
        timeout=settings.timeout,
        hosts_allowed=settings.hosts_allowed,
        pace=Pace(settings.host_delay, own=settings.hosts_allowed),
    )
