"""Awkward feeds are read as written beside them, or refused with one plain error, in bounded time."""

import gzip
import json
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import FeedError
from ingest.feeds.parse import is_revision, parse
from ingest.models import Episode, Feed
from tests.cpu import cpu_seconds

FEEDS = Path(__file__).parents[2] / "data" / "feeds"
PAIRS = sorted(FEEDS.glob("*.xml"))
URL = "https://pod.example/show/feed.xml"


def plain(value):
    """A noun as JSON data, without the fields that hold their default."""
    if is_dataclass(value):
        pairs = ((each, getattr(value, each.name)) for each in fields(value))
        return {each.name: plain(found) for each, found in pairs if each.default is MISSING or found != each.default}
    return [plain(each) for each in value] if isinstance(value, tuple) else value


def read(body: bytes) -> dict:
    """What `parse` says of a body: the feed less what is the same in all of them, or the error."""
    try:
        found = plain(parse(URL, body))
    except FeedError as error:
        return {"error": error.message}
    assert found.pop("url") == URL
    for episode in found.get("episodes", []):
        assert (URL, found["podcast"]) == (episode.pop("source_feed"), episode.pop("podcast"))
    return found


def item(number: int, *, title: str = "Episode", extra: str = "") -> str:
    return (
        f"<item><title>{title} {number}</title><guid>g{number}</guid><pubDate>Tue, 04 Mar 2025 06:00:00 GMT</pubDate>"
        f'<enclosure url="https://cdn.example/{number}.mp3" length="1" type="audio/mpeg"/>{extra}</item>'
    )


def rss(*items: str, title: str = "Deal Desk") -> bytes:
    return f'<rss version="2.0"><channel><title>{title}</title>{"".join(items)}</channel></rss>'.encode()


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_awkward_feeds_are_read_as_written_beside_them(path):
    assert json.loads(path.with_suffix(".json").read_text()) == read(path.read_bytes())


def test_there_are_at_least_thirty_awkward_feeds_that_can_be_read():
    assert len([path for path in PAIRS if not path.stem.startswith("refused")]) >= 30


def test_bytes_that_name_a_file_do_not_open_it(tmp_path):
    (tmp_path / "feed.xml").write_bytes(rss(item(1)))
    with pytest.raises(FeedError):
        parse(URL, str(tmp_path / "feed.xml").encode())


def test_the_given_slug_and_base_are_used():
    feed = parse(URL, rss(item(1).replace("https://cdn.example", "..")), "my-slug", base="https://cdn.example/a/b/f")

    assert "my-slug" == feed.podcast == feed.episodes[0].podcast
    assert feed.episodes[0].audio_url == "https://cdn.example/a/1.mp3"
    assert feed.episodes[0].source_feed == URL


def test_the_header_s_charset_counts_where_the_document_says_nothing():
    assert (
        parse(URL, rss(title="営業").decode().encode("shift_jis"), content_type="a/b; charset=Shift_JIS").title
        == "営業"
    )


def test_an_older_episode_keeps_the_guid_when_a_newer_one_comes_to_share_it():
    before = parse(URL, rss(item(1)))
    twin = item(2).replace("g2", "g1").replace("04 Mar", "11 Mar")
    after = parse(URL, rss(twin, item(1)))

    assert before.episodes[0] == after.episodes[1]
    assert after.episodes[0].guid.startswith("g1#")
    assert after.episodes == parse(URL, rss(item(1), twin)).episodes


def test_episodes_keep_their_guids_when_every_address_changes():
    old = parse(URL, rss(item(1), item(2)))
    new = parse(URL, rss(item(1), item(2)).replace(b"https://cdn", b"https://tracker.example/e/cdn"))

    assert [each.key for each in old.episodes] == [each.key for each in new.episodes]
    assert all(map(is_revision, old.episodes, new.episodes))


def test_a_thousand_complaints_are_told_shortly():
    warnings = parse(URL, rss(*(item(number).replace("<pubDate>", "<x>").replace("</pubDate>", "</x>")
                                for number in range(150)))).warnings  # fmt: skip

    assert warnings[-1] == "and 50 more"
    assert len(warnings) == 101


