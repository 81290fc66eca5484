"""What counts as a publisher's no, and what does not."""

import pytest

from ingest.feeds.opt_out import by_headers, by_page, by_tags


@pytest.mark.parametrize(
    ("purpose", "text", "refuses"),
    [
        ("ai", "no", True), ("ai-training", "disallow", True), ("AI", "Opt out", True), ("noai", "", True),
        ("no-ai", "true", True), ("tdm-reservation", "1", True), ("robots", "noai, noimageai", True),
        ("ai", "train-ai=n", True), ("ai-usage", "All rights reserved", True),
        ("ai", "yes", False), ("ai-content", "none of it is", True), ("noai", "false", False), ("verify", "no-4711", False),
        ("tdm-reservation", "0", False), ("release", "not ai", False), ("", "noai", False), ("email", "no@ai.example", False),
        ("applepodcastsverify", "no", False), ("captain", "no", False),
    ],
)  # fmt: skip
def test_a_tag_refuses_in_words(purpose, text, refuses):
    assert refuses == bool(by_tags([("verify", "x"), (purpose, text)]))


@pytest.mark.parametrize(
    ("headers", "refuses"),
    [
        ({"tdm-reservation": "1"}, True), ({"tdm-reservation": " 1 "}, True), ({"x-robots-tag": "noindex, noai"}, True),
        ({"x-robots-tag": "NOAI"}, True), ({"x-robots-tag": "*: noai"}, True), ({"content-usage": "train-ai=n"}, True),
        ({}, False), ({"tdm-reservation": "0"}, False), ({"x-robots-tag": "noindex"}, False),
        ({"x-robots-tag": "gptbot: noindex, noai"}, False), ({"x-robots-tag": "noimageai"}, False),
        ({"x-robots-tag": "unavailable_after: 25 Jun 2027 15:00:00 PST, noai"}, True), ({"content-usage": "train-ai=y"}, False),
    ],
)  # fmt: skip
def test_headers_refuse(headers, refuses):
    assert refuses == bool(by_headers(headers))


@pytest.mark.parametrize(
    ("page", "refuses"),
    [
        (b'<meta name="tdm-reservation" content="1">', True),
        (b"<META content='noai, noimageai' NAME=robots>", True),
        (b"<meta name=robots content=noindex>", False),
        (b'<meta name="tdm-reservation" content="0">', False),
        (b"noai", False),
    ],
)
def test_a_page_refuses(page, refuses):
    assert refuses == bool(by_page(page))
