"""Ways to write one address are one; what a host may tell apart stays apart."""

from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.web.same_address import address_key, other_slash

HERE = "https://pod.example/show/feed.xml?b=2&a=1"


@pytest.mark.parametrize(
    "url",
    ["HTTPS://POD.Example/show/feed.xml?b=2&a=1", "http://pod.example/show/feed.xml?b=2&a=1",
     "https://pod.example:443/show/feed.xml?b=2&a=1", "http://pod.example:80/show/feed.xml?b=2&a=1",
     "https://pod.example:/show/feed.xml?b=2&a=1", "https://pod.example/show/feed.xml?b=2&a=1#",
     "https://pod.example/show/feed.xml?b=2&a=1#top", "https://pod.example/./show/feed.xml?b=2&a=1",
     "https://pod.example/x/../show/./feed.xml?b=2&a=1", "https://pod.example/%2e/show/%66eed%2Exml?%62=2&a=%31",
     "https://ann:pw@pod.example/show/feed.xml?b=2&a=1", " https://pod.example/show/feed.xml?b=2&a=1\n"],
)  # fmt: skip
def test_ways_to_write_an_address_have_one_key(url):
    assert "//pod.example/show/feed.xml?b=2&a=1" == address_key(HERE) == address_key(url)


@pytest.mark.parametrize(
    "url",
    ["https://pod.example/show/feed.xml?a=1&b=2", "https://pod.example/Show/feed.xml?b=2&a=1",
     "https://pod.example/show/feed.xml/?b=2&a=1", "https://pod.example/show//feed.xml?b=2&a=1",
     "https://pod.example:8443/show/feed.xml?b=2&a=1", "http://pod.example:443/show/feed.xml?b=2&a=1",
     "https://www.pod.example/show/feed.xml?b=2&a=1", "https://pod.example/show%2Ffeed.xml?b=2&a=1",
     "https://pod.example/show/feed.xml?b=2&a=1&", "https://pod.example/show/feed.xml?B=2&a=1",
     "https://pod.example/show/feed.xml", "ftp://pod.example/show/feed.xml?b=2&a=1"],
)  # fmt: skip
def test_what_a_host_may_tell_apart_has_keys_of_its_own(url):
    assert address_key(HERE) != address_key(url)


@pytest.mark.parametrize(
    "same",
    [("https://a.example", "https://a.example/", "http://a.example?", "https://a.example/#x"),
     ("https://a.example/caf%c3%a9", "https://a.example/café", "https://a.example/caf%C3%A9"),
     ("https://a.example/a b", "https://a.example/a%20b"),
     ("https://bücher.example/", "https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
     ("https://[::1]:443/f", "http://[::1]/f"),
     ("https://a.example/..", "https://a.example/x/..", "https://a.example/."),
     ("https://a.example/x/", "https://a.example/x/.", "https://a.example/x/y/..")],
)  # fmt: skip
def test_one_address_has_one_key(same):
    assert 1 == len(set(map(address_key, same)))


@pytest.mark.parametrize("text", ["", "feed", "http://", "http://[", "http://a.example:x/", "guid:1", "//a.example/f"])
def test_what_is_no_web_address_is_its_own_key(text):
    assert text == address_key(text)


@given(st.text())
def test_any_text_has_a_key_that_is_its_own(text):
    key = address_key(f"https://a.example/{text}")

    assert key == address_key(f"https:{key}")
    assert address_key(address_key(text)) == address_key(text)


@pytest.mark.parametrize(
    "path", ["/a/b/../c", "/a/../../b", "/a//../b", "/./a/.", "/a/..", "/a/b/%2e%2e/c", "/..a/b.."]
)
def test_dots_lead_where_the_client_goes(path):
    joined = httpx2.URL("https://a.example/").join(path.replace("%2e", "."))

    assert urlsplit(str(joined)).path == address_key(f"https://a.example{path}").removeprefix("//a.example")


@pytest.mark.parametrize(
    ("url", "other"),
    [("https://a.example/f", "https://a.example/f/"), ("https://a.example/f/?x=1/", "https://a.example/f?x=1/"),
     ("https://a.example/f#y", "https://a.example/f/")],
)  # fmt: skip
def test_the_other_slash_is_behind_the_path(url, other):
    assert other == other_slash(url)
