"""The guarded client: where it goes, where it never goes, and how it gives up."""

import gzip
import threading
import time
import zlib

import httpx2
import pytest

from ingest.errors import BlockedAddressError, FetchError
from ingest.web import encodings
from ingest.web.client import MAX_REDIRECTS, Client, fetch, open_client, stream
from ingest.web.credentials import Credentials
from ingest.web.guard import MAX_LOOKUPS, Deadline
from ingest.web.rate_limit import RateLimiter
from tests.podcast_host import PodcastHost, Reply, document, redirect

AGENT = "soundbite/test (+https://example.org)"
HERE = frozenset({"127.0.0.1"})


@pytest.fixture
def host():
    with PodcastHost() as host:
        yield host


@pytest.fixture
def client():
    with open_client(user_agent=AGENT, timeout=5, hosts_allowed=HERE) as client:
        yield client


def test_a_name_that_is_allowed_may_be_anywhere(host):
    host.serve("/a", Reply(body=b"hello"))
    with open_client(user_agent=AGENT, timeout=5, hosts_allowed=frozenset({"localhost"})) as client:
        assert fetch(client, host.url("/a", "LOCALHOST")).body == b"hello"
        with pytest.raises(BlockedAddressError, match=r"SOUNDBITE_ALLOW_HOSTS=127\.0\.0\.1"):
            fetch(client, host.url("/a"))


def test_a_redirect_into_the_own_network_does_not_pass(host):
    """The first hop is allowed by name, the second is an address of the same machine under another name."""
    host.serve("/feed", redirect(302, host.url("/secret", "localhost")))
    with (
        open_client(user_agent=AGENT, timeout=5, hosts_allowed=HERE) as client,
        pytest.raises(BlockedAddressError, match="localhost"),
    ):
        fetch(client, host.url("/feed"))

    assert [asked.path for asked in host.requests] == ["/feed"]


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/a", "gopher://x/", "data:text/plain,hi", "javascript:1", "http://", "",
     "feed.xml", "http://[::1", "http://a b/", "http://\0/", "http://" + "a" * 300 + ".example/", "http://x:99999/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_in_one_line(client, url):
    with pytest.raises(FetchError) as caught:
        fetch(client, url)

    assert "\n" not in caught.value.message


def test_a_redirect_to_another_scheme_is_refused(host, client):
    url = host.serve("/feed", redirect(301, "file:///etc/passwd"))
    with pytest.raises(FetchError, match="only http"):
        fetch(client, url)


def test_one_honest_user_agent_is_sent_and_no_cookie_comes_back(host, client):
    url = host.serve("/a", Reply(headers={"Set-Cookie": "id=1; Path=/"}))
    fetch(client, url)
    fetch(client, url)

    assert [asked.headers["user-agent"] for asked in host.requests] == [AGENT, AGENT]
    assert "cookie" not in host.requests[1].headers


def test_headers_given_for_one_request_override_ours(host, client):
    fetch(client, host.serve("/a", Reply()), headers={"User-Agent": "Other/1"})

    assert host.requests[0].headers["user-agent"] == "Other/1"


def test_connections_are_used_again(host, client):
    url = host.serve("/a", Reply(body=b"x"))
    before = threading.active_count()
    for _ in range(5):
        fetch(client, url)

    assert threading.active_count() - before <= 1  # the server's one thread for one connection


