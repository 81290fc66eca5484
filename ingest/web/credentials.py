"""Keeps users, passwords and secret headers apart from addresses, and sends them to the origin they are for alone. Pure."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self
from urllib.parse import unquote, urlsplit

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
PORTS = {"http": 80, "https": 443}
# The second form is a password with a raw slash, as people paste it: what follows the colon is no port
USERINFO = re.compile(
    r"\A(\s*(?:[A-Za-z][\w+.-]*:)?//)(?:([^/?#\s]*)@|([^/?#\s:@\[]*:(?!\d*(?:[/?#]|\Z))[^\s@]*)@(?=[\w\[]))"
)
HEADER = re.compile(r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})[ \t]*:[ \t]*([\x20-\x7e\xa0-\xff]{0,8000}?)[ \t]*")
OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "range", "if-range", "accept-encoding"})


def split_userinfo(url: str) -> tuple[str, str]:
    """An address without its user and password, and `user:password` as it stood there (empty: there was none)."""
    found = USERINFO.match(url)
    return (found[1] + url[found.end() :], found[2] or found[3] or "") if found else (url, "")


def without_userinfo(url: str) -> str:
    """An address as it may be stored and shown."""
    return split_userinfo(url)[0]


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; empty where it has none."""
    try:
        parts = urlsplit(without_userinfo(url.strip()))
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname and port else ""


def basic(userinfo: str) -> dict[str, str]:
    """The header for `user:password` as an address writes it, percent-encoded (RFC 7617); none where it is empty."""
    user, _, password = userinfo.partition(":")
    return plain_basic(f"{unquote(user)}:{unquote(password)}") if userinfo else {}


def plain_basic(auth: str) -> dict[str, str]:
    """The header for `user:password` as a person types it."""
    pair = auth if ":" in auth else f"{auth}:"
    return {"authorization": f"Basic {b64encode(pair.encode('utf-8', 'replace')).decode()}"}


def read_header(line: str) -> tuple[str, str]:
    """Name (lower-case) and value of `Name: value`. Raises ValueError that repeats no secret."""
    found = HEADER.fullmatch(line)
    if not found:
        raise ValueError('is no header: write it as "Name: value", on one line')
    if found[1].lower() in OURS:
        raise ValueError(f"{found[1]} is set for each request and cannot be chosen")
    return found[1].lower(), found[2]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers by the origin (scheme, host and port) that alone is sent them; they are never shown."""

    by_origin: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return any(self.by_origin.values())

    @classmethod
    def for_url(cls, url: str, headers: Mapping[str, str] = NO_HEADERS) -> Self:
        """The user and password in an address, and `headers`, which have precedence."""
        told = {**basic(split_userinfo(url)[1]), **headers}
        return cls({origin: told}) if told and (origin := origin_of(url)) else cls()

    def headers_for(self, url: str) -> Mapping[str, str]:
        """What to send to an address."""
        return self.by_origin.get(origin_of(url), NO_HEADERS)

    def upgraded(self, here: str, there: str) -> "Credentials":
        """What is for `there` after a redirect from `here`: all that is for `here`, from http to https of one host, never back.

        Both have their usual ports, as a publisher has them who begins to encrypt.
        """
        host = host_of(here)
        secured = (origin_of(here), origin_of(there)) == (f"http://{host}:80", f"https://{host}:443")
        told = self.headers_for(here) if secured and host else NO_HEADERS
        return Credentials({origin_of(there): {**told, **self.headers_for(there)}}) if told else NO_CREDENTIALS

    def under(self, other: "Credentials") -> "Credentials":
        """Both; where they are for one origin and header, `other` counts."""
        origins = {**self.by_origin, **other.by_origin}
        return Credentials(
            {name: {**self.by_origin.get(name, {}), **other.by_origin.get(name, {})} for name in origins}
        )


NO_CREDENTIALS = Credentials()


def host_of(url: str) -> str:
    """The name of the host, in lower case; empty for what is no address."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
