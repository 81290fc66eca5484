"""Transcribes an audio file into timed text, with figures that say how good it is; memory stays bounded."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import file_digest
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ingest.audio.decode import RATE, Recording, Samples, skipped
from ingest.errors import AudioError
from ingest.models import Segment
from ingest.speech import checkpoint as checkpoints
from ingest.speech.checkpoint import Progress
from ingest.speech.decoding import decode
from ingest.speech.faster_whisper import Whisper, find_speech
from ingest.speech.quality import verdict
from ingest.speech.recognizer import Options, Recognizer
from ingest.speech.segments import Word, in_order, sentences
from ingest.speech.server import WhisperServer
from ingest.speech.windows import WINDOW, Span, cut_point, pack

MIN_BATCH = 4  # windows of sound held at once at least: each stretch of them is searched for speech a little anew

ReportProgress = Callable[[float, float], None]  # seconds of audio done, seconds in all


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was said in an audio file: sentences, and the words they were made of; seconds.

    `provenance` is plain JSON data: model, options, language, the audio's SHA-256 and decoded duration, whether it is
    cut off, `figures`, and `flag`: why not to trust the text (empty if there is no reason).
    """

    segments: tuple[Segment, ...]
    words: tuple[Word, ...]
    language: str
    duration: float
    provenance: dict[str, Any]


class Transcriber:
    """A speech model that is loaded at its first use.

    `stretch` is the seconds of sound held in memory at once, and lost at most where a run is killed; 0 for what a batch
    needs.
    """

    def __init__(
        self,
        model: str,
        *,
        models_dir: Path,
        device: str = "auto",
        compute_type: str = "",
        server: str = "",
        api_key: str = "",
        beam_size: int = 5,
        batch_size: int = 0,
        threads: int = 0,
        stretch: float = 0.0,
    ) -> None:
        """A model of this machine, or of the `server` at an address."""
        self.model = model
        self._load: Callable[[], Recognizer] = partial(Whisper, model, models_dir, device, compute_type, threads)
        if server:
            self._load = partial(WhisperServer, server, model, api_key)
        self._beam_size = beam_size
        self._batch_size = batch_size
        self._stretch = stretch
        self._recognizer: Recognizer | None = None

    def load(self) -> Recognizer:
        """The model. Raises `TranscriptionError`."""
        if self._recognizer is None:
            self._recognizer = self._load()
        return self._recognizer

    def transcribe(
        self,
        audio: Path,
        *,
        language: str = "",
        hotwords: Sequence[str] = (),
        checkpoint: Path | None = None,
        progress: ReportProgress | None = None,
    ) -> Transcription:
        """Transcribe all speech of an audio file.

        With a `checkpoint` a killed run resumes where it stopped, and gives the same text as an undisturbed one; remove
        the file once the transcript is saved. Raises `AudioError`, `TranscriptionError`, and `HomeError` where the
        checkpoint cannot be written.
        """
        recognizer = self.load()
        size = self._batch_size or recognizer.batch_size
        stretch = self._stretch or (max(size, MIN_BATCH) + 1) * WINDOW
        options = Options(recognizer.known_language(language), "", self._beam_size, ", ".join(hotwords))
        identity = _identity(audio, recognizer, options, size, stretch)
        done = checkpoints.load(checkpoint, identity) if checkpoint else Progress()
        started = perf_counter() - done.seconds
        with Recording(audio) as recording:
            for start, samples, speech in stretches(recording.blocks(), find_speech, stretch, done=done.samples):
                windows = pack(speech, len(samples) / RATE)
                for batch in (windows[first : first + size] for first in range(0, len(windows), size)):
                    likely = next(iter(languages(done.words)), "")
                    words, figures = decode(recognizer, samples, batch, replace(options, likely=likely))
                    sums = {name: figure + done.figures.get(name, 0.0) for name, figure in figures.items()}
                    moved = (word.moved(start / RATE) for word in words)
                    done = replace(done, words=(*done.words, *moved), figures=sums)
                    _report(progress, recording, start / RATE + batch[-1].end)
                changes = tuple(dict.fromkeys((*done.changes, *recognizer.changes)))
                done = replace(done, samples=start + len(samples), changes=changes, seconds=perf_counter() - started)
                if checkpoint:
                    checkpoints.save(checkpoint, identity, done)
                _report(progress, recording, done.samples / RATE)
        _report(progress, recording, recording.decoded)
        return _transcription(done, recording, identity)


