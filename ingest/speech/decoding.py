"""Turns windows of sound into words: checks each, and transcribes again, in parts, what looks wrong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import Any

from ingest.audio.decode import RATE, Samples
from ingest.speech.quality import Check, check, is_silence
from ingest.speech.recognizer import Options, Recognized, Recognizer
from ingest.speech.segments import Word, in_order
from ingest.speech.windows import Span, Window, within

SPLITS = 2  # times that a failed window is halved: each half costs as much as a whole window, however short it is
MIN_SPLIT = 4.0  # seconds of speech below which a window is not halved


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
        redecoded = [
            again | {name: round(again[name] + offset, 2) for name in ("start", "end")}
            for again in self.figures["redecoded"]
        ]
        words = tuple(word.moved(offset) for word in self.words)
        return BatchResult(self.end + start, words, self.figures | {"redecoded": redecoded})


def decode(
    recognizer: Recognizer, samples: Samples, windows: Sequence[Window], speech: Sequence[Span], options: Options
) -> BatchResult:
    """The words of windows, transcribed together, and the figures that say how good they are.

    `speech` is where somebody speaks in `samples`. Raises `TranscriptionError`, and `UnreachableError` for a server.
    """
    found = recognizer.transcribe([window.sound(samples) for window in windows], options)
    results: list[tuple[Window, Attempt, tuple[str, ...]]] = []
    started = perf_counter()
    again = _Sound(recognizer, samples, speech, replace(options, hotwords=""))
    for window, one in zip(windows, found, strict=True):
        first = _attempt("", [(window, one)], within(speech, window))
        best = first
        if first.check.problems:
            best = again.best(window, first)
        results.append((window, best, first.check.problems))
    words = in_order([word for _, attempt, _ in results for word in attempt.words])
    figures = _figures(results) | {"seconds_again": perf_counter() - started}
    return BatchResult(round(windows[-1].end * RATE), tuple(words), figures)


@dataclass(frozen=True, slots=True)
class _Sound:
    """What all attempts at a window need."""

    recognizer: Recognizer
    samples: Samples
    speech: Sequence[Span]
    options: Options

    def best(self, window: Window, first: Attempt) -> Attempt:
        """The best attempt at a window whose first failed: in halves, each in its own language, or the careful way."""
        speech = within(self.speech, window)
        best = min(first, _attempt("in parts", self.in_parts(window, SPLITS), speech), key=_rank)
        if best.check.problems:
            likely = max(first.parts, key=lambda part: part.tokens).language if first.parts else self.options.likely
            careful = replace(self.options, likely=likely, careful=True)
            found = self.recognizer.transcribe([window.sound(self.samples)], careful)
            best = min(best, _attempt("careful", [(window, found[0])], speech), key=_rank)
        return best

    def in_parts(self, window: Window, splits: int) -> list[tuple[Window, Recognized]]:
        """A window in two parts, each that fails in two again; none where it cannot be cut."""
        parts = halves(window)
        if not splits or len(parts) < 2:
            return []
        found = []
        sounds = [part.sound(self.samples) for part in parts]
        for part, one in zip(parts, self.recognizer.transcribe(sounds, self.options), strict=True):
            speech = within(self.speech, part)
            first = _attempt("", [(part, one)], speech)
            smaller = self.in_parts(part, splits - 1) if first.check.problems else []
            better = smaller and _rank(_attempt("", smaller, speech)) < _rank(first)
            found += smaller if better else [(part, one)]
        return found


def _rank(attempt: Attempt) -> tuple[int, float, float]:
    """Smaller is better."""
    return len(attempt.check.problems), attempt.check.left_out, -attempt.check.log_prob


def halves(window: Window) -> list[Window]:
    """A window cut in its best pause: a long one near the middle; whole where it is short or has none."""
    spans = window.spans
    if len(spans) < 2 or window.length < MIN_SPLIT:
        return [window]
    done, scores = 0.0, []
    for before, after in pairwise(spans):
        done += before.length
        scores.append(after.start - before.end - abs(done / window.length - 0.5))
    cut = scores.index(max(scores)) + 1
    return [Window(spans[:cut]), Window(spans[cut:])]


def _attempt(way: str, found: Sequence[tuple[Window, Recognized]], speech: Sequence[Span]) -> Attempt:
    parts = [(window, one) for window, one in found if not is_silence(one.no_speech, one.log_prob, one.words)]
    tokens = sum(one.tokens for _, one in parts)
    log_prob = sum(one.log_prob * one.tokens for _, one in parts) / tokens if tokens else 0.0
    words = [
        replace(word.moved(window.shift((word.start + word.end) / 2)), language=one.language)
        for window, one in parts
        for word in one.words
    ]
    return Attempt(way, tuple(in_order(words)), tuple(one for _, one in parts), check(speech, words, log_prob))


def _figures(results: Sequence[tuple[Window, Attempt, tuple[str, ...]]]) -> dict[str, Any]:
    """Plain JSON data of one batch; the numbers of several batches can be added."""
    attempts = [attempt for _, attempt, _ in results]
    checks = [attempt.check for attempt in attempts]
    parts = [part for attempt in attempts for part in attempt.parts]
    languages = Counter[str]()
    for part in parts:
        languages[part.language] += part.tokens
    return {
        "speech": round(sum(check.speech for check in checks), 2),
        "left_out": round(sum(check.left_out for check in checks), 2),
        "windows": len(results),
        "failed": sum(bool(check.problems) for check in checks),
        "words": sum(len(attempt.words) for attempt in attempts),
        "tokens": sum(part.tokens for part in parts),
        "log_prob": sum(part.log_prob * part.tokens for part in parts),
        "language_sure": sum(part.language_probability * part.tokens for part in parts),
        "languages": {code: tokens for code, tokens in languages.items() if tokens},
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
