"""Everything a run works with, opened once from the settings."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from flows import memory
from flows.speech import open_transcribers
from index.embed.base import Embedder
from index.open import open_embedder, open_store
from index.store.lance import Store
from ingest.errors import DiskFullError, HomeError, IndexNotBuiltError
from ingest.ledger import Ledger
from ingest.open import open_library
from ingest.pipeline import IngestContext
from ingest.settings import Settings
from ingest.speech.diarize import open_diarizer
from ingest.speech.transcribe import Transcriber
from ingest.storage import home_error
from ingest.web.client import Client, open_client
from ingest.web.rate_limit import RateLimiter

TIMEOUT = 30.0  # seconds without progress before a request is given up
HOST_DELAY = 1.0  # seconds between two requests to one host
MIN_FREE_DISK = 256 * 2**20  # bytes below which no run starts: an episode's audio and its transcript


@dataclass(frozen=True, slots=True)
class RunContext:
    """The packages' resources side by side; models are loaded at their first use.

    Each of the `spare` speech models allows one more transcription at a time.
    """

    home: Path
    ingest: IngestContext
    store: Store
    embedder: Embedder
    spare: tuple[Transcriber, ...] = ()

    @property
    def workers(self) -> int:
        """Transcriptions at a time."""
        return 1 + len(self.spare)

    def check_home(self) -> None:
        """Look at what obtaining an episode needs. Raises `DiskFullError`, `HomeError`."""
        self.ingest.ledger.open()
        try:
            self.home.mkdir(parents=True, exist_ok=True)  # a worker's is empty at first: its stores lie elsewhere
        except OSError as error:
            raise home_error(self.home, error) from error
        if shutil.disk_usage(self.home).free < MIN_FREE_DISK:
            raise DiskFullError(self.home, f"has less than {MIN_FREE_DISK >> 20} MiB left on its disk; make room")

    def check(self) -> None:
        """Look at what every episode needs, before anything is fetched.

        Raises `DiskFullError`, `HomeError`, and `IndexingError` where the embedding model is not there or the index was
        built with another.
        """
        self.check_home()
        name, dimension = self.embedder.name, self.embedder.dimension
        try:
            self.store.require(name, dimension)
        except IndexNotBuiltError:
            return


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the home directory's run lock, which ends with the process.

    Raises `HomeError` where another run has it, and where the home cannot be written. Two runs at once would share
    half-written downloads and transcribe everything twice.
    """
    lock = FileLock(home / "run.lock", blocking=False)
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise HomeError(home, "another run is at work here; wait for it to end") from error
    except OSError as error:
        raise home_error(home, error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_context(settings: Settings, *, shared: bool = False, workers: int = 1) -> Iterator[RunContext]:
    """Open what a run needs. Raises `HomeError` where the home cannot be written or another run is at work in it.

    `shared` is for workers that claim each episode, and so may be many in a home; `workers` are transcriptions at a time
    in this process.
    """
    memory.keep_flat()
    ledger = Ledger(settings.ledger_place)
    ledger.open()
    transcriber, *spare = open_transcribers(settings, workers)
    with nullcontext() if shared else alone(settings.home), open_web(settings) as client:
        ingest = IngestContext(
            client,
            ledger,
            open_library(settings),
            transcriber,
            settings.audio_dir,
            settings.glossary_dir,
            settings.language,
            settings.max_audio_mb * 2**20,
            settings.keep_audio,
            settings.respect_opt_out,
            open_diarizer(settings.speakers, settings.whisper_device),
        )
        yield RunContext(settings.home, ingest, open_store(settings), open_embedder(settings), tuple(spare))


def open_web(settings: Settings) -> Client:
    """The guarded client with the user's settings."""
    return open_client(
        user_agent=settings.user_agent,
        timeout=TIMEOUT,
        hosts_allowed=settings.hosts_allowed,
        rate_limiter=RateLimiter(HOST_DELAY, exempt=settings.hosts_allowed),
    )
