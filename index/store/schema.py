"""The tables of the index: episodes and chunks as rows, rows as arrays to score, restrictions as SQL; pure but for Arrow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from index.chunk import CHUNKER, PASSAGE, Chunk
from index.chunk_arrays import ChunkArrays, build_arrays
from index.embed.base import Vectors
from index.embed.quantize import MAX_RUN, dequantize, quantize, run_norms
from index.query import Query
from index.scoring import document_frequencies
from index.sentence_span import SentenceTable, pack
from index.speakers import Speakers, comparable
from index.store.record import Record, Records, pack_record
from index.text.language import ENGLISH
from index.text.terms import hash_term, stems
from index.text.titles import without_number
from index.text.vocabulary import words_by_term
from ingest.times import iso

SCHEMA = 10  # goes up whenever the tables change
LAYOUT = f"{SCHEMA}.{CHUNKER}"
# Rows among the terms, named as no term can be; the last with the code of a language behind it.
EPISODES, PASSAGES, LENGTH, LANGUAGE = " episodes", " passages", " length", " language "

_SHOWN = (
    "key",
    "podcast",
    "podcast_title",
    "guid",
    "title",
    "link",
    "audio_url",
    "approximate",
    "flag",
    "source",
    "model",
    "language",
)  # of the episode, by a hit


@dataclass(frozen=True, slots=True)
class IndexedEpisode:
    """One episode as it was indexed; `path` is the document's name in the library, `version` that of the document.

    `duration` is seconds, `language` a primary subtag (`en`). `approximate` says that its times may be off (adverts put in
    at download), `flag` why not to trust its text, `source` and `model` where it comes from. `podcast` is the slug,
    `podcast_title` the name.
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
    podcast_title: str = ""
    source: str = ""
    model: str = ""


def restriction(query: Query, speakers: Speakers | None = None) -> str:
    """A query's filters in the store's SQL, every value quoted; empty where there are none."""
    parts = []
    if query.podcast_slugs:
        parts.append(f"podcast IN ({', '.join(map(quoted, query.podcast_slugs))})")
    if query.episode:
        parts.append(f"key = {quoted(query.episode)}")
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
    title_terms = _title_terms(episode, chunk)
    quantized, scales = quantize(vectors)
    vectors = dequantize(quantized, scales)  # so that a chunk written again from what is stored is the same
    mean = vectors.sum(0)
    speakers = [comparable(name) for name in chunk.speakers]
    arrays = {
        "sentence_stats": pack(chunk.sentences),
        "terms": [hash_term(term) for term in chunk.terms],
        "title_terms": [hash_term(term) for term in title_terms],
        "windows": [0, *chunk.windows],
        "speaker_hashes": [hash_term(name) for name in speakers],
        "window_vectors": quantized,
        "window_scales": scales,
        "window_norms": run_norms(vectors),
    }
    facts = {name: getattr(episode, name) for name in _SHOWN}
    facts |= {"published": iso(episode.published), "text": chunk.text, "speakers": chunk.speakers}
    return {
        "id": chunk.id,
        "key": chunk.key,
        "podcast": episode.podcast,
        "published": episode.published,
        "language": episode.language,
        "speaker_names": speakers,
        "indexed_text": " ".join([*title_terms, *chunk.indexed]),
        "vector": mean / max(1e-9, float((mean @ mean) ** 0.5)),
        "record": pack_record(chunk.id, chunk.key, chunk.first_word, arrays, facts),
    }


