"""Numbers as they are written: `10,000`, `10k`, `10 thousand`; pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import product

SCALE = {"k": 10**3, "m": 10**6, "mn": 10**6, "mio": 10**6, "bn": 10**9, "b": 10**9}
SCALE_WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")
_NUMBER = re.compile(r"(\d+)(?:[.,](\d+))?(k|m|mn|mio|bn|b)?")
_WRITTEN = {
    "k": "thousand",
    "m": "million",
    "b": "billion",
    "bn": "billion",
}  # suffixes that people type, and their words
MAX_DIGITS, MAX_DECIMALS = 9, 6  # of a number with a scale


def parsed(number: str) -> tuple[str, str, str] | None:
    """The whole part, the decimals and the suffix of a number in lower case, `2.5m`; None for what is no number."""
    found = _NUMBER.fullmatch(_ungrouped(number))
    return (found[1], found[2] or "", found[3] or "") if found else None


def value(number: str, scale: int) -> str:
    """A number without suffix times a scale, in digits; empty for what is no number."""
    found = parsed(number)
    if not found or found[2]:
        return ""
    whole, part, _ = found
    fits = len(part) <= MAX_DECIMALS and len(whole) <= MAX_DIGITS
    return str(int(whole + part) * scale // 10 ** len(part)) if fits else ""


def ways(words: Sequence[str]) -> Iterator[list[str]]:
    """The words in lower case, and with each number that has a scale, or could have one, written in the other ways."""
    words = [word.lower() for word in words]
    parts: list[list[list[str]]] = []  # of each word or number the ways to write it, each some words
    place = 0
    while place < len(words):
        worth, used = _worth(words[place : place + 2])
        typed = words[place : place + used]
        parts.append([typed, *(way for way in _written(worth) if way != typed)])
        place += used
    for chosen in product(*parts):
        yield [word for part in chosen for word in part]


def _worth(words: Sequence[str]) -> tuple[int, int]:
    """What the number at the beginning of some words is, 0 if there is none, and how many words it takes, 1 or 2."""
    found = parsed(words[0])
    if not found:
        return 0, 1
    whole, part, suffix = found
    number = f"{whole}.{part}" if part else whole
    if not suffix and len(words) > 1 and words[1] in SCALE_WORDS:
        return int(value(number, SCALE_WORDS[words[1]]) or 0), 2
    if part and not suffix:
        return 0, 1
    return int(value(number, SCALE.get(suffix, 1)) or 0), 1


def _written(worth: int) -> Iterator[list[str]]:
    for suffix, word in _WRITTEN.items():
        scale = SCALE[suffix]
        whole, rest = divmod(worth, scale)
        hundredths, more = divmod(100 * rest, scale)
        if 0 < whole < 1_000 and not more:
            number = f"{whole}.{hundredths:02}".rstrip("0").rstrip(".")
            yield [number + suffix]
            yield [number, word]
    if worth >= 1_000:
        yield [str(worth)]


def _ungrouped(number: str) -> str:
    """`2,000` and `2.000` as `2000`."""
    grouped = _GROUPED.match(number)
    if not grouped or number[grouped.end() : grouped.end() + 1].isdigit():
        return number
    return re.sub("[.,]", "", grouped[0]) + number[grouped.end() :]
