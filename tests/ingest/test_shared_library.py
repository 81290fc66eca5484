"""Many writers of one library, in a folder or a bucket: each episode gets one whole document."""

import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from ingest import document_catalogue
from ingest.errors import ConflictError, HomeError, NotFoundError, SettingsError, StorageError
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript
from ingest.object_storage import ObjectStorage
from ingest.open import open_library
from ingest.settings import Settings
from ingest.storage import FolderStorage
from ingest.transcripts.document import is_edited, turns_from_segments
from tests.s3_server import SECRET

EPISODE = Episode("quota", "https://quota.example/?p=1", "Keeping your best seller")


def said(text, episode=EPISODE):
    segments = (Segment(0.0, 2.5, f"{text}.", "Ann"), Segment(2.5, 4.0, f"Ask {text} first.", "Ben"))
    return Transcript(episode, turns_from_segments(segments), segments, "2026-01-06T09:00:00.000Z", {"source": "x"})


@pytest.fixture(params=["folder", "bucket"])
def opened(request, tmp_path):
    """Opens the one library as one more machine does."""
    if request.param == "folder":
        return lambda: Library(tmp_path / "library")
    url, caches = request.getfixturevalue("s3").place(), iter(range(100))
    return lambda: Library(tmp_path / f"cache-{next(caches)}", ObjectStorage(url))


@pytest.fixture
def bucket(s3, tmp_path):
    url, caches = s3.place(), iter(range(100))
    return lambda: Library(tmp_path / f"cache-{next(caches)}", ObjectStorage(url))


def whole(library):
    """The only document, whose text and times are of one writer; copies of what another had written may lie beside it."""
    (document,) = library.documents()
    transcript = library.read(document.name)
    assert not is_edited(transcript)
    return transcript


@pytest.mark.parametrize("titles", [1, 3, 8])
def test_of_many_writers_of_a_new_episode_one_document_is_left(opened, titles):
    ready = Barrier(8)

    def write(number):
        library = opened()
        library.documents()
        ready.wait()
        return library.write(said(f"writer {number}", replace(EPISODE, title=f"Title {number % titles}"))).name

    with ThreadPoolExecutor(8) as pool:
        names = {*pool.map(write, range(8))}
    transcript = whole(opened())
    assert [opened().find(EPISODE.guid).name] == list(names)
    assert transcript.turns[0].text.removesuffix(".") in transcript.turns[1].text


@pytest.mark.parametrize("when", ["before the times", "before the text", "after both"])
def test_who_comes_second_with_a_new_episode_leaves_a_whole_document(bucket, monkeypatch, when):
    first, second = bucket(), bucket()
    put = ObjectStorage.put

    def meanwhile(storage, name, content, over=None):
        if storage is first.storage and name.endswith(
            {"before the times": ".json", "before the text": ".md"}.get(when, "-")
        ):
            monkeypatch.setattr(ObjectStorage, "put", put)
            second.write(said("the second's"))
        return put(storage, name, content, over)

    monkeypatch.setattr(ObjectStorage, "put", meanwhile)
    first.write(said("the first's"))
    if when == "after both":
        monkeypatch.setattr(ObjectStorage, "put", put)
        second.write(said("the second's"))
    expected = "the first's" if when == "before the times" else "the second's"
    assert f"{expected}." == whole(bucket()).turns[0].text


@pytest.mark.parametrize("title", ["Keeping your best seller", "Another title", "日本"])
def test_what_another_wrote_is_found_by_its_key_without_a_listing(bucket, monkeypatch, title):
    reader, writer = bucket(), bucket()
    assert reader.locate(EPISODE) is None
    written = writer.write(said("it", replace(EPISODE, title=title)))
    monkeypatch.setattr(ObjectStorage, "listing", None)
    assert written == reader.locate(EPISODE) == reader.find(EPISODE.key)
    assert written.name == reader.write(said("it again")).name


