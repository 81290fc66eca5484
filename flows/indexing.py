"""The index brought up to date with the library, for the commands that change the library outside a run."""

from index.build import BuildReport, update
from index.open import open_embedder
from index.store.lance import Store
from ingest.ledger import Ledger, unless_damaged
from ingest.library import Library
from ingest.models import Advance
from ingest.settings import Settings


def update_index(settings: Settings, advance: Advance, *, rebuild: bool = False) -> BuildReport:
    """Index what changed, and tell the ledger what the library holds; the model is loaded only where text changed."""
    library, ledger = Library(settings.library_dir), Ledger(settings.ledger_path)
    if ledger.path.exists():
        keys = {document.key for document in library.documents()}
        unless_damaged(lambda: ledger.reconcile(keys), 0)
    return update(
        library,
        Store(settings.index_dir),
        open_embedder(settings),
        lambda progress: advance(progress.done, progress.total),
        rebuild=rebuild,
    )
