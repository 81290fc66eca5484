"""Transcribes an audio file into timed text, with figures that say how good it is; memory stays bounded."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import TypeAdapter

from ingest.audio.decode import RATE, Recording
from ingest.errors import AudioError
from ingest.models import Advance, Segment
from ingest.speech.decoding import Decoder
from ingest.speech.faster_whisper import Whisper, find_speech
from ingest.speech.recognizer import Options, Recognizer
from ingest.speech.segments import Word, in_order, sentences
from ingest.speech.server import WhisperServer
from ingest.speech.windows import WINDOW, stretches
from ingest.storage import write_in_home
from ingest.weights.files import digest

MIN_BATCH = 4  # windows of sound held at once at least: each stretch of them is searched for speech a little anew
MIN_COVERAGE = 0.85  # of an episode's speech
MAX_FAILED = 0.1  # of an episode's windows
MAX_DAMAGED = 40  # packets: about a second; a few broken ones are common at the start of an MP3
MIN_MEAN_LOG_PROB = -0.8  # of an episode: single windows may be worse
FORMAT = 6  # of a checkpoint: goes up when figures or words change their form; one of another form is not read


@dataclass(frozen=True, slots=True)
class Progress:
    """The samples done, their words and sums of figures, what had to be changed on the way, the seconds it took."""

    samples: int = 0
    words: tuple[Word, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    seconds: float = 0.0


CHECKPOINT = TypeAdapter(tuple[int, dict[str, Any], Progress])  # `FORMAT`, what the text depends on, how far it is


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
    """A speech model of this machine, or of the `server` at an address, that is loaded at its first use.

    `load` gives it and raises `TranscriptionError`. `stretch` is the seconds of sound held in memory at once, and lost
    at most where a run is killed; 0 for what the model is best given.
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
        threads: int = 0,
        stretch: float = 0.0,
    ) -> None:
        opened: Callable[[], Recognizer] = partial(Whisper, model, models_dir, device, compute_type, threads)
        if server:
            opened = partial(WhisperServer, server, model, api_key)
        self.load = cache(opened)
        self._beam_size, self._stretch = beam_size, stretch

    def transcribe(
        self,
        audio: Path,
        *,
        language: str = "",
        hotwords: Sequence[str] = (),
        checkpoint: Path | None = None,
        progress: Advance = lambda *_: None,
    ) -> Transcription:
        """Transcribe all speech of an audio file; `progress` is told the seconds done and in all.

        With a `checkpoint` a killed run resumes where it stopped, and gives the same text as an undisturbed one; remove
        the file once the transcript is saved. Raises `AudioError`, `TranscriptionError`, and `HomeError` where the
        checkpoint cannot be written.
        """
        recognizer = self.load()
        stretch = self._stretch or (max(recognizer.batch_size, MIN_BATCH) + 1) * WINDOW
        options = Options(recognizer.known_language(language), "", self._beam_size, ", ".join(hotwords))
        identity = _identity(audio, recognizer, options, stretch)
        done = load_progress(checkpoint, identity) if checkpoint else Progress()
        started = perf_counter() - done.seconds
        with Recording(audio) as recording:
            for start, samples, windows in stretches(recording.blocks(), find_speech, stretch, done=done.samples):
                likely = next(iter(_languages(done.words)), "")
                words, sums = Decoder(recognizer, samples).decode(windows, replace(options, likely=likely))
                done = Progress(
                    start + len(samples),
                    (*done.words, *(word.moved(start / RATE) for word in words)),
                    {name: figure + done.figures.get(name, 0.0) for name, figure in sums.items()},
                    tuple(dict.fromkeys((*done.changes, *recognizer.changes))),
                    perf_counter() - started,
                )
                if checkpoint:
                    save_progress(checkpoint, identity, done)
                progress(done.samples / RATE, max(recording.declared or 0.0, recording.decoded))
        progress(recording.decoded, recording.decoded)
        return _transcription(done, recording, identity)


def load_progress(path: Path, identity: dict[str, Any]) -> Progress:
    """The progress with the same audio, model and options; none where the file is missing or says otherwise."""
    try:
        *which, progress = CHECKPOINT.validate_json(path.read_bytes())
    except (OSError, ValueError):  # starting anew is always right
        return Progress()
    return progress if which == [FORMAT, identity] else Progress()


def save_progress(path: Path, identity: dict[str, Any], progress: Progress) -> None:
    """Write the progress, whole or not at all. Raises `HomeError`."""
    write_in_home(path, CHECKPOINT.dump_json((FORMAT, identity, progress)))


def _identity(audio: Path, recognizer: Recognizer, options: Options, stretch: float) -> dict[str, Any]:
    """What a transcription depends on, as plain JSON data."""
    chosen = {"language": options.language, "beam_size": options.beam_size, "hotwords": options.hotwords}
    way = {"model": recognizer.name, **recognizer.facts, "options": chosen | {"stretch": stretch}}
    try:
        return {"audio_sha256": digest(audio), **way}
    except OSError as error:
        raise AudioError(audio, f"cannot be read ({error.strerror}); check the path") from error


def _languages(words: Sequence[Word]) -> dict[str, float]:
    """The share of each language in the words, the largest first."""
    counts = Counter(word.language for word in words)
    return {language: round(count / len(words), 4) for language, count in counts.most_common()}


def _transcription(done: Progress, recording: Recording, identity: dict[str, Any]) -> Transcription:
    words = tuple(in_order(done.words))
    shares = _languages(words)
    language = next(iter(shares), "")
    figures = _figures(done, recording)
    provenance = {
        "source": "model", **identity, "language": language, "languages": shares, "changes": list(done.changes),
        "duration": round(recording.decoded, 3), "truncated": recording.truncated,
        "figures": figures, "flag": verdict(figures),
    }  # fmt: skip
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


def verdict(figures: dict[str, Any]) -> str:
    """Why an episode's transcript should not be trusted, in one line; empty if there is no reason."""
    damaged, failed, windows, speech = (figures[name] for name in ("damaged", "failed", "windows", "speech"))
    reasons = {
        "the audio ends early": figures["truncated"],
        f"{damaged} parts of the audio are damaged": damaged > MAX_DAMAGED,
        "no speech was found": not speech,
        f"only {figures['coverage']:.0%} of the speech became words": speech and figures["coverage"] < MIN_COVERAGE,
        f"{failed} of {windows} windows look wrong": failed > MAX_FAILED * windows,
        "the model was unsure of most words": figures["words"] and figures["mean_log_prob"] < MIN_MEAN_LOG_PROB,
    }
    return "; ".join(reason for reason, holds in reasons.items() if holds)
