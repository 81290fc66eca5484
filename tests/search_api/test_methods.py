"""HEAD, OPTIONS, ranges and compression."""

import pytest

from ingest.models import Segment, Transcript
from ingest.transcripts.document import turns_from_segments
from search_api.app import create_app
from search_api.methods import byte_range
from tests.search_api.home import SELLERS, Client, add, opener, problem

LONG = tuple(Segment(5.0 * i, 5.0 * i + 4, f"Sentence {i} is about selling and people.", "Ann") for i in range(200))
TRANSCRIPT = f"/v1/episodes/{SELLERS.key}/transcript.vtt"
PATHS = ("/", "/docs", "/livez", "/readyz", "/openapi.json", "/v1/search?q=people", "/v1/episodes", TRANSCRIPT, "/static/page.css",
         f"/episodes/{SELLERS.key}")  # fmt: skip


@pytest.fixture(scope="module")
def long(tmp_path_factory, settings):
    own = settings.model_copy(update={"home": tmp_path_factory.mktemp("long")})
    add(own, Transcript(SELLERS, turns_from_segments(LONG), LONG))
    with Client(create_app(own, opener)) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_headers_of_get_and_no_body(client, path):
    def headers(answer):
        return {
            name: value for name, value in answer.headers.items() if name != "content-length" or "search" not in path
        }

    named = {"X-Request-ID": "mine"}
    head, get = client.head(path, headers=named), client.get(path, headers=named)
    assert (head.status_code, head.content) == (200, b"")
    assert headers(head) == headers(get)
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/static")])
def test_options_says_what_an_address_takes(client, path):
    answer = client.options(path)
    assert (answer.status_code, answer.content, answer.headers["allow"]) == (204, b"", "GET, HEAD, OPTIONS")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_address_that_is_not_there_is_not_found_by_any_method(client):
    assert [client.request(method, "/v1/nothing").status_code for method in ("GET", "HEAD", "OPTIONS")] == [404] * 3


# -- ranges


@pytest.mark.parametrize(
    ("header", "expected"),
    [("bytes=0-9", (0, 10)), ("bytes=90-", (90, 100)), ("bytes=-10", (90, 100)), ("bytes=95-200", (95, 100)), ("bytes=-500", (0, 100)),
     ("bytes=0-0", (0, 1)), ("bytes=5-1", None), ("bytes=-", None), ("bytes=0-1,5-6", None), ("lines=1-2", None), ("", None)],
)  # fmt: skip
def test_a_range_is_its_first_byte_and_its_end(header, expected):
    assert byte_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_beyond_the_end_is_an_error(header):
    with pytest.raises(ValueError, match="bytes"):
        byte_range(header, 100)


def test_a_transcript_can_be_read_in_parts(long):
    whole = long.get(TRANSCRIPT, headers={"Accept-Encoding": "identity"})
    tag = whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes"
    parts = [long.get(TRANSCRIPT, headers={"Range": f"bytes={wanted}", "If-Range": tag}) for wanted in ("0-99", "100-")]
    assert [part.status_code for part in parts] == [206, 206]
    assert parts[0].headers["content-range"] == f"bytes 0-99/{len(whole.content)}"
    assert b"".join(part.content for part in parts) == whole.content
    assert long.get(TRANSCRIPT, headers={"Range": "bytes=0-99", "If-Range": '"old"'}).content == whole.content
    beyond = long.get(TRANSCRIPT, headers={"Range": "bytes=9999999-"})
    problem(beyond, 416, "refused")
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    assert long.head(TRANSCRIPT, headers={"Range": "bytes=0-99"}).status_code == 200


# -- compression


@pytest.mark.parametrize("path", [TRANSCRIPT, "/v1/search?q=people", "/docs"])
def test_what_is_long_is_compressed_where_the_client_takes_it(long, path):
    plain = long.get(path, headers={"Accept-Encoding": "identity"})
    packed = long.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 1.5
    if path == TRANSCRIPT:
        assert (packed.content, packed.headers["etag"]) == (plain.content, f"W/{plain.headers['etag']}")
        again = long.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]})
        assert again.status_code == 304
