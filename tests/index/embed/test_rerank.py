from pathlib import Path

import pytest

from index.build import update
from index.embed.model_files import DEFAULT, locate
from index.embed.rerank import RERANKED, CrossReranker
from index.query import Query
from index.search import Searcher
from index.store.lance import Store
from ingest.errors import IndexingError
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords

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
        () == Searcher(store, BagOfWords(), reranker=CrossReranker("nowhere")).search(Query("zebra", mode="text")).hits
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
        Searcher(store, BagOfWords(), reranker=CrossReranker(model)).search(Query(QUESTION))
    assert "\n" not in str(caught.value)


# -- small cross-encoders with random weights


def cross_encoder(path, labels=1, layers=2, size=32):
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=size, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=4 * size, num_labels=labels,
        initializer_range=0.3,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(path)
    AutoTokenizer.from_pretrained(locate(DEFAULT)).save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def cross(tmp_path_factory):
    return cross_encoder(tmp_path_factory.mktemp("cross"))


@pytest.mark.slow
def test_scores_are_those_of_the_cross_encoder_every_time(cross):
    from sentence_transformers import CrossEncoder

    passages = [*SAID, "word " * 600, ""]
    expected = CrossEncoder(cross, device="cpu").predict([(QUESTION, passage) for passage in passages])
    scores = CrossReranker(cross).scores(QUESTION, passages)
    assert expected.tolist() == pytest.approx(scores, abs=1e-5)
    assert len(set(scores[:5])) == 5
    again = CrossReranker(cross)
    assert scores == again.scores(QUESTION, passages) == again.scores(QUESTION, passages)
    assert [] == again.scores(QUESTION, [])


@pytest.mark.slow
def test_a_search_comes_in_the_order_of_the_cross_encoder(store, cross):
    reranker = CrossReranker(cross)
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
            CrossReranker(model).scores(QUESTION, SAID)
        assert "\n" not in str(caught.value)
