"""Turns sound into words: checks each window, and transcribes again, more carefully, what looks wrong."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from ingest.audio.decode import RATE, Samples
from ingest.speech.quality import Check, check, is_silence
from ingest.speech.recognizer import Options, Recognized, Recognizer
from ingest.speech.segments import Word, in_order
from ingest.speech.windows import Span, Window, pack, within

SHORT = float(os.environ.get("X_SHORT", 10.0))  # seconds of the windows
TIME_TOLERANCE = 0.001  # seconds: more than a time changes when it is rounded to samples and back
STRATS = os.environ.get("X_STRATS", "short,careful").split(",")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one transcription of a window gave; `way` is empty for the first."""

    way: str
    words: tuple[Word, ...]
    parts: tuple[Recognized, ...]
    check: Check


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Windows that were decoded together: `end` of the last in samples, their words, `figures` as plain JSON data."""

    end: int
    words: tuple[Word, ...]
    figures: dict[str, Any]

    def moved(self, start: int) -> "BatchResult":
        """The same with times that count from `start` samples earlier."""
        offset = start / RATE
        words = tuple(word.moved(offset) for word in self.words)
        redecoded = [
            again | {name: round(again[name] + offset, 2) for name in ("start", "end")}
            for again in self.figures["redecoded"]
        ]
        return BatchResult(self.end + start, words, self.figures | {"redecoded": redecoded})


def decode(
    recognizer: Recognizer, samples: Samples, speech: Sequence[Span], options: Options, size: int, after: float = 0.0
) -> Iterator[BatchResult]:
    """The words of some minutes of sound, `size` windows at a time, and the figures that say how good they are.

    `speech` is where somebody speaks. Windows that end by `after` seconds are left out. Raises `TranscriptionError`.
    """
    windows = [one for one in pack(speech, len(samples) / RATE) if one.end > after + TIME_TOLERANCE]
    for first in range(0, len(windows), size):
        batch = windows[first : first + size]
        results: list[tuple[Window, Attempt, tuple[str, ...]]] = []
        seconds_again = 0.0
        found = recognizer.transcribe([window.sound(samples) for window in batch], options)
        for window, one in zip(batch, found, strict=True):
            started = perf_counter()
            best, problems = _best_attempt(recognizer, samples, within(speech, window), options, window, one)
            results.append((window, best, problems))
            seconds_again += perf_counter() - started
        words = in_order([word for _, attempt, _ in results for word in attempt.words])
        yield BatchResult(round(batch[-1].end * RATE), tuple(words), _figures(results) | {"seconds_again": seconds_again})


def _best_attempt(recognizer, samples, speech, options, window, one):
    first = best = _attempt("", [(window, one)], speech)
    if not first.check.problems:
        return first, ()
    for way in STRATS:
        if way == "short":
            windows = pack(speech, len(samples) / RATE, SHORT)
            found = recognizer.transcribe([w.sound(samples) for w in windows], replace(options, hotwords=""))
            att = _attempt(way, list(zip(windows, found)), speech)
        elif way == "again":
            att = _attempt(way, [(window, recognizer.transcribe([window.sound(samples)], replace(options, hotwords=""))[0])], speech)
        elif way == "careful":
            found = recognizer.transcribe([window.sound(samples)], replace(options, careful=True, likely=one.language, hotwords=""))
            att = _attempt(way, [(window, found[0])], speech)
        elif way == "carefulshort":
            windows = pack(speech, len(samples) / RATE, SHORT)
            found = [recognizer.transcribe([w.sound(samples)], replace(options, careful=True, likely=o.language, hotwords=""))[0] for w,o in zip(windows, found)]
            att = _attempt(way, list(zip(windows, found)), speech)
        if os.environ.get("X_SHOW"):
            print(f"   {window.start:.1f}-{window.end:.1f} {first.check.problems} {first.parts[0].language} lp {first.check.log_prob:.2f} -> {way} {[(p.language, round(p.language_probability,2), round(p.log_prob,2)) for p in att.parts]} {att.check.problems} lp {att.check.log_prob:.2f} lo {att.check.left_out:.1f}\n     A {''.join(w.text for w in first.words)[:300]}\n     B {''.join(w.text for w in att.words)[:300]}")
        best = min(best, att, key=lambda attempt: attempt.check.rank)
        if not best.check.problems:
            break
    return best, first.check.problems


def _attempt(way: str, found: Sequence[tuple[Window, Recognized]], speech: Sequence[Span]) -> Attempt:
    parts = [(window, one) for window, one in found if not is_silence(one.no_speech, one.log_prob)]
    tokens = sum(one.tokens for _, one in parts)
    log_prob = sum(one.log_prob * one.tokens for _, one in parts) / tokens if tokens else 0.0
    words = tuple(in_order([word for window, one in parts for word in placed(one.words, window)]))
    return Attempt(way, words, tuple(one for _, one in parts), check(speech, words, log_prob))


def placed(words: Sequence[Word], window: Window) -> Iterator[Word]:
    """The words of a window's joined sound at the times of the whole sound."""
    for word in words:
        yield word.moved(window.shift((word.start + word.end) / 2))


def _figures(results: Sequence[tuple[Window, Attempt, tuple[str, ...]]]) -> dict[str, Any]:
    """Plain JSON data of one batch; the numbers of several batches can be added."""
    attempts = [attempt for _, attempt, _ in results]
    checks = [attempt.check for attempt in attempts]
    parts = [part for attempt in attempts for part in attempt.parts]
    return {
        "speech": round(sum(check.speech for check in checks), 2),
        "left_out": round(sum(check.left_out for check in checks), 2),
        "windows": len(results),
        "failed": sum(bool(check.problems) for check in checks),
        "words": sum(len(attempt.words) for attempt in attempts),
        "silent_words": sum(check.silent_words for check in checks),
        "tokens": sum(part.tokens for part in parts),
        "log_prob": sum(part.log_prob * part.tokens for part in parts),
        "redecoded": [
            {
                "start": round(window.start, 2),
                "end": round(window.end, 2),
                "problems": list(problems),
                "kept": attempt.way or "first",
                "left": list(attempt.check.problems),
            }
            for window, attempt, problems in results
            if problems
        ],
    }