def test_proxies_from_the_environment_are_not_used(host, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with open_client(user_agent=AGENT, timeout=5, hosts_allowed=HERE) as late:
        assert fetch(late, host.serve("/a", Reply(body=b"x"))).body == b"x"


@pytest.mark.parametrize(
    ("hops", "permanent"),
    [((301,), "/1"), ((308,), "/1"), ((302,), ""), ((307,), ""), ((303,), ""), ((301, 308), "/2"), ((301, 302), "/1"),
     ((302, 301), ""), ((308, 307, 301), "/1")],
)  # fmt: skip
def test_permanent_url_is_how_far_permanent_hops_alone_led(host, client, hops, permanent):
    for number, status in enumerate(hops):
        host.serve(f"/{number}", redirect(status, f"/{number + 1}"))
    host.serve(f"/{len(hops)}", Reply(body=b"here"))
    answer = fetch(client, host.url("/0"))

    assert answer.body == b"here"
    assert host.url(f"/{len(hops)}") == answer.url
    assert (host.url(permanent) if permanent else "") == answer.permanent_url


def test_redirects_in_a_circle_end_at_once(host, client):
    host.serve("/a", redirect(302, "/b"))
    host.serve("/b", redirect(302, "/a"))
    with pytest.raises(FetchError, match="circle"):
        fetch(client, host.url("/a"))

    assert len(host.requests) == 2


def test_redirects_without_end_are_counted(host, client):
    for number in range(50):
        host.serve(f"/{number}", redirect(301, f"/{number + 1}"))
    with pytest.raises(FetchError, match="more than 10 times"):
        fetch(client, host.url("/0"))

    assert len(host.requests) == MAX_REDIRECTS + 1


def test_credentials_stay_with_the_host_they_were_given_to(host):
    url = host.serve("/a", redirect(302, host.url("/b", "localhost")))
    host.serve("/b", Reply(body=b"x"))
    secret = {"Authorization": "Bearer secret", "Cookie": "id=1", "X-Feed": "kept"}
    with open_client(user_agent=AGENT, timeout=5, hosts_allowed=HERE | {"localhost"}) as client:
        fetch(client, url, headers=secret)
        fetch(client, url.replace("//", "//ann:pw@"))

    there = [asked.headers for asked in host.requests if asked.path == "/b"]
    assert host.requests[0].headers["authorization"] == "Bearer secret"
    assert there[0]["x-feed"] == "kept"
    assert "authorization" not in there[0] | there[1]
    assert "cookie" not in there[0]


@pytest.fixture
def anywhere():
    with open_client(user_agent=AGENT, timeout=5, hosts_allowed=HERE | {"localhost"}) as client:
        yield client


def authorized(host):
    return [asked.path for asked in host.requests if "authorization" in asked.headers]


def test_credentials_go_to_their_origin_wherever_a_redirect_comes_from(host, anywhere):
    mine = Credentials.for_url(host.url("/feed").replace("//", "//ann:pw@"), {"x-key": "k"})
    host.serve("/tracker", redirect(302, host.url("/audio")))
    host.serve("/audio", redirect(302, host.url("/cdn", "localhost")))
    host.serve("/cdn", redirect(302, host.url("/last")))
    host.serve("/last", Reply(body=b"x"))

    fetch(anywhere, host.url("/tracker", "localhost"), credentials=mine)

    assert ["/audio", "/last"] == authorized(host)
    assert ["/audio", "/last"] == [asked.path for asked in host.requests if "x-key" in asked.headers]


def test_another_port_is_another_origin(host, client):
    with PodcastHost() as other:
        host.serve("/a", redirect(302, other.url("/b")))
        other.serve("/b", Reply())
        fetch(client, host.url("/a").replace("//", "//ann:pw@"))

        assert (["/a"], []) == (authorized(host), authorized(other))


def test_a_relative_redirect_keeps_the_password_of_the_address(host, client):
    host.serve("/a", redirect(301, "/b"))
    host.serve("/b", Reply(body=b"x"))

    answer = fetch(client, host.url("/a").replace("//", "//ann:p%40w@"))

    assert ["/a", "/b"] == authorized(host)
    assert (host.url("/b"), host.url("/b")) == (answer.url, answer.permanent_url)


def test_a_redirect_may_carry_a_password_for_where_it_leads(host, anywhere):
    host.serve("/a", redirect(302, host.url("/b", "localhost").replace("//", "//ann:pw@")))
    host.serve("/b", Reply())

    assert host.url("/b", "localhost") == fetch(anywhere, host.url("/a")).url
    assert ["/b"] == authorized(host)


@pytest.mark.parametrize("trouble", [Reply(200, b"x", promised=9), redirect(302, "/a"), redirect(302, "file:///x")])
def test_no_error_repeats_a_password(host, client, trouble):
    with pytest.raises(FetchError) as failed:
        fetch(client, host.serve("/a", trouble).replace("//", "//ann:s3cret@"))

    assert "s3cret" not in f"{failed.value} {failed.value.__cause__}"


def needs_cookie(cookie, otherwise, body=b"in"):
    return lambda asked: Reply(body=body) if cookie in asked.headers.get("cookie", "") else otherwise


def set_cookie(to, *cookies):
    return Reply(302, b"", {"Location": to, "Set-Cookie": cookies[0]})


@pytest.mark.parametrize("attributes", ["; Path=/", "", "; Path=/; HttpOnly; SameSite=Lax", "; Max-Age=60"])
def test_a_cookie_lives_for_the_redirects_of_one_request(host, client, attributes):
    host.serve("/feed", needs_cookie("sid=1", redirect(302, "/set")))
    host.serve("/set", set_cookie("/feed", "sid=1" + attributes))
    host.serve("/self", needs_cookie("me=2", set_cookie("/self", "me=2" + attributes)))

    assert b"in" == fetch(client, host.url("/feed")).body == fetch(client, host.url("/self")).body
    host.requests.clear()
    fetch(client, host.url("/feed"))
    assert "cookie" not in host.requests[0].headers


def test_a_cookie_stays_with_its_domain_and_path(host, anywhere):
    host.serve("/a", set_cookie(host.url("/b", "localhost"), "sid=1; Path=/"))
    host.serve("/b", set_cookie("/c", "deep=1; Path=/elsewhere"))
    host.serve("/c", set_cookie(host.url("/d"), "evil=1; Domain=127.0.0.1; Path=/"))
    host.serve("/d", Reply())
    fetch(anywhere, host.url("/a"))

    assert [None, None, None, "sid=1"] == [asked.headers.get("cookie") for asked in host.requests]


def test_a_cookie_that_is_set_again_and_again_is_a_circle(host, client):
    host.serve("/a", set_cookie("/a", "sid=1; Path=/"))
    with pytest.raises(FetchError, match="circle"):
        fetch(client, host.url("/a"))

    assert 2 == len(host.requests)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "compress"])
