"""A feed takes time in proportion to its size, whatever there is much of in it, and is read as feedparser reads it."""

import io

import feedparser
import pytest

from ingest.errors import FeedError
from ingest.feeds.bounded_parser import run_parsers
from ingest.feeds.parse import parse
from ingest.feeds.podcast_tags import MAX_ATTRIBUTES, MAX_PEOPLE
from ingest.feeds.repair import repair
from tests.cpu import cpu_seconds
from tests.ingest.feeds.test_parse import PAIRS, URL, item, rss

SIZE = 400_000  # bytes: by feedparser itself, namespaces take 5 seconds of these, and a long author minutes


def many(unit: str) -> str:
    """As many of `unit` as make `SIZE`, each with another number for `#`."""
    return "".join(unit.replace("#", str(number)) for number in range(SIZE // (len(unit) + 3 * unit.count("#"))))


HOSTILE = {
    "namespaces": many('<x#:a xmlns:x#="urn:#"/>'),
    "categories": many("<category>a#</category>"),
    "keywords": f"<itunes:keywords>{many('k#,')}</itunes:keywords>",
    "author": f"<author>{many('a')}</author>",
    "author of dots": f"<itunes:author>{many('a.')}</itunes:author>",
    "author with an address": f"<author>x@{many('a.')}</author>",
    "authors": many(f"<author>{'a' * 200}</author>"),
    "persons": many("<podcast:person>N #</podcast:person>"),
}


@pytest.mark.parametrize("extra", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("broken", ["", "<never-closed>"], ids=["well-formed", "broken"])
def test_much_of_anything_takes_time_in_proportion(extra, broken):
    body = rss(broken, item(1, extra=extra), item(2))

    assert cpu_seconds(parse, URL, body) < 3
    assert ["g1", "g2"] == [episode.guid for episode in parse(URL, body).episodes]


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_what_is_read_of_a_feed_is_what_feedparser_reads(path):
    try:
        data = repair(URL, path.read_bytes()).data
    except FeedError:
        return
    options = {"sanitize_html": False, "resolve_relative_uris": False}
    theirs = feedparser.parse(
        io.BytesIO(data), response_headers={"content-type": "application/xml; charset=utf-8"}, **options
    )
    ours = run_parsers(data)

    assert (theirs.version, bool(theirs.bozo)) == (ours.version, not ours.well_formed)
    assert {**theirs.feed, "tags": 0} == {**ours.feed, "tags": 0}
    assert [{**entry, "tags": 0} for entry in theirs.entries] == [{**entry, "tags": 0} for entry in ours.entries]


@pytest.mark.parametrize("written", [' b{}="1"', ' xmlns:b{}="urn:b"', ' x{}=""'])
@pytest.mark.parametrize(
    "place", ["<rss{}><channel/></rss>", "<rss><channel><a{}/></channel></rss>", "<feed><entry{}/><a></feed>"]
)
def test_more_attributes_than_any_feed_has_are_refused(written, place):
    most = "".join(written.format(number) for number in range(MAX_ATTRIBUTES))
    parse(URL, place.format(most).encode())
    with pytest.raises(FeedError, match="more than 1000 attributes: refused"):
        parse(URL, place.format(most + written.format("-")).encode())


def test_a_document_names_a_bounded_number_of_people():
    body = rss(*(f"<podcast:person>N {number}</podcast:person>" for number in range(MAX_PEOPLE + 5)), item(1))

    assert [f"N {number}" for number in range(MAX_PEOPLE)] == list(parse(URL, body).episodes[0].people)
