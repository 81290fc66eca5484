"""Reads HTTP headers: waits, freshness, validators, counts. Pure; names are lower-case, values verbatim."""

import re
from collections.abc import Mapping
from datetime import datetime

from ingest.times import parse_date

SETTLED = 60  # seconds between Last-Modified and Date from which the former is a strong validator (RFC 9110, 8.8.2.2)


def whole_number(text: str) -> int | None:
    """A count as HTTP writes it; None for anything else, and for more than 18 digits."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); None where it asks nothing."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):  # a longer number is a moment in Unix seconds
        return float(value)
    moment = parse_date(value)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def freshness(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds for which an answer is fresh (RFC 9111, 4.2.1: max-age before Expires); None where it says nothing."""
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(?:cache|store)\b", control):
        return None
    if max_age := re.search(r"\bmax-age\s*=\s*\"?([0-9]{1,9})", control):
        return float(max(0, int(max_age[1]) - (whole_number(headers.get("age", "")) or 0)))
    expires = parse_date(headers.get("expires", ""))
    if expires is None:
        return None
    sent = parse_date(headers.get("date", "")) or now
    return max(0.0, (expires - sent).total_seconds())


def strong_validator(headers: Mapping[str, str]) -> str:
    """What proves that a file is byte for byte the same (RFC 9110, 8.8): an ETag not marked weak, or a Last-Modified.

    A Last-Modified proves it only if it lies at least a minute before the answer's Date.
    """
    etag = headers.get("etag", "").strip()
    if re.fullmatch(r'"[^"]*"', etag):
        return etag
    modified, sent = parse_date(headers.get("last-modified", "")), parse_date(headers.get("date", ""))
    settled = not etag and modified and sent and (sent - modified).total_seconds() >= SETTLED
    return headers["last-modified"] if settled else ""


def charset(content_type: str) -> str:
    """The charset that a Content-Type header declares, in lower case; empty where it declares none."""
    return content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
