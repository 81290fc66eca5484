"""Brings the index up to date with the library: what is new or changed goes in, what is gone goes out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from index.chunk import Chunk, split
from index.embed.sentence_transformers import Embedder
from index.store.lance import Store
from index.store.schema import IndexedEpisode
from ingest.errors import IndexingError, SoundbiteError, TranscriptError
from ingest.identity import slug
from ingest.models import Transcript

MAINTAIN_EVERY = 20  # episodes; each leaves a fragment


class Shelf(Protocol):
    """What the index asks of the library."""

    @property
    def root(self) -> Path:
        """The folder that paths are told relative to."""

    def paths(self) -> list[Path]:
        """Every transcript."""

    def read(self, path: Path) -> Transcript:
        """One of them; raises `TranscriptError`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: episodes done of those to do, and chunks embedded a second so far."""

    done: int
    total: int
    title: str
    chunks_per_second: float


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a run did, in episodes; `failed` are paths with a reason, whose earlier chunks stay."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    chunks_embedded: int = 0


@dataclass(slots=True)
class _Run:
    """One pass over the library; `seen` maps the keys of episodes found to their paths."""

    before: dict[str, IndexedEpisode]
    seen: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    touched: dict[str, str] = field(default_factory=dict)
    todo: list[tuple[IndexedEpisode, Transcript]] = field(default_factory=list)
    embedded: int = 0


def update(
    library: Shelf,
    store: Store,
    embedder: Embedder,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    rebuild: bool = False,
) -> BuildReport:
    """Index what changed since the last run; with `rebuild`, everything anew, beside the old index until it is whole.

    The embedder is asked for its name alone where nothing changed. Raises `IndexMismatchError`, `IndexingError`; a
    transcript that cannot be read is reported, not raised.
    """
    with _alone(store.root):
        target = store.beside() if rebuild else store
        target.create(embedder.name, embedder.dimension)
        target.require(embedder.name, embedder.dimension)
        torn = target.heal()
        before = {old.path: old for old in target.episodes() if old.key not in torn}
        run = _compare(library, before)
        target.touch(run.touched)
        _index(run, target, embedder, progress)
        gone = _gone(run, target)
        for key in gone:
            target.remove(key)
        target.maintain()
        if rebuild:
            target.publish()
    known = {old.key for old in before.values()}
    added = sum(episode.key not in known for episode, _ in run.todo)
    changed = len(run.todo) - added
    failed = tuple(sorted(run.failed.items()))
    return BuildReport(added, changed, len(run.seen) - len(run.todo), len(gone), failed, run.embedded)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait for any other run on this index to end, so that two never write at once."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / ".lock")
        lock.acquire()
    except OSError as error:
        raise IndexingError(root, f"cannot be written ({error.strerror}); choose another --home") from error
    try:
        yield
    finally:
        lock.release()


def _compare(library: Shelf, before: dict[str, IndexedEpisode]) -> _Run:
    """Tell what is to do. First by size and time of the files, then by their content."""
    run = _Run(before)
    stale = []
    for path in library.paths():
        name, files = path.relative_to(library.root).as_posix(), _files(path)
        old = before.get(name)
        if old and old.files == files:
            run.seen[old.key] = name
        else:
            stale.append((path, name, files))
    for path, name, files in stale:
        try:
            _read(run, library, path, name, files)
        except (SoundbiteError, OSError) as error:
            run.failed[name] = getattr(error, "message", str(error))
    return run


def _read(run: _Run, library: Shelf, path: Path, name: str, files: str) -> None:
    content, old = _content(path), run.before.get(name)
    if old and old.content_hash == content and old.key not in run.seen:
        run.seen[old.key] = name
        run.touched[old.key] = files
        return
    transcript = library.read(path)
    episode = _entry(transcript, name, files, content)
    if other := run.seen.get(episode.key):
        raise TranscriptError(path, f"holds the same episode as {other}; remove one of them")
    run.seen[episode.key] = name
    run.todo.append((episode, transcript))


def _pair(path: Path) -> tuple[Path, Path]:
    return path, path.with_suffix(".json")


def _files(path: Path) -> str:
    """Size and time of both files: as long as they stay, so does the content."""
    marks = []
    for file in _pair(path):
        with suppress(OSError):
            stat = file.stat()
            marks.append(f"{stat.st_size}:{stat.st_mtime_ns}")
    return " ".join(marks)


def _content(path: Path) -> str:
    digest = sha256()
    for file in _pair(path):
        data = file.read_bytes() if file.exists() else b""
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _entry(transcript: Transcript, name: str, files: str, content: str) -> IndexedEpisode:
    episode = transcript.episode
    ends = [segment.end for segment in transcript.segments]
    return IndexedEpisode(
        key=episode.key,
        podcast=slug(episode.podcast),
        guid=episode.guid,
        title=episode.title,
        published=episode.published_at,
        link=episode.link,
        audio_url=episode.audio_url,
        path=name,
        files=files,
        content_hash=content,
        duration=episode.duration or max(ends, default=None),
        approximate=transcript.provenance.get("times") == "approximate",
        flag=str(transcript.provenance.get("flag") or ""),
    )


def _index(run: _Run, store: Store, embedder: Embedder, progress: Callable[[Progress], None]) -> None:
    started = time.perf_counter()
    for done, (episode, transcript) in enumerate(run.todo, 1):
        run.embedded += _put(store, embedder, episode, split(transcript, embedder.count))
        if done % MAINTAIN_EVERY == 0:
            store.maintain()
        pace = run.embedded / max(1e-9, time.perf_counter() - started)
        progress(Progress(done, len(run.todo), episode.title, round(pace, 1)))


def _put(store: Store, embedder: Embedder, episode: IndexedEpisode, chunks: tuple[Chunk, ...]) -> int:
    """Embed the windows whose text is new and replace the episode; of how many chunks one was."""
    import numpy as np

    kept = store.vectors(episode.key)
    texts = [chunk.embedded() for chunk in chunks]
    made = {
        text: vector
        for chunk, parts in zip(chunks, texts, strict=True)
        if chunk.id in kept
        for text, vector in zip(parts, kept[chunk.id], strict=True)
    }
    new = list(dict.fromkeys(text for parts in texts for text in parts if text not in made))
    made |= dict(zip(new, embedder.embed_passages(new), strict=True))
    store.replace(episode, chunks, [np.asarray([made[text] for text in parts], np.float32) for parts in texts])
    return sum(not set(new).isdisjoint(parts) for parts in texts)


def _gone(run: _Run, store: Store) -> list[str]:
    """Episodes whose transcript is no longer in the library; one that cannot be read now is not gone."""
    return [old.key for old in store.episodes() if old.key not in run.seen and old.path not in run.failed]
