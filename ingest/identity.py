"""How podcasts, episodes and their files are named: one rule each, used by every package."""

import re
from functools import lru_cache
from hashlib import sha256

from slugify import slugify

KEY_LENGTH = 16  # hex digits: 64 bits; a collision among a million episodes has a chance of about 3e-8
SHORT_KEY = 8  # hex digits that file names end in, and that a person may type
MAX_SLUG = 60  # characters

# C0, DEL, C1, zero-width space, line and paragraph separators, byte order mark, halves of surrogate pairs
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff\ud800-\udfff]")
# Device names that Windows refuses as file names: learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"con|prn|aux|nul|(?:com|lpt)\d")


def one_line(text: str) -> str:
    """The text on one line: as it is where it already was, else without control characters and runs of spaces."""
    return " ".join(_CONTROL.sub(" ", text).split()) if _CONTROL.search(text) else text.strip(" ")


@lru_cache(1 << 12)
def slug(text: str, limit: int = MAX_SLUG) -> str:
    """A name in lower-case ASCII that every file system takes: at most `limit` characters (8 or more), never empty.

    A slug's slug is the slug itself.
    """
    # a name takes few characters of a text, so a text of megabytes need not be transliterated whole
    name = slugify(
        text[: limit * 20], max_length=limit, word_boundary=True, save_order=True,
        entities=False, decimal=False, hexadecimal=False,
    )  # fmt: skip
    if not name:
        return sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:8] if text.strip() else "untitled"
    return f"{name}-x" if _RESERVED.fullmatch(name) else str(name)


def episode_key(podcast: str, guid: str) -> str:
    """An episode's short name: derived from the podcast's slug and the guid as a document can hold it, never drawn."""
    return sha256(f"{slug(podcast)}\0{one_line(guid)}".encode("utf-8", "backslashreplace")).hexdigest()[:KEY_LENGTH]
