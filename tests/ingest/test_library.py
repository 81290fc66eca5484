from dataclasses import replace

import pytest

from ingest.errors import NotFoundError, TranscriptError
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn

EPISODE = Episode(
    "quota", "https://quota.example/?p=1", "Keeping your best seller", published="Mon, 05 Jan 2026 08:00:00 GMT"
)
SEGMENTS = (Segment(0.0, 2.5, "Good people leave quietly.", "Ann"), Segment(2.5, 4.0, "Ask them first.", "Ben"))
TRANSCRIPT = Transcript(
    EPISODE,
    (Turn("Good people leave quietly.", "Ann"), Turn("Ask them first.", "Ben")),
    SEGMENTS,
    "2026-01-06T09:00:00.000Z",
    {"source": "publisher"},
)


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path)


def test_what_is_written_is_read_again(library):
    path = library.write(TRANSCRIPT)

    assert library.read(path) == TRANSCRIPT
    assert (
        f"quota/2026-01-05-keeping-your-best-seller-{EPISODE.key[:8]}.md" == path.relative_to(library.root).as_posix()
    )


def test_a_publishers_own_file_lies_beside_it_byte_for_byte_and_is_no_transcript(library):
    path = library.write(TRANSCRIPT, (".txt", b"\xef\xbb\xbfAnn:\r\n"))

    assert b"\xef\xbb\xbfAnn:\r\n" == path.with_name(f"{path.stem}.publisher.txt").read_bytes()
    assert [path] == library.paths()
    assert TRANSCRIPT == library.read(path)


def test_a_retitled_episode_keeps_its_place(library):
    first = library.write(TRANSCRIPT)
    retitled = replace(TRANSCRIPT, episode=replace(EPISODE, title="How to keep your best seller"))

    assert first == library.write(retitled)
    assert [first] == library.paths()
    assert retitled == library.read(first)


@pytest.mark.parametrize("name", [EPISODE.key, EPISODE.key[:8], EPISODE.key[:8].upper(), EPISODE.guid])
def test_an_episode_is_found_by_key_and_by_guid(library, name):
    assert library.write(TRANSCRIPT) == library.find(name)


def test_a_name_nobody_has_is_not_found(library):
    library.write(TRANSCRIPT)

    with pytest.raises(NotFoundError, match="soundbite episodes"):
        library.find("deadbeef")


def test_a_guid_that_two_podcasts_share_is_asked_about(library):
    library.write(TRANSCRIPT)
    library.write(replace(TRANSCRIPT, episode=replace(EPISODE, podcast="other")))

    with pytest.raises(NotFoundError, match="names 2 episodes"):
        library.find(EPISODE.guid)


@pytest.mark.parametrize("podcast", ["../../etc", "/absolute", "a/b", "..", "con", "\0", "x" * 500, "🎙️"])
def test_no_name_from_outside_leads_out_of_the_library(library, podcast):
    path = library.write(replace(TRANSCRIPT, episode=replace(EPISODE, podcast=podcast, title=podcast)))

    assert path.resolve().is_relative_to(library.root.resolve())
    assert len(path.relative_to(library.root).parts) == 2


def test_a_write_that_was_cut_off_leaves_the_old_transcript(library):
    path = library.write(TRANSCRIPT)
    path.with_name(f".{path.name}.part").write_text("# Half a")

    assert [path] == library.paths()
    assert library.read(path) == TRANSCRIPT


def test_a_transcript_that_is_no_text_is_an_error_that_names_the_file(library):
    path = library.write(TRANSCRIPT)
    path.write_bytes(b"\xff\xfe\x00broken\x80")

    with pytest.raises(TranscriptError, match=path.name):
        library.read(path)
