"""Decodes any audio file that PyAV reads, in blocks, to 16 kHz mono: hours of sound are never in memory at once."""

from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ingest.audio.containers import MAX_HEAD, sound_offset
from ingest.errors import AudioError

RATE = 16_000  # samples a second: what Whisper and the Silero VAD were trained on
SECONDS_AT_ONCE = 10  # of sound resampled in one call: calls for single frames take longer than the work
# Of the louder channel's power: stereo whose sum has less in a second is one sound with opposite signs. Two sounds have
# half of it or more in their sum, one channel beside a silent one a quarter.
CANCELLED = 0.01
MAX_SECONDS = 24 * 3600  # of sound; a small hostile file can unpack into weeks of silence
MISSING_SECONDS = 2.0  # by which a file that is cut off is shorter than declared: encoders' padding stays below 0.2 s
MISSING_SHARE = 0.005  # of the declared duration, likewise: a long variable-rate file declares a rounded one
MAX_OGG_PAGE = 65_307  # bytes (RFC 3533, section 6)

Samples = NDArray[np.float32]


class Recording:
    """One audio file being decoded; a context manager.

    `declared` is the duration the file declares, in seconds (None where it declares none), `decoded` the seconds decoded
    so far. `truncated` and `damaged` (packets that could not be decoded) are valid once `blocks` is exhausted.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises `AudioError` where it is no audio."""
        import av

        self.path = path
        self.damaged = 0
        self._samples = 0
        self._broken = False
        try:
            self._container = av.open(_from_sound(path), metadata_errors="ignore")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise AudioError(path, f"is not audio that can be read ({_reason(error)}); download it again") from error
        if not self._container.streams.audio:
            self._container.close()
            raise AudioError(path, "holds no sound; check that this is the episode's audio")
        self._stream = self._container.streams.best("audio") or self._container.streams.audio[0]
        self._stream.thread_type = "AUTO"
        self.declared: float | None = None
        if self._stream.duration and self._stream.time_base:
            self.declared = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration:
            self.declared = self._container.duration / 1_000_000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def decoded(self) -> float:
        """Seconds decoded so far."""
        return self._samples / RATE

    @property
    def truncated(self) -> bool:
        """Whether the file is cut off: reading broke off, or the sound is shorter than declared."""
        if self._broken or self.decoded >= MAX_SECONDS or _shorter_than_header(self._container.format.name, self.path):
            return True
        if self.declared is None or not _declares_exactly(self._container.format.name, self.path):
            return False
        return self.declared - self.decoded > max(MISSING_SECONDS, MISSING_SHARE * self.declared)

    def blocks(self) -> Iterator[Samples]:
        """The sound from its start: float32, mono, 16 kHz, -1 to 1. Raises `AudioError` where there is none."""
        import av

        for _, frames in groupby(self._frames(), _form):  # chained streams may change rate or channels
            # s16 clips loud stereo, float would not
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for group in chain(map(_uncancelled, _grouped(frames)), [None]):  # None flushes
                for frame in resampler.resample(group):
                    yield self._counted(frame.to_ndarray()[0])
            if self.decoded >= MAX_SECONDS:
                return
        if not self._samples:
            raise AudioError(self.path, "holds no sound that can be decoded; download it again")

    def _counted(self, block: NDArray[np.int16]) -> Samples:
        self._samples += len(block)
        return block.astype(np.float32) / np.float32(32_768)

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; a packet that cannot be decoded is counted and skipped, as players do."""
        import av

        packets = self._container.demux(self._stream)
        while self.decoded < MAX_SECONDS:
            try:
                packet = next(packets)
                yield from packet.decode()
            except StopIteration:
                return
            except av.InvalidDataError:
                self.damaged += 1
            except (av.FFmpegError, OSError):
                self._broken = True
                return


def _from_sound(path: Path) -> str:
    """The file for libav, without what stands before the sound."""
    with path.open("rb") as file:
        start = sound_offset(file.read(MAX_HEAD))
    return f"subfile,,start,{start},end,0,,:{path}" if 0 < start < path.stat().st_size else str(path)


def _form(frame: Any) -> tuple[str, str, int]:
    """What a resampler expects to stay the same."""
    return frame.format.name, frame.layout.name, frame.sample_rate


def _grouped(frames: Iterator[Any]) -> Iterator[Any]:
    """Frames of one form joined into larger ones, of whole seconds but for the last."""
    import av

    fifo = av.AudioFifo()
    for frame in frames:
        frame.pts = None  # broken time stamps are common; time is counted in samples
        fifo.write(frame)
        while group := fifo.read(SECONDS_AT_ONCE * frame.sample_rate):
            yield group
    if fifo.samples:
        yield fifo.read()


def _uncancelled(frame: Any) -> Any:
    """The frame; of stereo whose channels cancel each other in mono, with the louder one on both sides in those seconds.

    Each second from the first sample is judged for itself. Other frames stay as they are.
    """
    import av

    if frame.layout.nb_channels != 2:
        return frame
    data, changed = frame.to_ndarray(), False
    sides = data if frame.format.is_planar else data.reshape(-1, 2).T
    for start in range(0, frame.samples, frame.sample_rate):
        second = sides[:, start : start + frame.sample_rate]
        level = second.astype(np.float32, order="C")
        with np.errstate(all="ignore"):  # floats that are no numbers are never less than others
            level -= level.mean(axis=1, keepdims=True)  # unsigned samples are around 128
            products = level @ level.T
        if products.sum() < 4 * CANCELLED * products.max():  # of the sum's halves, and of the louder channel
            second[:] = second[int(products[1, 1] > products[0, 0])]
            changed = True
    if not changed:
        return frame
    louder = av.AudioFrame.from_ndarray(data, format=frame.format.name, layout=frame.layout.name)
    louder.sample_rate = frame.sample_rate
    return louder


def _declares_exactly(form: str, path: Path) -> bool:
    """Whether the declared duration is exact; that of an MP3 without a header is estimated from the size."""
    if form != "mp3":
        return True
    with path.open("rb") as file:
        start = sound_offset(file.read(MAX_HEAD))
        file.seek(start)
        head = file.read(10)
        if head[:3] == b"ID3":  # its size is four bytes of seven bits (ID3v2.4, section 3.1)
            size = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
            file.seek(start + 10 + size)
        frame = file.read(4096)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def _shorter_than_header(form: str, path: Path) -> bool:
    """Whether a file is shorter than its header says; for these formats libav derives the duration from the size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if form == "wav":  # RIFF: bytes 4 to 8 are the size less 8; recorders that do not know it write 0 or all ones
            declared = int.from_bytes(file.read(8)[4:], "little")
            return declared not in {0, 0xFFFFFFFF} and declared + 8 > size
        if form == "ogg":  # RFC 3533, section 6: a page is 27 bytes, a table of lengths, and so many bytes
            file.seek(max(0, size - MAX_OGG_PAGE))
            tail = file.read()
            page = tail.rfind(b"OggS")
            table = tail[page + 27 : page + 27 + tail[page + 26]] if 0 <= page < len(tail) - 26 else b""
            return page + 27 + len(table) + sum(table) > len(tail)
    return False


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def quietest(samples: Samples, start: float, end: float) -> float:
    """The middle of the quietest tenth of a second between two moments, in seconds."""
    step = RATE // 10
    first = max(0, round(start * RATE))
    piece = samples[first : round(end * RATE)]
    if len(piece) < step:
        return end
    frames = piece[: len(piece) // step * step].reshape(-1, step)
    return (first + (int(np.argmin(np.square(frames).mean(axis=1))) + 0.5) * step) / RATE


def skipped(blocks: Iterator[Samples], count: int) -> Iterator[Samples]:
    """The blocks without their first `count` samples."""
    for block in blocks:
        if count < len(block):
            yield block[count:]
        count = max(0, count - len(block))