def test_one_listing_is_enough_for_any_number_of_new_episodes(bucket, requests):
    library = bucket()
    for number in range(20):
        library.write(said("it", replace(EPISODE, guid=f"g{number}")))
    assert 1 == requests["listing"]


@pytest.fixture
def requests(monkeypatch):
    counts = Counter()

    def counted(name):
        ask = getattr(ObjectStorage, name)

        def count(*given, **options):
            counts[name] += 1
            return ask(*given, **options)

        monkeypatch.setattr(ObjectStorage, name, count)

    for name in ("listing", "head", "read", "version", "put"):
        counted(name)
    return counts


@pytest.mark.parametrize("changed", [0, 1, 3])
def test_looking_again_costs_a_listing_and_the_heads_of_what_changed(bucket, requests, changed):
    library, other = bucket(), bucket()
    for number in range(5):
        other.write(said("it", replace(EPISODE, guid=f"g{number}")))
    assert 5 == len(library.documents())
    for number in range(changed):
        other.write(said("something else", replace(EPISODE, guid=f"g{number}")))
    requests.clear()
    assert 5 == len(library.documents())
    assert {"listing": 1, "head": changed} == {"head": 0} | dict(requests)


def test_a_long_lived_reader_lists_once_in_a_while(bucket, requests, monkeypatch):
    library = bucket()
    reader = Library(library.root, library.storage, max_age=10.0)
    reader.documents()
    for _ in range(3):
        reader.documents()
        with pytest.raises(NotFoundError):
            reader.find("nobody")
    assert 1 == requests["listing"]
    monkeypatch.setattr(document_catalogue.time, "monotonic", lambda now=document_catalogue.time.monotonic: now() + 11)
    reader.documents()
    assert 2 == requests["listing"]


def test_a_document_moved_by_hand_is_the_same_episode(opened):
    library = opened()
    document = library.write(said("it"))
    storage = library.storage
    for suffix in (".md", ".json"):
        old = document.name.removesuffix(".md") + suffix
        storage.put(f"quota/50% off#1{suffix}", storage.read(old)[0])
        storage.delete(old)
    for one in (opened(), library):
        assert "quota/50% off#1.md" == one.locate(EPISODE).name == one.find(EPISODE.key).name
    assert "quota/50% off#1.md" == opened().write(said("it again")).name


def test_a_document_deleted_by_hand_is_written_again(opened):
    library = opened()
    library.storage.delete(library.write(said("it")).name)
    assert library.locate(EPISODE) is opened().locate(EPISODE) is None
    opened().write(said("it again"))
    assert "it again." == whole(opened()).turns[0].text


def test_a_name_whose_document_holds_another_episode_now_is_given_up(bucket):
    library = bucket()
    document = library.write(said("it"))
    text = library.storage.read(document.name)[0].decode()
    library.storage.put(document.name, text.replace(EPISODE.guid, "another").encode())
    assert bucket().locate(EPISODE) is None
    again = library.write(said("it", replace(EPISODE, title="A new title")))
    assert document.name != again.name
    assert {"another", EPISODE.guid} == {one.guid for one in bucket().documents()}


@pytest.mark.parametrize("podcast", ["../../etc", "/absolute", "a/b", "..", "\0", "x" * 500, "🎙️", "s3://x", "%2e%2e"])
def test_no_name_from_outside_leads_out_of_its_place(bucket, podcast):
    library = bucket()
    document = library.write(said("it", replace(EPISODE, podcast=podcast, title=podcast)))
    assert document == bucket().find(EPISODE.guid)
    assert {document.name, document.name.replace(".md", ".json")} == set(library.storage.listing())


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"../../x.md", b"a/b/c.md", b".hidden/x.md", b"quota/none.md"])
def test_a_name_that_somebody_has_spoilt_does_no_harm(bucket, content):
    library = bucket()
    library.storage.put(f".episodes/{EPISODE.key}", content)
    assert library.locate(EPISODE) is None
    library.write(said("it"))
    assert "it." == whole(bucket()).turns[0].text


