import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index.build import update
from index.embed import rerank
from index.embed.model_files import DEFAULT, locate
from index.embed.rerank import LONGEST, READ, RERANKED, CrossReranker, correlation, part_to_read
from index.query import Query
from index.search import Searcher
from index.store.lance import Store
from ingest.errors import IndexingError
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords
from tests.random_models import cross_encoder

QUESTION = "why do prices rise?"
SAID = [
    "Prices rise in spring.",
    "Frogs enjoy the rain.",
    "Dogs bark at night.",
    "Why do prices fall, then?",
    "Rise early.",
]


class Longest:
    """A reranker to which the longest passage is the best."""

    def __init__(self):
        self.asked = []

    def scores(self, question, passages):
        self.asked.append((question, len(passages)))
        return [float(len(passage)) for passage in passages]


def filled(home, texts):
    library, store = Library(home / "library"), Store(home / "index")
    for n, text in enumerate(texts):
        library.write(Transcript(Episode("talk", f"g{n}", f"Talk {n}"), (Turn(text),)))
    update(library, store, BagOfWords())
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("few"), SAID)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "text"])
def test_hits_come_in_the_order_of_the_rerankers_scores(store, mode):
    plain = Searcher(store, BagOfWords()).search(Query(QUESTION, mode=mode)).hits
    hits = Searcher(store, BagOfWords(), reranker=Longest()).search(Query(QUESTION, mode=mode)).hits
    assert sorted((hit.passage.text for hit in plain), key=len, reverse=True) == [hit.passage.text for hit in hits]
    assert {hit.passage.text: hit.score for hit in plain} == {hit.passage.text: hit.score for hit in hits}
    assert [float(len(hit.passage.text)) for hit in hits] == [hit.scores.rerank for hit in hits]
    assert [*range(1, len(hits) + 1)] == [hit.rank for hit in hits]
    assert {None} == {hit.scores.rerank for hit in plain}


def test_the_limit_comes_after_the_order(store):
    longest = max(SAID, key=len)
    assert [longest] == [
        hit.passage.text
        for hit in Searcher(store, BagOfWords(), reranker=Longest()).search(Query("rise", limit=1)).hits
    ]


def test_an_answer_is_weak_whatever_the_reranker_thinks(store):
    searcher = Searcher(store, BagOfWords(), reranker=Longest())
    assert searcher.search(Query("quantum chromodynamics")).weak
    assert not searcher.search(Query("prices rise in spring")).weak


def test_only_the_best_are_read_again_and_the_others_follow(tmp_path):
    alone = [f"Price {n} {' '.join(f'word{n}x{m}' for m in range(120 + n))}." for n in range(RERANKED + 5)]
    store = filled(tmp_path, [" ".join(alone)])  # two of these sentences are longer than a passage
    plain = Searcher(store, BagOfWords()).search(Query("price", limit=100)).hits
    reranker = Longest()
    hits = Searcher(store, BagOfWords(), reranker=reranker).search(Query("price", limit=100)).hits
    assert [("price", RERANKED)] == reranker.asked
    assert plain[RERANKED:] == hits[RERANKED:]
    assert {hit.passage.text for hit in plain[:RERANKED]} == {hit.passage.text for hit in hits[:RERANKED]}
    assert len(alone) == len(hits)


def test_nothing_found_asks_no_reranker(store):
    reranker = Longest()
    assert () == Searcher(store, BagOfWords(), reranker=reranker).search(Query("zebra", mode="text")).hits
    assert (
        ()
        == Searcher(store, BagOfWords(), reranker=CrossReranker("nowhere", Path()))
        .search(Query("zebra", mode="text"))
        .hits
    )


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("no-such-model", "no such re-ranking model here; check the name"),
        ("empty", r"holds no model\.safetensors"),
        (str(locate(DEFAULT)), "is not a cross-encoder"),
    ],
)
def test_a_model_that_cannot_rerank_is_one_clear_line(store, tmp_path, monkeypatch, model, reason):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IndexingError, match=reason) as caught:
        Searcher(store, BagOfWords(), reranker=CrossReranker(model, tmp_path)).search(Query(QUESTION))
    assert "\n" not in str(caught.value)


# -- what is read of a passage


def words(begin, end):
    return " ".join(f"w{n}" for n in range(begin, end))


@pytest.mark.parametrize(
    ("length", "sentence", "expected"),
    [
        (READ, (10, 20), (0, READ)),
        (3, (1, 2), (0, 3)),
        (200, (0, 9), (0, READ)),
        (200, (100, 120), (80, 80 + READ)),  # a third of the spare words before it
        (200, (190, 200), (200 - READ, 200)),
        (200, (50, 150), (50, 50 + READ)),
        (200, (300, 310), (0, READ)),  # a sentence that is not in it
    ],
)
def test_what_is_read_stands_around_the_sentence(length, sentence, expected):
    assert words(*expected) == part_to_read(words(0, length), words(*sentence))


