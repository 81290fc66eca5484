"""Tells audio by its first bytes, whatever a header says, and where in them the sound begins. Pure."""

import re

MAX_HEAD = 2**17  # bytes at the start of a file that are looked through
SIGNATURES = (
    (rb"ID3", "mp3"),
    (rb"OggS", "ogg"),
    (rb"fLaC", "flac"),
    (rb"(?:RIFF|RIFX|RF64)....(?:WAVE|AVI )", "wav"),
    (rb"....ftyp", "mp4"),
    (rb"\x1aE\xdf\xa3", "matroska"),
    (rb"FORM....AIF[FC]", "aiff"),
    (rb"\x30\x26\xb2\x75", "asf"),
    (rb"caff\0", "caf"),
    (rb"\0*\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\0-\xef]", "mp3"),  # frame sync, MPEG 1, 2 and 2.5, layers II and III
    (rb"\xff[\xf0\xf1\xf8\xf9]", "aac"),  # ADTS
    (rb"ADIF", "aac"),
)
BLANK = re.compile(rb"[\0\r\n\t \xef\xbb\xbf]*")
APE_TAG = re.compile(rb"APETAGEX[\xd0\xe8][\x03\x07]\0\0(....)", re.DOTALL)  # versions 1000 and 2000, then the size
APE_HEADER = 32  # bytes, which the size does not count
ID3V1_TAG = 128  # bytes; it belongs at the end, but some programs put it first
NOT_AUDIO = re.compile(rb"PK\x03\x04|%PDF|\x89PNG|GIF8|\xff\xd8\xff|Rar!|7z\xbc\xaf|\x1f\x8b|\x7fELF|MZ")
STREAM = re.compile(rb"\xef?\xbb?\xbf?\s*#EXTM3U")
FRAMES = 3  # in a row, of one kind: what is no sound does not hold them
SYNC = re.compile(rb"\xff[\xe2-\xe7\xf2-\xff]")
BIT_RATES = {  # kbit/s by MPEG 1 or later, and layer (ISO 11172-3, 2.4.2.3; 13818-3, 2.4.2.3)
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def sniff(head: bytes) -> str:
    """The audio container that a file's first bytes show; empty for anything else."""
    return _found(head)[0]


def sound_offset(head: bytes) -> int:
    """How many bytes precede the sound: blanks, a tag that belongs at the end, a server's warning."""
    return _found(head)[1]


def is_stream(head: bytes) -> bool:
    """Whether a file is a playlist of pieces (HLS)."""
    return bool(STREAM.match(head))


def _found(head: bytes) -> tuple[str, int]:
    """The container and where it begins."""
    if name := _signature(head, 0):
        return name, 0
    if ape := APE_TAG.match(head):
        return "mp3", APE_HEADER + int.from_bytes(ape[1], "little")
    blank = BLANK.match(head)
    starts = {blank.end() if blank else 0} | ({ID3V1_TAG} if head.startswith(b"TAG") else set())
    for start in sorted(starts):
        if name := _signature(head, start):
            return name, start
    if NOT_AUDIO.match(head):
        return "", 0
    frame = next((sync.start() for sync in SYNC.finditer(head, 0, MAX_HEAD) if _are_frames(head, sync.start())), -1)
    return ("mp3", frame) if frame >= 0 else ("", 0)


def _signature(head: bytes, start: int) -> str:
    window = head[start : start + 64]
    return next((name for pattern, name in SIGNATURES if re.match(pattern, window, re.DOTALL)), "")


def _are_frames(data: bytes, at: int) -> bool:
    """Whether `FRAMES` MPEG frames of one kind follow each other."""
    kind = data[at + 1 : at + 2]
    for _ in range(FRAMES):
        length = _frame_length(data[at : at + 4])
        if not length or data[at + 1 : at + 2] != kind:
            return False
        at += length
    return True


def _frame_length(header: bytes) -> int:
    """Bytes of the MPEG audio frame with this header; 0 for what is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] < 0xE0:
        return 0
    version, layer = (header[1] >> 3) & 3, 4 - ((header[1] >> 1) & 3)
    rate, pace, padding = header[2] >> 4, (header[2] >> 2) & 3, (header[2] >> 1) & 1
    if version == 1 or layer == 4 or rate in {0, 15} or pace == 3:
        return 0
    bits = BIT_RATES[1 if version == 3 else 2, layer][rate] * 1000
    hertz = SAMPLE_RATES[version][pace]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding
