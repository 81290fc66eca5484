"""Newer words of a feed in a document that people may have edited."""

import json
from dataclasses import replace

import pytest

from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.revision import revised_markdown, revised_sidecar

OLD = Episode(
    "quota",
    "g1",
    "Old title",
    "Mon, 05 Jan 2026 08:00:00 GMT",
    "https://q.example/1",
    "https://q.example/1.mp3?t=1",
    "https://q.example/f",
)
NEW = replace(OLD, title="New title", audio_url="https://q.example/1.mp3?t=2", link="")
SPOKEN = Transcript(
    OLD,
    (Turn("Old title is what we said.", "Ann"),),
    (Segment(0.0, 2.0, "Old title is what we said.", "Ann"),),
    "2026-01-06T00:00:00.000Z",
)


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "library")
    library.write(SPOKEN)
    return library


def test_title_and_addresses_change_and_nothing_else(library):
    (document,) = library.documents()
    before = library.storage.read(document.name)[0].decode()

    assert library.revise(NEW)

    after = library.storage.read(document.name)[0].decode()
    changed = {"# New title", "- Link: ", "- Audio URL: https://q.example/1.mp3?t=2"}
    assert changed == set(after.splitlines()) - set(before.splitlines())
    read = library.read(document.name)
    assert (NEW, SPOKEN.turns, SPOKEN.segments) == (read.episode, read.turns, read.segments)
    assert not library.revise(NEW)


@pytest.mark.parametrize("people", [("Ann Lee",), ("Ann Lee", "Bo")])
def test_people_change_in_the_json_and_the_markdown_stays(library, people):
    (document,) = library.documents()
    before = library.storage.read(document.name)[0]

    assert library.revise(replace(OLD, people=people))
    assert (people, before) == (library.read(document.name).episode.people, library.storage.read(document.name)[0])
    assert not library.revise(replace(OLD, people=people))
    assert library.revise(OLD)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_was_edited_by_hand_stays(ending):
    text = ending.join(
        [
            "\ufeff# Old title",
            "",
            "- Podcast: quota",
            "-   Mood: good",
            "- Audio URL: x",
            "",
            "my note",
            "## Transcript",
            "",
            "# Old title",
            "- Link: y",
        ]
    )

    assert text.replace("\ufeff# Old", "\ufeff# New").replace("URL: x", f"URL: {NEW.audio_url}") == revised_markdown(
        text, NEW
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"soundbite": 1}', '{"soundbite": {"episode": []}}', "no"])
def test_a_json_that_is_not_ours_stays(text):
    assert text == revised_sidecar(text, NEW)


def test_a_document_that_cannot_be_read_is_left_alone(library):
    (document,) = library.documents()
    library.storage.put(document.name, b"# x\xff\n" + library.storage.read(document.name)[0])

    assert not library.revise(NEW)


def test_no_password_is_written(library):
    library.revise(replace(NEW, audio_url="https://ann:s3cret@q.example/1.mp3"))

    (document,) = library.documents()
    assert b"s3cret" not in library.storage.read(document.name)[0]
    assert (
        "https://q.example/1.mp3"
        == json.loads(library.storage.read(document.name.replace(".md", ".json"))[0])["soundbite"]["episode"][
            "audio_url"
        ]
    )
