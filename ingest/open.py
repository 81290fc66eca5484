"""Opens what the settings name by path or URL; for the edges alone."""

from hashlib import sha256
from pathlib import Path

from ingest.library import Library
from ingest.settings import Settings
from ingest.storage import FolderStorage, Storage

READ_AGE = 10.0  # seconds that a server's list of a bucket's documents may be old: a listing costs a request a thousand


def open_storage(place: str, default: Path) -> Storage:
    """The folder or the bucket at a path or URL, or the default folder where it is empty. Raises `SettingsError`."""
    if not place.startswith("s3://"):
        return FolderStorage(Path(place) if place else default)
    from ingest.object_storage import ObjectStorage

    return ObjectStorage(place)


def open_library(settings: Settings, *, reader: bool = False) -> Library:
    """The library of the settings; for a `reader` that lives long, what others write may come a few seconds later."""
    storage = open_storage(settings.library, settings.library_dir)
    if isinstance(storage, FolderStorage):
        return Library(storage.root)
    cache = settings.catalogues_dir / sha256(settings.library.encode()).hexdigest()[:16]
    return Library(cache, storage, READ_AGE if reader else 0.0)
