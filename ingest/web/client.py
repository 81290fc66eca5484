"""HTTP GET to the outside: guarded addresses, counted redirects, limits on bytes and seconds, errors in plain words."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self, cast

import httpcore2
import httpx2

from ingest.errors import FetchError, UnreachableError
from ingest.web.credentials import NO_CREDENTIALS, NO_HEADERS, Credentials, without_userinfo
from ingest.web.encodings import obstacle, unpacked
from ingest.web.guard import Deadline, GuardedBackend, Resolver, resolve
from ingest.web.headers import whole_number
from ingest.web.rate_limit import RateLimiter

MAX_REDIRECTS = 10  # tracking prefixes in front of podcast audio chain up to about five
MAX_FEED_BYTES = 50 * 2**20  # unpacked; parsing takes several times as much memory
MAX_SECONDS = 120.0  # for a whole answer: a feed of 50 MiB at 440 kB/s; audio is given more
FOUND = frozenset({200, 206})
MOVED = frozenset({301, 302, 303, 307, 308})
MOVED_FOR_GOOD = frozenset({301, 308})
CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that may be others in a moment


@dataclass(frozen=True, slots=True)
class Response:
    """The answer of a host, after redirects.

    `headers` have lower-case names and verbatim values. `url` is where the answer came from. `permanent_url` is how far
    permanent redirects (301, 308) alone led: empty where the first redirect was temporary, or there was none.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    permanent_url: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Client:
    """Open connections and the rules they obey; close the client, or use it in a `with`."""

    http: httpx2.Client
    deadline: Deadline
    rate_limiter: RateLimiter

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Body(httpx2.SyncByteStream):
    """The body of an httpcore2 response as httpx2 wants it."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(cast("Iterable[bytes]", self._answer.stream))

    def close(self) -> None:
        self._answer.close()


class GuardedTransport(httpx2.BaseTransport):
    """Sends httpx2's requests through the guarded backend; httpx2 has no option for a network backend."""

    def __init__(self, backend: GuardedBackend) -> None:
        self._backend = backend
        self._pools: dict[str, httpcore2.ConnectionPool] = {}

    def _pool(self, scheme: str) -> httpcore2.ConnectionPool:
        if scheme not in self._pools:  # loading the certificates takes a while: not before the first https request
            context = httpx2.create_ssl_context() if scheme == "https" else None
            self._pools[scheme] = httpcore2.ConnectionPool(ssl_context=context, network_backend=self._backend)
        return self._pools[scheme]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """See httpx2."""
        url = request.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        answer = self._pool(url.scheme).handle_request(
            httpcore2.Request(request.method, target, headers=request.headers.raw, extensions=request.extensions)
        )
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()


def open_client(
    *,
    user_agent: str,
    timeout: float,
    hosts_allowed: frozenset[str] = frozenset(),
    resolver: Resolver = resolve,
    rate_limiter: RateLimiter | None = None,
) -> Client:
    """A client that connects to public addresses and to the hosts named in `hosts_allowed`.

    `timeout` is in seconds without progress. Proxies and .netrc from the environment are not used (`trust_env`):
    a proxy connects in our place, so the guard would not see the address. Cookies are not kept.
    """
    deadline = Deadline()
    http = httpx2.Client(
        transport=GuardedTransport(GuardedBackend(hosts_allowed, deadline, resolver)),
        headers={"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "gzip"},
        timeout=timeout,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
    )
    return Client(http, deadline, rate_limiter or RateLimiter(0))


def fetch(
    client: Client,
    url: str,
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    credentials: Credentials = NO_CREDENTIALS,
    max_bytes: int = MAX_FEED_BYTES,
    max_seconds: float = MAX_SECONDS,
) -> Response:
    """GET a whole answer of at most `max_bytes` unpacked bytes, whatever its status.

    `headers` go to every host that redirects lead to, less what is secret; `credentials` to their own origins only.
    Raises FetchError where there is no answer, and BlockedAddressError.
    """
    with stream(
        client, url, headers=headers, credentials=credentials, max_bytes=max_bytes, max_seconds=max_seconds
    ) as (response, chunks):
        return replace(response, body=b"".join(chunks))


@contextmanager
def stream(
    client: Client,
    url: str,
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    credentials: Credentials = NO_CREDENTIALS,
    max_bytes: int = MAX_FEED_BYTES,
    max_seconds: float = MAX_SECONDS,
) -> Iterator[tuple[Response, Iterator[bytes]]]:
    """Like `fetch`, with the body as an iterator of unpacked chunks that raises the same errors."""
    shown = without_userinfo(url)
    with ExitStack() as stack:
        stack.enter_context(client.deadline.within(max_seconds))
        with _errors_in_plain_words(shown):
            told = {name.lower(): value for name, value in headers.items()}
            answer, permanent = _follow(client, url, told, Credentials.for_url(url).under(credentials))
        stack.callback(answer.close)
        received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers.raw}
        received["x-robots-tag"] = answer.headers.get("x-robots-tag", "")  # joined where there are several
        packed = obstacle(received.get("content-encoding", ""))
        if packed and answer.status_code in FOUND:  # the body of a refusal is not read
            raise FetchError(shown, packed)
        if "content-encoding" not in received and (whole_number(received.get("content-length", "")) or 0) > max_bytes:
            raise FetchError(shown, _too_large(max_bytes))
        chunks = _body(shown, answer, received.get("content-encoding", ""), max_bytes)
        yield Response(answer.status_code, received, str(answer.url), permanent), chunks


