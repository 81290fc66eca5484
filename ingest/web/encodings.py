"""Undoes the packing of bodies, to the last of their members, as far as this machine can.

httpx2 2.16.2 reads only the first member of gzip, and takes what was cut off for whole.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

Chunks = Iterable[bytes]
GZIP = b"\x1f\x8b"  # how each member begins (RFC 1952)
SLICE = 2**14  # packed bytes at a time: zlib copies what follows each member, however short members are
PIECE = 2**20  # unpacked bytes at a time, however well they were packed
MAX_CODINGS = 5  # of one body; nobody packs more than once
LIBRARIES = {"br": ("brotli", "brotlicffi"), "zstd": ("compression.zstd", "backports.zstd")}
INSTALL = {"br": "brotli", "zstd": "backports.zstd"}


def obstacle(encoding: str) -> str:
    """Why a body with this Content-Encoding cannot be read, in plain words; empty where it can."""
    for coding in _codings(encoding):
        if not _can_undo(coding):
            return (
                f"is packed with {coding}, which nobody asked for; `pip install {INSTALL[coding]}` lets it be unpacked"
            )
        if coding in {"compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm"}:
            return f"is packed with {coding}, which nobody asked for and which cannot be unpacked here"
    return ""


def unpacked(chunks: Chunks, encoding: str, limited: Callable[[Chunks], Chunks]) -> Chunks:
    """A body with this Content-Encoding unpacked, in pieces of at most 1 MiB; what cannot be undone stays as it is.

    `limited` is put around the body, and around it after each step, to end what grows too large. Raises EOFError where
    the packed data is cut off, zlib.error where it is damaged.
    """
    codings = [coding for coding in _codings(encoding) if coding in UNPACKERS and _can_undo(coding)]
    if len(codings) > MAX_CODINGS:
        raise zlib.error(f"packed more than {MAX_CODINGS} times")
    chunks = limited(chunks)
    for coding in reversed(codings):
        chunks = limited(UNPACKERS[coding](chunks))
    return chunks


def _codings(encoding: str) -> list[str]:
    return [name.strip().lower() for name in encoding.split(",")]


def gunzip(chunks: Chunks) -> Iterator[bytes]:
    """All members of gzip data. What follows the last and is none, such as zeros, is left out, as gzip(1) does."""
    member, begun, ended = None, b"", False
    for piece in _slices(chunks):
        rest = piece
        while rest := rest.lstrip(b"\0") if ended and not member else rest:
            begun = (begun + rest[:2])[:2] if member else rest[:2]
            if ended and not GZIP.startswith(begun):
                return
            member = member or zlib.decompressobj(wbits=31)
            yield from _inflated(member, rest)
            rest = member.unused_data
            if member.eof:
                member, ended = None, True
    if member:
        raise EOFError


def _undeflate(chunks: Chunks) -> Iterator[bytes]:
    """Deflated data with zlib's header, as RFC 9110 wants it, or without, as some servers send it."""
    unpacker, begun = None, b""
    for piece in _slices(chunks):
        begun = begun if unpacker else begun + piece
        if unpacker is None and len(begun) > 1:
            with_header = begun[0] & 15 == 8 and int.from_bytes(begun[:2], "big") % 31 == 0  # RFC 1950, section 2.2
            unpacker = zlib.decompressobj(wbits=15 if with_header else -15)
            yield from _inflated(unpacker, begun)
        elif unpacker:
            yield from _inflated(unpacker, piece)
    if begun and not (unpacker and unpacker.eof):
        raise EOFError


def _slices(chunks: Chunks) -> Iterator[bytes]:
    for chunk in chunks:
        for at in range(0, len(chunk), SLICE):
            yield chunk[at : at + SLICE]


def _inflated(unpacker: Any, packed: bytes) -> Iterator[bytes]:
    while piece := unpacker.decompress(packed, PIECE):
        yield piece
        packed = unpacker.unconsumed_tail


def _unbrotli(chunks: Chunks) -> Iterator[bytes]:
    library = _library("br")
    unpacker = library.Decompressor()
    unpack = getattr(unpacker, "decompress", None) or unpacker.process  # brotlicffi and brotli
    begun = False
    try:
        for packed in _slices(chunks):
            begun = True
            rest = packed
            while piece := unpack(rest, output_buffer_limit=PIECE // 2):  # the library may take twice the limit
                yield piece
                rest = b""
            if unpacker.is_finished():
                return
    except library.error as error:
        raise zlib.error(str(error)) from error
    if begun:
        raise EOFError


def _unzstd(chunks: Chunks) -> Iterator[bytes]:
    library, frame = _library("zstd"), None
    try:
        for packed in _slices(chunks):
            rest = packed
            while rest:
                frame = frame or library.ZstdDecompressor()
                yield frame.decompress(rest, PIECE)
                while not (frame.eof or frame.needs_input):
                    yield frame.decompress(b"", PIECE)
                rest = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    except library.ZstdError as error:
        raise zlib.error(str(error)) from error
    if frame:
        raise EOFError


UNPACKERS: dict[str, Callable[[Chunks], Iterator[bytes]]] = {
    "gzip": gunzip, "x-gzip": gunzip, "deflate": _undeflate, "br": _unbrotli, "zstd": _unzstd,
}  # fmt: skip


def _can_undo(coding: str) -> bool:
    return coding not in LIBRARIES or any(map(_is_installed, LIBRARIES[coding]))


def _library(coding: str) -> Any:
    return import_module(next(filter(_is_installed, LIBRARIES[coding])))


@cache
def _is_installed(library: str) -> bool:
    try:
        import_module(library)
    except ImportError:
        return False
    return True
