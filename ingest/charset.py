"""Tells in which character set bytes are text: by what they show, then by what is declared, then by detection."""

import codecs
import re
from collections.abc import Iterable
from contextlib import suppress

SAMPLE = 32_768  # bytes that a character set is detected by
BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
# A superset is meant where its subset is declared: browsers read it so (encoding.spec.whatwg.org)
WIDER = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
KNOWN = re.compile(r"iso|windows|cp|latin|us-ascii|ascii|koi8|gb|big5|euc|ks_c|shift|sjis|mac|tis", re.IGNORECASE)
DETECTED = [
    "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp932", "euc_jp", "gb18030", "big5",
    "cp949", "tis_620",
]  # fmt: skip


def wide(data: bytes) -> str:
    """The encoding that a byte order mark or an escape names, or UTF-16 where every other byte is null; else empty."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return encoding
    if b"\x1b$" in data[:SAMPLE]:
        return "iso2022_jp_2"
    even, odd = data[0:400:2].count(0), data[1:400:2].count(0)
    half = len(data[:400]) / 2
    if half >= 2 and max(even, odd) > half * 0.6 and min(even, odd) < half * 0.1:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def told(data: bytes, declared: Iterable[str]) -> str | None:
    """The text where the bytes show its encoding, or are right in one that is declared; else None."""
    if (encoding := wide(data)) not in {"", "utf-8"}:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    data = data.removeprefix(codecs.BOM_UTF8)
    with suppress(UnicodeDecodeError):
        text = codecs.utf_8_decode(data)[0]  # without a last character that was cut in two
        if not text.isascii() or data.isascii():
            return text
    good = sum(character > "\x7f" for character in data.decode("utf-8", "ignore"))
    if good > 2 * data.decode("utf-8", "replace").count(
        "\ufffd"
    ):  # a byte went wrong; in any other encoding almost none would fit
        return western(data)
    for name in declared:
        with suppress(LookupError, UnicodeDecodeError):
            if KNOWN.match(name):
                codec = codecs.lookup(name).name
                return data.decode(WIDER.get(codec, codec))
    return None


def western(data: bytes) -> str:
    """The text as UTF-8, and each byte that is none as Windows-1252 has it, as Latin-1 where that has none."""
    return data.decode("utf-8", "cp1252-alone")


def guessed(data: bytes) -> tuple[str, str]:
    """The text, and its likely encoding: Windows-1252 where that gives words, mostly in ASCII; else what a detector finds.

    Raises UnicodeError where none is likely.
    """
    text = western(data)
    foreign = re.findall(r"[^\W\d_]*[\x80-\xff][^\W\d_]*", text)
    accents = sum(character > "\x7f" for character in text)
    odd = any(re.search(r"[\xc0-\xff]{3}", word) for word in foreign) or (
        accents > 3 and re.search(r"[\x80-\x9f]", text)
    )
    if accents <= max(3, len(text) / 5) and not odd:
        return text, "Windows-1252"
    from charset_normalizer import from_bytes  # takes 30 ms to load, and is seldom needed

    best = from_bytes(data[:SAMPLE], cp_isolation=DETECTED, threshold=0.2).best()
    if best is None or not best.coherence:
        raise UnicodeError("no character set is likely")
    return data.decode(best.encoding, "replace"), best.encoding


def _alone(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    bad = [error.object[at : at + 1] for at in range(error.start, error.end)]
    return "".join(one.decode("cp1252", "ignore") or one.decode("latin-1") for one in bad), error.end


codecs.register_error("cp1252-alone", _alone)
