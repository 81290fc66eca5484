"""Tells whether two addresses are one, by the rules of syntax that hold for all addresses (RFC 3986, section 6.2.2). Pure."""

import re
from string import ascii_letters, digits, punctuation
from urllib.parse import quote, urlsplit

from ingest.web.credentials import PORTS, without_userinfo

ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
UNRESERVED = frozenset(f"{ascii_letters}{digits}-._~")  # RFC 3986, section 2.3: these mean the same encoded or not


def address_key(url: str) -> str:
    """What all ways to write one web address have in common: `//host/path?query`; the text itself for what is none.

    It is no address to ask at: http and https are one, and a user, password, fragment, empty query and usual port are
    left out. Nothing else of a query is: its order and its values are the host's own.
    """
    try:
        parts = urlsplit(without_userinfo(url.strip()))
        port, host = parts.port, parts.hostname
    except ValueError:
        return url
    if parts.scheme not in PORTS or not host:
        return url
    place = "" if port in (None, PORTS[parts.scheme]) else f":{port}"
    query = f"?{_encoded(parts.query)}" if parts.query else ""
    return f"//{_host(host)}{place}{_without_dots(_encoded(parts.path))}{query}"


def other_slash(url: str) -> str:
    """The address with a slash behind its path where it has none, without where it has one."""
    address, mark, query = url.partition("#")[0].partition("?")
    return f"{address[:-1] if address.endswith('/') else f'{address}/'}{mark}{query}"


def _host(name: str) -> str:
    """The name in lower case, other scripts as they are looked up."""
    if ":" in name:
        return f"[{name}]"
    try:
        return name.encode("idna").decode().lower()
    except UnicodeError:
        return name


def _encoded(text: str) -> str:
    """Percent-encoded where that is needed and nowhere else, in upper case."""
    needed = quote(text, safe=punctuation, errors="replace")
    return ENCODED.sub(
        lambda found: char if (char := chr(int(found[1], 16))) in UNRESERVED else found[0].upper(), needed
    )


def _without_dots(path: str) -> str:
    """The path with its `.` and `..` carried out (RFC 3986, section 5.2.4)."""
    segments, kept = path.split("/")[1:], list[str]()
    for segment in segments:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept + [""] * (segments[-1:] in (["."], [".."])))
