"""Turns windows of sound into words: checks each, and transcribes again, in parts, what looks wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.audio.decode import Samples
from ingest.speech.quality import find_problems, is_silence, missing
from ingest.speech.recognizer import Options, Recognized, Recognizer
from ingest.speech.segments import Word, in_order
from ingest.speech.windows import Window

# Times that a failed window is halved: each half costs as much as a whole window, however short it is. Parts of 10 s at
# once, without a second halving, lost 4.4 s of a file of three languages, and 39 % of its words (`base`).
SPLITS = 2


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one transcription of a window gave; `left_out` are seconds of speech without words."""

    words: tuple[Word, ...]
    parts: tuple[Recognized, ...]
    left_out: float
    log_prob: float
    problems: tuple[str, ...]


def decode(
    recognizer: Recognizer, samples: Samples, windows: Sequence[Window], options: Options
) -> tuple[list[Word], dict[str, float]]:
    """The words of windows, transcribed together, and figures that say how good they are, which can be added.

    Raises `TranscriptionError`, and `UnreachableError` for a server.
    """
    firsts = recognizer.transcribe([window.sound(samples) for window in windows], options)
    found = [
        _attempt(recognizer, samples, window, first, options) for window, first in zip(windows, firsts, strict=True)
    ]
    parts = [part for _, best in found for part in best.parts]
    return in_order([word for _, best in found for word in best.words]), {
        "speech": sum(span.length for window in windows for span in window.speech),
        "left_out": sum(best.left_out for _, best in found),
        "windows": len(windows),
        "redecoded": sum(again for again, _ in found),
        "failed": sum(bool(best.problems) for _, best in found),
        "tokens": sum(part.tokens for part in parts),
        "log_prob": sum(part.log_prob * part.tokens for part in parts),
    }


def _attempt(
    recognizer: Recognizer, samples: Samples, window: Window, found: Recognized, options: Options
) -> tuple[bool, Attempt]:
    """Whether a window was transcribed again, and the best of what was made of it.

    One that fails is transcribed in parts, each in its own language, and then in the careful way.
    """
    first = best = _judged(window, [(window, found)])
    plain = replace(options, hotwords="")
    if first.problems:
        best = min(best, _judged(window, _in_parts(recognizer, samples, window, plain, SPLITS)), key=_rank)
    if best.problems:
        likely = found.language if first.parts else options.likely
        careful = replace(plain, likely=likely, careful=True)
        again = recognizer.transcribe([window.sound(samples)], careful)
        best = min(best, _judged(window, [(window, again[0])]), key=_rank)
    return bool(first.problems), best


def _in_parts(
    recognizer: Recognizer, samples: Samples, window: Window, options: Options, splits: int
) -> list[tuple[Window, Recognized]]:
    """A window in two parts, each that fails in two again; none where it cannot be cut."""
    parts = window.halves() if splits else []
    found = []
    sounds = [part.sound(samples) for part in parts]
    for part, one in zip(parts, recognizer.transcribe(sounds, options) if parts else [], strict=True):
        first = _judged(part, [(part, one)])
        smaller = _in_parts(recognizer, samples, part, options, splits - 1) if first.problems else []
        found += smaller if smaller and _rank(_judged(part, smaller)) < _rank(first) else [(part, one)]
    return found


def _rank(attempt: Attempt) -> tuple[int, float, float]:
    """Smaller is better."""
    return len(attempt.problems), attempt.left_out, -attempt.log_prob


def _judged(window: Window, found: Sequence[tuple[Window, Recognized]]) -> Attempt:
    heard = [(part, one) for part, one in found if not is_silence(one.no_speech, one.log_prob, one.words)]
    tokens = sum(one.tokens for _, one in heard)
    log_prob = sum(one.log_prob * one.tokens for _, one in heard) / tokens if tokens else 0.0
    words = [
        replace(word.moved(part.shift((word.start + word.end) / 2)), language=one.language)
        for part, one in heard
        for word in one.words
    ]
    left_out = sum(span.length for span in missing(window.speech, words))
    problems = find_problems(left_out, words, log_prob)
    return Attempt(tuple(words), tuple(one for _, one in heard), left_out, log_prob, problems)
