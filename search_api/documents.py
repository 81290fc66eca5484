"""The JSON documents the server gives out besides hits, and the forms of a transcript. Functions of data."""

from typing import Any, get_args
from urllib.parse import quote

from ingest.ledger import EpisodeRecord
from ingest.models import Transcript
from ingest.transcripts.export import Format
from search_api.problems import NotAcceptableError

FORMS: tuple[Format, ...] = get_args(Format)
TIMED: frozenset[Format] = frozenset({"vtt", "srt"})  # cues need times
MEDIA_TYPES: dict[Format, str] = {
    "md": "text/markdown",
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "json": "application/json",
    "txt": "text/plain",
}
_ALSO = {
    "application/srt": "application/x-subrip",
    "text/srt": "application/x-subrip",
    "text/x-markdown": "text/markdown",
}


def preferred(accept: str) -> Format:
    """The form an `Accept` header likes best (RFC 9110, section 12.5.1); at equal quality the first of `FORMS`.

    Raises `NotAcceptableError` where it likes none.
    """
    wishes = [_wish(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    qualities = {form: _quality(MEDIA_TYPES[form], wishes) for form in FORMS}
    best = max(FORMS, key=lambda form: qualities[form])
    if qualities[best] <= 0:
        raise NotAcceptableError(
            accept[:80], f"no such form of a transcript; accept {' or '.join(MEDIA_TYPES.values())}"
        )
    return best


def _wish(part: str) -> tuple[str, float]:
    media, *parameters = (word.strip().lower() for word in part.split(";"))
    quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return _ALSO.get(media, media), min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return media, 0.0


def _quality(media: str, wishes: list[tuple[str, float]]) -> float:
    """The quality of the most particular wish the media type meets, 0 where it meets none."""
    for pattern in (media, f"{media.partition('/')[0]}/*", "*/*"):
        met = [quality for wish, quality in wishes if wish == pattern]
        if met:
            return max(met)
    return 0.0


def transcript_address(key: str, form: Format) -> str:
    """Where the server gives out an episode's transcript."""
    return f"/v1/episodes/{quote(key, safe='')}/transcript.{form}"


def forms_of(transcript: Transcript) -> list[Format]:
    """The forms this transcript can be given in."""
    if not transcript.turns and not transcript.segments:
        return []
    return [form for form in FORMS if transcript.segments or form not in TIMED]


def episode_document(transcript: Transcript, record: EpisodeRecord | None = None) -> dict[str, Any]:
    """One episode as JSON data; times in seconds, `published` in UTC with the feed's own words beside it.

    `record` says why there are no words yet.
    """
    episode = transcript.episode
    moment = episode.published_at
    names = [segment.speaker for segment in transcript.segments] + [turn.speaker for turn in transcript.turns]
    return {
        "key": episode.key,
        "guid": episode.guid,
        "podcast": episode.podcast,
        "title": episode.title,
        "published": moment.isoformat().replace("+00:00", "Z") if moment else None,
        "published_text": episode.published,
        "status": "transcribed" if record is None else "failed" if record.status == "failed" else "pending",
        "reason": record.reason if record else "",
        "link": episode.link,
        "audio_url": episode.audio_url,
        "source_feed": episode.source_feed,
        "duration": episode.duration,
        "summary": episode.summary,
        "author": episode.author,
        "season": episode.season,
        "number": episode.number,
        "speakers": list(dict.fromkeys(filter(None, names))),
        "words": sum(len(turn.text.split()) for turn in transcript.turns),
        "timed": bool(transcript.segments),
        "transcribed_at": transcript.transcribed_at,
        "flag": transcript.provenance.get("flag", ""),
        "provenance": transcript.provenance,
        "transcripts": {form: transcript_address(episode.key, form) for form in forms_of(transcript)},
    }
