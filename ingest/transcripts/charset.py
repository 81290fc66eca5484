"""Turns a transcript's bytes into text: by what the bytes show, then by what is declared, then by detection."""

import codecs
import logging
import re
from contextlib import suppress

from ingest.errors import TranscriptError, UnknownFormatError

SIZE_LIMIT = 20 * 1024 * 1024  # bytes; a day of speech is about one megabyte of text
SAMPLE = 32_768  # bytes that a character set is detected by
BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
WIDER = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
DETECTED = [
    "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp932", "euc_jp", "gb18030", "big5",
    "cp949", "tis_620",
]  # fmt: skip
_IN_FILE = re.compile(
    rb"""(?:<\?xml[^>]{0,200}?encoding|<meta[^>]{0,200}?charset)\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE
)
_OFFICE = "open it, save it as plain text (.txt) and import that"
# What is no text, or no transcript in text, by its first bytes: refused by its name, with what to do
REFUSED: tuple[tuple[str, bytes, str], ...] = (
    ("a PDF", rb"%PDF-", "copy its text into a .txt file, or export it as text, and import that"),
    ("an RTF document", rb"\{\\rtf", _OFFICE),
    ("a Word, OpenDocument or other zipped file", rb"PK[\x03\x05\x07]", _OFFICE),
    ("an old Word document", rb"\xd0\xcf\x11\xe0", _OFFICE),
    ("an audio or video file", rb"ID3|RIFF|OggS|fLaC|\xff[\xfb\xf3\xf2]|....ftyp|\x1a\x45\xdf\xa3", "transcribe it instead"),
    ("a picture", rb"\x89PNG|\xff\xd8\xff|GIF8", "a transcript is text"),
    ("compressed data", rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd", "unpack it first"),
    ("a MicroDVD or MPL2 subtitle file", rb"\s*(?:\{\d+\}\{\d+\}|\[\d+\]\[\d+\])", "convert it to SRT: it counts no seconds"),
    ("a SAMI subtitle file", rb"(?i)\s*<SAMI", "convert it to SRT"),
    ("a Praat TextGrid", rb'\s*(?:File type = "ooTextFile"|Object class = "TextGrid")', "export it as tab-separated text"),
    ("an ELAN annotation file", rb"(?s).{0,200}<ANNOTATION_DOCUMENT", "export it as subtitles (SRT)"),
)  # fmt: skip
logger = logging.getLogger(__name__)


def decode(data: bytes, subject: str, *, limit: int = SIZE_LIMIT, charset: str = "") -> str:
    """The text, with one form of line end; `charset` is what the HTTP header declares, believed where it is not UTF-8.

    A bad byte in UTF-8 costs one character. Raises TranscriptError for data that is too large, not text, or in a
    character set that cannot be told; a detected one is named in the log.
    """
    if len(data) > limit:
        raise TranscriptError(subject, f"is larger than {limit} bytes, which no transcript is; it was not read")
    for name, sign, advice in REFUSED:
        if re.match(sign, data.lstrip(codecs.BOM_UTF8)[:400], re.DOTALL):
            raise UnknownFormatError(subject, f"is {name}, which is not read: {advice}")
    wide = _wide(data)
    head = b"" if wide else data[:4096]
    if sum(byte < 32 and byte not in b"\t\n\r\f\x0b\x1a" for byte in head) > len(head) / 20:
        raise TranscriptError(subject, "is not text; give a transcript, not an audio file or document")
    text = data.decode(wide, "replace") if wide else _narrow(data, subject, charset)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def to_text(head: bytes) -> str:
    """The first bytes of a file as text, to guess its format by."""
    return head.decode(_wide(head) or "utf-8", "replace").removeprefix("\ufeff")


def _wide(data: bytes) -> str:
    """The encoding that a byte order mark or an escape names, or UTF-16 where every other byte is null; else empty."""
    if b"\x1b$" in data[:SAMPLE]:
        return "iso2022_jp_2"
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return "" if mark == codecs.BOM_UTF8 else encoding
    even, odd = data[0:400:2].count(0), data[1:400:2].count(0)
    half = len(data[:400]) / 2
    if half >= 4 and max(even, odd) > half * 0.6 and min(even, odd) < half * 0.1:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def _narrow(data: bytes, subject: str, charset: str) -> str:
    with suppress(UnicodeDecodeError):
        text = codecs.utf_8_decode(data)[0]  # without a last character that was cut in two
        if not text.isascii() or data.isascii():
            return text
    good = sum(character > "\x7f" for character in data.decode("utf-8", "ignore"))
    bad = data.decode("utf-8", "replace").count("\ufffd")
    if good > 2 * bad:  # a byte went wrong on the way; in any other encoding almost none would fit
        return data.decode("utf-8", "cp1252-alone")
    declared = _IN_FILE.search(data[:2048])
    for name in (charset, declared[1].decode() if declared else ""):
        with suppress(LookupError, UnicodeDecodeError):
            codec = codecs.lookup(name.strip("\"' ")).name
            if codec != "utf-8":
                return data.decode(WIDER.get(codec, codec))
    return _detected(data, subject)


def _detected(data: bytes, subject: str) -> str:
    """Windows-1252 where that gives words, mostly in ASCII; else what a detector finds. Raises TranscriptError."""
    western = data.decode("utf-8", "cp1252-alone")
    foreign = re.findall(r"[^\W\d_]*[\x80-\xff][^\W\d_]*", western)
    accents = sum(character > "\x7f" for character in western)
    odd = any(re.search(r"[\xc0-\xff]{3}", word) for word in foreign) or (
        accents > 3 and re.search(r"[\x80-\x9f]", western)
    )
    if accents <= max(3, len(western) / 5) and not odd:
        logger.warning("%s: declares no character set; it was read as Windows-1252, which may be wrong", subject)
        return western
    from charset_normalizer import from_bytes  # takes 30 ms to load, and is seldom needed

    best = from_bytes(data[:SAMPLE], cp_isolation=DETECTED, threshold=0.2).best()
    if best is None or not best.coherence:
        raise TranscriptError(subject, "is in a character set that it does not declare; save it as UTF-8 and try again")
    logger.warning("%s: declares no character set; it was read as %s, which may be wrong", subject, best.encoding)
    return data.decode(best.encoding, "replace")


def _alone(error: UnicodeError) -> tuple[str, int]:
    """The bytes that are no UTF-8 as Windows-1252 has them, as Latin-1 where that has none."""
    assert isinstance(error, UnicodeDecodeError)
    bad = [error.object[at : at + 1] for at in range(error.start, error.end)]
    return "".join(one.decode("cp1252", "ignore") or one.decode("latin-1") for one in bad), error.end


codecs.register_error("cp1252-alone", _alone)