def test_the_reranker_is_given_what_stands_around_the_answer(tmp_path):
    said = f"Nothing here. {' '.join(f'word{n}' for n in range(110))}. Prices rise in spring."
    reranker = Longest()
    hit = Searcher(filled(tmp_path, [said]), BagOfWords(), reranker=reranker).search(Query(QUESTION)).hits[0]
    assert "Prices rise in spring." in hit.answer.text
    assert [len(part_to_read(hit.passage.text, hit.answer.text))] == [hit.scores.rerank]
    assert part_to_read(hit.passage.text, hit.answer.text).endswith(hit.answer.text)


def test_the_correlation_is_that_of_ranks():
    values = np.array([0.1, 5, -3, 0.2], np.float32)
    assert 1 == pytest.approx(correlation(values, np.exp(values)))
    assert -1 == pytest.approx(correlation(values, -values))
    assert 0.8 == pytest.approx(correlation(values, np.array([0.2, 5, -3, 0.1], np.float32)))


# -- small cross-encoders with random weights


@pytest.fixture(scope="module")
def cross(tmp_path_factory):
    return cross_encoder(tmp_path_factory.mktemp("cross"))


@pytest.fixture(scope="module")
def reranker(cross, tmp_path_factory):
    return CrossReranker(cross, tmp_path_factory.mktemp("exports"))


PASSAGES = [*SAID, "word " * 600, ""]


def original(cross, passages):
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(cross, device="cpu", max_length=LONGEST)
    return model.predict([(QUESTION, passage) for passage in passages])


def facts(reranker):
    (path,) = reranker.cache.glob("*/encoder.json")
    return json.loads(path.read_text()), sorted(file.name for file in path.parent.glob("*.onnx"))


@pytest.mark.slow
def test_scores_with_weights_of_32_bits_are_those_of_the_cross_encoder(cross, tmp_path, monkeypatch):
    monkeypatch.setattr(rerank, "MIN_CORRELATION", 1.1)
    exact = CrossReranker(cross, tmp_path)
    assert original(cross, PASSAGES).tolist() == pytest.approx(exact.scores(QUESTION, PASSAGES), abs=1e-3)
    config, files = facts(exact)
    assert (True, ["model.onnx"]) == (config["exported"], files)
    assert config["difference"] < 1e-3


@pytest.mark.slow
def test_scores_with_weights_of_8_bits_are_near_them_and_the_same_every_time(cross, reranker):
    scores, expected = reranker.scores(QUESTION, PASSAGES), original(cross, PASSAGES)
    assert np.abs(expected - scores).max() < np.ptp(expected) / 5
    assert len(set(scores[:5])) == 5
    again = CrossReranker(cross, reranker.cache)
    assert scores == again.scores(QUESTION, PASSAGES) == again.scores(QUESTION, PASSAGES)
    assert [] == again.scores(QUESTION, [])
    config, files = facts(reranker)
    assert ["model.int8.onnx"] == files
    assert config["rank_correlation"] > 0.95


@pytest.mark.slow
def test_once_exported_it_starts_neither_torch_nor_sentence_transformers(cross, reranker):
    reranker.scores(QUESTION, SAID)
    code = (
        "import json, sys; from pathlib import Path; from index.embed.rerank import CrossReranker\n"
        "CrossReranker(sys.argv[1], Path(sys.argv[2])).scores('a', ['b'])\n"
        "print(json.dumps(sorted({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, cross, str(reranker.cache)], capture_output=True, text=True, check=True
    )
    assert [] == json.loads(done.stdout)


@pytest.mark.slow
def test_a_model_that_cannot_be_exported_runs_as_it_is(cross, tmp_path, monkeypatch):
    monkeypatch.setattr(rerank, "MAX_DIFFERENCE", -1.0)
    plain = CrossReranker(cross, tmp_path)
    assert original(cross, PASSAGES).tolist() == pytest.approx(plain.scores(QUESTION, PASSAGES), abs=1e-5)
    config, _ = facts(plain)
    assert "disagrees" in config["reason"]


@pytest.mark.slow
def test_a_search_comes_in_the_order_of_the_cross_encoder(store, reranker):
    hits = Searcher(store, BagOfWords(), reranker=reranker).search(Query(QUESTION)).hits
    scores = dict(zip(SAID, reranker.scores(QUESTION, SAID), strict=True))
    assert sorted(SAID, key=scores.get, reverse=True) == [hit.passage.text for hit in hits]
    assert [round(scores[hit.passage.text], 4) for hit in hits] == pytest.approx(
        [hit.scores.rerank for hit in hits], abs=2e-4
    )


@pytest.mark.slow
def test_a_model_with_several_scores_or_broken_weights_is_one_clear_line(tmp_path):
    several, broken = cross_encoder(tmp_path / "several", labels=3), cross_encoder(tmp_path / "broken")
    (Path(broken) / "model.safetensors").write_bytes(b"no weights")
    for model, reason in ((several, "no single number"), (broken, "cannot be run")):
        with pytest.raises(IndexingError, match=reason) as caught:
            CrossReranker(model, tmp_path / "exports").scores(QUESTION, SAID)
        assert "\n" not in str(caught.value)
