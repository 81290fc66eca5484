"""Secrets and addresses, kept apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.web.credentials import Credentials, basic, origin_of, plain_basic, read_header, split_userinfo


@pytest.mark.parametrize(
    ("url", "clean", "userinfo"),
    [
        ("https://me:pw@h.example/f", "https://h.example/f", "me:pw"),
        ("http://me@h.example:8080/f?a=b@c", "http://h.example:8080/f?a=b@c", "me"),
        ("https://me%40mail:p%3Aw@h.example", "https://h.example", "me%40mail:p%3Aw"),
        ("https://me:p@ss@h.example/f", "https://h.example/f", "me:p@ss"),
        ("https://me:p/s#?s@h.example/f", "https://h.example/f", "me:p/s#?s"),
        (" feed://me:pw@h.example/f", " feed://h.example/f", "me:pw"),
        ("https://h.example/@user/feed", "https://h.example/@user/feed", ""),
        ("https://h.example:8080/@user/feed", "https://h.example:8080/@user/feed", ""),
        ("https://h.example/f?mail=a:b@c.example", "https://h.example/f?mail=a:b@c.example", ""),
        ("https://[::1]:80/@x", "https://[::1]:80/@x", ""),
        ("nothing", "nothing", ""),
    ],
)
def test_an_address_is_parted_from_its_user_and_password(url, clean, userinfo):
    assert (clean, userinfo) == split_userinfo(url)


def test_userinfo_is_decoded_before_it_is_sent():
    assert plain_basic("me@mail:p:w") == basic("me%40mail:p%3Aw")
    assert plain_basic("me:") == basic("me") == basic("me:")
    assert {} == basic("")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://h.example/", "http://H.example:80/x", True),
        ("https://h.example/", "https://h.example:443/", True),
        ("https://h.example/", "http://h.example/", False),
        ("http://h.example/", "http://h.example:8080/", False),
        ("http://h.example/", "http://sub.h.example/", False),
        ("http://h.example/", "http://h.example.evil/", False),
        ("http://h.example/", "http://h.example@evil.example/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one, other, same):
    assert same == (origin_of(one) == origin_of(other))
    assert same == bool(Credentials.for_url(one, {"x-key": "1"}).headers_for(other))


@pytest.mark.parametrize(
    ("here", "there", "follows"),
    [
        ("http://h.example/f", "https://h.example/f", True),
        ("http://H.example:80/f", "https://h.example:443/g", True),
        ("https://h.example/f", "http://h.example/f", False),
        ("http://h.example/f", "https://www.h.example/f", False),
        ("http://h.example:8080/f", "https://h.example/f", False),
        ("http://h.example/f", "https://h.example:8443/f", False),
        ("http://h.example/f", "https://h.example.evil.example/f", False),
        ("http://other.example/f", "https://other.example/f", False),
    ],
)
def test_credentials_follow_a_redirect_from_http_to_https_of_their_host_only(here, there, follows):
    mine = Credentials.for_url(here.replace("other", "h"), {"x-key": "1"})
    assert follows == bool(mine.upgraded(here, there).headers_for(there))


def test_what_is_for_the_encrypted_host_already_counts():
    weak, strong = Credentials.for_url("http://a:b@h.example/"), Credentials.for_url("https://c:d@h.example/")
    there = "https://h.example/"
    assert plain_basic("c:d") == weak.under(strong).upgraded("http://h.example/", there).headers_for(there)


def test_what_is_no_address_has_no_origin():
    assert {""} == {origin_of(url) for url in ("", "x", "//", "http://", "http://[::1", "http://x:y/", "file:///etc")}


@pytest.mark.parametrize(
    "line", ["no colon", "a b: c", "X: a\nY: b", "X: \u2028", ": secret", "Host: evil", "Range: bytes=0-"]
)
def test_what_is_no_header_is_refused_without_repeating_it(line):
    with pytest.raises(ValueError, match=r"header|chosen") as refused:
        read_header(line)
    assert line not in str(refused.value)


def test_a_header_is_read_as_people_write_it():
    assert ("authorization", "Bearer a:b") == read_header("Authorization: Bearer a:b")
    assert ("x-key", "1") == read_header(" X-Key:1 ")


def test_nothing_secret_is_shown():
    assert "pw" not in repr(Credentials.for_url("https://me:pw@h.example/", {"x-key": "pw"}))


def test_of_two_credentials_for_one_origin_the_later_counts():
    weak = Credentials.for_url("https://a:b@h.example/", {"x": "1"})
    strong = Credentials.for_url("https://c:d@h.example/")

    assert {**plain_basic("c:d"), "x": "1"} == weak.under(strong).headers_for("https://h.example/x")


@settings(max_examples=200, deadline=None, database=None)
@given(st.text() | st.from_regex(r"(?:https?:)?//[a-z:@/#?\\[\\]%.0-9]{0,30}", fullmatch=True))
def test_any_text_is_parted_and_nothing_is_lost(text):
    clean, userinfo = split_userinfo(text)

    assert len(text) == len(clean) + (len(userinfo) + 1 if len(clean) < len(text) else 0)
    assert isinstance(origin_of(text), str)
    assert isinstance(Credentials.for_url(text), Credentials)