def test_a_packing_that_cannot_be_undone_is_named(host, client, monkeypatch, coding):
    monkeypatch.setattr(encodings, "_is_installed", lambda _: False)
    url = host.serve("/a", Reply(body=b"\x8b\x02\x80", headers={"Content-Encoding": coding}))
    with pytest.raises(FetchError, match=f"packed with {coding.split(', ')[-1]}"):
        fetch(client, url)


def test_a_refusal_is_told_by_its_status_however_its_page_is_packed(host, client, monkeypatch):
    monkeypatch.setattr(encodings, "_is_installed", lambda _: False)

    assert 404 == fetch(client, host.serve("/a", Reply(404, b"x", {"Content-Encoding": "br"}))).status


def test_a_packing_nobody_asked_for_is_undone_where_a_library_is_there(host, client):
    brotli = pytest.importorskip("brotli")
    url = host.serve("/a", Reply(body=brotli.compress(b"text"), headers={"Content-Encoding": "br"}))

    assert b"text" == fetch(client, url).body


def test_deflate_with_and_without_its_header_is_undone(host, client):
    raw = zlib.compressobj(wbits=-15)
    for packed in (zlib.compress(b"text"), raw.compress(b"text") + raw.flush()):
        url = host.serve("/a", Reply(body=packed, headers={"Content-Encoding": "deflate"}))

        assert b"text" == fetch(client, url).body


