"""A publisher's own transcript: which of the files offered to try, whether one is good enough, and why not."""

from collections.abc import Sequence
from itertools import pairwise

from ingest.captions import kind_of
from ingest.models import Episode, Segment, TranscriptLink

# Timed kinds with speakers first: WebVTT is what publishers check in their own players.
PREFERENCE = ("vtt", "srt", "json", "html", "txt", "md")
LEAST_COVERAGE = 0.6  # of the episode's length; credits and music at the end leave good files near 0.9
MOST_OVERRUN = 1.25  # a file that runs on long after the audio's end belongs to another recording
SPEAKABLE = (20, 400)  # words a minute: a summary lies below, two files pasted into one above


def ranked(links: Sequence[TranscriptLink], language: str = "") -> list[TranscriptLink]:
    """The links in the order to try them: the episode's language first, then the kind, then the feed's order."""

    def rank(link: TranscriptLink) -> tuple[bool, int]:
        foreign = bool(language and link.language) and link.language[:2].lower() != language[:2].lower()
        return foreign, PREFERENCE.index(kind_of(link.type, link.url, b""))

    return sorted(links, key=rank)


def shortcoming(segments: Sequence[Segment], episode: Episode) -> str:
    """Why the publisher's segments are not good enough for this episode, in plain words; empty where they are.

    Judged by the share of the declared duration they reach and by words a minute of the time they span.
    """
    end = max((segment.end for segment in segments), default=0.0)
    words = sum(len(segment.text.split()) for segment in segments)
    if end <= 0:
        return "it has no times"
    if episode.duration and end < LEAST_COVERAGE * episode.duration:
        return f"it ends at {end:.0f} s of {episode.duration:.0f} s"
    if episode.duration and end > MOST_OVERRUN * episode.duration:
        return f"it runs to {end:.0f} s, the episode has {episode.duration:.0f} s"
    least, most = SPEAKABLE
    if not least <= words / (end / 60) <= most:
        return f"{words} words in {end:.0f} s are not how people speak"
    if any(later.start < earlier.start for earlier, later in pairwise(segments)):
        return "its times run backwards"
    return ""
