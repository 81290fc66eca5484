"""A small home to serve: two episodes with transcripts, one that failed; the one place here that writes library, index and ledger."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from fastapi.testclient import TestClient

from index.build import update
from index.open import open_store
from index.search import Searcher
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.open import open_library
from ingest.transcripts.document import turns_from_segments
from tests.fakes import BagOfWords

GUID = "https://podcast.example/episodes?n=1&x=a/b#top"
ENCODED_GUID = "https%3A%2F%2Fpodcast.example%2Fepisodes%3Fn%3D1%26x%3Da%2Fb%23top"
SELLERS = Episode(
    "Selling Well", GUID, "Keeping your best seller", published="Thu, 20 Feb 2025 09:00:00 -0000",
    link="https://podcast.example/1", audio_url="https://podcast.example/1.mp3",
)  # fmt: skip
SPOKEN = (
    Segment(0.0, 4.5, "Welcome to the show about selling.", "Ann"),
    Segment(4.5, 9.0, "The best people leave when nobody asks them for more.", "Ben"),
)
TIMED = Transcript(SELLERS, turns_from_segments(SPOKEN), SPOKEN, "2026-01-05T08:00:00.000Z", {"source": "publisher"})
HOSTILE = Episode(
    "selling-well", "g2/transcript", '<script>document.title="hacked"</script>', link="javascript:alert(1)",
    audio_url="javascript:alert(2)", summary="<img src=x onerror=alert(3)>", author="<b>nobody</b>",
)  # fmt: skip
UNTIMED = Transcript(HOSTILE, (Turn("Prices <b>rise</b> & fall with <script>alert(4)</script>.", '"><i>Eve</i>'),))
FAILED = Episode("selling-well", "g3", "Not heard yet", published="Fri, 21 Feb 2025 09:00:00 -0000")


class Client(TestClient):
    """A client on the machine of the server, which calls it by its address."""

    def __init__(self, app, base_url="http://127.0.0.1:8000", **others):
        super().__init__(app, base_url, **others)


def add(settings, *transcripts, rebuild=False):
    library = open_library(settings)
    for transcript in transcripts:
        library.write(transcript)
    update(library, open_store(settings), BagOfWords(), rebuild=rebuild)


def add_failed(settings, episode, reason):
    ledger = Ledger(settings.ledger_place)
    ledger.upsert_episodes([episode])
    ledger.record_failure(episode, reason, datetime(2026, 1, 1, tzinfo=UTC))


def opener(settings, embedder=None):
    ledger = Ledger(settings.ledger_place)
    counts = lambda podcasts: ledger.counts(podcasts)  # noqa: E731, PLW0108 - a test watches the methods
    return Searcher(
        open_store(settings, reader=True),
        embedder or BagOfWords(),
        counts,
        titles=lambda: ledger.titles(),  # noqa: PLW0108
    )


def rename(settings, key, stem):
    """Rename an episode's files by hand."""
    library = Library(settings.library_dir)
    path = library.root / library.find(key).name
    for file in path.parent.glob(f"{path.stem}.*"):
        file.rename(file.with_name(f"{stem}{file.suffix}"))


def problem(answer, status, name):
    """The detail of a problem document, which has this status and kind."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert list(document) == ["type", "title", "status", "detail"]
    assert (answer.status_code, document["status"], document["type"]) == (status, status, f"/docs#problem-{name}")
    assert 0 < len(document["detail"]) <= 300
    assert "\n" not in document["detail"]
    return document["detail"]


@contextmanager
def running(app):
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
