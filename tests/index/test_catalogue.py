from dataclasses import replace
from itertools import pairwise

import pytest

from index.build import update
from index.catalogue import episodes
from index.store.lance import Store
from ingest.ledger import EpisodeRecord
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords

INDEXED = Episode("selling", "a", "A", published="Thu, 20 Feb 2025 09:00:00 +0000")
WAITING = Episode("selling", "b", "B", published="Fri, 21 Feb 2025 09:00:00 +0000")
UNDATED = replace(WAITING, published="")


@pytest.fixture
def store(tmp_path):
    library, store = Library(tmp_path / "library"), Store(tmp_path / "index")
    library.write(Transcript(INDEXED, (Turn("Prices rise.", "Ann"),)))
    update(library, store, BagOfWords())
    return store


def test_episodes_of_the_index_and_of_the_ledger_are_one_list(store):
    records = [
        EpisodeRecord(INDEXED, "failed", "an older attempt"),
        EpisodeRecord(WAITING, "pending"),
        EpisodeRecord(replace(UNDATED, guid="c"), "failed", "the audio is a web page"),
        EpisodeRecord(replace(UNDATED, guid="d"), "done"),
    ]
    found = episodes(store, records)
    assert ["b", "a"] == [one.guid for one in found][:2]
    assert {"a": "indexed", "b": "pending", "c": "failed", "d": "pending"} == {one.guid: one.status for one in found}
    assert ("2025-02-20T09:00:00Z", 1, "") == next((x.published, x.chunks, x.reason) for x in found if x.guid == "a")
    assert "the audio is a web page" == next(one.reason for one in found if one.guid == "c")
    dates = [one.published for one in found]
    assert all(later is None or (earlier and earlier >= later) for earlier, later in pairwise(dates))


def test_before_anything_is_indexed_what_waits_is_listed(tmp_path):
    found = episodes(Store(tmp_path / "index"), [EpisodeRecord(WAITING, "pending")])
    assert ["pending"] == [one.status for one in found]
