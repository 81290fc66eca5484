"""What the index keeps of an episode and a chunk, as nouns and as rows; pure but for Arrow's schemas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from index import rank
from index.chunk import CHUNKER, Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

SCHEMA = 2  # goes up whenever the tables change
LAYOUT = f"{SCHEMA}.{CHUNKER}"
PASSAGES, LENGTH, STAMP = " passages", " length", " stamp"  # rows among the terms, named as no term can be
STAMP_BITS = 60

# What a hit shows and how passages are told apart, as columns of `chunks`.
SHOWN = (
    "id", "key", "podcast", "guid", "title", "published", "link", "audio_url", "first", "last", "text", "speaker", "start",
    "end", "marks", "approximate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndexedEpisode:
    """One episode as it was indexed; `path` is relative to the library, `files` tells whether it was touched since.

    `approximate` says that its times may be off (adverts), `flag` why not to trust its text.
    """

    key: str
    podcast: str
    guid: str
    title: str
    published: datetime | None
    link: str
    audio_url: str
    path: str
    files: str
    content_hash: str
    chunks: int = 0
    duration: float | None = None
    approximate: bool = False
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What hits are restricted to; empty and None restrict nothing. `podcast` is a slug, `until` itself excluded."""

    podcast: str = ""
    speaker: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def sql(self) -> str:
        """The restriction in the store's language, every value quoted."""
        parts = []
        if self.podcast:
            parts.append(f"podcast = {quoted(self.podcast)}")
        if self.speaker:
            parts.append(f"array_has(voices, {quoted(self.speaker.casefold())})")
        if self.since:
            parts.append(f"published >= {moment(self.since)}")
        if self.until:
            parts.append(f"published < {moment(self.until)}")
        return " AND ".join(parts)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages that may answer: `rows` as the store keeps them, with their vectors and stems in the same order."""

    rows: Any
    vectors: "Vectors"
    stems: Sequence[str]
    known: rank.Frequencies

    def row(self, i: int) -> dict[str, Any]:
        """All that a hit shows of the i-th."""
        row: dict[str, Any] = self.rows.slice(i, 1).to_pylist()[0]
        return row


def quoted(value: str) -> str:
    """A text literal for the store's SQL; a quote inside is doubled, what cannot stand there is left out."""
    return "'" + value.replace("\0", "").replace("'", "''") + "'"


def moment(value: datetime) -> str:
    """A moment for the store's SQL."""
    return f"timestamp '{value.astimezone(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')}'"


def mark_of(key: str, content_hash: str) -> int:
    """An episode's part of the sum that says which contents the document frequencies were counted over."""
    return int(sha256(f"{key}:{content_hash}".encode()).hexdigest()[:15], 16)


def held(row: Mapping[str, Any]) -> dict[str, int]:
    """What an episode's row adds to the table of terms."""
    totals = dict(
        zip(
            (PASSAGES, LENGTH, STAMP),
            (row["chunks"], row["length"], mark_of(row["key"], row["content_hash"])),
            strict=True,
        )
    )
    return {**totals, **dict(zip(row["terms"], row["term_chunks"], strict=True))}


def chunk_row(episode: IndexedEpisode, chunk: Chunk, vector: "Vectors") -> dict[str, Any]:
    """A row of `chunks`; full-text search and BM25 read the stems of the title and what is said, without labels."""
    named = ("podcast", "guid", "title", "published", "link", "audio_url", "approximate")
    shown = {name: getattr(episode, name) for name in named}
    own = {
        name: getattr(chunk, name)
        for name in ("id", "key", "position", "first", "last", "text", "speaker", "start", "end")
    }
    return {
        **shown,
        **own,
        "content_hash": episode.content_hash,
        "speakers": list(chunk.speakers),
        "voices": [name.casefold() for name in chunk.speakers],
        "marks": [{name: getattr(mark, name) for name in mark.__slots__} for mark in chunk.marks],
        "indexed_text": " ".join(rank.stems(" ".join((episode.title, chunk.spoken, *chunk.heard)))),
        "vector": vector,
    }


def episode_row(episode: IndexedEpisode) -> dict[str, Any]:
    """A row of `episodes`, still without its terms."""
    return {name: getattr(episode, name) for name in IndexedEpisode.__dataclass_fields__}


def schemas(model: str, dimension: int) -> dict[str, Any]:
    """The three tables in the order they are made, stamped with what they were made for."""
    import pyarrow as pa

    text, whole, seconds, names = pa.string(), pa.int64(), pa.float64(), pa.list_(pa.string())
    date = pa.timestamp("us", "UTC")
    mark = pa.struct([("begin", whole), ("end", whole), ("speaker", text), ("start", seconds), ("stop", seconds)])
    shown = {
        "key": text,
        "podcast": text,
        "guid": text,
        "title": text,
        "published": date,
        "link": text,
        "audio_url": text,
        "approximate": pa.bool_(),
    }
    chunks = {
        "id": text, **shown, "position": whole, "first": whole, "last": whole, "text": text, "indexed_text": text,
        "speaker": text, "speakers": names, "voices": names, "start": seconds, "end": seconds, "marks": pa.list_(mark),
        "content_hash": text, "vector": pa.list_(pa.float32(), dimension),
    }  # fmt: skip
    episodes = {
        **shown, "path": text, "files": text, "content_hash": text, "chunks": whole, "duration": seconds, "length": whole,
        "flag": text, "terms": names, "term_chunks": pa.list_(whole),
    }  # fmt: skip
    stamp = {"model": model, "dimension": str(dimension), "schema": LAYOUT}
    tables = {
        "chunks": chunks,
        "terms": {"term": text, "chunks": whole},
        "episodes": episodes,
    }  # the last makes it complete
    return {name: pa.schema(list(columns.items()), metadata=stamp) for name, columns in tables.items()}


def matrix(rows: Any) -> "Vectors":
    """The vectors of rows as one array, [rows, dimension]; [0, 0] where there are no rows (None)."""
    import numpy as np

    if rows is None:
        return np.zeros((0, 0), np.float32)
    column = rows["vector"].combine_chunks()
    return np.asarray(column.flatten(), np.float32).reshape(len(rows), column.type.list_size)
