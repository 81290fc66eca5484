"""What the OpenAPI document shows of each answer: one example each, of the sample podcast's kind."""

from typing import Any

from search_api.documents import MEDIA_TYPES

_HIT = {
    "rank": 1,
    "score": 0.93,
    "scores": {"vector": 0.61, "text": 0.45},
    "podcast": "closing-time",
    "episode_id": "https://podcast.example/episodes/2",
    "key": "3f1c2a9b7d604e58",
    "title": "Keeping your best seller",
    "published": "2025-02-20T09:00:00+00:00",
    "speaker": "Dana",
    "start": 75.4,
    "end": 92.1,
    "text": "The best people leave when nobody asks them for more. Ask for more, and stay beside them.",
    "snippet": "The best people leave when nobody asks them for more.",
    "link": "https://podcast.example/2",
    "audio_url": "https://podcast.example/2.mp3",
    "play_url": "https://podcast.example/2.mp3#t=75.4,92.1",
}
SEARCH = {
    "query": "why do top performers leave?",
    "mode": "hybrid",
    "took_ms": 14.2,
    "hits": [_HIT],
    "coverage": {"indexed": 4, "pending": 1, "failed": 0},
}


def answer(description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of a JSON answer."""
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def transcript() -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of a transcript in all its forms, and of a client that has it already."""
    forms = {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()}
    return {200: {"description": "The transcript", "content": forms}, 304: {"description": "Unchanged since `ETag`"}}
