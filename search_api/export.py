"""The whole library as one file, read episode by episode, so that its size does not matter."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Literal

from index.store.parquet import to_parquet
from ingest.errors import TranscriptError
from ingest.identity import slug
from ingest.library import Library
from ingest.links import web_address
from ingest.models import Transcript
from ingest.times import iso
from search_api.passages import VERSION_DIGITS

ExportFormat = Literal["jsonl", "parquet"]
MEDIA: Mapping[ExportFormat, str] = {"jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}
LINES = 16  # episodes that are sent at once


def rows(
    library: Library, titles: Mapping[str, str], podcasts: frozenset[str], after: str = ""
) -> Iterator[dict[str, Any]]:
    """The episodes of these podcasts (slugs; none: of all) in the order of their keys, after the key `after`.

    A document that cannot be read, or is removed meanwhile, is left out.
    """
    for key, name in sorted((one.key, one.name) for one in library.documents() if one.key > after):
        if podcasts and name.partition("/")[0] not in podcasts:
            continue
        try:
            transcript, version = library.read(name), library.content_hash(name)
        except (TranscriptError, OSError):
            continue
        yield export_row(key, transcript, version[:VERSION_DIGITS], titles)


def export_row(key: str, transcript: Transcript, version: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """One episode: what its feed says, its turns, its timed segments, and where they come from."""
    episode, podcast = transcript.episode, slug(transcript.episode.podcast)
    return {
        "key": key,
        "podcast": podcast,
        "podcast_title": titles.get(podcast) or episode.podcast,
        "guid": episode.guid,
        "title": episode.title,
        "published": iso(episode.published_at),
        "link": web_address(episode.link),
        "audio_url": web_address(episode.audio_url),
        "transcribed_at": transcript.transcribed_at,
        "duration": transcript.duration,
        "turns": [asdict(turn) for turn in transcript.turns],
        "segments": [asdict(segment) for segment in transcript.segments],
        "provenance": transcript.provenance,
        "version": version,
    }


def exported(found: Iterable[Mapping[str, Any]], fmt: ExportFormat) -> Iterator[bytes]:
    """The bytes of the file, in parts. A JSON Lines file that was cut off is gone on with after its last whole line."""
    if fmt == "parquet":
        yield from to_parquet(found)
        return
    lines: list[bytes] = []
    for row in found:
        lines.append(json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        if len(lines) == LINES:
            yield b"".join(lines)
            lines = []
    yield b"".join(lines)