@pytest.mark.parametrize("edits", [1, 2, 4])
def test_a_text_edited_while_another_is_written_is_kept(opened, monkeypatch, edits):
    """Whoever edits does so at the worst moment: when the earlier text has been looked at already."""
    library = opened()
    document = library.write(said("it"))
    kind, put, left = type(library.storage), type(library.storage).put, [*range(edits)]

    def edited(storage, name, content, over=None):
        if name == document.name and left:
            put(storage, name, f"{said('it').turns[0].text} Edited {left.pop()}.".encode())
        return put(storage, name, content, over)

    monkeypatch.setattr(kind, "put", edited)
    opened().write(said("something else"))
    monkeypatch.setattr(kind, "put", put)
    texts = [library.storage.read(name)[0].decode() for name in library.storage.listing() if name.endswith(".md")]
    for number in range(edits):
        assert 1 == sum(f"Edited {number}." in text for text in texts)
    assert "something else." == opened().read(document.name).turns[0].text


def test_who_is_never_first_is_told_so(opened, monkeypatch):
    library = opened()
    document = library.write(said("it"))
    put, texts = type(library.storage).put, iter(range(100))

    def always_first(storage, name, content, over=None):
        if name == document.name:
            put(storage, name, f"Edited {next(texts)}.".encode())
        return put(storage, name, content, over)

    monkeypatch.setattr(type(library.storage), "put", always_first)
    with pytest.raises(ConflictError, match="try again"):
        library.write(said("something else"))


def test_a_feeds_newer_title_comes_to_its_document(opened):
    opened().write(said("it"))
    new = replace(EPISODE, title="A new title")
    assert [True, False] == [opened().revise(new), opened().revise(new)]
    assert "A new title" == whole(opened()).episode.title


# -- what can be wrong with a bucket


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SOUNDBITE_LIBRARY": "s3://no-such-bucket/x"}, "no such bucket"),
        ({"AWS_ACCESS_KEY_ID": "somebody"}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "http://nobody.invalid:9"}, "AWS_ENDPOINT_URL"),
    ],
    ids=["bucket", "key", "secret", "port", "host"],
)
@pytest.mark.parametrize(
    "use",
    [Library.documents, lambda library: library.write(said("it")), lambda library: library.find("nobody")],
    ids=["documents", "write", "find"],
)
def test_what_is_wrong_with_a_bucket_is_said_without_a_secret(s3, monkeypatch, changes, words, use):
    for name, value in ({"SOUNDBITE_LIBRARY": s3.place()} | changes).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match=words) as raised:
        use(open_library(Settings()))
    assert isinstance(raised.value, HomeError)
    told = "".join(traceback.format_exception(raised.value))
    assert not [secret for secret in (SECRET, "wrong-secret") if secret in told]
    assert "<Error>" not in told


def test_without_its_package_a_bucket_is_a_setting_that_cannot_be(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    with pytest.raises(SettingsError, match="pip install"):
        open_library(Settings(library="s3://bucket/x"))


@pytest.mark.parametrize(
    "place",
    ["s3://", "s3://b", "s3://bucket/../x", "s3://bucket//x", "S3://bucket", "gs://bucket", "s3://key:secret@host/x"],
)
def test_an_address_that_cannot_be_meant_is_refused(place):
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        Settings(library=place)


@pytest.mark.parametrize(("place", "expected"), [("~/x", "x"), ("x", "x"), ("", "library"), ("/a b/ä", "ä")])
def test_a_folder_may_lie_anywhere(tmp_path, monkeypatch, place, expected):
    monkeypatch.chdir(tmp_path)
    library = open_library(Settings(library=place))
    assert isinstance(library.storage, FolderStorage)
    assert (True, expected) == (library.root.is_absolute(), library.root.name)
