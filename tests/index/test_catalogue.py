import shutil
from dataclasses import replace
from itertools import pairwise

import pytest

from index.build import update
from index.catalogue import episodes, status_of
from index.store.lance import Store
from ingest.ledger import EpisodeRecord
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from tests.fakes import BagOfWords

INDEXED = Episode("selling", "a", "A", published="Thu, 20 Feb 2025 09:00:00 +0000")
WAITING = Episode("selling", "b", "B", published="Fri, 21 Feb 2025 09:00:00 +0000")
UNDATED = replace(WAITING, published="")


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "library")


@pytest.fixture
def store(tmp_path, library):
    store = Store(tmp_path / "index")
    library.write(Transcript(INDEXED, (Turn("Prices rise.", "Ann"),)))
    update(library, store, BagOfWords())
    return store


def test_episodes_of_the_index_and_of_the_ledger_are_one_list(store, library):
    records = [
        EpisodeRecord(INDEXED, "failed", "an older attempt"),
        EpisodeRecord(WAITING, "pending"),
        EpisodeRecord(replace(UNDATED, guid="c"), "failed", "the audio is a web page"),
        EpisodeRecord(replace(UNDATED, guid="d"), "done"),
    ]
    found = episodes(store, library, records)
    assert ["b", "a"] == [one.guid for one in found][:2]
    assert {"a": "indexed", "b": "pending", "c": "failed", "d": "pending"} == {one.guid: one.status for one in found}
    assert ("2025-02-20T09:00:00Z", 1, "") == next((x.published, x.chunks, x.reason) for x in found if x.guid == "a")
    assert "the audio is a web page" == next(one.reason for one in found if one.guid == "c")
    dates = [one.published for one in found]
    assert all(later is None or (earlier and earlier >= later) for earlier, later in pairwise(dates))


def test_before_anything_is_indexed_what_waits_is_listed(tmp_path, library):
    found = episodes(Store(tmp_path / "index"), library, [EpisodeRecord(WAITING, "pending")])
    assert ["pending"] == [one.status for one in found]


SPOKEN = (Segment(0.0, 4.5, "Prices rise.", "Ann"),)


@pytest.mark.parametrize("harm", ["never built", "deleted", "broken"])
def test_without_an_index_the_library_is_listed_all_the_same(tmp_path, library, store, harm):
    library.write(
        Transcript(
            replace(INDEXED, podcast="Selling", guid="t", published="Wed, 19 Feb 2025 09:00:00 +0000"),
            (Turn("Yes."),),
            SPOKEN,
            provenance={"flag": "loops"},
        )
    )
    if harm == "never built":
        store = Store(tmp_path / "other")
    elif harm == "deleted":
        shutil.rmtree(store.root)
    else:
        for file in (store.root / store.folder).rglob("*.lance"):
            shutil.rmtree(file) if file.is_dir() else file.write_bytes(b"")
    records = [EpisodeRecord(INDEXED, "done"), EpisodeRecord(WAITING, "pending")]
    found = episodes(Store(store.root), library, records)
    assert [(one.guid, one.podcast, one.status, one.duration, one.flag) for one in found] == [
        ("b", "selling", "pending", None, ""), ("a", "selling", "transcribed", None, ""), ("t", "selling", "transcribed", 4.5, "loops"),
    ]  # fmt: skip


def test_what_is_transcribed_and_not_indexed_is_told_from_what_waits(library, store):
    library.write(Transcript(WAITING, (Turn("Later."),)))
    listed = {one.guid: one.status for one in episodes(store, library, [EpisodeRecord(WAITING, "done")])}
    assert listed == {"a": "indexed", "b": "transcribed"}


def test_an_episode_whose_document_is_gone_is_made_again(library, store):
    (library.root / library.locate(INDEXED).name).unlink()
    assert [one.status for one in episodes(store, library, [EpisodeRecord(INDEXED, "pending")])] == ["pending"]
    assert episodes(store, library, []) == []


def test_a_changed_document_is_read_again_and_one_that_cannot_be_read_is_left_out(tmp_path, library):
    nothing = Store(tmp_path / "other")
    document = library.write(Transcript(INDEXED, (Turn("Yes."),)))
    assert [one.title for one in episodes(nothing, library, [])] == ["A"]
    library.write(Transcript(replace(INDEXED, title="Another"), (Turn("Yes."),)))
    assert [one.title for one in episodes(nothing, library, [])] == ["Another"]
    path = library.root / document.name
    path.write_text(path.read_text().partition("## Transcript")[0])
    assert episodes(nothing, library, []) == []


def test_one_episode_has_the_state_that_the_list_gives_it(library, store):
    library.write(Transcript(WAITING, (Turn("Later."),), SPOKEN))
    for listed in episodes(store, library, []):
        assert status_of(store, library.read(library.find(listed.key).name)) == listed
