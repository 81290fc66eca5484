"""The index brought up to date with the library, for the commands that change the library outside a run."""

from collections.abc import Callable, Sequence

from index.build import BuildReport, update
from index.compare import Comparison, compare
from index.open import open_embedder, open_searcher, open_store
from index.search import Searcher
from index.store.lance import Store
from ingest.ledger import Ledger, unless_damaged
from ingest.models import Advance
from ingest.open import open_library
from ingest.settings import Settings


def update_index(
    settings: Settings, advance: Advance, *, rebuild: bool = False, approve: Callable[[Store], None] = lambda _: None
) -> BuildReport:
    """Index what changed, and tell the ledger what the library holds; the model is loaded only where text changed.

    See `index.build.update` for `rebuild` and `approve`.
    """
    library, ledger = open_library(settings), Ledger(settings.ledger_place)
    unless_damaged(lambda: ledger.reconcile(lambda: {document.key for document in library.documents()}), 0)
    return update(
        library,
        open_store(settings),
        open_embedder(settings),
        lambda progress: advance(progress.done, progress.total),
        rebuild=rebuild,
        approve=approve,
    )


def compared(settings: Settings, questions: Sequence[str], beside: Store) -> list[Comparison]:
    """The answers of the index in use and of one that was built beside it; none where there is none in use.

    Raises `IndexingError` where the model of the one in use is not here any more.
    """
    before = open_searcher(settings)
    if not before.store.folder:
        return []
    return list(compare(questions, before, Searcher(beside, open_embedder(settings))))
