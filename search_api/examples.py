"""What the OpenAPI document shows of each answer: one example each, of the sample podcast's kind."""

from typing import Any

from search_api.documents import FORMS, MEDIA_TYPES, transcript_address

_HIT = {
    "rank": 1,
    "score": 0.93,
    "scores": {"vector": 0.61, "text": 0.45, "rerank": 0.87},
    "podcast": "closing-time",
    "episode_id": "https://podcast.example/episodes/2",
    "key": "3f1c2a9b7d604e58",
    "title": "Keeping your best seller",
    "published": "2025-02-20T09:00:00Z",
    "speaker": "Dana",
    "start": 75.4,
    "end": 92.1,
    "text": "The best people leave when nobody asks them for more. Ask for more, and stay beside them.",
    "snippet": "The best people leave when nobody asks them for more.",
    "snippet_start": 75.4,
    "snippet_end": 79.8,
    "highlights": [[9, 15], [16, 21]],
    "link": "https://podcast.example/2",
    "audio_url": "https://podcast.example/2.mp3",
    "play_url": "https://podcast.example/2.mp3#t=75.4,92.1",
    "approximate": False,
    "advert": False,
}
SEARCH = {
    "query": "why do top performers leave?",
    "mode": "hybrid",
    "took_ms": 14.2,
    "hits": [_HIT],
    "coverage": {"indexed": 4, "pending": 1, "failed": 0},
    "weak": False,
}
_LISTED = {
    "key": "3f1c2a9b7d604e58",
    "guid": "https://podcast.example/episodes/2",
    "podcast": "closing-time",
    "title": "Keeping your best seller",
    "published": "2025-02-20T09:00:00Z",
    "status": "indexed",
    "reason": "",
    "duration": 312.5,
    "chunks": 9,
    "link": "https://podcast.example/2",
    "audio_url": "https://podcast.example/2.mp3",
    "flag": "",
}
EPISODES = {"count": 1, "episodes": [_LISTED]}
EPISODE = {
    **{name: value for name, value in _LISTED.items() if name != "chunks"},
    "status": "transcribed",
    "published_text": "Thu, 20 Feb 2025 09:00:00 -0000",
    "source_feed": "https://podcast.example/feed.xml",
    "summary": "Why the best people leave.",
    "author": "Dana",
    "season": 1,
    "number": 2,
    "speakers": ["Dana", "Sam"],
    "words": 640,
    "timed": True,
    "transcribed_at": "2026-01-05T08:00:00.000Z",
    "provenance": {"source": "publisher"},
    "transcripts": {form: transcript_address("3f1c2a9b7d604e58", form) for form in FORMS},
}


def answer(description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of a JSON answer."""
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def transcript() -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of a transcript in all its forms, and of a client that has it already."""
    forms = {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()}
    return {200: {"description": "The transcript", "content": forms}, 304: {"description": "Unchanged since `ETag`"}}
