"""A publisher's own transcript: which of the files offered to try, whether one is good enough, and why not."""

from collections.abc import Sequence
from itertools import pairwise

from ingest.models import Episode, Segment, TranscriptLink
from ingest.transcripts.captions import kind_of

# Timed kinds with speakers first: WebVTT is what publishers check in their own players.
PREFERENCE = ("vtt", "srt", "json", "html", "txt", "md")
LEAST_COVERAGE = 0.6  # of the episode's length; credits and music at the end leave good files near 0.9
MOST_OVERRUN = 1.25  # a file that runs on long after the audio's end belongs to another recording
SPEAKABLE = (20, 400)  # words a minute: a summary lies below, two files pasted into one above


def ranked(links: Sequence[TranscriptLink], language: str = "") -> list[TranscriptLink]:
    """The links in the order to try them: the episode's language first, then the kind, then the feed's order."""

    def rank(link: TranscriptLink) -> tuple[bool, int]:
        return bool(foreign(link, language)), PREFERENCE.index(kind_of(link.type, link.url, b""))

    return sorted(links, key=rank)


def foreign(link: TranscriptLink, language: str) -> str:
    """Why a link's language will not do for an episode in `language`, in plain words; empty where it will.

    Compared by primary subtag (RFC 5646, 2.2.1: `en-GB` is `en`); where either says nothing, it will do.
    """
    theirs, ours = (tag.strip().lower().replace("_", "-").partition("-")[0] for tag in (link.language, language))
    return f"it is in {theirs!r}, the podcast in {ours!r}" if theirs and ours and theirs != ours else ""


def suffix(link: TranscriptLink, body: bytes) -> str:
    """The suffix to keep the publisher's own file under; `.txt` for Markdown, since `.md` is a transcript of ours."""
    kind = kind_of(link.type, link.url, body)
    return f".{'txt' if kind == 'md' else kind}"


def score(segments: Sequence[Segment], episode: Episode) -> dict[str, float | int | bool | None]:
    """What can be measured of a transcript without hearing the audio.

    `reach` is where it ends and `coverage` how much of the time its words take, both as shares of the declared
    duration (None where the feed declares none); `words_per_minute` counts to the end; `monotone`: times never run back.
    """
    end = max((segment.end for segment in segments), default=0.0)
    words = sum(len(segment.text.split()) for segment in segments)
    length = episode.duration
    return {
        "reach": round(end / length, 3) if length else None,
        "coverage": round(_spoken(segments) / length, 3) if length else None,
        "words": words,
        "words_per_minute": round(words / (end / 60), 1) if end > 0 else None,
        "monotone": all(earlier.start <= later.start for earlier, later in pairwise(segments)),
    }


def _spoken(segments: Sequence[Segment]) -> float:
    """Seconds within at least one segment."""
    total = until = 0.0
    for segment in sorted(segments, key=lambda segment: segment.start):
        total += max(0.0, segment.end - max(segment.start, until))
        until = max(until, segment.end)
    return total


def shortcoming(segments: Sequence[Segment], episode: Episode) -> str:
    """Why the publisher's segments are not good enough for this episode, in plain words; empty where they are.

    Judged by the share of the declared duration they reach and by words a minute of the time they span. Words without
    times will do only where there is no audio to transcribe.
    """
    end = max((segment.end for segment in segments), default=0.0)
    words = sum(len(segment.text.split()) for segment in segments)
    if not words:
        return "it has no words"
    if end <= 0:
        return "it has no times" if episode.audio_url else ""
    backwards = any(later.start < earlier.start for earlier, later in pairwise(segments))
    return _misfit(end, words, episode.duration) or ("its times run backwards" if backwards else "")


def _misfit(end: float, words: int, duration: float | None) -> str:
    if duration and end < LEAST_COVERAGE * duration:
        return f"it ends at {end:.0f} s of {duration:.0f} s"
    if duration and end > MOST_OVERRUN * duration:
        return f"it runs to {end:.0f} s, the episode has {duration:.0f} s"
    least, most = SPEAKABLE
    spoken = least <= words / (end / 60) <= most
    return "" if spoken else f"{words} words in {end:.0f} s are not how people speak"
