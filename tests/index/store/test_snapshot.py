"""A small index is asked in memory: the answers are those of the disk, and it follows every change."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from index.chunk import split
from index.search import Searcher
from index.store.lance import Store
from index.store.schema import Filters, IndexedEpisode
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords

MODEL = BagOfWords()
WORDS = [
    "price", "spring", "market", "garden", "frog", "quarter", "budget", "meeting", "friend", "river",
    "kitchen", "teacher", "winter", "engine", "letter", "harbour", "salary", "customer", "weather", "picture",
    "travel", "answer", "question", "morning", "evening", "window", "bridge", "summer", "doctor", "ladder",
]  # fmt: skip

MANY = [
    f"{one}{other}" for one in WORDS for other in WORDS
]  # each in fewer chunks than a leg takes: no ties at its end
HOSTILE = ["' OR '1'='1", "x'; DROP TABLE chunks; --", "\\'", "%", "\0'", 'O"Neil', "a\nb", "é'"]
SPEAKERS = ["Ann", "Ben", "O'Hara; --", "É've", *(name.replace("\0", "") for name in HOSTILE)]
START = datetime(2025, 1, 1, 12, tzinfo=UTC)


def put(store, podcast, number, turns):
    episode = Episode(podcast, f"{podcast}-{number}", f"On {WORDS[number % len(WORDS)]}")
    published = None if number % 7 == 3 else START + timedelta(days=2 * number)
    chunks = split(Transcript(episode, tuple(Turn(text, name) for name, text in turns)), MODEL.count, 40, 15, 15)
    row = IndexedEpisode(
        episode.key, podcast, episode.guid, episode.title, published, "", "", f"{podcast}/{number}.md", "", "1"
    )
    store.replace(row, chunks, [MODEL.embed_passages(chunk.embedded()) for chunk in chunks])


def talk(draw, turns):
    for _ in range(turns):
        said = [" ".join(draw.choice(MANY, draw.integers(3, 14))) for _ in range(draw.integers(1, 5))]
        yield str(draw.choice(SPEAKERS)), " ".join(f"{text.capitalize()}." for text in said)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    draw = np.random.default_rng(5)
    store = Store(tmp_path_factory.mktemp("index"))
    store.create(MODEL.name, MODEL.dimension)
    trailer = ("Ann", "Subscribe to hear the next talk about frogs and engines.")
    for number in range(8):
        put(store, ("selling", "gardens", "a-b")[number % 3], number, [trailer, *talk(draw, 40)])
    store.maintain(force=True)  # what full-text search reads beside its index it weighs otherwise
    assert 400 <= store.counts()["chunks"]
    return store.root


@pytest.fixture(scope="module")
def disk(root):
    return Searcher(Store(root, memory=0), MODEL)


@pytest.fixture(scope="module")
def memory(root):
    searcher = Searcher(Store(root), MODEL)
    for _ in range(2):
        searcher.search("frog")
    assert searcher.store._remembered()
    return searcher


def without_time(answer):
    return [(hit.key, hit.text, hit.score, hit.scores, hit.snippet, hit.advert, hit.play_url) for hit in answer.hits]


QUESTIONS = ["what does the doctorspring answer?", "Ladderfrog, 'winterfriend' AND (bridgequarter \0 東京 zebra"]
FILTERS = [
    {},
    {"podcast": "selling"},
    {"podcast": "A B"},
    {"speaker": "ann"},
    {"speaker": "o'hara; --"},
    {"speaker": "é've"},
    {"since": date(2025, 1, 10)},
    {"until": date(2025, 1, 10)},
    {"since": START + timedelta(days=10), "until": START + timedelta(days=10, microseconds=1)},
    {"until": datetime(2025, 1, 3, 20, tzinfo=timezone(timedelta(hours=8)))},
    {"podcast": "gardens", "speaker": "Ben", "since": date(2025, 1, 4), "until": date(2025, 1, 20)},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("mode", ["hybrid", "vector", "text"])
def test_memory_answers_what_the_disk_answers(disk, memory, mode, filters):
    for question in QUESTIONS:
        asked = {"mode": mode, "limit": 8, **filters}
        expected = without_time(disk.search(question, **asked))
        assert expected == without_time(memory.search(question, **asked)), question


def texts(store, vector, filters):
    near = store.candidates(vector, [], filters, 10)
    return sorted(row["text"] for row in near.show(range(len(near.places)), [()] * len(near.places)))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_values_are_data_in_memory_as_on_disk(disk, memory, hostile):
    vector = MODEL.embed_query("frog")
    for filters in (Filters(podcast=hostile), Filters(speaker=hostile), Filters(podcast="selling", speaker=hostile)):
        expected, actual = (texts(searcher.store, vector, filters) for searcher in (disk, memory))
        assert expected == actual
        assert (filters.podcast != hostile) == bool(actual)


def test_what_is_known_of_words_is_the_same(disk, memory):
    words = ["frog", "engin", "zebra", "subscrib"]
    expected, actual = (searcher.store.candidates(None, words, Filters(), 5).known for searcher in (disk, memory))
    assert (expected.passages, expected.length) == (actual.passages, actual.length)
    assert [expected.weight(word) for word in words] == [actual.weight(word) for word in words]


def test_without_memory_it_is_never_used(disk):
    for _ in range(3):
        disk.search("frog")
        assert disk.store._remembered() is None


def test_an_index_beyond_the_limit_stays_on_disk(root):
    store = Store(root, memory=10)
    for _ in range(3):
        assert store._remembered() is None


CHANGE = """
import sys
from pathlib import Path
from index.store import Store
from tests.test_snapshot import put
store = Store(Path(sys.argv[1]))
put(store, "selling", 1, [("Eve", "Nobody expected a giraffe.")])
"""


def test_it_follows_what_another_process_changes(tmp_path):
    store = Store(tmp_path)
    store.create(MODEL.name, MODEL.dimension)
    put(store, "selling", 1, [("Ann", "Prices rise in spring.")])
    searcher = Searcher(store, MODEL)
    for _ in range(3):
        assert "Ann: Prices rise in spring." == searcher.search("giraffe").hits[0].text
    subprocess.run([sys.executable, "-c", CHANGE, str(tmp_path)], check=True)
    for _ in range(3):
        assert ["Eve: Nobody expected a giraffe."] == [hit.text for hit in searcher.search("giraffe").hits]
        assert [] == list(searcher.search("rise", mode="text").hits)
    assert store._remembered()
