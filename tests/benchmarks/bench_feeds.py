"""What reading feeds costs beside bare parsers in the same run, how much memory a large feed takes, what quiet polls cost.

`python -m tests.benchmarks.bench_feeds [items]`: CPU seconds of this process, so that a busy machine does not show; the
parsers take turns. The feed has 10,000 items and 50 MB unless fewer items are named. Bare feedparser with its defaults
sanitises HTML, which we leave to where text is shown; the standard library's iterparse only walks the elements.
"""

import io
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from xml.etree.ElementTree import iterparse

import feedparser

from flows.context import Studio
from ingest.feeds import parse as feeds
from ingest.feeds import poll as polling
from ingest.ledger import Ledger, Subscription
from ingest.library import Library
from ingest.settings import Settings
from ingest.speech.transcribe import Transcriber
from ingest.web.client import open_client
from tests.podcast_host import PodcastHost, document

ITEMS = 10_000
ITEM_BYTES = 5_000
FEEDS = 1_000  # unchanged ones, asked once each
TARGET = 4.0  # times as fast as feedparser's defaults
URL = "https://bench.example/feed.xml"
NOTES = '<p>We talk about <a href="https://bench.example/x">deals</a>, people &amp; prices.</p>\n'


def feed(items: int) -> bytes:
    """A feed as large podcasts have them: long show notes as HTML, iTunes and podcast tags."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
        ' xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Bench</title><language>en</language>'
    )
    return (head + "".join(map(item, range(items))) + "</channel></rss>").encode()


def item(number: int) -> str:
    day = format_datetime(datetime(2026, 3, 1, tzinfo=UTC) - timedelta(days=number))
    start = (
        f"<item><title>Episode {number} &amp; more</title><guid>g{number}</guid><pubDate>{day}</pubDate>"
        f'<enclosure url="https://cdn.example/{number}.mp3" type="audio/mpeg" length="1234567"/>'
        f"<itunes:duration>1:02:03</itunes:duration><podcast:season>{number // 50}</podcast:season>"
        f'<podcast:transcript url="/{number}.vtt" type="text/vtt"/><podcast:person>Ann</podcast:person>'
        "<description><![CDATA["
    )
    return start + NOTES * ((ITEM_BYTES - len(start)) // len(NOTES)) + "]]></description></item>"


def seconds(call: Callable[[bytes], int], body: bytes, items: int) -> float:
    """CPU seconds of one reading, which must have found every item."""
    begun = process_time()
    assert items == call(body)
    return process_time() - begun


def ours(body: bytes) -> int:
    return len(feeds.parse(URL, body).episodes)


def bare_feedparser(body: bytes) -> int:
    return len(feedparser.parse(io.BytesIO(body)).entries)


def bare_iterparse(body: bytes) -> int:
    found = 0
    for _, element in iterparse(io.BytesIO(body)):
        if element.tag == "item":
            found += 1
            element.clear()
    return found


def parsing(items: int) -> None:
    body = feed(items)
    took = {call.__name__: seconds(call, body, items) for call in (ours, bare_feedparser, bare_iterparse)}
    print(f"{items} items, {len(body) / 1e6:.1f} MB; CPU per item, and ours as a ratio to it")
    for name, spent in took.items():
        print(f"  {name:16} {spent / items * 1e6:7.0f} us   {took['ours'] / spent:6.2f}")
    faster = took["bare_feedparser"] / took["ours"]
    print(
        f"  {faster:.1f} times as fast as feedparser's defaults (target {TARGET:g}): {'met' if faster >= TARGET else 'NOT MET'}"
    )


PEAK = """
import re
from pathlib import Path
from ingest import feeds
from tests.benchmarks import bench_feeds as bench
body = Path({name!r}).read_bytes()
{work}
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""  # getrusage would count the parent's memory at the fork, too


def memory(items: int) -> None:
    """Peak memory of processes of their own: one that only holds the bytes, one that reads the feed once (Linux)."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "feed.xml"
        path.write_bytes(feed(items))
        for name, work in (("the bytes alone", ""), ("our parse", "feeds.parse(bench.URL, body)")):
            code = PEAK.format(name=str(path), work=work)
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            print(f"  peak memory, {name}: {int(done.stdout) / 1024:.0f} MiB")


def quiet_polls(count: int) -> None:
    """Polls of feeds that have not changed: requests, bytes and CPU seconds, the host's included."""
    with TemporaryDirectory() as home, PodcastHost() as host:
        settings = Settings(home=Path(home))
        ledger = Ledger(settings.ledger_path)
        for number in range(count):
            path = host.serve(f"/{number}", document(b"", etag='"1"'))
            ledger.subscribe(Subscription(f"feed-{number}", path), polling.now())
            ledger.polled(Subscription(f"feed-{number}", path, etag='"1"'), polling.now())
        with open_client(user_agent="bench", timeout=5, hosts_allowed=frozenset({"127.0.0.1"})) as client:
            transcriber = Transcriber("", models_dir=Path(home))
            studio = Studio(settings, client, ledger, Library(settings.library_dir), transcriber)
            begun = process_time()
            assert all(polling.poll(studio, one).unchanged for one in ledger.feeds())
        assert count == len(host.requests)
        print(f"{count} unchanged feeds: {count} requests, {(process_time() - begun) / count * 1000:.1f} ms CPU each")


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS
    parsing(items)
    memory(items)
    quiet_polls(FEEDS)


if __name__ == "__main__":
    main()
