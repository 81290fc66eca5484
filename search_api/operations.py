"""How the collection is kept up to date: feeds, episodes that wait or failed, the index, the disk; failed ones can be tried again."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from ingest.errors import IndexingError, NotFoundError
from ingest.ledger import unless_damaged
from ingest.links import web_address
from ingest.models import EpisodeRecord, Subscription
from ingest.run_history import last_runs
from ingest.storage import FolderStorage, Storage
from search_api.deps import Backend, BackendDep
from search_api.display import host_name
from search_api.overview import OverviewDep
from search_api.templating import render, span_words

LATEST, NEXT, RUNS, MOST_FAILED = 8, 10, 10, 100  # rows: what a person looks at in the morning; /v1/episodes has all
# A browser says which page a form is of, which is how forms of other sites are told and refused; with the other pages'
# `no-referrer` it would not.
HEADERS = {"Referrer-Policy": "same-origin"}

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """A feed: what is wrong with it in words (empty: nothing), when it was last read and is next, and its episodes by status."""

    podcast: str
    host: str
    wrong: str
    last: datetime | None
    next: datetime | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes that the transcripts and the index take, and that are free; None where nobody can say."""

    library: int
    index: int
    free: int | None


def feed_health(feed: Subscription, counts: dict[str, dict[str, int]]) -> FeedHealth:
    """How a feed is, from what the ledger knows of its polls."""
    times = "once" if feed.failures == 1 else f"{feed.failures} times in a row"
    wrong = (
        f"gone for good: {feed.last_error}"
        if feed.gone
        else f"failed {times}: {feed.last_error}"
        if feed.failures
        else ""
    )
    own = counts.get(feed.podcast, {})
    return FeedHealth(feed.podcast, host_name(web_address(feed.url)), wrong, feed.last_success, feed.next_poll, own)


def used(storage: Storage) -> tuple[int, datetime | None]:
    """Bytes of all documents of a storage, and when the last of them was written."""
    entries = storage.listing().values()
    written = max((entry.modified for entry in entries), default=0.0)
    return sum(entry.size for entry in entries), datetime.fromtimestamp(written, UTC) if written else None


def size_words(count: int) -> str:
    """`3.1 GB`; `12 MB` below that."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6)) if count else 0} MB"


def moment_words(when: datetime | None) -> str:
    """`20 Oct 2026, 06:00 UTC`; `never` for None."""
    return f"{when.astimezone(UTC):%-d %b %Y, %H:%M} UTC" if when else "never"


def seconds_words(seconds: float) -> str:
    """`40 seconds`, `12 minutes`: how long a run took."""
    return f"{seconds:.0f} second{'s' if round(seconds) != 1 else ''}" if seconds < 60 else span_words(seconds)


def last_saved(storage: Storage, names: Iterable[tuple[str, str]]) -> list[tuple[str, datetime]]:
    """Keys of the documents written last and when, the newest first; `names` are pairs of a name and a key."""
    there = storage.listing()
    found = [(key, datetime.fromtimestamp(there[name].modified, UTC)) for name, key in names if name in there]
    return sorted(found, key=lambda one: one[1], reverse=True)[:LATEST]


def free_space(storage: Storage) -> int | None:
    """Bytes that are free on the disk of a folder; None for a bucket."""
    if not isinstance(storage, FolderStorage):
        return None
    there = next(one for one in (storage.root, *storage.root.parents) if one.exists())
    return shutil.disk_usage(there).free


def index_counts(backend: Backend) -> dict[str, int]:
    """The index's counts; empty where it cannot be read."""
    try:
        return backend.store.counts()
    except IndexingError:
        return {}


@router.get("/operations")
def operations(backend: BackendDep, overview: OverviewDep) -> HTMLResponse:
    """The state of feeds, episodes, index and disk. Raises `HomeError`."""
    there = overview.get()
    ledger, library = backend.ledger, backend.library
    no_feeds: list[Subscription] = []
    no_records: list[EpisodeRecord] = []
    no_counts: dict[str, dict[str, int]] = {}
    feeds, records = unless_damaged(ledger.feeds, no_feeds), unless_damaged(ledger.records, no_records)
    counts = unless_damaged(ledger.counts_by_podcast, no_counts)
    titles = {one.key: one.title for one in there.episodes}
    saved = last_saved(library.storage, ((one.name, one.key) for one in library.documents() if one.key))
    index_bytes, written = used(backend.store.storage)
    disk = Disk(used(library.storage)[0], index_bytes, free_space(library.storage))
    waiting = [one for one in records if one.status == "pending"]
    failed = [one for one in records if one.status == "failed"]
    text = render(
        "operations.html",
        titles=there.titles,
        feeds=[feed_health(feed, counts) for feed in feeds],
        waiting=waiting[:NEXT],
        waiting_count=len(waiting),
        failed=failed[:MOST_FAILED],
        failed_count=len(failed),
        runs=last_runs(backend.home, RUNS),
        saved=[(key, titles.get(key, key), when) for key, when in saved],
        index=index_counts(backend),
        written=written,
        searchable=len(there.searchable),
        disk=disk,
        size_words=size_words,
        moment_words=moment_words,
        seconds_words=seconds_words,
    )
    return HTMLResponse(text, headers=HEADERS)


@router.post("/operations/episodes/{key}/retry")
def retry(key: str, backend: BackendDep) -> RedirectResponse:
    """Let the next run try a failed episode again. Raises `NotFoundError`, `HomeError`."""
    if not backend.ledger.try_again(key):
        raise NotFoundError(key[:60], "is no episode that failed")
    return RedirectResponse("/operations", 303)
