"""What the index keeps of an episode and a chunk, as nouns, as rows and as arrays to score; pure but for Arrow's types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from index import scoring as rank
from index.chunk import CHUNKER, PASSAGE, Chunk
from index.chunk_arrays import RUNS, Found, arranged, hashed, norms, small

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

SCHEMA = 5  # goes up whenever the tables change
LAYOUT = f"{SCHEMA}.{CHUNKER}"
PASSAGES, LENGTH, STAMP = " passages", " length", " stamp"  # rows among the terms, named as no term can be
STAMP_BITS = 60
_EPISODE = ("podcast", "guid", "title", "published", "link", "audio_url", "approximate")
MARK = ("begin", "end", "speaker", "start", "stop")
_FIGURES = ("words", "pieces", "voice", "advert")

# What a hit shows beside its marks, and what it is chosen by, as columns of `chunks`.
SHOWN = ("podcast", "guid", "title", "published", "link", "audio_url", "text", "approximate")
SCORED = ("key", "first", "figures", "stems", "lead", "windows", "window_vectors", "window_scales", "window_norms")


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


def plain(value: str) -> str:
    """A text as the store keeps it: without what cannot stand there."""
    return value.replace("\0", "")


def quoted(value: str) -> str:
    """A text literal for the store's SQL; a quote inside is doubled."""
    return "'" + plain(value).replace("'", "''") + "'"


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


def chunk_row(episode: IndexedEpisode, chunk: Chunk, vectors: "Vectors") -> dict[str, Any]:
    """A row of `chunks`; `vectors` are those of its windows.

    Full-text search and BM25 read stems: those of the title and of words heard wrong lead, those of what is said follow.
    """
    shown = {name: getattr(episode, name) for name in _EPISODE}
    own = {name: getattr(chunk, name) for name in ("id", "key", "position", "first", "text")}
    lead = rank.stems(" ".join((episode.title, *chunk.heard)))
    said = [rank.stems(quote) for quote in chunk.quotes()]
    kept, scales = small(vectors)
    vectors = unpacked(kept, scales)  # so that a chunk written again from what is kept is the same
    mean = vectors.sum(0)
    return {
        **shown,
        **own,
        "content_hash": episode.content_hash,
        "voices": [name.casefold() for name in chunk.speakers],
        "marks": [{name: getattr(mark, name) for name in MARK} for mark in chunk.marks],
        "figures": [
            {
                **{name: getattr(mark, name) for name in _FIGURES},
                "stems": len(stems),
                "signature": hashed(" ".join(stems)),
                "speaker": hashed(mark.speaker.casefold()),
            }
            for mark, stems in zip(chunk.marks, said, strict=True)
        ],
        "stems": [hashed(stem) for stems in said for stem in stems],
        "lead": [hashed(stem) for stem in lead],
        "indexed_text": " ".join([*lead, *(stem for stems in said for stem in stems)]),
        "windows": [0, *chunk.windows],
        "window_vectors": kept.ravel(),
        "window_scales": scales,
        "window_norms": norms(vectors).ravel(),
        "vector": mean / max(1e-9, float((mean @ mean) ** 0.5)),
    }


def unpacked(vectors: Any, scales: Any) -> "Vectors":
    """Vectors of windows as they were embedded, float32 [windows, dimension]."""
    import numpy as np

    wide: Vectors = np.asarray(vectors, np.float32).reshape(len(scales), -1) * np.asarray(scales, np.float32)[:, None]
    return wide


def typical(row: Mapping[str, Any]) -> int:
    """How many terms a passage of a chunk has: those of its lead and its share of what is said."""
    pieces = sum(figure["pieces"] for figure in row["figures"])
    terms: int = len(row["lead"]) + len(row["stems"]) * PASSAGE // max(PASSAGE, pieces)
    return terms


