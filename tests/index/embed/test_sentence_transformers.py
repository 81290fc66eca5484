import json
import shutil
import subprocess
import sys
from dataclasses import astuple

import numpy as np
import pytest

from index.build import update
from index.embed import sentence_transformers
from index.embed.sentence_transformers import EXPORT, SentenceEmbedder
from index.query import Query
from index.search import Searcher
from index.store.lance import Store
from ingest.errors import IndexingError, IndexMismatchError
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn

QUESTION = "how do I push my top performers without losing them?"
PASSAGES = [
    "Push your top performers by asking them what they want next.",
    "The weather was fine.",
    "word " * 400,
    "",
    "Prices rise in spring. " * 12,
]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    return SentenceEmbedder("all-MiniLM-L6-v2", tmp_path_factory.mktemp("exports"))


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_default_model_is_known_without_loading_it(embedder, tmp_path):
    assert 384 == embedder.dimension
    assert embedder.name.startswith("all-MiniLM-L6-v2@")
    assert embedder.name == SentenceEmbedder("sentence-transformers/all-MiniLM-L6-v2", tmp_path).name


def test_word_pieces_are_counted_without_marks_and_without_a_limit(embedder):
    assert [0, 2, 3] == [embedder.count(text) for text in ("", "hello world", "hello, world")]
    assert 1000 == embedder.count("word " * 1000)


def test_a_model_that_is_not_here_is_named_with_what_to_do(tmp_path):
    with pytest.raises(IndexingError, match=r"no-such-model.*give a directory"):
        _ = SentenceEmbedder("no-such-model", tmp_path).name


def test_weights_that_could_run_code_are_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(IndexingError, match=r"model\.safetensors"):
        _ = SentenceEmbedder(str(tmp_path), tmp_path / "exports").name


