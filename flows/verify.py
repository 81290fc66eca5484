"""Compares library, ledger and index, and says of each difference what mends it; nothing is changed."""

from collections import Counter
from collections.abc import Iterator

from flows.doctor import Finding
from index.store.lance import Store
from index.store.schema import IndexedEpisode
from ingest.errors import IndexingError, IndexNotBuiltError, TranscriptError
from ingest.ledger import Ledger
from ingest.library import Document, Library

INDEX = "`soundbite index` mends that"
REBUILD = "`soundbite index --rebuild` makes it anew, beside the old one"
RUN = "the next `soundbite run` mends that"


def differences(library: Library, ledger: Ledger, store: Store) -> list[Finding]:
    """What does not fit together; empty where all does. Raises `HomeError` where the ledger cannot be read."""
    documents = library.documents()
    by_key = {document.key: document for document in documents if document.key}
    return [*_documents(library, documents), *_ledger(ledger, by_key), *_index(store, by_key)]


def _documents(library: Library, documents: list[Document]) -> Iterator[Finding]:
    """Every transcript is read whole; each episode has one."""
    for document in documents:
        try:
            library.read(document.name)
        except TranscriptError as error:
            yield _wrong(document.name, error.message)
    for key, count in Counter(document.key for document in documents if document.key).items():
        if count > 1:
            names = ", ".join(document.name for document in documents if document.key == key)
            yield _wrong(key[:8], f"is held by {names}; remove all but one")


def _ledger(ledger: Ledger, documents: dict[str, Document]) -> Iterator[Finding]:
    feeds = set(ledger.names())
    for record in ledger.records():
        episode = record.episode
        if episode.podcast not in feeds:
            continue
        name, there = f"{episode.podcast}: {episode.title}", episode.key in documents
        if record.status == "done" and not there:
            yield _wrong(name, f"is done by the ledger and not in the library; {RUN}")
        elif record.status != "done" and there:
            yield _wrong(name, f"is {record.status} by the ledger and in the library; {RUN}")


def _index(store: Store, documents: dict[str, Document]) -> Iterator[Finding]:
    try:
        store.check_files()
        indexed, chunks = {one.key: one for one in store.episodes()}, store.chunk_counts()
    except IndexNotBuiltError:
        if documents:
            yield _wrong("index", f"is not built, for {len(documents)} transcripts; {INDEX}")
        return
    except IndexingError as error:
        yield _wrong("index", str(error))
        return
    yield from _not_indexed(documents, indexed)
    for key, one in indexed.items():
        if key not in documents:
            yield _wrong(one.path, f"is indexed and not in the library; {INDEX}")
        if chunks.get(key, 0) != one.chunks:
            yield _wrong(one.path, f"has {chunks.get(key, 0)} chunks in the index instead of {one.chunks}; {REBUILD}")
    if orphans := chunks.keys() - indexed.keys():
        yield _wrong("index", f"holds chunks of {len(orphans)} episodes that it does not list; {REBUILD}")


def _not_indexed(documents: dict[str, Document], indexed: dict[str, IndexedEpisode]) -> Iterator[Finding]:
    for key, document in documents.items():
        one = indexed.get(key)
        if one is None:
            yield _wrong(document.name, f"is not indexed; {INDEX}")
        elif (one.path, one.version) != (document.name, document.version):
            yield _wrong(document.name, f"has changed since it was indexed; {INDEX}")


def _wrong(what: str, found: str) -> Finding:
    return Finding(what, found, ok=False)
