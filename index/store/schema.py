"""The tables of the index: episodes and chunks as rows, rows as arrays to score, restrictions as SQL; pure but for Arrow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from index.chunk import CHUNKER, PASSAGE, Chunk
from index.chunk_arrays import ChunkArrays, bounds_of, build_arrays
from index.embed.base import Vectors
from index.embed.quantize import MAX_RUN, dequantize, quantize, run_norms
from index.query import Query
from index.scoring import document_frequencies
from index.sentence_span import SentenceTable, pack
from index.speakers import Speakers, comparable
from index.text.language import ENGLISH
from index.text.terms import hash_term, stems
from index.text.titles import without_number
from index.text.vocabulary import words_by_term

SCHEMA = 7  # goes up whenever the tables change
LAYOUT = f"{SCHEMA}.{CHUNKER}"
PASSAGES, LENGTH, LANGUAGE = " passages", " length", " language "  # rows among the terms, named as no term can be

# Columns of `chunks`: what a hit shows, and what is read to score.
_OF_EPISODE = ("podcast", "guid", "title", "published", "link", "audio_url", "approximate", "language")
HIT_COLUMNS = ("key", *_OF_EPISODE, "text", "speakers")
SCORING_COLUMNS = (
    "first_word", "sentence_stats", "terms", "title_terms", "windows", "window_vectors", "window_scales", "window_norms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndexedEpisode:
    """One episode as it was indexed; `path` is the document's name in the library, `version` that of the document.

    `duration` is seconds, `language` a primary subtag (`en`). `approximate` says that its times may be off (adverts put in at download), `flag` why not to
    trust its text.
    """

    key: str
    podcast: str
    guid: str
    title: str
    published: datetime | None
    link: str
    audio_url: str
    path: str
    version: str
    content_hash: str
    chunks: int = 0
    duration: float | None = None
    approximate: bool = False
    flag: str = ""
    language: str = ENGLISH


def restriction(query: Query, speakers: Speakers | None = None) -> str:
    """A query's filters in the store's SQL, every value quoted; empty where there are none."""
    parts = []
    if query.podcast_slug:
        parts.append(f"podcast = {quoted(query.podcast_slug)}")
    if speakers:
        parts.append(_says(speakers))
    if query.language_code:
        parts.append(f"language = {quoted(query.language_code)}")
    if query.published_from:
        parts.append(f"published >= {_timestamp(query.published_from)}")
    if query.published_before:
        parts.append(f"published < {_timestamp(query.published_before)}")
    return " AND ".join(parts)


def _says(speakers: Speakers) -> str:
    ways = [f"array_has_any(speaker_names, {_listed(speakers.names)})"]
    for podcast, names in speakers.aliases.items():
        ways.append(f"(podcast = {quoted(podcast)} AND array_has_any(speaker_names, {_listed(names)}))")
    return f"({' OR '.join(ways)})"


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(quoted(name) for name in sorted(names))}]"


def quoted(value: str) -> str:
    """A text literal for the store's SQL: quotes doubled, without NUL, which cannot be stored."""
    return "'" + value.replace("\0", "").replace("'", "''") + "'"


def _timestamp(value: datetime) -> str:
    return f"timestamp '{value.astimezone(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')}'"


# -- nouns to rows


def chunk_row(episode: IndexedEpisode, chunk: Chunk, vectors: Vectors) -> dict[str, Any]:
    """A row of `chunks`; `vectors` are those of its windows.

    Full-text search and BM25 read terms: those of the title and of misheard words first, then those of the sentences.
    """
    title_terms = stems(" ".join((without_number(episode.title), *chunk.misheard)), episode.language)
    quantized, scales = quantize(vectors)
    vectors = dequantize(quantized, scales)  # so that a chunk written again from what is stored is the same
    mean = vectors.sum(0)
    return {
        **{name: getattr(episode, name) for name in _OF_EPISODE},
        **{name: getattr(chunk, name) for name in ("id", "key", "first_word", "text", "speakers")},
        "speaker_names": [comparable(name) for name in chunk.speakers],
        "sentence_stats": pack(chunk.sentences),
        "terms": [hash_term(term) for term in chunk.terms],
        "title_terms": [hash_term(term) for term in title_terms],
        "indexed_text": " ".join([*title_terms, *chunk.terms]),
        "windows": [0, *chunk.windows],
        "window_vectors": quantized.ravel(),
        "window_scales": scales,
        "window_norms": run_norms(vectors).ravel(),
        "vector": mean / max(1e-9, float((mean @ mean) ** 0.5)),
    }


