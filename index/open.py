"""Builds what searches and indexes from the settings; for the edges alone."""

from collections.abc import Callable, Collection
from functools import partial

from index.embed.base import Embedder
from index.embed.exported import find_exported
from index.embed.pair import EmbedderPair
from index.embed.rerank import CrossReranker
from index.embed.sentence_transformers import SentenceEmbedder
from index.search import Searcher
from index.store.lance import Store
from ingest.ledger import Ledger, unless_damaged
from ingest.open import open_storage
from ingest.settings import Settings
from ingest.storage import FolderStorage
from ingest.weights.files import model_path
from ingest.weights.published import EMBEDDING

READ_AGE = 1.0  # seconds: without it every search asks a bucket four times whether there is something new
EXPORTS = "encoder"  # folder in the index's where models run from


def open_embedder(settings: Settings) -> Embedder:
    """The embedding model of the settings, or the pair of them; nothing is loaded yet."""
    exports, prefixes = settings.index_dir / EXPORTS, (settings.query_prefix, settings.passage_prefix)
    model = _fetched(settings, settings.embedding_model)
    if not settings.query_model:
        return SentenceEmbedder(model, exports, *prefixes, eight_bits=settings.passage_int8)
    passages = SentenceEmbedder(model, exports, "", settings.passage_prefix, eight_bits=settings.passage_int8)
    questions = SentenceEmbedder(_fetched(settings, settings.query_model), exports, settings.query_prefix)
    return EmbedderPair(passages, questions, exports)


def _fetched(settings: Settings, model: str) -> str:
    """Where `soundbite model pull` has put a model; its name where it has not."""
    return str(model_path(model, settings.models_dir, EMBEDDING) or model)


def open_store(settings: Settings, *, reader: bool = False) -> Store:
    """The index of the settings; nothing is opened yet. A `reader` asks a bucket less often what is new."""
    storage = open_storage(settings.index, settings.index_dir)
    if isinstance(storage, FolderStorage):
        return Store(storage.root)
    return Store(settings.index_dir, storage=storage, max_age=READ_AGE if reader else 0.0)


def open_searcher(settings: Settings, counts: Callable[[Collection[str]], tuple[int, int]] | None = None) -> Searcher:
    """A searcher over a home; nothing is loaded before the first query.

    `counts` gives the numbers of episodes pending and failed of some podcasts; those of the home's ledger unless given.
    """
    reranker = CrossReranker(settings.rerank_model, settings.index_dir / EXPORTS) if settings.rerank_model else None
    ledger = Ledger(settings.ledger_place)  # which opens nothing before it is asked
    counts = counts or (lambda podcasts: unless_damaged(lambda: ledger.counts(podcasts), (0, 0)))
    nothing: dict[str, str] = {}
    titles = lambda: unless_damaged(ledger.titles, nothing)  # noqa: E731 - as short as it reads
    exports = partial(find_exported, cache=settings.index_dir / EXPORTS)
    return Searcher(open_store(settings, reader=True), open_embedder(settings), counts, reranker, titles, exports)