def test_a_long_feed_takes_time_in_proportion_and_loses_nothing():
    def seconds(count):
        body = rss(*(item(number, extra="<description>word &amp; word</description>") for number in range(count)))
        assert count == len(parse(URL, body).episodes)
        return min(cpu_seconds(parse, URL, body) for _ in range(3))

    assert seconds(480) < 8 * seconds(60) * 3


@pytest.mark.parametrize(
    "unit",
    ["<![CDATA[", "<!--", "&", "<item>", "<", "<a:", "<?", "&#", "<!", '<a b="', "</", "<a>", "<title>", "<![", "]]>",
     "<podcast:liveItem>", "<item><![CDATA[", "<!DOCTYPE [", "&#xD83D;", "</item>", "\x0b", "\n", "<script>"],
)  # fmt: skip
@pytest.mark.parametrize("tail", ["", "</channel></rss>"])
def test_hostile_repetition_takes_no_more_than_time_in_proportion(unit, tail):
    body = rss().removesuffix(b"</channel></rss>") + (unit * (20_000 // len(unit)) + tail).encode()

    assert cpu_seconds(read, body) < 1
    assert cpu_seconds(read, unit.encode() * (20_000 // len(unit))) < 1


@pytest.mark.parametrize(
    "number", ["&#{};".format("9" * 5000), "&#" + "0" * 5000 + "8;", "&#9999999;", "&#x110000;", "&#xD800;"]
)
@pytest.mark.parametrize(
    "place", ["<a>{}</a>", "<description>{}</description>", "<description><![CDATA[{}]]></description>"]
)
def test_a_number_of_no_character_costs_no_episode(number, place):
    assert ["g1", "g2"] == [
        episode.guid for episode in parse(URL, rss(item(1, extra=place.format(number)), item(2))).episodes
    ]


def test_any_bytes_give_a_feed_or_a_plain_error_in_bounded_time(capsys):
    """Random bytes, random markup, and the awkward feeds with bytes changed, cut and repeated."""
    bodies = [path.read_bytes() for path in PAIRS if path.stat().st_size < 4000]
    pieces = [b"<item>", b"</item>", b"<![CDATA[", b"]]>", b"&", b"<rss>", b"<title>", b"\xff", b"\0", b"<podcast:person>",
              b"<!DOCTYPE x [", b"<!ENTITY a 'b'>", b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"<entry>", b"<enclosure ",
              b" url='http://[' ", b"<guid>", b"&#xD800;", b"<?xml encoding='utf-7'?>", b"\x1f\x8b", b"\xfe\xff"]  # fmt: skip
    changed = st.builds(
        lambda body, at, piece, cut: (body[: at % len(body)] + piece + body[at % len(body) + cut :]) if body else piece,
        st.sampled_from(bodies),
        st.integers(0, 4000),
        st.sampled_from(pieces) | st.binary(max_size=8),
        st.integers(0, 60),
    )
    tried = []

    @settings(max_examples=150, deadline=3000, database=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300) | st.lists(st.sampled_from(pieces)).map(b"".join) | changed)
    def holds(body):
        tried.append(body)
        try:
            feed = parse(URL, body)
        except FeedError as error:
            assert "\n" not in error.message  # noqa: PT017
        else:
            assert isinstance(feed, Feed)
            assert len(feed.episodes) == len({episode.key for episode in feed.episodes})
            assert all(episode.audio_url.startswith("http") for episode in feed.episodes)

    holds()
    with capsys.disabled():
        print(f"\n{len(tried)} inputs tried on the feed parser")


@pytest.mark.parametrize(
    "mention",
    [
        "<description><![CDATA[About the <podcast:liveItem> tag]]></description>",
        "<description><![CDATA[a <podcast:liveItem status='live'>]]></description><!-- </podcast:liveItem> -->",
        "<!-- <podcast:liveItem> -->",
        '<podcast:liveItem status="ended"/>',
        '<podcast:liveItem status="a/b > c" />',
        "<description>&lt;podcast:liveItem&gt;</description>",
        "<description>&lt;![CDATA[ <podcast:liveItem><title>x</title></podcast:liveItem></description>",
    ],
)
def test_what_only_mentions_a_live_item_takes_no_episode_with_it(mention):
    feed = parse(URL, rss(mention, item(3, extra=mention), item(2), item(1)))

    assert ["g3", "g2", "g1"] == [episode.guid for episode in feed.episodes]
    assert "Deal Desk" == feed.title


LIVE = "<title>Now</title><guid>live</guid><enclosure url='https://cdn.example/live.mp3'/>"


@pytest.mark.parametrize(
    "live",
    [
        f"<podcast:liveItem status='live'>{LIVE}</podcast:liveItem>",
        f"<podcast:liveItem status='a > b'>{LIVE}<![CDATA[</podcast:liveItem>]]>{LIVE}</podcast:liveItem >",
        f"<podcast:liveItem>{LIVE}<!-- </podcast:liveItem> <item> -->{LIVE}</podcast:liveItem>",
        f"<pc:liveItem xmlns:pc='https://podcastindex.org/namespace/1.0'>{LIVE}</pc:liveItem>",
        f"<podcast:liveItem>{LIVE}",  # never closed
    ],
)
def test_a_live_item_is_no_episode_and_the_others_stay(live):
    feed = parse(URL, rss(live, item(2), live, item(1)))

    assert ("Deal Desk", ["g2", "g1"]) == (feed.title, [episode.guid for episode in feed.episodes])


def test_a_cut_at_any_byte_loses_only_what_is_not_whole():
    body = rss(item(1), item(2), item(3))
    for at in range(1, len(body), 5):
        found = read(body[:at]).get("episodes", [])
        assert [f"g{number}" for number in range(1, 1 + body[:at].count(b"</item>"))] == [
            each["guid"] for each in found
        ]


@pytest.mark.parametrize("cut", [1, 8, 30])
def test_a_packed_feed_is_read_to_its_last_member_and_refused_where_it_is_cut(cut):
    body = rss(item(1), item(2))
    packed = gzip.compress(body[:300]) + gzip.compress(body[300:])

    assert ["g1", "g2"] == [episode.guid for episode in parse(URL, packed).episodes]
    assert parse(URL, packed + bytes(9)) == parse(URL, body)
    with pytest.raises(FeedError, match="was cut off: its compressed data"):
        parse(URL, packed[:-cut])


def test_a_small_packed_body_that_unpacks_to_more_than_the_limit_is_refused():
    with pytest.raises(FeedError, match="unpacks to more"):
        parse(URL, gzip.compress(bytes(51 * 2**20), 1))


def test_a_revision_has_other_audio_or_another_title_under_the_same_guid():
    old = Episode("p", "g", "Title", audio_url="https://x.example/1.mp3?token=1")

    assert not is_revision(old, old)
    assert not is_revision(old, replace(old, audio_url="https://x.example/1.mp3?token=2", published="now"))
    assert is_revision(old, replace(old, audio_url="https://x.example/2.mp3"))
    assert is_revision(old, replace(old, title="Title (fixed)"))
    assert not is_revision(old, replace(old, title="Other", guid="h"))


@pytest.mark.parametrize(
    ("persons", "hosts"),
    [
        ('<podcast:person role="guest">Ada</podcast:person>', ("Mara",)),  # the feed's host is not named again
        ('<podcast:person role=" Host ">Ada</podcast:person>', ("Ada",)),
        ('<podcast:person role="Guest Host">Ada</podcast:person><podcast:person>Bo</podcast:person>', ("Bo",)),
        ('<podcast:person role="Editor">Ada</podcast:person>', ("Mara",)),
        ("", ("Mara",)),
    ],
)
def test_hosts_are_those_whose_role_is_host_of_the_item_else_of_the_feed(persons, hosts):
    document = f"""<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>T</title>
      <podcast:person>Mara</podcast:person><item><title>One</title><guid>a</guid>{persons}
      <enclosure url="https://cdn.example/one.mp3" length="9" type="audio/mpeg"/></item></channel></rss>"""
    assert hosts == parse(URL, document.encode()).episodes[0].hosts
