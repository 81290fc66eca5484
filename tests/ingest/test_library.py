import sqlite3
from dataclasses import replace
from hashlib import sha256

import pytest

from ingest import storage
from ingest.errors import DiskFullError, HomeError, NotFoundError, TranscriptError
from ingest.intake import find_sources
from ingest.library import Document, Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.transcripts.document import text_hash, turns_from_segments
from tests.faults import Faults

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
    return Library(tmp_path / "library")


def path_of(library, document):
    return library.root / document.name


def test_what_is_written_is_read_again(library):
    document = library.write(TRANSCRIPT)

    assert TRANSCRIPT == library.read(document.name)
    assert f"quota/2026-01-05-keeping-your-best-seller-{EPISODE.key[:8]}.md" == document.name
    assert (EPISODE.key, EPISODE.guid) == (document.key, document.guid)


def test_a_publishers_own_file_lies_beside_it_byte_for_byte_and_is_no_transcript(library):
    document = library.write(TRANSCRIPT, (".txt", b"\xef\xbb\xbfAnn:\r\n"))
    path = path_of(library, document)

    assert b"\xef\xbb\xbfAnn:\r\n" == path.with_name(f"{path.stem}.publisher.txt").read_bytes()
    assert [document] == library.documents()


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("is_there", [True, False])
def test_times_that_are_no_numbers_are_refused_before_anything_is_changed(library, time, is_there):
    if is_there:
        path = path_of(library, library.write(TRANSCRIPT, (".txt", b"old")))
        path.write_text(path.read_text().replace("quietly", "at once"))
    before = {path: path.read_bytes() for path in library.root.rglob("*.*") if not path.name.startswith(".")}
    broken = replace(TRANSCRIPT, segments=(Segment(0.0, time, "Good people leave quietly."),))

    with pytest.raises(TranscriptError, match=EPISODE.title):
        library.write(broken, (".txt", b"new"))

    assert before == {path: path.read_bytes() for path in library.root.rglob("*.*") if not path.name.startswith(".")}


def test_a_retitled_episode_keeps_its_place(library):
    first = library.write(TRANSCRIPT)
    retitled = replace(TRANSCRIPT, episode=replace(EPISODE, title="How to keep your best seller"))

    assert first.name == library.write(retitled).name
    assert [first.name] == [one.name for one in library.documents()]
    assert retitled == library.read(first.name)


@pytest.mark.parametrize("name", [EPISODE.key, EPISODE.key[:8], EPISODE.key[:8].upper(), EPISODE.guid])
def test_an_episode_is_found_by_key_and_by_guid(library, name):
    assert library.write(TRANSCRIPT) == library.find(name)


@pytest.mark.parametrize("name", ["ä 日本.md", "renamed.md", "2026-01-05-x-00000000.md"])
def test_a_renamed_transcript_is_the_same_episode(library, name):
    """Identity is in the document, not in its file name."""
    path = path_of(library, library.write(TRANSCRIPT))
    path.with_suffix(".json").rename(path.with_name(name).with_suffix(".json"))
    path.rename(path.with_name(name))

    assert f"quota/{name}" == library.find(EPISODE.key).name == library.locate(EPISODE).name
    assert TRANSCRIPT == library.read(f"quota/{name}")
    assert f"quota/{name}" == library.write(TRANSCRIPT).name


def test_a_transcript_moved_to_another_folder_is_the_same_episode(library):
    path = path_of(library, library.write(TRANSCRIPT))
    other = library.root / "elsewhere"
    other.mkdir()
    path.rename(other / path.name)

    assert f"elsewhere/{path.name}" == library.find(EPISODE.key).name


def test_an_edit_of_the_head_changes_what_a_document_holds(library):
    path = path_of(library, library.write(TRANSCRIPT))
    path.write_text(path.read_text().replace(f"Episode ID: {EPISODE.guid}", "Episode ID: another"))

    assert library.locate(EPISODE) is None
    assert "another" == library.find("another").guid


def test_a_podcasts_raw_name_and_its_slug_are_one_podcast(library):
    first = library.write(replace(TRANSCRIPT, episode=replace(EPISODE, podcast="Coaching Notes")))

    assert first.name == library.write(replace(TRANSCRIPT, episode=replace(EPISODE, podcast="coaching-notes"))).name
    assert ([1], ["coaching-notes"]) == ([len(library.documents("Coaching Notes"))], library.podcasts())


def test_looking_up_reads_no_document_twice(library, monkeypatch):
    """An unknown name, too, costs a listing and not every head."""
    for number in range(30):
        library.write(replace(TRANSCRIPT, episode=replace(EPISODE, guid=f"g{number}")))
    library.documents()
    heads = []
    head = storage.FolderStorage.head
    monkeypatch.setattr(storage.FolderStorage, "head", lambda *asked: heads.append(asked) or head(*asked))

    with pytest.raises(NotFoundError):
        Library(library.root).find("nobody")
    Library(library.root).find("g7")

    assert [] == heads