def test_a_model_of_the_same_name_with_other_weights_has_another_name(embedder, tmp_path):
    copies = [tmp_path / place / "model" for place in ("one", "two", "three")]
    for copy in copies:
        shutil.copytree(embedder.directory, copy)
    with (copies[2] / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    names = [SentenceEmbedder(str(copy), tmp_path).name for copy in copies]
    assert names[0] == names[1] != names[2]


@pytest.mark.slow
def test_exported_vectors_are_those_of_sentence_transformers(embedder):
    from sentence_transformers import SentenceTransformer

    original = SentenceTransformer(str(embedder.directory), device="cpu").encode(PASSAGES, normalize_embeddings=True)
    vectors = embedder.embed_passages(PASSAGES)
    assert ((len(PASSAGES), 384), np.float32) == (vectors.shape, vectors.dtype)
    assert np.all(np.sum(original * vectors, axis=1) > 0.9999)
    assert np.allclose(1, np.linalg.norm(vectors, axis=1))
    assert np.allclose(vectors[0], embedder.embed_query(PASSAGES[0]), atol=1e-5)
    assert (0, 384) == embedder.embed_passages([]).shape
    (facts,) = (json.loads(path.read_text()) for path in embedder.cache.glob("*/encoder.json"))
    assert facts["cosine"] > 0.9999


@pytest.mark.slow
def test_once_exported_a_question_needs_neither_torch_nor_sentence_transformers(embedder):
    embedder.embed_query(QUESTION)
    loaded = run(
        "import json, sys; from pathlib import Path; from index.embed.sentence_transformers import SentenceEmbedder\n"
        "SentenceEmbedder('all-MiniLM-L6-v2', Path(sys.argv[1])).embed_query(sys.argv[2])\n"
        "print(json.dumps(sorted({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules))))",
        embedder.cache,
        QUESTION,
    )
    assert [] == loaded


def small_model(path, embedder, pooling):
    """A two-layer BERT with random weights and the real vocabulary, as sentence-transformers saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(path / "bert")
    AutoTokenizer.from_pretrained(embedder.directory).save_pretrained(path / "bert")
    bert = Transformer(str(path / "bert"), max_seq_length=64)
    prompts = {"query": "query: ", "document": "passage: "}
    SentenceTransformer(modules=[bert, Pooling(32, pooling)], prompts=prompts, device="cpu").save(str(path / "model"))
    return path / "model"


@pytest.mark.slow
def test_any_model_directory_works_with_its_pooling_and_its_prompts(embedder, tmp_path):
    from sentence_transformers import SentenceTransformer

    path = small_model(tmp_path, embedder, "cls")
    small = SentenceEmbedder(str(path), tmp_path / "exports")
    original = SentenceTransformer(str(path), device="cpu")
    assert 32 == small.dimension
    expected = original.encode(PASSAGES, prompt="passage: ", normalize_embeddings=True)
    assert np.allclose(expected, small.embed_passages(PASSAGES), atol=1e-4)
    expected = original.encode(QUESTION, prompt="query: ", normalize_embeddings=True)
    assert np.allclose(expected, small.embed_query(QUESTION), atol=1e-4)


@pytest.mark.slow
def test_with_weights_of_8_bits_passages_are_near_and_questions_the_same(embedder, tmp_path, monkeypatch):
    path = str(small_model(tmp_path, embedder, "mean"))
    exact = SentenceEmbedder(path, tmp_path / "exports")
    fast = SentenceEmbedder(path, tmp_path / "exports", eight_bits=True)
    assert f"{exact.name}-int8" == fast.name
    vectors, near = exact.embed_passages(PASSAGES), fast.embed_passages(PASSAGES)
    assert 0.98 < np.sum(vectors * near, 1).min() < 0.999_999
    assert np.array_equal(exact.embed_query(QUESTION), fast.embed_query(QUESTION))
    assert astuple(exact.cosine_scale) == pytest.approx(astuple(fast.cosine_scale), abs=1e-4)
    monkeypatch.setattr(sentence_transformers, "MIN_COSINE_EIGHT_BITS", 1.1)
    unused = SentenceEmbedder(path, tmp_path / "exports", eight_bits=True)
    assert np.array_equal(vectors, unused.embed_passages(PASSAGES))


@pytest.mark.slow
def test_a_model_that_cannot_be_exported_runs_as_it_is(embedder, tmp_path):
    small = SentenceEmbedder(str(small_model(tmp_path, embedder, "mean")), tmp_path / "exports")
    home = small.cache / f"{small.name}-{EXPORT}"
    home.mkdir(parents=True)
    (home / "encoder.json").write_text('{"exported": false, "reason": "tried before"}')
    exported = SentenceEmbedder(small.model, tmp_path / "others")
    assert np.allclose(exported.embed_passages(PASSAGES), small.embed_passages(PASSAGES), atol=1e-4)


def test_broken_weights_are_one_clear_line(embedder, tmp_path):
    shutil.copytree(embedder.directory, tmp_path / "model")
    broken = SentenceEmbedder(str(tmp_path / "model"), tmp_path / "exports")
    home = broken.cache / f"{broken.name}-{EXPORT}"
    home.mkdir(parents=True)
    (home / "encoder.json").write_text('{"exported": true, "inputs": ["input_ids"], "max_length": 8, "padding": 0}')
    (home / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(IndexingError, match="cannot be loaded") as caught:
        broken.embed_query("anything")
    assert "\n" not in str(caught.value)


TALKS = ["Prices rise in spring.", "Frogs enjoy the rain.", "Dogs bark at night."]


@pytest.mark.slow
def test_a_second_model_with_prefixes_indexes_and_searches_and_notices_other_prefixes(embedder, tmp_path):
    path = small_model(tmp_path, embedder, "mean")
    library, store = Library(tmp_path / "library"), Store(tmp_path / "index")
    for n, text in enumerate(TALKS):
        library.write(Transcript(Episode("talk", f"g{n}", f"Talk {n}"), (Turn(text),)))
    model = SentenceEmbedder(str(path), tmp_path / "exports")
    update(library, store, model)
    assert TALKS[0] == Searcher(store, model).search(Query(TALKS[0])).hits[0].passage.text
    assert 3 == update(library, store, model).unchanged
    other = SentenceEmbedder(str(path), tmp_path / "exports", passage_prefix="text: ")
    with pytest.raises(IndexMismatchError, match="soundbite index --rebuild"):
        update(library, store, other)
    with pytest.raises(IndexMismatchError, match="soundbite index --rebuild"):
        Searcher(store, other).search(Query("frogs"))
    update(library, store, other, rebuild=True)
    assert Searcher(store, other).search(Query("frogs")).hits


def directory_with(tmp_path, embedder, prompts):
    """The default model's files with these prompts."""
    path = tmp_path / "model"
    shutil.copytree(embedder.directory, path)
    (path / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    return path


@pytest.mark.parametrize(
    ("prompts", "options", "expected"),
    [
        ({}, {}, ("", "")),
        (None, {}, ("", "")),
        ({"query": "query: ", "document": "passage: "}, {}, ("query: ", "passage: ")),
        ({"query": "q: ", "passage": "p: "}, {}, ("q: ", "p: ")),
        ({"query": None}, {"query_prefix": "ask: "}, ("ask: ", "")),
        ({}, {"query_prefix": "ask: ", "passage_prefix": "told: "}, ("ask: ", "told: ")),
        ({"query": "query: "}, {"query_prefix": "ask: "}, ("ask: ", "")),
    ],
)
def test_prefixes_are_those_set_or_those_of_the_models_files(embedder, tmp_path, prompts, options, expected):
    path = directory_with(tmp_path, embedder, prompts)
    assert expected == SentenceEmbedder(str(path), tmp_path, **options)._prompts


def test_another_prefix_is_another_model(embedder, tmp_path):
    path = directory_with(tmp_path, embedder, {})
    options = [{}, {"query_prefix": "q: "}, {"passage_prefix": "q: "}, {"query_prefix": "q: ", "passage_prefix": "p: "}]
    names = [SentenceEmbedder(str(path), tmp_path, **option).name for option in options]
    assert len(set(names)) == len(names)
    assert names[0] == SentenceEmbedder(str(path), tmp_path).name


def test_a_models_file_that_is_no_json_is_one_clear_line(embedder, tmp_path):
    path = directory_with(tmp_path, embedder, {})
    (path / "config_sentence_transformers.json").write_text("{")
    with pytest.raises(IndexingError, match="fetch the model again") as caught:
        _ = SentenceEmbedder(str(path), tmp_path).name
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_scale_belongs_to_a_model_with_its_prefixes(embedder, tmp_path):
    path = str(small_model(tmp_path, embedder, "mean"))
    earlier = tmp_path / "exports" / f"{SentenceEmbedder(path, tmp_path).name}-{EXPORT - 1}"
    earlier.mkdir(parents=True)
    models = [SentenceEmbedder(path, tmp_path / "exports", query) for query in ("", "ask: ")]
    scales = [model.cosine_scale for model in models]
    assert len({*scales, embedder.cosine_scale}) == 3
    assert scales == [SentenceEmbedder(path, tmp_path / "exports", query).cosine_scale for query in ("", "ask: ")]
    assert not earlier.exists()  # an export takes as much room as the model
