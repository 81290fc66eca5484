"""Packed bodies are unpacked to the end of their last member, cut ones are noticed, large ones never held."""

import gzip
import zlib

import pytest

from ingest.web import encodings
from ingest.web.encodings import PIECE, unpacked
from tests.cpu import cpu_seconds

TEXT = bytes(range(256)) * 300


def raw(text):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "GZIP": gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:]),
    " gzip ,identity": b"".join(gzip.compress(TEXT[at : at + 99]) for at in range(0, len(TEXT), 99)),
    "none, gzip": gzip.compress(b"") + gzip.compress(TEXT) + gzip.compress(b""),
    "deflate": zlib.compress(TEXT),
    "deflate, none": raw(TEXT),
    "gzip, gzip": gzip.compress(gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
    "deflate, gzip": gzip.compress(zlib.compress(TEXT)),
}


def whole(chunks, encoding):
    return b"".join(unpacked(chunks, encoding, lambda chunks: chunks))


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("size", [1, 2, 1000, 10**6])
def test_all_of_a_body_is_unpacked_however_it_arrives(encoding, size):
    packed = PACKED[encoding]

    assert TEXT == whole((packed[at : at + size] for at in range(0, len(packed), size)), encoding)


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("lack", [1, 4, 9, 40])
def test_a_body_that_is_cut_is_no_body(encoding, lack):
    with pytest.raises(EOFError):
        whole([PACKED[encoding][:-lack]], encoding)


@pytest.mark.parametrize("begun", [b"\x1f", b"\x1f\x8b", gzip.compress(TEXT)[:9], gzip.compress(TEXT)[:200]])
def test_a_member_that_is_cut_is_missed_behind_one_that_is_whole(begun):
    for padding in (b"", bytes(5)):
        with pytest.raises(EOFError):
            whole([gzip.compress(TEXT) + padding, begun], "gzip")


@pytest.mark.parametrize("behind", [b"\0", bytes(70_000), b"\n", b"<!-- served in 5 ms -->", bytes(3) + b"x", b"\x1fx"])
def test_what_follows_the_last_member_and_is_none_is_left_out(behind):
    assert TEXT == whole([gzip.compress(TEXT) + behind], "gzip") == whole([gzip.compress(TEXT), behind], "gzip")


def test_zeros_between_two_members_part_nothing():
    assert TEXT * 2 == whole([gzip.compress(TEXT), bytes(3), bytes(9) + gzip.compress(TEXT)], "gzip")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip", "br", "zstd"])
def test_an_empty_body_stays_empty(encoding):
    assert b"" == whole([], encoding) == whole([b""], encoding)


@pytest.mark.parametrize("body", [b"plain text", b"\x1f\x8b\x09 no such method", gzip.compress(TEXT)[:-8] + bytes(8)])
def test_a_damaged_body_is_said_to_be_damaged(body):
    with pytest.raises(zlib.error):
        whole([body], "gzip")


def test_a_body_packed_again_and_again_is_refused():
    with pytest.raises(zlib.error, match="more than 5 times"):
        whole([], "gzip, " * 6)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_no_piece_is_large_and_each_step_is_limited(encoding):
    packed, sizes = bytes(2**26), list[int]()
    for coding in encoding.split(", "):
        packed = gzip.compress(packed, 1) if coding == "gzip" else zlib.compress(packed, 1)

    def limited(chunks):
        step = len(sizes)
        sizes.append(0)
        for chunk in chunks:
            assert len(chunk) <= max(PIECE, len(packed))
            sizes[step] += len(chunk)
            yield chunk

    for _ in unpacked([packed], encoding, limited):
        pass
    assert [1 + len(encoding.split(", ")), 2**26] == [len(sizes), max(sizes)]


def test_very_many_members_take_time_in_proportion():
    packed = gzip.compress(b"") * 50_000  # 1 MB; 25 seconds where each member copies what follows it

    assert cpu_seconds(whole, [packed], "gzip") < 5


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_packings_of_other_libraries_are_undone_whole_or_not_at_all(coding):
    if not encodings._can_undo(coding):
        pytest.skip(f"no library for {coding} is installed")
    library = encodings._library(coding)
    packed = library.compress(TEXT)

    assert TEXT == whole([packed[:7], packed[7:]], coding)
    for lack in (1, 5, len(packed) - 1):
        with pytest.raises(EOFError):
            whole([packed[:-lack]], coding)
    with pytest.raises(zlib.error):
        whole([b"\xff" * 50], coding)
    assert 2**24 == sum(map(len, unpacked([library.compress(bytes(2**24))], coding, lambda chunks: chunks)))
    if coding == "zstd":
        assert TEXT * 2 == whole([packed * 2], coding)
