"""What the ledger of a cluster costs, on PostgreSQL, with a tenth of the feeds and with all: `… ledger --feeds 5000`.

Ledger, scheduling and queue are the real ones; feeds are answered in this process, and no audio is met. A feed has 40
episodes, of which 36 are done. CPU time of this process and of the server's, so that other work hardly counts. 5,000
feeds (200,000 episodes) take about three minutes on two cores, the default about half a minute.
"""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flows.run import Run
from flows.steps import Selection
from ingest.feeds import poll as feeds
from ingest.feeds.fetch import Fetched, Validators
from ingest.feeds.parse import parse
from ingest.ledger import Ledger
from ingest.models import Subscription
from ingest.times import now
from tests import postgres
from tests.benchmarks.bench_feeds import feed as document
from tests.benchmarks.measure import Row, row

FEEDS, SHARE = 500, 10  # feeds unless told otherwise; the smaller ledger has a tenth of them
EPISODES, DONE = 40, 36  # of a feed
ITEM_BYTES = 1_500  # of an item: show notes as most feeds have them
CHANGED = 10  # one feed of so many has a new episode at a poll
WORKERS, CONTENDED = 20, 200  # that claim at once, and the episodes that they all want
GROWTH = 3.0  # times the cost with a tenth of the feeds, at most
LEASE = timedelta(minutes=10)
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU milliseconds of one operation, this process's and the server's together."""

    select: float
    unchanged: float
    changed: float
    queue: float
    claim: float
    bytes: float  # of an episode, with its share of the indexes


class Costly:
    """Adds up what a block takes, here and in the server."""

    def __init__(self, postmaster: int) -> None:
        self.postmaster = postmaster

    @contextmanager
    def measured(self, into: list[float]) -> Iterator[None]:
        begun = time.process_time() + self.server()
        yield
        into.append((time.process_time() + self.server() - begun) * 1000)

    def server(self) -> float:
        """CPU seconds of the server's processes, those that ended as well."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat.parent.name) == self.postmaster:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == self.postmaster:
                ticks += sum(map(int, fields[11:13]))
        return ticks / TICK


def answered(body: bytes) -> Callable[..., Fetched]:
    """A host that has a new body for one feed of ten, and nothing new for the others."""

    def fetch(_client: object, url: str, *_: Any, **__: Any) -> Fetched:
        return Fetched(body if number(url) % CHANGED == 0 else None, url, validators=Validators('"1"'))

    return fetch


def number(url: str) -> int:
    return int(url.rpartition("/")[2])


def fill(ledger: Ledger, episodes: tuple, first: int, last: int) -> None:
    """Feeds with their episodes, of which the older ones are done, as after a long time."""
    keys = set[str]()
    for each in range(first, last):
        feed = Subscription(f"show-{each}", f"https://host-{each % 300}.example/{each}", f"Show {each}")
        ledger.subscribe(feed, now())
        own = [replace(one, podcast=feed.podcast, source_feed=feed.url) for one in episodes]
        pending, done = own[: EPISODES - DONE], [replace(one, summary="") for one in own[EPISODES - DONE :]]
        ledger.upsert_episodes([*pending, *done])
        keys |= {one.key for one in done}
    known = {one.episode.key for one in ledger.records() if one.status == "done"}
    ledger.reconcile(lambda: keys | known)


def costs(ledger: Ledger, url: str, costly: Costly) -> Costs:
    """One round of polls as a run makes it, then a look at the queue and claims."""
    context = SimpleNamespace(ingest=SimpleNamespace(ledger=ledger, respect_opt_out=True))
    select, unchanged, changed, queue, claim = ([] for _ in range(5))
    with costly.measured(select):
        due = Run(context, Selection(due_only=True), "")._to_ask(first=True)
    for kind, some in ((unchanged, True), (changed, False)):
        asked = [feed for feed in due if bool(number(feed.url) % CHANGED) is some]
        with costly.measured(kind):
            polled = [feeds.poll(None, ledger, feed, now()) for feed in asked]
        assert {(0, True, ()) if some else (1, False, ())} == {(one.new, one.unchanged, one.warnings) for one in polled}
        kind[0] /= len(asked)
    with costly.measured(queue):
        keys = Run(context, Selection(due_only=True), "").queue()[:CONTENDED]
    with costly.measured(claim):
        assert all(ledger.claim(key, "one", now(), now() + LEASE) for key in keys)
    for key in keys:
        ledger.release(key, "one")
    count = sum(sum(counts.values()) for counts in ledger.counts_by_podcast().values())
    postgres.statements(url, "VACUUM ANALYZE")
    ((size,),) = postgres.statements(url, "SELECT pg_total_relation_size('episodes')")
    return Costs(select[0] / len(due), unchanged[0], changed[0], queue[0], claim[0] / len(keys), size / count)


