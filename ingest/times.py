"""Reads and writes dates, durations, clocks and media fragments: the only place. Seconds are floats, dates aware UTC."""

import math
import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urldefrag

UNIX_DIGITS = (9, 10)  # from 1973 to 2286; a date written as eight digits is no number of seconds
MAX_DURATION = 7 * 86_400.0  # seconds, a week; a longer value is not a duration

# Hours, minutes, seconds and a fraction, or frames as editing programs write them
_PARTS = r"(?:(\d{1,9})\s?:\s?)?(\d{1,9})\s?:\s?(\d{1,2})(?:[.,](\d{1,9})|[:;](\d{2}))?"
_LETTERS = r"(?:\d{1,2}h\s?)?\d{1,2}m\s?\d{1,2}s"  # `1h02m03s`
# Either without groups, to be part of other patterns
CLOCK = "(?:" + re.sub(r"(?<!\\)\((?!\?)", "(?:", _PARTS) + f"|{_LETTERS})"
_CLOCK = re.compile(rf"\s*(-?)\s*{_PARTS}\s*")
FRAME_RATE = 30  # a second, the highest that is common: no frame then lies in the next second
_OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*(h|m|s|ms|f|t)")
_COLONS = re.compile(r"\d{0,7}(?::\d{0,5}){0,2}(?:\.\d{0,9})?")
_UNITS = re.compile(
    r"(?:PT?)?(?:(\d{1,4})\s*h[a-z]*)?\W*(?:(\d{1,5})\s*m[a-z]*)?\W*(?:(\d{1,7}(?:\.\d+)?)\s*s[a-z]*)?\W*",
    re.IGNORECASE,
)


def now() -> datetime:
    """The system clock, in UTC; read at the edges only."""
    return datetime.now(UTC)


def parse_date(text: str) -> datetime | None:
    """The moment a date names (RFC 822, ISO 8601 or Unix seconds), aware and in UTC; None when it names none.

    A date without a zone is read as UTC.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) in UNIX_DIGITS:
        return datetime.fromtimestamp(int(text), UTC)
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return in_utc(read(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC; one without a zone is read as UTC. Raises OverflowError at the edges of the calendar."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_day(text: str) -> date | None:
    """The date (`2026-01-31`) or the aware moment in UTC that ISO 8601 text names; None for blank text.

    Raises ValueError for anything else.
    """
    text = text.strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) <= len("2026-01-31") else in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r} is not a date; write 2026-01-31 or 2026-01-31T09:00:00Z") from error


def iso(moment: datetime | None) -> str | None:
    """`2026-01-31T09:00:00Z`; None for None."""
    return in_utc(moment).isoformat().replace("+00:00", "Z") if moment else None


def iso_milliseconds(moment: datetime) -> str:
    """`2026-01-31T09:00:00.000Z`, as a transcript's `Transcribed At` has it."""
    return in_utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_duration(text: str) -> float | None:
    """Seconds from `3600`, `62:03`, `1:02:03.5`, `1h2m`, `90 min` or `PT1H2M3S`; None for anything else."""
    text = text.strip()
    if _COLONS.fullmatch(text) and re.search(r"\d", text):
        seconds = 0.0
        for part in text.split(":"):
            seconds = seconds * 60 + float(part if part.strip(".") else 0)
    elif (found := _UNITS.fullmatch(text)) and any(found.groups()):
        hours, minutes, rest = (float(part or 0) for part in found.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    else:
        return None
    return seconds if 0 < seconds <= MAX_DURATION else None


def parse_clock(text: str, frame_rate: float = FRAME_RATE) -> float | None:
    """`1:02:03.5`, `62:03`, `00:00:01,250`, `1h02m03s` in seconds; negative after a minus; None for anything else."""
    if re.fullmatch(_LETTERS, text.strip()):
        text = re.sub(r"[hm]\s?", ":", text.strip(" s"))
    match = _CLOCK.fullmatch(text)
    if not match:
        return None
    sign, hours, minutes, whole, fraction, frames = match.groups()
    part = min(int(frames or 0) / frame_rate, 0.999) if frames else float(f"0.{fraction or 0}")
    total = int(hours or 0) * 3600 + int(minutes) * 60 + int(whole) + part
    return round(-total if sign else total, 6)


def parse_time_expression(text: str, frame_rate: float = FRAME_RATE, tick_rate: float = 1.0) -> float | None:
    """Seconds from a clock or from `12.5s`, `90ms`, `2m`, `1h`, `15f`, `100t`, as TTML writes them; None for others."""
    text = text.strip()
    if found := _OFFSET.fullmatch(text):
        seconds = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "f": 1 / frame_rate, "t": 1 / tick_rate}[found[2]]
        return round(float(found[1]) * seconds, 6)
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text):
        return float(text)
    return parse_clock(text, frame_rate)


def clock(seconds: float) -> str:
    """`75.4` as `1:15`, `3675` as `1:01:15`: whole seconds, never later than the words."""
    minutes, second = divmod(math.floor(max(seconds, 0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def cue_clock(seconds: float, mark: str = ".") -> str:
    """`01:02:03.500`, as WebVTT writes it; SRT has `,` as its `mark`."""
    rest, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{mark}{thousandths:03}"


def play_url(address: str, start: float | None, end: float | None = None) -> str:
    """The address with a temporal media fragment, `#t=start,end` in seconds (W3C Media Fragments URI 1.0, 4.2.1).

    The address unchanged where it is empty or no start is known; without an end that is not after the start.
    """
    if not address or start is None:
        return address
    first, last = fragment_seconds(start), fragment_seconds(start if end is None else end)
    return f"{urldefrag(address).url}#t={first}" + (f",{last}" if float(last) > float(first) else "")


def fragment_seconds(value: float) -> str:
    """Seconds as an address writes them: `75`, `75.4`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
