"""From sound to words: decode each window, check what came out, and decode again, more carefully, what looks wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from ingest.audio.decode import RATE, Samples, quietest
from ingest.speech.faster_whisper import Decoded, Options, Whisper
from ingest.speech.quality import DOUBTFUL, Check, check, invented
from ingest.speech.segments import Word, in_order
from ingest.speech.windows import Span, pack

CAREFUL = 0.4  # of a window's length: shorter windows leave less room to lose the thread
EXACT = 0.001  # seconds: a moment that went through samples and back is still the same
SURE = 0.8  # probability from which a window's own language counts


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way a window was decoded and what came out; `way` is empty for the first."""

    way: str
    words: tuple[Word, ...]
    log_prob: float
    tokens: int
    check: Check


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows that were decoded together: where the last ends in seconds, their words, and figures as plain JSON data."""

    end: float
    words: tuple[Word, ...]
    figures: dict[str, Any]


def decode(
    whisper: Whisper, samples: Samples, speech: Sequence[Span], options: Options, after: float = 0.0
) -> Iterator[Batch]:
    """The words of some minutes of sound, batch after batch, and the figures that say how good they are.

    `speech` is where somebody speaks; windows that end by `after` seconds are left out. Raises `TranscriptionError`.
    """
    windows = [window for window in _windows(samples, speech, whisper.window) if window.end > after + EXACT]
    for first in range(0, len(windows), options.batch_size):
        batch = windows[first : first + options.batch_size]
        kept: list[tuple[Span, Attempt, tuple[str, ...]]] = []
        seconds_again = 0.0
        for window, parts in zip(batch, whisper.decode(samples, batch, options), strict=True):
            inside = within(speech, window)
            begun = perf_counter()
            attempt, language = _heard(whisper, samples, inside, options, parts)
            better = (
                _again(whisper, samples, inside, options, attempt, language=language)
                if attempt.check.problems
                else attempt
            )
            seconds_again += perf_counter() - begun
            kept.append((window, better, attempt.check.problems))
        words = in_order([word for _, attempt, _ in kept for word in attempt.words])
        yield Batch(batch[-1].end, tuple(words), _figures(kept) | {"seconds_again": seconds_again})


def within(speech: Sequence[Span], window: Span) -> list[Span]:
    """The parts of the spans of speech that lie in a window."""
    cut = [Span(max(span.start, window.start), min(span.end, window.end)) for span in speech]
    return [span for span in cut if span.end > span.start]


def _windows(samples: Samples, speech: Sequence[Span], length: float) -> list[Span]:
    return pack(speech, len(samples) / RATE, lambda start, end: quietest(samples, start, end), length)


def _judged(way: str, parts: Sequence[Decoded], speech: Sequence[Span]) -> Attempt:
    heard = [part for part in parts if not invented(part.no_speech, part.log_prob)]
    tokens = sum(part.tokens for part in heard)
    log_prob = sum(part.log_prob * part.tokens for part in heard) / tokens if tokens else 0.0
    words = tuple(in_order([word for part in heard for word in part.words]))
    return Attempt(way, words, log_prob, tokens, check(speech, words, log_prob))


def _heard(
    whisper: Whisper, samples: Samples, speech: Sequence[Span], options: Options, parts: Sequence[Decoded]
) -> tuple[Attempt, str]:
    """The first attempt, and the window's language, which is looked at only where something is wrong or doubtful.

    Listening for it costs as much as hearing the window; where the words are sure, the episode's language is right.
    """
    attempt = _judged("", parts, speech)
    if not attempt.check.problems and attempt.log_prob >= DOUBTFUL:
        return attempt, options.language
    language = _own_language(whisper, samples, speech, options.language)
    if language == options.language:
        return attempt, language
    problems = (*attempt.check.problems, "another language")
    return replace(attempt, check=replace(attempt.check, problems=problems)), language


def _again(
    whisper: Whisper, samples: Samples, speech: Sequence[Span], options: Options, first: Attempt, *, language: str
) -> Attempt:
    """The best of the first attempt and the careful ones; the first careful one that is without fault ends the search."""
    best = first
    windows = _windows(samples, speech, whisper.window * CAREFUL)
    for way, careful in ways(options, first.check.problems, language):
        parts = [part for parts in whisper.decode(samples, windows, careful) for part in parts]
        best = min(best, _judged(way, parts, speech), key=lambda attempt: attempt.check.rank)
        if not best.check.problems:
            break
    return best


def ways(options: Options, problems: Sequence[str], language: str) -> list[tuple[str, Options]]:
    """How to decode a window again, in this order: one by one, without hotwords, and against loops where there was one."""
    careful = replace(options, batch_size=1, hotwords="", beam_size=max(5, options.beam_size))
    found = [("shorter windows", careful)]
    if language != options.language:
        found.insert(0, (f"as {language}", replace(careful, language=language)))
    if {"loop", "echo"} & set(problems):
        # each word may come again, but no phrase of five within a few seconds
        found.append(("no repeats", replace(careful, repetition_penalty=1.1, no_repeat_ngram_size=5)))
    return found


def _own_language(whisper: Whisper, samples: Samples, speech: Sequence[Span], language: str) -> str:
    """The window's own language where that is sure, else the episode's."""
    own, probability = whisper.language(spoken(samples, speech))
    return own if probability >= SURE else language


def spoken(samples: Samples, speech: Sequence[Span]) -> Samples:
    """The sound from the first to the last moment of speech."""
    if not speech:
        return samples[:0]
    return samples[round(speech[0].start * RATE) : round(speech[-1].end * RATE)]


def _figures(kept: Sequence[tuple[Span, Attempt, tuple[str, ...]]]) -> dict[str, Any]:
    """Plain JSON data of some minutes, made to be added up."""
    checks = [attempt.check for _, attempt, _ in kept]
    return {
        "speech": round(sum(check.speech for check in checks), 2),
        "left_out": round(sum(check.left_out for check in checks), 2),
        "windows": len(kept),
        "failed": sum(bool(check.problems) for check in checks),
        "words": sum(len(attempt.words) for _, attempt, _ in kept),
        "silent_words": sum(check.silent_words for check in checks),
        "tokens": sum(attempt.tokens for _, attempt, _ in kept),
        "log_prob": sum(attempt.log_prob * attempt.tokens for _, attempt, _ in kept),
        "redecoded": [
            {
                "start": round(window.start, 2),
                "end": round(window.end, 2),
                "problems": list(problems),
                "kept": attempt.way or "first",
                "left": list(attempt.check.problems),
            }
            for window, attempt, problems in kept
            if problems
        ],
    }
