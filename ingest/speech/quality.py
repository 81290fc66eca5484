"""Checks a window's words against its speech, and an episode's figures against limits. Pure."""

import re
import zlib
from collections.abc import Sequence
from typing import Any

from ingest.sentences import ideographs
from ingest.speech.segments import Word, text
from ingest.speech.windows import Span

MAX_COMPRESSION = 2.4  # Whisper's own limit: text that zlib shrinks further repeats itself
MIN_LOG_PROB = -1.0  # Whisper's own limit of a token's mean log probability
MAX_NO_SPEECH = 0.6  # Whisper's own limit: above is silence, if the words are unsure as well; speech gave at most .44
SILENCE_LOG_PROB = (
    -0.6
)  # and below this; `tiny.en` gave "Thank you." for music at -.8 to -1.0, clear speech is above -.4
WORD_TIME_ERROR = 0.3  # seconds by which word times may be wrong
MAX_LETTER = 0.09  # seconds a letter lasts in slow speech; a longer word hides speech that was left out
MAX_IDEOGRAPH = 0.35  # seconds, likewise: a Chinese or Japanese character is a syllable or two
MIN_GAP = 0.8  # seconds of speech without words that count as left out; less is breath, laughter or a slow word
# The same words so often in a row are a loop; fewer may be emphasis. Shorter than "no " with its space is laughter.
_REPEATS = re.compile(r"(.{3,200}?)\1{3}")

MIN_COVERAGE = 0.85  # of an episode's speech
MAX_FAILED = 0.1  # of an episode's windows
MAX_DAMAGED = 40  # packets: about a second; a few broken ones are common at the start of an MP3
MIN_MEAN_LOG_PROB = -0.8  # of an episode: single windows may be worse


def find_problems(left_out: float, words: Sequence[Word], log_prob: float) -> tuple[str, ...]:
    """What is wrong with a window's words, in plain words; `left_out` are seconds of speech that no word covers.

    Words in silence cannot be: silence is left out of windows.
    """
    problems = {
        "speech left out": left_out > 0,
        "loop": loops(text(words)),
        "unsure": bool(words) and log_prob < MIN_LOG_PROB,
    }
    return tuple(name for name, holds in problems.items() if holds)


def missing(speech: Sequence[Span], words: Sequence[Word]) -> list[Span]:
    """The speech of at least `MIN_GAP` seconds that no word covers."""
    left = list(speech)
    for word in words:
        start = word.start - WORD_TIME_ERROR
        end = min(word.end, word.start + WORD_TIME_ERROR + _longest(word.text.strip())) + WORD_TIME_ERROR
        parts = [
            part
            for span in left
            for part in (Span(span.start, min(span.end, start)), Span(max(span.start, end), span.end))
        ]
        left = [part for part in parts if part.length > 0]
    return [span for span in left if span.length >= MIN_GAP]


def _longest(said: str) -> float:
    """The seconds that a word may last."""
    return MAX_LETTER * len(said) + (MAX_IDEOGRAPH - MAX_LETTER) * ideographs(said)


def loops(said: str) -> bool:
    """Whether a text repeats itself: zlib shrinks it too well, or says a phrase four times in a row.

    Each character is one byte to zlib: of the three that UTF-8 needs in Thai, two are nearly always the same.
    """
    raw = bytes(ord(character) & 255 for character in said)
    if len(raw) / len(zlib.compress(raw)) > MAX_COMPRESSION:
        return True
    words = " ".join(re.findall(r"[\w']+", said.lower())) + " "
    return _REPEATS.search(words) is not None


def is_silence(no_speech: float, log_prob: float, words: Sequence[Word]) -> bool:
    """Whether nobody speaks, so that the words are invented: Whisper's own rule, stricter, and with loops."""
    return no_speech > MAX_NO_SPEECH and (log_prob < SILENCE_LOG_PROB or loops(text(words)))


def verdict(figures: dict[str, Any]) -> str:
    """Why an episode's transcript should not be trusted, in one line; empty if there is no reason."""
    reasons = []
    if figures.get("truncated"):
        reasons.append("the audio ends early")
    if figures.get("damaged", 0) > MAX_DAMAGED:
        reasons.append(f"{figures['damaged']} parts of the audio are damaged")
    if not figures.get("speech"):
        reasons.append("no speech was found")
    elif figures["coverage"] < MIN_COVERAGE:
        reasons.append(f"only {figures['coverage']:.0%} of the speech became words")
    if figures.get("windows") and figures["failed"] / figures["windows"] > MAX_FAILED:
        reasons.append(f"{figures['failed']} of {figures['windows']} windows look wrong")
    if figures.get("words") and figures["mean_log_prob"] < MIN_MEAN_LOG_PROB:
        reasons.append("the model was unsure of most words")
    return "; ".join(reasons)