def worker(url: str, keys: list[str], owner: str, start: Any, ended: Any) -> None:
    ledger = Ledger(url)
    ledger.counts()
    start.wait()
    begun = time.monotonic()
    won = [key for key in keys if ledger.claim(key, owner, now(), now() + LEASE)]
    ended.put((won, time.monotonic() - begun))


def contended(ledger: Ledger, url: str) -> tuple[int, int, float]:
    """How many episodes workers got that all want the same ones, how many doubly, and the milliseconds of one attempt."""
    keys, spawn = ledger.queue(now())[:CONTENDED], multiprocessing.get_context("spawn")
    start, ended = spawn.Barrier(WORKERS), spawn.Queue()
    workers = [spawn.Process(target=worker, args=(url, keys, f"w{n}", start, ended)) for n in range(WORKERS)]
    for one in workers:
        one.start()
    told = [ended.get(timeout=300) for _ in workers]
    for one in workers:
        one.join()
    owned = Counter(key for won, _ in told for key in won)
    assert set(owned) == set(keys), "an episode was left"
    return len(owned), sum(owned.values()) - len(owned), max(took for _, took in told) / CONTENDED * 1000


def run(most: int) -> list[Row]:
    if not postgres.programs():
        raise SystemExit("ledger needs PostgreSQL's server (Debian: postgresql)")
    body = document(EPISODES, ITEM_BYTES).replace(b'url="/', b'url="https://cdn.example/')
    later = body.replace(b"<item>", b"<item><guid>new</guid><title>New</title><pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate>"
        b'<enclosure url="https://cdn.example/new.mp3" type="audio/mpeg"/></item><item>', 1)  # fmt: skip
    episodes = parse("https://bench.example/", body).episodes
    feeds.fetch = answered(later)
    found, few = [], max(most // SHARE, CHANGED)
    with postgres.server(fsync="on") as url:
        postmaster = int((Path(url.rpartition("=")[2]) / "data" / "postmaster.pid").read_text().split()[0])
        for first, last in ((0, few), (few, most)):
            print(
                f"  filling the ledger with {last - first:,} feeds, {(last - first) * EPISODES:,} episodes", flush=True
            )
            ledger = Ledger(url)
            fill(ledger, episodes, first, last)
            postgres.statements(url, "VACUUM ANALYZE", "UPDATE feeds SET next_poll = 0",
                                "DELETE FROM episodes WHERE guid = 'new'", "VACUUM ANALYZE episodes")  # fmt: skip
            found.append(costs(ledger, url, Costly(postmaster)))
        won, doubled, attempt = contended(ledger, url)
        whole = most * EPISODES
        ((indexes,),) = postgres.statements(url, "SELECT pg_indexes_size('episodes')")
    small, large = found
    told = f"with {few:,} feeds ({{:.2f}} ms; with {most:,}, {whole:,} episodes, {{:.2f}} ms)"

    def beside(what: str, name: str) -> Row:
        before, after = getattr(small, name), getattr(large, name)
        return row(what, after / before, told.format(before, after), most=GROWTH)

    round_ms = large.select * most + large.unchanged * most * (1 - 1 / CHANGED) + large.changed * most / CHANGED
    return [
        beside("choosing the feeds that are due, for each", "select"),
        beside("a poll without news", "unchanged"),
        beside(f"a poll with a new episode, {EPISODES} known", "changed"),
        row("a round of polls", round_ms / 1000, f"{most:,} feeds, one of {CHANGED} changed", unit=" s"),
        beside("a claim", "claim"),
        row("the queue", large.queue / small.queue, told.format(small.queue, large.queue)),
        row("an episode in the database", large.bytes, f"indexes {indexes / whole:.0f} bytes", unit=" bytes"),
        row(f"doubled, of {won} that {WORKERS} workers claim at once", doubled, f"an attempt {attempt:.1f} ms", most=0, unit=" "),
    ]  # fmt: skip