def stretches(
    blocks: Iterator[Samples], find_speech: Callable[[Samples], list[Span]], length: float, *, done: int = 0
) -> Iterator[tuple[int, Samples, list[Span]]]:
    """Cut sound into stretches of at most `length` seconds: the first sample of each, its sound, and its speech.

    Each stretch ends in a pause, and with a full window, so that stretches cost no windows. The first `done` samples are
    left out; where they end a stretch, the stretches that follow are the same.
    """
    held: Samples = np.empty(0, np.float32)
    size = round(length * RATE)
    for block in skipped(blocks, done):
        held = np.concatenate([held, block])
        while len(held) >= size:
            head = held[:size]
            speech = find_speech(head)
            cut = round(cut_point(pack(speech, length, min(WINDOW, length / 2)), length) * RATE)
            yield done, head[:cut], [span for span in speech if span.start < cut / RATE]
            done += cut
            held = held[cut:]
    if len(held):
        yield done, held, find_speech(held)


def _report(progress: ReportProgress | None, recording: Recording, done: float) -> None:
    if progress:
        progress(done, max(done, recording.declared or 0.0, recording.decoded))


def _identity(audio: Path, recognizer: Recognizer, options: Options, size: int, stretch: float) -> dict[str, Any]:
    """What a transcription depends on, as plain JSON data."""
    try:
        with audio.open("rb") as file:
            audio_sha256 = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(audio, f"cannot be read ({error.strerror}); check the path") from error
    return {
        "audio_sha256": audio_sha256,
        "model": recognizer.name,
        **recognizer.facts,
        "options": {
            "language": options.language,
            "beam_size": options.beam_size,
            "batch_size": size,
            "hotwords": options.hotwords,
            "stretch": stretch,
        },
    }


def languages(words: Sequence[Word]) -> dict[str, float]:
    """The share of each language in the words, the largest first."""
    counts = Counter(word.language for word in words)
    return {language: round(count / len(words), 4) for language, count in counts.most_common()}


def _transcription(done: Progress, recording: Recording, identity: dict[str, Any]) -> Transcription:
    words = tuple(in_order(done.words))
    shares = languages(words)
    language = next(iter(shares), "")
    figures = _figures(done, recording)
    provenance = {
        "source": "model",
        **identity,
        "language": language,
        "languages": shares,
        "changes": list(done.changes),
        "duration": round(recording.decoded, 3),
        "truncated": recording.truncated,
        "figures": figures,
        "flag": verdict(figures),
    }
    segments = tuple(replace(one, language="") if one.language == language else one for one in sentences(words))
    return Transcription(segments, words, language, recording.decoded, provenance)


def _figures(done: Progress, recording: Recording) -> dict[str, Any]:
    """The figures of an episode; `real_time_factor` is seconds taken per second of audio."""
    sums = defaultdict(float, done.figures)
    return {
        "coverage": round(1 - sums["left_out"] / sums["speech"], 4) if sums["speech"] else 0.0,
        "mean_log_prob": round(sums["log_prob"] / sums["tokens"], 4) if sums["tokens"] else 0.0,
        **{name: round(sums[name], 2) for name in ("speech", "left_out", "windows", "redecoded", "failed")},
        "words": len(done.words),
        "real_time_factor": round(done.seconds / recording.decoded, 4) if recording.decoded else 0.0,
        "truncated": recording.truncated,
        "damaged": recording.damaged,
    }