def episode_row(episode: IndexedEpisode, chunks: Sequence[Chunk], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A row of `episodes`, with the document frequencies of its terms; `rows` are those of its chunks."""
    frequencies = document_frequencies(row["indexed_text"] for row in rows)
    return {
        **asdict(episode),
        "chunks": len(chunks),
        "speakers": sorted({name for chunk in chunks for name in chunk.speakers}),
        "length": sum(_passage_terms(chunk, row["title_terms"]) for chunk, row in zip(chunks, rows, strict=True)),
        "terms": list(frequencies),
        "term_chunks": list(frequencies.values()),
    }


def _passage_terms(chunk: Chunk, title_terms: Sequence[int]) -> int:
    """How many terms a passage of a chunk has: those of the title, and its share of the sentences'."""
    pieces = sum(sentence.pieces for sentence in chunk.sentences)
    return len(title_terms) + len(chunk.terms) * PASSAGE // max(PASSAGE, pieces)


def words_of(episode: IndexedEpisode, chunks: Sequence[Chunk]) -> dict[str, list[str]]:
    """The words of an episode by their terms, as the table of terms keeps them: with their language (`en:Prices`)."""
    words = words_by_term([episode.title, *(chunk.text for chunk in chunks)], episode.language)
    return {term: [f"{episode.language}:{word}" for word in written] for term, written in words.items()}


def statistics(row: Mapping[str, Any]) -> dict[str, int]:
    """What a row of `episodes` adds to the table of terms."""
    language = f"{LANGUAGE}{row['language']}"
    return {
        PASSAGES: row["chunks"],
        LENGTH: row["length"],
        language: 1,
        **dict(zip(row["terms"], row["term_chunks"], strict=True)),
    }


# -- rows to arrays


def chunk_arrays(rows: Any) -> ChunkArrays:
    """Rows of `chunks` as arrays; they have the columns `SCORING_COLUMNS`, `key` and `speaker_names`."""
    stats, stat_bounds = _flat(rows["sentence_stats"])
    sentences = SentenceTable(stats)
    sentence_bounds = stat_bounds // sentences.values.shape[1]
    windows, window_bounds = _flat(rows["windows"])
    starts = np.asarray(windows) + np.repeat(sentence_bounds[:-1], np.diff(window_bounds))
    starts = np.delete(starts, window_bounds[1:-1] - 1)  # the end of one chunk is where the next begins
    title_terms, title_bounds = _flat(rows["title_terms"])
    return build_arrays(
        sentences,
        sentence_bounds,
        starts,
        np.asarray(_flat(rows["window_norms"])[0]).reshape(-1, MAX_RUN),
        episode=np.asarray(_joined(rows["key"]).dictionary_encode().indices, np.int64),
        first_word=np.asarray(rows["first_word"], np.int64),
        speaker=_speakers(rows["speaker_names"], sentences.column("speaker"), sentence_bounds),
        terms=np.asarray(_flat(rows["terms"])[0]),
        title_terms=np.asarray(title_terms),
        title_bounds=title_bounds,
        vectors=np.asarray(_flat(rows["window_vectors"])[0]).reshape(len(starts) - 1, -1),
        scales=np.asarray(_flat(rows["window_scales"])[0]),
    )


def _speakers(names: Any, numbers: Any, sentence_bounds: Any) -> Any:
    """The hashed name of each sentence's speaker; 0 where nobody is named."""
    flat, bounds = _flat(names)
    hashes = np.array([*(hash_term(name) for name in flat.to_pylist()), 0], np.int64)
    places = numbers + np.repeat(bounds[:-1], np.diff(sentence_bounds))
    return hashes[np.where(numbers < 0, -1, places)]


def _joined(column: Any) -> Any:
    """A column as one array, without a copy where it is one already."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _flat(column: Any) -> tuple[Any, Any]:
    """The values of a column of lists, one after the other, and where those of each row begin."""
    lists = _joined(column)
    return lists.flatten(), bounds_of(np.asarray(lists.value_lengths()))


# -- tables


def schemas(model: str, dimension: int) -> dict[str, Any]:
    """Arrow schemas of the three tables in the order they are made, stamped with what they are made for."""
    import pyarrow as pa

    text, count, number, seconds = pa.string(), pa.int64(), pa.int32(), pa.float64()
    names, numbers, reals = pa.list_(text), pa.list_(number), pa.list_(pa.float32())
    of_episode = {
        "key": text, "podcast": text, "guid": text, "title": text, "published": pa.timestamp("us", "UTC"), "link": text,
        "audio_url": text, "approximate": pa.bool_(),
        "language": text,
    }  # fmt: skip
    chunks = {
        "id": text, **of_episode, "first_word": count, "text": text, "speakers": names, "speaker_names": names,
        "indexed_text": text, "sentence_stats": numbers, "terms": numbers, "title_terms": numbers, "windows": numbers,
        "window_vectors": pa.list_(pa.int8()), "window_scales": reals, "window_norms": reals,
        "vector": pa.list_(pa.float32(), dimension),
    }  # fmt: skip
    episodes = {
        **of_episode, "path": text, "version": text, "content_hash": text, "chunks": count, "duration": seconds,
        "flag": text, "speakers": names, "length": count, "terms": names, "term_chunks": pa.list_(count),
    }  # fmt: skip
    tables = {
        "chunks": chunks,
        "terms": {"term": text, "chunks": count, "words": names},
        "episodes": episodes,
    }  # the last completes it
    stamp = {"model": model, "dimension": str(dimension), "layout": LAYOUT}
    return {name: pa.schema(list(columns.items()), metadata=stamp) for name, columns in tables.items()}


EPISODE_COLUMNS = tuple(field.name for field in fields(IndexedEpisode))
