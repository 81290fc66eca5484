"""Says who speaks in what was transcribed: voices, then names, and figures of both for the provenance."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.errors import TranscriptionError
from ingest.models import Episode, Segment
from ingest.speech.diarize import Diarizer
from ingest.speech.speaker_names import named
from ingest.speech.speakers import overlap, shares, told_apart
from ingest.speech.transcribe import Transcription

logger = logging.getLogger(__name__)


def with_speakers(
    diarizer: Diarizer | None, audio: Path, made: Transcription, episode: Episode
) -> tuple[Sequence[Segment], dict[str, Any]]:
    """The segments of one speaker each, named where there is evidence; and `speakers` for the provenance.

    As they are without a diarizer, and where it fails: hours of transcription are worth more than who speaks.
    """
    if diarizer is None or not made.words:
        return made.segments, {}
    try:
        turns = diarizer.diarize(audio)
    except TranscriptionError as error:
        logger.warning("%s", error)
        return made.segments, {"speakers": {"model": diarizer.name, "error": error.message}}
    segments, names = named(told_apart(made.words, turns), episode)
    figures = {"voices": len({turn.voice for turn in turns}), "overlap": round(overlap(turns), 2)}
    return segments, {"speakers": {"model": diarizer.name, **figures, "shares": shares(segments), "names": names}}
