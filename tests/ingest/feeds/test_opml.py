"""Lists of feeds, as other programs export them and as ours are read back."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.errors import FeedError
from ingest.feeds.opml import read_feed_list, write_opml

LISTS = Path(__file__).parents[2] / "data" / "opml"


def test_nested_lists_give_each_web_address_once_in_order():
    assert read_feed_list((LISTS / "nested.opml").read_bytes()).feeds == [
        ("Deal & Desk", "https://deal.example/feed.xml"),
        ("Quota Room", "https://quota.example/f?a=1&b=2"),
        ("", "http://pipe.example/rss"),
    ]


def test_a_broken_list_gives_what_can_be_read():
    assert read_feed_list((LISTS / "broken.opml").read_bytes()).feeds == [
        ("Café & more", "https://cafe.example/f"),
        ("Open", "https://open.example/f"),
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"  ", b"hello", b"<html><body>no</body></html>", b"<rss version='2.0'><channel/></rss>", b"\0\0", b"{}",
     b"<!DOCTYPE x [<!ENTITY a 'b'>]><opml version='2.0'><body/></opml>", bytes(11 * 2**20), b"/etc/hostname",
     b"http://127.0.0.1:9/list.opml"],
)  # fmt: skip
def test_what_is_no_list_is_a_plain_error(data):
    with pytest.raises(FeedError) as caught:
        read_feed_list(data, "list.opml")

    assert str(caught.value).startswith("list.opml: ")
    assert "\n" not in str(caught.value)


def test_an_empty_list_is_a_list():
    assert read_feed_list(b'<opml version="2.0"><head/><body/></opml>').feeds == []
    assert read_feed_list(write_opml([]).encode()).feeds == []


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"], exclude_characters="&<>"), max_size=20
)


@settings(max_examples=25, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(WORDS, st.from_regex(r"https://[a-z]{1,8}\.example/[a-z0-9?=&%]{0,9}", fullmatch=True)),
        max_size=5,
        unique_by=lambda feed: feed[1],
    )
)
@example([(" ", "https://a.example/")])
@example([("", "https://a.example/&gt")])
def test_what_is_written_is_read_back(feeds):
    written = write_opml(feeds)

    assert [(" ".join(title.split()) or url, url) for title, url in feeds] == read_feed_list(written.encode()).feeds
    assert written == write_opml([(title or url, url) for title, url in feeds])


@settings(max_examples=60, deadline=3000, database=None)
@given(st.binary(max_size=200) | st.builds(
    lambda body, at, piece: body[:at] + piece + body[at:],
    st.just((LISTS / "nested.opml").read_bytes()), st.integers(0, 800), st.binary(max_size=9) | st.sampled_from(
        [b"<outline ", b'"', b"<![CDATA[", b"</body>", b"&#xD800;", b"<!DOCTYPE", b"<head><dateCreated>x</dateCreated>"])))  # fmt: skip
def test_any_bytes_give_a_list_or_a_plain_error(data):
    try:
        found = read_feed_list(data).feeds
    except FeedError:
        return
    assert all(url.lower().startswith("http") for _, url in found)


def test_deep_nesting_is_no_trap():
    deep = b'<opml version="2.0"><body>' + b'<outline text="x">' * 5_000
    assert read_feed_list(deep + b'<outline type="rss" text="a" xmlUrl="http://a.example/"/>').feeds == [
        ("a", "http://a.example/")
    ]


def outlines(*lines, end="</body></opml>"):
    return f'<?xml version="1.0"?><opml version="2.0"><head/><body>{"".join(lines)}{end}'.encode()


A = '<outline type="rss" text="A" xmlUrl="http://a.example/f"/>'


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ('<outline type="rss" text="x" xmlUrl="itpc://x.example/f"/>', "http://x.example/f"),
        ('<outline type="rss" text="x" xmlUrl="pcast://x.example/f"/>', "http://x.example/f"),
        ('<outline type="rss" text="x" xmlUrl="podcast://x.example/f"/>', "http://x.example/f"),
        ('<outline text="x" xmlUrl=" feed:https://x.example/f "/>', "https://x.example/f"),
        ('<outline type="rss" text="x" url="https://x.example/f"/>', "https://x.example/f"),
        ("<outline text='x' URL='https://x.example/f'></outline>", "https://x.example/f"),
        ('<OUTLINE TYPE="RSS" TEXT="x" XMLURL="https://x.example/f?a=1&b=2">', "https://x.example/f?a=1&b=2"),
        ('<outline type="podcast" xmlurl="https://x.example/a>b" text="x"/>', "https://x.example/a>b"),
        ("<outline type=rss text=x xmlUrl=https://x.example/f />", "https://x.example/f"),
        ('<outline text="x" feedUrl="https://x.example/f"/>', "https://x.example/f"),
        ('<outline type="link" text="x" rssUrl="https://x.example/f"/>', "https://x.example/f"),
        ('<outline type="rss" text="x" xmlUrl="https://me:pw@x.example/f"/>', "https://me:pw@x.example/f"),
    ],
)
def test_apps_write_outlines_in_many_ways(line, url):
    assert [("A", "http://a.example/f"), ("x", url)] == read_feed_list(outlines(A, line)).feeds


@pytest.mark.parametrize(
    "line",
    [
        '<outline text="A <b>" xmlUrl="http://a.example/f"/>',
        '<outline text="A" link="http://a.example/"/>',
        "<outline text='A>",
        "<outline/>",
    ],
)
def test_a_list_of_which_no_feed_can_be_read_is_an_error(line):
    with pytest.raises(FeedError, match="names no feed"):
        read_feed_list(outlines(line))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('<outline text="x <b>" xmlUrl="http://x.example/f"/>', "broken, check its quotes): 1 of its outlines"),
        ('<outline type="rss" text="Show" htmlUrl="http://x.example/"/>', "no address of a feed): Show"),
        ('<outline type="podcast" xmlUrl=""/>', "no address of a feed): without a title"),
    ],
)
def test_an_outline_that_cannot_be_read_is_said(line, said):
    found = read_feed_list(outlines(A, line))
    assert (1, [f"left out ({said}"]) == (len(found.feeds), list(found.warnings))


def test_what_is_left_out_is_said():
    found = read_feed_list(
        outlines(
            A,
            '<outline type="rss" text="Old" xmlUrl="http://old.example/f" subscribed="0">',
            '<outline type="podcast-episode" url="http://a.example/ep" enclosureUrl="http://a.example/1.mp3"/></outline>',
            '<outline type="include" text="more" url="http://a.example/more.opml"/>',
            '<outline type="rss" text="x" xmlUrl="ftp://a.example/"/><outline type="link" url="http://a.example/page"/>',
            "<!-- <outline xmlUrl='http://hidden.example/'/> -->",
        )
    )

    assert [("A", "http://a.example/f")] == found.feeds
    assert [
        "left out (marked as not subscribed to): Old",
        "left out (another list, which is not read): http://a.example/more.opml",
        "left out (no web address): ftp://a.example/",
    ] == list(found.warnings)


@pytest.mark.parametrize("end", ["", '<outline type="rss" text="B" xmlUrl="http://b.exa', "</body></op", "<outline "])
def test_a_list_that_is_cut_off_gives_the_feeds_that_are_whole_and_says_so(end):
    found = read_feed_list(outlines(A, end=end))

    assert [("A", "http://a.example/f")] == found.feeds
    assert "cut off" in found.warnings[0]


@pytest.mark.parametrize("end", ["", '<outline type="rss" text="B" xmlUrl="http://b.exa'])
def test_a_list_that_is_cut_off_before_its_first_feed_is_an_error(end):
    with pytest.raises(FeedError, match="cut off"):
        read_feed_list(outlines(end=end))


def test_a_hostile_list_takes_no_longer_than_its_length():
    with pytest.raises(FeedError, match="names no feed"):
        read_feed_list(b"<opml>" + b'<outline a="' * 400_000 + b"</opml>")
