"""Turns a transcript's bytes into text, and refuses by its name what is none."""

import logging
import re

from ingest import charset as charsets
from ingest.errors import TranscriptError, UnknownFormatError

SIZE_LIMIT = 20 * 1024 * 1024  # bytes; a day of speech is about one megabyte of text
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
    character set that cannot be told; a guessed one is named in the log.
    """
    if len(data) > limit:
        raise TranscriptError(subject, f"is larger than {limit} bytes, which no transcript is; it was not read")
    for name, sign, advice in REFUSED:
        if re.match(sign, data.removeprefix(b"\xef\xbb\xbf")[:400], re.DOTALL):
            raise UnknownFormatError(subject, f"is {name}, which is not read: {advice}")
    head = b"" if charsets.wide(data) not in {"", "utf-8"} else data[:4096]
    if sum(byte < 32 and byte not in b"\t\n\r\f\x0b\x1a" for byte in head) > len(head) / 20:
        raise TranscriptError(subject, "is not text; give a transcript, not an audio file or document")
    in_file = _IN_FILE.search(data[:2048])
    text = charsets.told(data, (charset.strip("\"' "), in_file[1].decode() if in_file else ""))
    text = _guessed(data, subject) if text is None else text
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _guessed(data: bytes, subject: str) -> str:
    try:
        text, encoding = charsets.guessed(data)
    except UnicodeError as error:
        reason = "is in a character set that it does not declare; save it as UTF-8 and try again"
        raise TranscriptError(subject, reason) from error
    logger.warning("%s: declares no character set; it was read as %s, which may be wrong", subject, encoding)
    return text
