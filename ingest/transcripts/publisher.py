"""Judges a publisher's own transcripts: in which order to try them, whether one is good enough, and why not."""

from collections.abc import Sequence
from itertools import pairwise

from ingest.languages import primary_language
from ingest.models import Episode, Segment, TranscriptLink
from ingest.sentences import word_count
from ingest.transcripts.captions import kind_of

# Timed kinds with speakers first; publishers check WebVTT in their own players.
PREFERENCE = ("vtt", "srt", "json", "ttml", "ass", "sbv", "tsv", "csv", "lrc", "html", "txt", "md")
MIN_REACH = 0.6  # of the episode's duration; credits and music at the end leave good files near 0.9
MAX_REACH = 1.25  # of the episode's duration; a file that runs on for longer belongs to another recording
# Seconds that a transcript must reach where the feed declares no duration: a note such as "Coming soon", or a file that was
# cut off, cannot be told from a short episode's, and to transcribe two minutes of audio instead takes seconds
MIN_END = 120.0
SPEAKING_RATE = (20, 400)  # words a minute: a summary lies below, two files pasted into one above


def ranked(links: Sequence[TranscriptLink], language: str = "") -> list[TranscriptLink]:
    """The links in the order to try them: the episode's language first, then the kind, then the feed's order."""

    def rank(link: TranscriptLink) -> tuple[bool, int]:
        return bool(foreign(link, language)), PREFERENCE.index(kind_of(link.type, link.url, b""))

    return sorted(links, key=rank)


def foreign(link: TranscriptLink, language: str) -> str:
    """Why a link's language does not suit an episode in `language`, in plain words; empty where it does.

    Languages are compared by primary subtag (RFC 5646, 2.2.1: `en-GB` is `en`). One that is not given, or that nobody
    knows, suits.
    """
    theirs, ours = primary_language(link.language), primary_language(language)
    return f"it is in {theirs!r}, the podcast in {ours!r}" if theirs and ours and theirs != ours else ""


def suffix(link: TranscriptLink, body: bytes) -> str:
    """The suffix of the publisher's own file in the library; `.txt` for Markdown, since `.md` is our document's."""
    kind = kind_of(link.type, link.url, body)
    return f".{'txt' if kind == 'md' else kind}"


def score(segments: Sequence[Segment], episode: Episode) -> dict[str, float | int | bool | None]:
    """Measure a transcript without the audio.

    `reach` is where its last segment ends and `coverage` how much time its segments take, both as shares of the declared
    duration (None where the feed declares none). `words_per_minute` counts up to that end. `monotone` says that the
    starts never decrease.
    """
    end, words, monotone = _measured(segments)
    length = episode.duration
    return {
        "reach": round(end / length, 3) if length else None,
        "coverage": round(_spoken(segments) / length, 3) if length else None,
        "words": words,
        "words_per_minute": round(words / (end / 60), 1) if end > 0 else None,
        "monotone": monotone,
    }


def _measured(segments: Sequence[Segment]) -> tuple[float, int, bool]:
    """When the last segment ends, in seconds, the number of words, and whether the starts never decrease."""
    end = max((segment.end for segment in segments), default=0.0)
    monotone = all(earlier.start <= later.start for earlier, later in pairwise(segments))
    return end, sum(word_count(segment.text) for segment in segments), monotone


def _spoken(segments: Sequence[Segment]) -> float:
    """Seconds within at least one segment."""
    total = until = 0.0
    for segment in sorted(segments, key=lambda segment: segment.start):
        total += max(0.0, segment.end - max(segment.start, until))
        until = max(until, segment.end)
    return total


def shortcoming(segments: Sequence[Segment], episode: Episode) -> str:
    """Why the publisher's segments are not good enough for this episode, in plain words; empty where they are.

    They must reach near the end of the declared duration, or `MIN_END` without one, at a rate at which people speak. Words
    without times, and those of a short time without a duration, are good enough only where there is no audio to transcribe.
    """
    end, words, monotone = _measured(segments)
    if not words:
        return "it has no words"
    if end <= 0:
        return "it has no times" if episode.audio_url else ""
    duration = episode.duration
    if end < (MIN_REACH * duration if duration else MIN_END * bool(episode.audio_url)):
        length = f"{duration:.0f} s" if duration else "an episode whose duration its feed does not give"
        return f"it ends at {end:.0f} s of {length}"
    if duration and end > MAX_REACH * duration:
        return f"it runs to {end:.0f} s, the episode has {duration:.0f} s"
    slowest, fastest = SPEAKING_RATE
    if not slowest <= words / (end / 60) <= fastest:
        return f"{words} words in {end:.0f} s are not how people speak"
    return "" if monotone else "its times run backwards"
