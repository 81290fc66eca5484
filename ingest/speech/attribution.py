"""Says who speaks in what was transcribed: gives each word to a voice, cuts the text where the voice changes, names voices."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ingest.errors import TranscriptionError
from ingest.models import Advance, Episode, Segment
from ingest.sentences import sentence_ends
from ingest.speech.diarize import Diarizer, VoiceTurn
from ingest.speech.segments import Word, sentences
from ingest.speech.speaker_names import named, shares
from ingest.speech.transcribe import Transcription

logger = logging.getLogger(__name__)

SNAP = 1.0  # seconds by which a change of voice is moved to a sentence's end: its moment is known to about a word


def with_speakers(
    diarizer: Diarizer | None, audio: Path, made: Transcription, episode: Episode, progress: Advance
) -> tuple[Sequence[Segment], dict[str, Any]]:
    """The segments of one speaker each, named where there is evidence; and `speakers` for the provenance.

    As they are without a diarizer, and where it fails: hours of transcription are worth more than who speaks.
    """
    if diarizer is None or not made.words:
        return made.segments, {}
    try:
        turns = diarizer.diarize(audio, lambda done, total: progress(done, total, "telling voices apart"))
    except TranscriptionError as error:
        logger.warning("%s", error)
        return made.segments, {"speakers": {"model": diarizer.name, "error": error.message}}
    segments, names = named(told_apart(made.words, turns), episode)
    figures = {"voices": len({turn.voice for turn in turns}), "overlap": round(overlap(turns), 2)}
    return segments, {"speakers": {"model": diarizer.name, **figures, "shares": shares(segments), "names": names}}


def told_apart(words: Sequence[Word], turns: Sequence[VoiceTurn]) -> list[Segment]:
    """The words as segments of one speaker each, `Speaker 1` first heard."""
    voices = voices_of(words, snapped(words, turns))
    numbers = {voice: f"Speaker {number}" for number, voice in enumerate(dict.fromkeys(voices), 1)}
    spoken: list[Segment] = []
    for voice, run in groupby(zip(voices, words, strict=True), key=lambda pair: pair[0]):
        spoken += [replace(one, speaker=numbers[voice]) for one in sentences([word for _, word in run])]
    return spoken


def snapped(words: Sequence[Word], turns: Sequence[VoiceTurn]) -> list[VoiceTurn]:
    """The turns with each edge at the nearest end of a sentence within `SNAP` seconds; one that would vanish stays."""
    ends = [*sentence_ends([word.text.strip() for word in words])][:-1]
    moments = np.array([0.0, *((words[end - 1].end + words[end].start) / 2 for end in ends)])

    def near(moment: float) -> float:
        nearest = float(moments[np.abs(moments - moment).argmin()])
        return nearest if abs(nearest - moment) <= SNAP else moment

    moved = [replace(turn, start=near(turn.start), end=near(turn.end)) for turn in turns]
    return [new if new.end > new.start else old for new, old in zip(moved, turns, strict=True)]  # an interjection stays


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
    moments, changes = np.reshape(edges, (-1, 2)).T
    return float(np.diff(moments) @ (changes.cumsum()[:-1] > 1))