@pytest.mark.parametrize(
    ("hops", "told"),
    [
        (["http://h.example/f", "https://h.example/f"], [True, True]),
        (
            ["http://h.example/f", "https://h.example/f", "http://h.example/f?2", "https://evil.example/"],
            [True, True, True, False],
        ),
        (["https://h.example/f", "http://h.example/f"], [True, False]),
        (["http://h.example/f", "https://www.h.example/f", "https://h.example/f"], [True, False, False]),
    ],
)
def test_a_redirect_to_https_keeps_credentials_and_one_away_from_it_gains_none(hops, told):
    seen = []

    def answer(request):
        seen.append(request.headers.get("authorization", ""))
        there = hops[len(seen)] if len(seen) < len(hops) else ""
        return httpx2.Response(
            302 if there else 200, headers={"Location": there} if there else {}, stream=httpx2.ByteStream(b"text")
        )

    client = Client(httpx2.Client(transport=httpx2.MockTransport(answer)), Deadline(), RateLimiter(0))
    mine = Credentials.for_url(hops[0].replace("//", "//ann:pw@"))

    fetch(client, hops[0], credentials=mine)

    assert told == [bool(header) for header in seen]


def test_a_redirect_on_the_same_host_keeps_credentials(host, client):
    host.serve("/b", Reply())
    fetch(client, host.serve("/a", redirect(302, "/b")), headers={"Authorization": "Bearer secret"})

    assert host.requests[1].headers["authorization"] == "Bearer secret"


def test_gzip_is_asked_for_and_unpacked(host, client):
    url = host.serve("/a", document(b"text " * 1000, packed=True))

    assert fetch(client, url).body == b"text " * 1000
    assert host.requests[0].headers["accept-encoding"] == "gzip"


def test_a_gzip_bomb_ends_at_the_cap(host, client):
    bomb = gzip.compress(gzip.compress(bytes(30 * 2**20)))  # 30 MiB in a few hundred bytes
    url = host.serve("/a", Reply(body=bomb, headers={"Content-Encoding": "gzip, gzip"}))
    with pytest.raises(FetchError, match="larger than 1 MiB"):
        fetch(client, url, max_bytes=2**20)


def test_broken_gzip_is_said_so(host, client):
    url = host.serve("/a", Reply(body=b"\x1f\x8b\x08 not gzip", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(FetchError, match="unpacked"):
        fetch(client, url)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip"])
def test_a_packed_answer_that_is_cut_broke_off(host, client, coding):
    body = zlib.compress(bytes(5000)) if coding == "deflate" else gzip.compress(bytes(5000))
    body = (gzip.compress(body) if "," in coding else body)[:-3]
    for url in (
        host.serve("/a", Reply(body=body, headers={"Content-Encoding": coding})),
        host.serve("/b", Reply(206, body, {"Content-Encoding": coding})),
    ):
        with pytest.raises(FetchError, match=r"broke off .*ends too early"):
            fetch(client, url)
    gone = host.serve("/c", Reply(404, body, {"Content-Encoding": coding}))
    assert 404 == fetch(client, gone).status


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "x-gzip, gzip"])
def test_many_empty_members_end_at_the_cap(host, client, coding):
    members = gzip.compress(b"") * 60_000  # 1.2 MB that unpack to nothing
    body = gzip.compress(members) if "," in coding else members
    url = host.serve("/a", Reply(body=body, headers={"Content-Encoding": coding}))
    with pytest.raises(FetchError, match="larger than 1 MiB"):
        fetch(client, url, max_bytes=2**20)


def test_an_answer_that_promises_more_than_the_cap_is_refused_unread(host, client):
    url = host.serve("/a", Reply(body=b"x", promised=5000))
    with pytest.raises(FetchError, match="larger than"):
        fetch(client, url, max_bytes=1000)


def test_an_absurd_length_is_a_plain_error(host, client):
    for length in ("99999999999999999999999", "-5", "abc"):
        url = host.serve("/a", Reply(headers={"Content-Length": length}))
        with pytest.raises(FetchError):
            fetch(client, url)


def test_a_dropped_connection_is_a_plain_error(host, client):
    url = host.serve("/a", Reply(body=bytes(5000), drop_after=100))
    with pytest.raises(FetchError, match="broke off"):
        fetch(client, url)


