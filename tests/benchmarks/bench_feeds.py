"""What reading a large feed costs beside feedparser: CPU time, and memory in processes of their own; `… feeds`.

The feed has 10,000 items and 50 MB unless `--items` says fewer. feedparser, with its defaults, also cleans the HTML of
show notes, which we leave to where text is shown.
"""

import io
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.benchmarks.measure import Row, peak, row, seconds

ITEM_BYTES = 5_000
TARGET = 4.0
NOTES = '<p>We talk about <a href="https://bench.example/x">deals</a>, people &amp; prices.</p>\n'
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Bench</title><language>en</language>'
)


def feed(items: int, size: int = ITEM_BYTES) -> bytes:
    """A feed as large podcasts have them: long show notes as HTML, iTunes and podcast tags; `size` is bytes an item."""
    return (HEAD + "".join(_item(number, size) for number in range(items)) + "</channel></rss>").encode()


def _item(number: int, size: int) -> str:
    day = format_datetime(datetime(2026, 3, 1, tzinfo=UTC) - timedelta(days=number))
    start = (
        f"<item><title>Episode {number} &amp; more</title><guid>g{number}</guid><pubDate>{day}</pubDate>"
        f'<enclosure url="https://cdn.example/{number}.mp3" type="audio/mpeg" length="1234567"/>'
        f"<itunes:duration>1:02:03</itunes:duration><podcast:season>{number // 50}</podcast:season>"
        f'<podcast:transcript url="/{number}.vtt" type="text/vtt"/><podcast:person>Ann</podcast:person>'
        "<description><![CDATA["
    )
    return start + NOTES * ((size - len(start)) // len(NOTES)) + "]]></description></item>"


def ours(body: bytes) -> int:
    from ingest.feeds.parse import parse

    return len(parse("https://bench.example/feed.xml", body).episodes)


def theirs(body: bytes) -> int:
    import feedparser

    return len(feedparser.parse(io.BytesIO(body)).entries)


def _spent(read, items: int) -> tuple[float, float]:
    """CPU seconds and, at most, megabytes of this process for reading the feed once."""
    body, found = feed(items), []
    read(feed(1))  # imports
    took = seconds(lambda: found.append(read(body)))
    assert found == [items]
    return took, peak()


def run(items: int) -> list[Row]:
    spent = {}
    for read in (ours, theirs):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            spent[read] = pool.submit(_spent, read, items).result()
    size = f"{items:,} items, {items * ITEM_BYTES / 1e6:.0f} MB"
    told = f"feedparser's defaults ({spent[theirs][0]:.1f} s; ours {spent[ours][0]:.1f} s)"
    return [
        row(f"reading a feed of {size}, times as fast", spent[theirs][0] / spent[ours][0], told, least=TARGET),
        row(
            "peak memory for it",
            spent[ours][1] / spent[theirs][1],
            f"feedparser ({spent[theirs][1]:.0f} MB; ours {spent[ours][1]:.0f} MB)",
        ),
    ]
