"""Which addresses may be connected to, decided at the moment of connecting.

Strangers write feeds: an address in one must not lead into the reader's own network. A check of the URL can be
outwitted (a name that resolves differently the second time, `0x7f.1`, a redirect). The backend therefore resolves a
name once, checks the addresses, and connects to an address it has checked.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore2

from ingest.errors import BlockedAddressError

Resolver = Callable[[str, int], list[str]]

# Reserved by the IANA special-purpose registries (RFC 6890 and later), and multicast; the last is Azure's metadata
# service, which has a public address
_V4 = """0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 168.63.129.16/32"""
NOT_PUBLIC_V4 = tuple(map(ip_network, _V4.split()))
NOT_PUBLIC_V6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
GLOBAL_V6 = ip_network("2000::/3")  # the only block from which IANA assigns global addresses
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: how an IPv6-only network reaches an IPv4 address
MAX_ADDRESSES = 4  # of one name that are tried before the connection fails
MAX_LOOKUPS = 16  # at once; a lookup that hangs keeps its thread until the system gives up


def is_public(address: str) -> bool:
    """Whether an IP address is public; IPv4 addresses wrapped in IPv6 are unwrapped first."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        wrapped = found.ipv4_mapped or (IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else None)
        if wrapped is None:
            return found in GLOBAL_V6 and not any(found in network for network in NOT_PUBLIC_V6)
        found = wrapped
    return not any(found in network for network in NOT_PUBLIC_V4)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order of preference; httpcore2.ConnectError where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"no address is known for {host}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class TimedResolver:
    """Resolves names within a timeout.

    `socket.getaddrinfo` takes no timeout and cannot be interrupted, so each lookup runs in a daemon thread.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._slots = threading.BoundedSemaphore(MAX_LOOKUPS)

    def resolve(self, host: str, port: int, timeout: float | None) -> list[str]:
        """The addresses of a name; httpcore2.ConnectTimeout where they are not known after `timeout` seconds."""
        started = time.monotonic()
        if not self._slots.acquire(timeout=timeout):
            raise httpcore2.ConnectTimeout(f"too many name lookups are hanging to look up {host}")
        found: Future[list[str]] = Future()
        threading.Thread(target=self._look_up, args=(host, port, found), daemon=True).start()
        try:
            return found.result(None if timeout is None else timeout - (time.monotonic() - started))
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"the name lookup of {host} took too long") from error

    def _look_up(self, host: str, port: int, found: Future[list[str]]) -> None:
        try:
            found.set_result(self._resolver(host, port))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            found.set_exception(error)
        finally:
            self._slots.release()


class Deadline(threading.local):
    """When the request of this thread must end, on the monotonic clock; connections outlive requests."""

    at: float | None = None

    def left(self, timeout: float | None) -> float | None:
        """Seconds that the next step may take; httpcore2.ReadTimeout after the deadline."""
        if self.at is None:
            return timeout
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the whole answer took too long")
        return left if timeout is None else min(left, timeout)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End everything that this thread reads or writes inside after `seconds`, however slowly the host answers."""
        before, self.at = self.at, time.monotonic() + seconds
        try:
            yield
        finally:
            self.at = before


class TimedStream(httpcore2.NetworkStream):
    """A connection of which every step obeys the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See httpcore2."""
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See httpcore2."""
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        """See httpcore2."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """See httpcore2; the certificate is checked against the host's name, not its address."""
        inner = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """See httpcore2."""
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to public addresses only, unless the host's name is in `hosts_allowed`."""

    def __init__(self, hosts_allowed: frozenset[str], deadline: Deadline, resolver: Resolver) -> None:
        self._hosts_allowed = hosts_allowed
        self._deadline = deadline
        self._resolver = TimedResolver(resolver)
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve once, check, connect to a checked address; BlockedAddressError where no address passes."""
        refused: Exception = httpcore2.ConnectError(f"no address is known for {host}")
        addresses = self._resolver.resolve(host, port, self._deadline.left(timeout))
        for address in self._checked(host, addresses)[:MAX_ADDRESSES]:
            left = self._deadline.left(timeout)
            try:
                stream = self._sockets.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                refused = error
            else:
                return TimedStream(stream, self._deadline)
        raise refused

    def _checked(self, host: str, addresses: list[str]) -> list[str]:
        if host.lower().rstrip(".") in self._hosts_allowed:
            return addresses
        public = [address for address in addresses if is_public(address)]
        if addresses and not public:
            raise BlockedAddressError(
                host,
                f"is at {addresses[0]}, which is not a public address; if you trust this host, "
                f"set SOUNDBITE_ALLOW_HOSTS={host}",
            )
        return public