def test_an_answer_that_is_no_http_is_a_plain_error(host, client):
    url = host.serve("/a", Reply(body=b"garbage" * 10, trickle_headers=True, status=0))
    with pytest.raises(FetchError, match="broke off"):
        fetch(client, url)


def test_nobody_listening_is_a_plain_error(client):
    with PodcastHost() as gone:
        url = gone.url("/")
    with pytest.raises(FetchError, match="cannot be connected to"):
        fetch(client, url)


def test_an_unknown_name_is_a_plain_error():
    with (
        open_client(user_agent=AGENT, timeout=5, resolver=lambda *_: []) as client,
        pytest.raises(FetchError, match="no address is known"),
    ):
        fetch(client, "http://nowhere.example/")


def test_a_host_that_sleeps_times_out(host):
    url = host.serve("/a", Reply(wait=30))
    with (
        open_client(user_agent=AGENT, timeout=0.1, hosts_allowed=HERE) as client,
        pytest.raises(FetchError, match="in time"),
    ):
        fetch(client, url)


@pytest.mark.parametrize("trickle_headers", [False, True])
def test_a_host_that_trickles_is_left_at_the_deadline(host, client, trickle_headers):
    """Each byte comes well within the timeout; the whole does not."""
    url = host.serve("/a", Reply(body=bytes(1000), pause=0.02, trickle_headers=trickle_headers))
    before = time.monotonic()
    with pytest.raises(FetchError, match="in time"):
        fetch(client, url, max_seconds=0.3)

    assert time.monotonic() - before < 10


@pytest.fixture
def hanging():
    """A resolver that gives no answer until the test ends."""
    released = threading.Event()

    def resolver(_name, _port):
        released.wait(30)
        return ["127.0.0.1"]

    yield resolver
    released.set()


@pytest.mark.parametrize(("timeout", "max_seconds"), [(30, 0.1), (0.1, 30)])
def test_a_name_lookup_that_hangs_ends_at_the_deadline_and_at_the_timeout(hanging, timeout, max_seconds):
    before = time.monotonic()
    with (
        open_client(user_agent=AGENT, timeout=timeout, resolver=hanging) as client,
        pytest.raises(FetchError, match="in time"),
    ):
        fetch(client, "http://slow.example/", max_seconds=max_seconds)

    assert time.monotonic() - before < 10


def test_name_lookups_that_hang_take_a_bounded_number_of_threads(hanging):
    before = threading.active_count()
    with open_client(user_agent=AGENT, timeout=0.01, resolver=hanging) as client:
        for _ in range(MAX_LOOKUPS + 5):
            with pytest.raises(FetchError, match="in time"):
                fetch(client, "http://slow.example/")

        assert threading.active_count() - before <= MAX_LOOKUPS


def test_the_deadline_ends_with_its_request(host, client):
    url = host.serve("/a", Reply(body=b"x"))
    fetch(client, url, max_seconds=0.05)
    time.sleep(0.06)

    assert fetch(client, url).body == b"x"


def test_a_stream_gives_chunks_and_its_reader_s_errors_stay_their_own(host, client):
    url = host.serve("/a", Reply(body=bytes(300_000)))
    with stream(client, url, max_bytes=2**20) as (answer, chunks):
        assert answer.status == 200
        assert sum(map(len, chunks)) == 300_000
    with pytest.raises(ZeroDivisionError), stream(client, url, max_bytes=2**20):
        _ = 1 / 0


def test_every_status_is_an_answer(host, client):
    for status in (200, 304, 404, 410, 429, 500, 503):
        assert status == fetch(client, host.serve(f"/{status}", Reply(status))).status


def test_header_values_come_and_go_verbatim(host, client):
    odd = 'W/"caf\xe9 \x80 "'
    url = host.serve("/a", Reply(headers={"ETag": odd}))
    seen = fetch(client, url).headers["etag"]
    fetch(client, url, headers={"If-None-Match": seen})

    assert odd == seen
    assert odd == host.requests[1].headers["if-none-match"]