@pytest.mark.parametrize("broken", [b"", b"not a database" * 100])
def test_a_catalogue_that_is_lost_or_broken_loses_nothing(library, broken):
    document = library.write(TRANSCRIPT)
    (library.root / ".documents.sqlite").write_bytes(broken)

    assert document == library.find(EPISODE.key)
    assert [document] == library.documents()


def test_a_document_without_a_head_is_listed_and_found_by_nobody(library):
    path = path_of(library, library.write(TRANSCRIPT))
    path.with_name("notes.md").write_text("Just some notes.")

    assert {"", EPISODE.key} == {one.key for one in library.documents()}
    with pytest.raises(NotFoundError):
        library.find("notes")


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
    document = library.write(replace(TRANSCRIPT, episode=replace(EPISODE, podcast=podcast, title=podcast)))

    assert path_of(library, document).resolve().is_relative_to(library.root.resolve())
    assert 2 == len(document.name.split("/"))


def test_a_write_that_was_cut_off_leaves_the_old_transcript(library):
    document = library.write(TRANSCRIPT)
    path = path_of(library, document)
    path.with_name(f".{path.name}.part").write_text("# Half a")

    assert [document] == library.documents()
    assert TRANSCRIPT == library.read(document.name)


def test_a_transcript_that_is_no_text_is_an_error_that_names_the_file(library):
    document = library.write(TRANSCRIPT)
    path_of(library, document).write_bytes(b"\xff\xfe\x00broken\x80")

    with pytest.raises(TranscriptError, match=document.name):
        library.read(document.name)


@pytest.mark.parametrize(
    ("number", "kind"), [(28, DiskFullError), (122, DiskFullError), (13, HomeError)], ids=["ENOSPC", "EDQUOT", "EACCES"]
)
def test_a_full_disk_is_told_from_another_that_cannot_be_written(library, monkeypatch, number, kind):
    def fail(*_):
        raise OSError(number, "no")

    monkeypatch.setattr(storage.FolderStorage, "put", fail)

    with pytest.raises(HomeError) as raised:
        library.write(TRANSCRIPT)
    assert kind is type(raised.value)


def test_a_library_that_can_only_be_read_is_looked_up_all_the_same(library, monkeypatch):
    document = library.write(TRANSCRIPT)
    (library.root / ".documents.sqlite").unlink()
    connect = sqlite3.connect

    def read_only(path, **options):
        if path == ":memory:":
            return connect(path, **options)
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", read_only)

    assert document == Library(library.root).find(EPISODE.key)
    assert isinstance(document, Document)


BOLD = "I rang them **four** times."


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("Hello", "Good morning"),
        lambda text: text.replace("Ann:", "Anne:"),
        lambda text: f"{text}\n{BOLD}\n",
        lambda text: text.split("## Transcript")[0],  # no document any more
    ],
)
@pytest.mark.parametrize("with_times", [True, False])
def test_a_text_edited_by_hand_is_copied_before_it_is_overwritten(library, edit, with_times):
    said = (Segment(0.0, 1.0, "Hello there.", "Ann"), Segment(1.0, 2.0, "Good to be here.", "Bo"))
    turns = turns_from_segments(said)
    written = Transcript(EPISODE, turns, said if with_times else (), "2026-11-01T00:00:00.000Z")
    written = replace(written, provenance={} if with_times else {"text_sha256": text_hash(turns)})
    path = path_of(library, library.write(written))
    path.write_text(edit(path.read_text()))
    kept = path.read_bytes()
    new = replace(TRANSCRIPT, transcribed_at="2026-11-28T05:00:00.000Z")

    document = library.write(new)
    library.write(replace(new, turns=(Turn("A third text."),)))

    copies = sorted(path.parent.glob("*.edited-*"))
    assert [kept] == [copy.read_bytes() for copy in copies]
    assert f"{path.stem}.edited-2026-11-28-{sha256(kept).hexdigest()[:8]}.md" == copies[0].name
    assert [document.name] == [one.name for one in library.documents()]
    assert [] == [one for one in find_sources([library.root])[0] if ".edited-" in one.paths[0].name]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_text_nobody_edited_is_overwritten_without_a_copy(library, times):
    said = (Segment(0.0, 1.0, "Hello there.", "Ann"), Segment(1.0, 2.0, "No — really: yes.", ""))
    for number in range(times + 1):
        segments = (*said, Segment(2.0, 3.0, f"Take {number}."))
        library.write(Transcript(EPISODE, turns_from_segments(segments), segments))
    assert 1 == len(list(library.root.rglob("*.md")))


@pytest.mark.parametrize("at", range(1, 40, 3))
def test_an_edited_text_is_there_wherever_the_write_is_killed(library, monkeypatch, at):
    path = path_of(library, library.write(TRANSCRIPT))
    path.write_text(f"{path.read_text()}\n{BOLD}\n")
    kept = path.read_text()
    with Faults(monkeypatch, at, kill=True, within=library.root):
        library.write(replace(TRANSCRIPT, turns=(Turn("Another."),)))
    assert kept in [file.read_text() for file in library.root.rglob("*.md")]
