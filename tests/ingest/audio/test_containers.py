"""Sound by its first bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.audio.containers import MAX_HEAD, is_stream, sniff, sound_offset
from tests.cpu import cpu_seconds

FRAME = b"\xff\xfb\x90\x00" + bytes(413)


@pytest.mark.parametrize(
    ("head", "container", "offset"),
    [
        (FRAME * 3, "mp3", 0),
        (b"\n" + FRAME * 3, "mp3", 1),
        (bytes(2000) + FRAME * 3, "mp3", 2000),
        (b"TAG" + bytes(125) + FRAME * 3, "mp3", 128),
        (b"some words " + FRAME * 3 + FRAME[:4], "mp3", 11),
        (b"\r\nRIFF\0\0\0\0WAVEfmt ", "wav", 2),
        (b"  OggS", "ogg", 2),
        (b"RIFX\0\0\0\0WAVE", "wav", 0),
        (b"some words " + FRAME * 2 + b"and more" * 99, "", 0),
        (b"PK\x03\x04" + FRAME * 9, "", 0),
        (b"<html>" * 99, "", 0),
        (b"", "", 0),
    ],
)
def test_the_container_and_where_it_begins(head, container, offset):
    assert (container, offset) == (sniff(head), sound_offset(head))


@pytest.mark.parametrize("head", [b"#EXTM3U\n", b"\xef\xbb\xbf#EXTM3U", b"\n#EXTM3U\r\n#EXT-X-VERSION:3"])
def test_a_playlist_is_told_from_sound(head):
    assert (True, "") == (is_stream(head), sniff(head))


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.binary(max_size=500)
    | st.lists(st.sampled_from([b"\xff\xfb", b"\xff\xff", FRAME[:40], b"APETAGEX\xd0\x07\0\0", b"TAG", b"\0"])).map(
        b"".join
    )
)
def test_any_bytes_give_an_answer(head):
    assert sound_offset(head) >= 0
    assert isinstance(sniff(head), str)


@pytest.mark.parametrize("filler", [b"\xff", b"\xff\xfb\x90\x00", b"\0", b"\xff\xe2"])
def test_hostile_bytes_take_no_long_look(filler):
    assert cpu_seconds(sniff, b"x" + filler * (MAX_HEAD // len(filler))) < 2
