"""Decodes sound into words: checks each window, and decodes again, more carefully, what looks wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from ingest.audio.decode import RATE, Samples, quietest
from ingest.speech.quality import DOUBTFUL, Check, check, is_silence
from ingest.speech.recognizer import DecodedSegment, Options, Recognizer
from ingest.speech.segments import Word, in_order
from ingest.speech.windows import Span, pack

RETRY_WINDOW = 0.4  # of a window's length: in a shorter window the model loses its place less often
TIME_TOLERANCE = 0.001  # seconds: more than a time changes when it is rounded to samples and back
MIN_LANGUAGE_PROBABILITY = 0.8  # from which a window's own language counts more than the episode's


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one decoding of a window gave; `strategy` is empty for the first."""

    strategy: str
    words: tuple[Word, ...]
    log_prob: float
    tokens: int
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
        words = [
            replace(word, start=round(word.start + offset, 2), end=round(word.end + offset, 2)) for word in self.words
        ]
        redecoded = [
            again | {"start": round(again["start"] + offset, 2), "end": round(again["end"] + offset, 2)}
            for again in self.figures["redecoded"]
        ]
        return BatchResult(self.end + start, tuple(words), self.figures | {"redecoded": redecoded})


def decode(
    recognizer: Recognizer, samples: Samples, speech: Sequence[Span], options: Options, after: float = 0.0
) -> Iterator[BatchResult]:
    """The words of some minutes of sound, batch by batch, and the figures that say how good they are.

    `speech` is where somebody speaks. Windows that end by `after` seconds are left out. Raises `TranscriptionError`.
    """
    windows = [window for window in _windows(samples, speech, recognizer.window) if window.end > after + TIME_TOLERANCE]
    for first in range(0, len(windows), options.batch_size):
        batch = windows[first : first + options.batch_size]
        results: list[tuple[Span, Attempt, tuple[str, ...]]] = []
        seconds_again = 0.0
        for window, decoded in zip(batch, recognizer.decode(samples, batch, options), strict=True):
            started = perf_counter()
            best, problems = _best_attempt(recognizer, samples, within(speech, window), options, decoded)
            results.append((window, best, problems))
            seconds_again += perf_counter() - started
        words = in_order([word for _, attempt, _ in results for word in attempt.words])
        end = round(batch[-1].end * RATE)
        yield BatchResult(end, tuple(words), _figures(results) | {"seconds_again": seconds_again})


def within(speech: Sequence[Span], window: Span) -> list[Span]:
    """The parts of the spans of speech that lie in a window."""
    cut = [Span(max(span.start, window.start), min(span.end, window.end)) for span in speech]
    return [span for span in cut if span.end > span.start]


def _windows(samples: Samples, speech: Sequence[Span], length: float) -> list[Span]:
    return pack(speech, len(samples) / RATE, lambda start, end: quietest(samples, start, end), length)


def _best_attempt(
    recognizer: Recognizer,
    samples: Samples,
    speech: Sequence[Span],
    options: Options,
    decoded: Sequence[DecodedSegment],
) -> tuple[Attempt, tuple[str, ...]]:
    """The best attempt at a window, and the problems of the first.

    A window with problems is decoded again with each strategy until an attempt has none.
    """
    first, language = _first_attempt(recognizer, samples, speech, options, decoded)
    best = first
    if not first.check.problems:
        return first, ()
    windows = _windows(samples, speech, recognizer.window * RETRY_WINDOW)
    for strategy, careful in retry_strategies(options, first.check.problems, language):
        parts = [part for parts in recognizer.decode(samples, windows, careful) for part in parts]
        best = min(best, _attempt(strategy, parts, speech), key=lambda attempt: attempt.check.rank)
        if not best.check.problems:
            break
    return best, first.check.problems


def _first_attempt(
    recognizer: Recognizer,
    samples: Samples,
    speech: Sequence[Span],
    options: Options,
    decoded: Sequence[DecodedSegment],
) -> tuple[Attempt, str]:
    """The first attempt, and the window's language.

    The language is detected only where something is wrong or doubtful: detection takes as long as decoding, and where
    the model is sure of the words, the episode's language is right.
    """
    attempt = _attempt("", decoded, speech)
    if not attempt.check.problems and attempt.log_prob >= DOUBTFUL:
        return attempt, options.language
    language, probability = recognizer.language(spoken(samples, speech))
    if probability < MIN_LANGUAGE_PROBABILITY or language == options.language:
        return attempt, options.language
    problems = (*attempt.check.problems, "another language")
    return replace(attempt, check=replace(attempt.check, problems=problems)), language


def _attempt(strategy: str, decoded: Sequence[DecodedSegment], speech: Sequence[Span]) -> Attempt:
    parts = [part for part in decoded if not is_silence(part.no_speech, part.log_prob)]
    tokens = sum(part.tokens for part in parts)
    log_prob = sum(part.log_prob * part.tokens for part in parts) / tokens if tokens else 0.0
    words = tuple(in_order([word for part in parts for word in part.words]))
    return Attempt(strategy, words, log_prob, tokens, check(speech, words, log_prob))


def retry_strategies(options: Options, problems: Sequence[str], language: str) -> list[tuple[str, Options]]:
    """Names and options of the decodings to try, in this order; all of them one by one and without hotwords."""
    careful = replace(options, batch_size=1, hotwords="", beam_size=max(5, options.beam_size))
    strategies = [("shorter windows", careful)]
    if language != options.language:
        strategies.insert(0, (f"as {language}", replace(careful, language=language)))
    if {"loop", "echo"} & set(problems):
        # each word may come again, but no phrase of five tokens within a few seconds
        strategies.append(("no repeats", replace(careful, repetition_penalty=1.1, no_repeat_ngram_size=5)))
    return strategies


def spoken(samples: Samples, speech: Sequence[Span]) -> Samples:
    """The sound from the first to the last moment of speech."""
    if not speech:
        return samples[:0]
    return samples[round(speech[0].start * RATE) : round(speech[-1].end * RATE)]


def _figures(results: Sequence[tuple[Span, Attempt, tuple[str, ...]]]) -> dict[str, Any]:
    """Plain JSON data of one batch; the numbers of several batches can be added."""
    attempts = [attempt for _, attempt, _ in results]
    checks = [attempt.check for attempt in attempts]
    return {
        "speech": round(sum(check.speech for check in checks), 2),
        "left_out": round(sum(check.left_out for check in checks), 2),
        "windows": len(results),
        "failed": sum(bool(check.problems) for check in checks),
        "words": sum(len(attempt.words) for attempt in attempts),
        "silent_words": sum(check.silent_words for check in checks),
        "tokens": sum(attempt.tokens for attempt in attempts),
        "log_prob": sum(attempt.log_prob * attempt.tokens for attempt in attempts),
        "redecoded": [
            {
                "start": round(window.start, 2),
                "end": round(window.end, 2),
                "problems": list(problems),
                "kept": attempt.strategy or "first",
                "left": list(attempt.check.problems),
            }
            for window, attempt, problems in results
            if problems
        ],
    }
