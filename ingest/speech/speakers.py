"""Gives each word to the voice that says it, and cuts the text into segments where the voice changes; pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from ingest.models import Segment
from ingest.sentences import sentence_ends
from ingest.speech.diarize import VoiceTurn
from ingest.speech.segments import Word, sentences

LABEL = "Speaker"  # and a number: who has no name
# Seconds by which a change of voice is moved to the end of a sentence: a turn's edge is known to about a word
SNAP = 1.0


def told_apart(words: Sequence[Word], turns: Sequence[VoiceTurn]) -> list[Segment]:
    """The words as segments of one speaker each, `Speaker 1` first heard."""
    voices = snapped(words, voices_of(words, turns))
    numbers = {voice: f"{LABEL} {number}" for number, voice in enumerate(dict.fromkeys(voices), 1)}
    spoken: list[Segment] = []
    for voice, run in groupby(zip(voices, words, strict=True), key=lambda pair: pair[0]):
        spoken += [replace(one, speaker=numbers[voice]) for one in sentences([word for _, word in run])]
    return spoken


def voices_of(words: Sequence[Word], turns: Sequence[VoiceTurn]) -> list[str]:
    """The voice of each word: the one that speaks for most of it, of two that overlap the one with the longer turn.

    A word in none has the voice of the nearest turn; empty where there are no turns at all.
    """
    if not turns:
        return [""] * len(words)
    starts, ends = np.array([(turn.start, turn.end) for turn in turns]).T
    found = []
    for word in words:
        held = np.minimum(ends, word.end) - np.maximum(starts, word.start)  # seconds; below 0 how far away a turn is
        best = int(np.where(held == held.max(), ends - starts, -1.0).argmax())
        found.append(turns[best].voice)
    return found


def overlap(turns: Sequence[VoiceTurn]) -> float:
    """Seconds in which more than one voice speaks."""
    edges = sorted([(turn.start, 1) for turn in turns] + [(turn.end, -1) for turn in turns])
    speaking, seconds = 0, 0.0
    for (moment, change), (following, _) in pairwise(edges):
        speaking += change
        seconds += (following - moment) if speaking > 1 else 0.0
    return seconds


def shares(segments: Sequence[Segment]) -> dict[str, float]:
    """Each speaker's share of the time spoken, as in the segments' order."""
    seconds: dict[str, float] = defaultdict(float)
    for segment in segments:
        seconds[segment.speaker] += segment.end - segment.start
    whole = sum(seconds.values())
    return {speaker: round(spent / whole, 4) if whole else 0.0 for speaker, spent in seconds.items()}


def snapped(words: Sequence[Word], voices: Sequence[str]) -> list[str]:
    """The voices with each change moved to the nearest end of a sentence within `SNAP` seconds, if there is one.

    A change does not move over another one.
    """
    moved = list(voices)
    ends = sorted({0, *sentence_ends([word.text.strip() for word in words])})
    changes = [index for index in range(1, len(words)) if voices[index] != voices[index - 1]]
    for number, change in enumerate(changes):
        after = changes[number + 1] if number + 1 < len(changes) else len(words)
        before = changes[number - 1] if number else 0
        near = [end for end in ends if before < end < after and _apart(words, change, end) <= SNAP]
        to = min(near, key=lambda end: _apart(words, change, end), default=change)
        for index in range(min(change, to), max(change, to)):
            moved[index] = voices[change - 1] if to > change else voices[change]
    return moved


def _apart(words: Sequence[Word], change: int, end: int) -> float:
    """Seconds of speech between two places, each before a word."""
    low, high = min(change, end), max(change, end)
    return words[high - 1].end - words[low].start if low < high else 0.0