def lengths(rows: Any) -> "tuple[NDArray[np.int64], int]":
    """The terms of each row, and of the `typical` passages of all together."""
    import numpy as np

    figures, sentences = _flat(rows["figures"])
    place = np.concatenate([[0], np.cumsum(np.asarray(figures.field("pieces"), np.int64))])
    pieces = place[sentences[1:]] - place[sentences[:-1]]
    stems, lead = (np.diff(_flat(rows[name])[1]) for name in ("stems", "lead"))
    return stems + lead, int(np.sum(lead + stems * PASSAGE // np.maximum(PASSAGE, pieces)))


def found(rows: Any) -> Found:
    """Rows of `chunks` (their columns `SCORED`) as arrays."""
    import numpy as np

    figures, sentences = _flat(rows["figures"])
    stems, _ = _flat(rows["stems"])
    lead, leads = _flat(rows["lead"])
    windows, bounds = _flat(rows["windows"])
    vectors, _ = _flat(rows["window_vectors"])
    scales, within = _flat(rows["window_scales"])
    column = {
        name: np.asarray(figures.field(name)) for name in ("words", "pieces", "voice", "stems", "signature", "speaker")
    }
    starts = np.asarray(windows) + np.repeat(sentences[:-1], np.diff(bounds))
    inner = np.delete(starts, bounds[1:-1] - 1)  # the end of one chunk is where the next begins
    return arranged(
        episode=np.asarray(joined(rows["key"]).dictionary_encode().indices, np.int64),
        first=np.asarray(rows["first"], np.int64),
        sentences=sentences,
        words=column["words"].astype(np.int64),
        pieces=column["pieces"].astype(np.int64),
        voice=column["voice"],
        advert=np.asarray(figures.field("advert").cast("int8")).astype(bool),
        signature=column["signature"].astype(np.int64),
        speaker=column["speaker"].astype(np.int64),
        stems=np.asarray(stems),
        spread=np.concatenate([[0], np.cumsum(column["stems"], dtype=np.int64)]),
        lead=np.asarray(lead),
        leads=leads,
        starts=inner,
        windows=within,
        vectors=np.asarray(vectors).reshape(len(inner) - 1, -1),
        scales=np.asarray(scales),
        norms=np.asarray(_flat(rows["window_norms"])[0]).reshape(len(inner) - 1, RUNS),
    )


def joined(column: Any) -> Any:
    """A column as one array; its own where it is one already, for to combine is to copy."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _flat(column: Any) -> tuple[Any, Any]:
    """The values of a column of lists, one after the other, and where each row's begin (and the last one's end)."""
    import numpy as np

    lists = joined(column)
    lengths = np.asarray(lists.value_lengths(), np.int64)
    return lists.flatten(), np.concatenate([[0], np.cumsum(lengths)])


def episode_row(episode: IndexedEpisode) -> dict[str, Any]:
    """A row of `episodes`, still without its terms."""
    return {name: getattr(episode, name) for name in IndexedEpisode.__dataclass_fields__}


def schemas(model: str, dimension: int) -> dict[str, Any]:
    """The three tables in the order they are made, stamped with what they were made for."""
    import pyarrow as pa

    text, whole, small, seconds, names = pa.string(), pa.int64(), pa.int32(), pa.float64(), pa.list_(pa.string())
    mark = pa.struct([("begin", small), ("end", small), ("speaker", text), ("start", seconds), ("stop", seconds)])
    figure = pa.struct(
        [("words", small), ("pieces", small), ("voice", pa.float32()), ("advert", pa.bool_()), ("stems", small),
         ("signature", small), ("speaker", small)]
    )  # fmt: skip
    shown = {
        "key": text, "podcast": text, "guid": text, "title": text, "published": pa.timestamp("us", "UTC"), "link": text,
        "audio_url": text, "approximate": pa.bool_(),
    }  # fmt: skip
    chunks = {
        "id": text, **shown, "position": whole, "first": whole, "text": text, "voices": names, "marks": pa.list_(mark),
        "content_hash": text, "indexed_text": text, "figures": pa.list_(figure), "stems": pa.list_(small),
        "lead": pa.list_(small), "windows": pa.list_(small), "window_vectors": pa.list_(pa.int8()),
        "window_scales": pa.list_(pa.float32()),
        "window_norms": pa.list_(pa.float32()),
        "vector": pa.list_(pa.float32(), dimension),
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