def episode_row(episode: IndexedEpisode, chunks: Sequence[Chunk], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A row of `episodes`, with the document frequencies of its terms; `rows` are those of its chunks."""
    frequencies = document_frequencies(row["indexed_text"] for row in rows)
    return {
        **asdict(episode),
        "chunks": len(chunks),
        "speakers": sorted({name for chunk in chunks for name in chunk.speakers}),
        "length": sum(_passage_terms(chunk, _title_terms(episode, chunk)) for chunk in chunks),
        "terms": list(frequencies),
        "term_chunks": list(frequencies.values()),
    }


def _title_terms(episode: IndexedEpisode, chunk: Chunk) -> list[str]:
    return stems(" ".join((without_number(episode.title), *chunk.misheard)), episode.language)


def _passage_terms(chunk: Chunk, title_terms: Sequence[str]) -> int:
    """How many terms a passage of a chunk has: those of the title, and its share of the sentences'."""
    pieces = sum(sentence.pieces for sentence in chunk.sentences)
    return len(title_terms) + len(chunk.terms) * PASSAGE // max(PASSAGE, pieces)


def words_of(episode: IndexedEpisode, chunks: Sequence[Chunk]) -> dict[str, list[str]]:
    """The words of an episode by their terms, as the table of terms keeps them: with their language (`en:Prices`)."""
    words = words_by_term([episode.title, *(chunk.text for chunk in chunks)], episode.language)
    return {term: [f"{episode.language}:{word}" for word in written] for term, written in words.items()}


def statistics(row: Mapping[str, Any]) -> dict[str, int]:
    """What a row of `episodes` adds to the table of terms."""
    return {
        EPISODES: 1,
        PASSAGES: row["chunks"],
        LENGTH: row["length"],
        f"{LANGUAGE}{row['language']}": 1,
        **dict(zip(row["terms"], row["term_chunks"], strict=True)),
    }


# -- records to arrays


def window_vectors(record: bytes) -> Vectors:
    """The vectors of a chunk's windows: float32 [windows, dimension]."""
    arrays = Record(record).arrays
    return dequantize(arrays["window_vectors"], arrays["window_scales"])


def chunk_arrays(records: Records) -> ChunkArrays:
    """Records of chunks as arrays."""
    sentences = SentenceTable(records.values("sentence_stats"))
    sentence_bounds = records.bounds("sentence_stats") // sentences.values.shape[1]
    window_bounds = records.bounds("windows")
    starts = records.values("windows") + np.repeat(sentence_bounds[:-1], np.diff(window_bounds))
    starts = np.delete(starts, window_bounds[1:-1] - 1)  # the end of one chunk is where the next begins
    return build_arrays(
        sentences,
        sentence_bounds,
        starts,
        records.values("window_norms").reshape(-1, MAX_RUN),
        episode=np.unique(records.episode, return_inverse=True)[1],
        first_word=records.first_word,
        speaker=_speakers(records, sentences.column("speaker"), sentence_bounds),
        terms=records.values("terms"),
        title_terms=records.values("title_terms"),
        title_bounds=records.bounds("title_terms"),
        vectors=records.values("window_vectors").reshape(len(starts) - 1, -1),
        scales=records.values("window_scales"),
    )


def _speakers(records: Records, numbers: Any, sentence_bounds: Any) -> Any:
    """The hashed name of each sentence's speaker; 0 where nobody is named."""
    hashes = np.append(records.values("speaker_hashes"), 0).astype(np.int64)
    places = numbers + np.repeat(records.bounds("speaker_hashes")[:-1], np.diff(sentence_bounds))
    return hashes[np.where(numbers < 0, -1, places)]


# -- tables


def schemas(model: str, dimension: int) -> dict[str, Any]:
    """Arrow schemas of the three tables in the order they are made, stamped with what they are made for."""
    import pyarrow as pa

    text, count, seconds, names = pa.string(), pa.int64(), pa.float64(), pa.list_(pa.string())
    of_episode = {
        "key": text, "podcast": text, "guid": text, "title": text, "published": pa.timestamp("us", "UTC"), "link": text,
        "audio_url": text, "approximate": pa.bool_(),
        "language": text,
    }  # fmt: skip
    chunks = {
        "id": text, "key": text, "podcast": text, "published": pa.timestamp("us", "UTC"), "language": text,
        "speaker_names": names, "indexed_text": text, "vector": pa.list_(pa.float32(), dimension), "record": pa.binary(),
    }  # fmt: skip
    episodes = {
        **of_episode, "path": text, "version": text, "content_hash": text, "chunks": count, "duration": seconds,
        "flag": text, "podcast_title": text, "source": text, "model": text, "speakers": names, "length": count, "terms": names, "term_chunks": pa.list_(count),
    }  # fmt: skip
    tables = {
        "chunks": chunks,
        "terms": {"term": text, "chunks": count, "words": names},
        "episodes": episodes,
    }  # the last completes it
    stamp = {"model": model, "dimension": str(dimension), "layout": LAYOUT}
    return {name: pa.schema(list(columns.items()), metadata=stamp) for name, columns in tables.items()}


EPISODE_COLUMNS = tuple(field.name for field in fields(IndexedEpisode))