def _body(url: str, answer: httpx2.Response, encoding: str, max_bytes: int) -> Iterator[bytes]:
    """The body, unpacked in pieces of at most 1 MiB, so that a zip bomb of any ratio ends at the limit.

    A refusal counts by its status, so its page may be damaged.
    """

    def limited(chunks: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise FetchError(url, _too_large(max_bytes))
            yield chunk

    with _errors_in_plain_words(url), suppress(*(() if answer.status_code in FOUND else (EOFError, zlib.error))):
        yield from unpacked(answer.iter_raw(), encoding, limited)


def _too_large(max_bytes: int) -> str:
    return f"is larger than {max_bytes / 2**20:g} MiB, which is the most that is fetched"


def _follow(client: Client, url: str, headers: dict[str, str], credentials: Credentials) -> tuple[httpx2.Response, str]:
    """The first answer that is not a redirect, and the address that permanent redirects alone led to.

    A redirect that only sets a cookie may lead back to where it came from.
    """
    here, permanent, only_permanent = _address(url), "", True
    cookies = httpx2.Cookies()  # live for the redirects of this request, each for its own domain
    seen = {(str(here), "")}
    for _ in range(MAX_REDIRECTS + 1):
        answer = _send(client, url, here, headers | dict(credentials.headers_for(str(here))), cookies)
        location = answer.headers.get("location", "")
        if answer.status_code not in MOVED or not location:
            return answer, permanent
        answer.close()
        cookies.extract_cookies(answer)
        there, credentials = _joined(here, location.strip(), credentials)
        credentials = credentials.under(credentials.upgraded(str(here), str(there)))
        if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            headers = {name: value for name, value in headers.items() if name not in CREDENTIALS}
        only_permanent = only_permanent and answer.status_code in MOVED_FOR_GOOD
        permanent = str(there) if only_permanent else permanent
        state = (str(there), _cookie_header(cookies, there))
        if state in seen:
            raise FetchError(without_userinfo(url), f"redirects in a circle at {there}; the publisher must fix that")
        seen.add(state)
        here = there
    shown = without_userinfo(url)
    raise FetchError(shown, f"redirects more than {MAX_REDIRECTS} times; the publisher must fix that")


def _send(
    client: Client, url: str, here: httpx2.URL, headers: dict[str, str], cookies: httpx2.Cookies
) -> httpx2.Response:
    if cookie := _cookie_header(cookies, here):
        headers = {"cookie": cookie} | headers
    raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    client.rate_limiter.wait(here.host)
    request = client.http.build_request("GET", here, headers=raw)
    shown = without_userinfo(url)
    try:
        return client.http.send(request, stream=True, follow_redirects=False)
    except httpcore2.ConnectTimeout as error:
        raise UnreachableError(shown, "did not answer in time; try again later", here.host) from error
    except httpcore2.ConnectError as error:
        reason = f"cannot be connected to ({_one_line(error)}); check the address"
        raise UnreachableError(shown, reason, here.host) from error


def _cookie_header(cookies: httpx2.Cookies, url: httpx2.URL) -> str:
    """The cookies set so far that are meant for an address."""
    request = httpx2.Request("GET", url)
    cookies.set_cookie_header(request)
    return str(request.headers.get("cookie", ""))


def _joined(here: httpx2.URL, location: str, credentials: Credentials) -> tuple[httpx2.URL, Credentials]:
    """Where a redirect leads, and the credentials from there on: a user and password in it are for its own origin."""
    own = Credentials.for_url(location)
    return _address(str(here.join(without_userinfo(location)))), own.under(credentials) if own else credentials


def _address(url: str) -> httpx2.URL:
    """An address without user, password and fragment, none of which is sent with it."""
    url = without_userinfo(url)
    address = httpx2.URL(url.partition("#")[0])
    if address.scheme not in ("http", "https") or not address.host:
        raise FetchError(url, "is not a web address: only http:// and https:// are fetched")
    return address


@contextmanager
def _errors_in_plain_words(url: str) -> Iterator[None]:
    """Turn every error of the network libraries into a FetchError that says what happened."""
    try:
        yield
    except (httpx2.TimeoutException, httpcore2.TimeoutException) as error:
        raise FetchError(url, "did not answer in time; try again later") from error
    except EOFError as error:
        raise FetchError(url, "broke off (its packed data ends too early); try again later") from error
    except zlib.error as error:
        raise FetchError(url, "sent compressed data that cannot be unpacked; try again later") from error
    except httpcore2.UnsupportedProtocol as error:
        raise FetchError(url, f"cannot be connected to ({_one_line(error)}); check the address") from error
    except (httpx2.HTTPError, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise FetchError(url, f"broke off ({_one_line(error)}); try again later") from error
    except (httpx2.InvalidURL, httpx2.StreamError, UnicodeError, ValueError) as error:
        raise FetchError(url, f"is not an address that can be fetched ({_one_line(error)})") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
