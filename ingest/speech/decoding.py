"""Turns windows of sound into words: checks each, and transcribes again, in parts, what looks wrong."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.audio.decode import Samples
from ingest.sentences import ideographs
from ingest.speech.recognizer import Options, Recognized, Recognizer
from ingest.speech.segments import Word, text
from ingest.speech.windows import PADDING, Span, Window

# Times that a failed window is halved: each half costs as much as a whole window, however short it is. Parts of 8 or 10 s
# at once, without a second halving, cost as much and lost words where several languages are in one file (`base`).
SPLITS = 2

MAX_COMPRESSION = 2.4  # Whisper's own limit: text that zlib shrinks further repeats itself
MIN_LOG_PROB = -1.0  # Whisper's own limit of a token's mean log probability
MAX_NO_SPEECH = 0.6  # Whisper's own limit: above is silence, if the words are unsure as well; speech gave at most .44
# and log probability is below this: `tiny.en` gave "Thank you." for music at -.8 to -1.0, clear speech is above -.4
SILENCE_LOG_PROB = -0.6
WORD_TIME_ERROR = 0.3  # seconds by which word times may be wrong
MAX_LETTER = 0.09  # seconds a letter lasts in slow speech; a longer word hides speech that was left out
MAX_IDEOGRAPH = 0.35  # seconds, likewise: a Chinese or Japanese character is a syllable or two
MIN_GAP = 0.8  # seconds of speech without words that count as left out; less is breath, laughter or a slow word
# The same words so often in a row are a loop; fewer may be emphasis. Shorter than "no " with its space is laughter.
_REPEATS = re.compile(r"(.{3,200}?)\1{3}")

Heard = list[tuple[Window, Recognized]]  # windows, or parts of one, and what was heard in each


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one transcription of a window gave; `left_out` are seconds of speech without words."""

    words: tuple[Word, ...]
    tokens: int
    log_prob: float
    left_out: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes windows of `samples` with a speech model, which raises `TranscriptionError` and `UnreachableError`."""

    recognizer: Recognizer
    samples: Samples

    def decode(self, windows: Sequence[Window], options: Options) -> tuple[list[Word], dict[str, float]]:
        """The words of windows, transcribed together, and figures that say how good they are, which can be added."""
        firsts = [_judged(window, [(window, one)]) for window, one in self._heard(windows, options)]
        plain = replace(options, hotwords="")
        found = [self._again(window, first, plain) for window, first in zip(windows, firsts, strict=True)]
        return [word for one in found for word in one.words], {
            "speech": sum(span.length for window in windows for span in window.spans),
            "left_out": sum(one.left_out for one in found),
            "windows": len(windows),
            "redecoded": sum(bool(one.problems) for one in firsts),
            "failed": sum(bool(one.problems) for one in found),
            "tokens": sum(one.tokens for one in found),
            "log_prob": sum(one.log_prob * one.tokens for one in found),
        }

    def _heard(self, windows: Sequence[Window], options: Options) -> Heard:
        sounds = [window.sound(self.samples) for window in windows]
        return list(zip(windows, self.recognizer.transcribe(sounds, options) if sounds else [], strict=True))

    def _again(self, window: Window, best: Attempt, options: Options) -> Attempt:
        """The attempt, or where it looks wrong the best of it, parts in a language each, and the careful way."""
        if best.words:
            options = replace(options, likely=best.words[0].language)
        slow = replace(options, careful=True)
        # The careful way is cheaper than parts, and comes first where the language is known
        for careful in (bool(options.language), not options.language):
            if best.problems:
                found = self._heard([window], slow) if careful else self._in_parts(window, options, SPLITS)
                best = min(best, _judged(window, found), key=_rank)
        return best

    def _in_parts(self, window: Window, options: Options, splits: int) -> Heard:
        """A window in two parts, each that fails in two again; none where it cannot be cut."""
        found: Heard = []
        for part, one in self._heard(window.halves() if splits else [], options):
            whole = _judged(part, [(part, one)])
            smaller = self._in_parts(part, options, splits - 1) if whole.problems else []
            found += smaller if smaller and _rank(_judged(part, smaller)) < _rank(whole) else [(part, one)]
        return found


def _rank(attempt: Attempt) -> tuple[int, float, float]:
    """Smaller is better."""
    return len(attempt.problems), attempt.left_out, -attempt.log_prob


def _judged(window: Window, found: Heard) -> Attempt:
    heard = [(part, one) for part, one in found if not is_silence(one.no_speech, one.log_prob, one.words)]
    tokens = sum(one.tokens for _, one in heard)
    log_prob = sum(one.log_prob * one.tokens for _, one in heard) / tokens if tokens else 0.0
    words = [
        replace(word.moved(part.shift((word.start + word.end) / 2)), language=one.language)
        for part, one in heard
        for word in one.words
    ]
    left_out = sum(span.length for span in missing(window.spans, words))
    return Attempt(tuple(words), tokens, log_prob, left_out, find_problems(left_out, words, log_prob))


def find_problems(left_out: float, words: Sequence[Word], log_prob: float) -> tuple[str, ...]:
    """What is wrong with a window's words, in plain words; `left_out` are seconds of speech that no word covers."""
    # Words in silence cannot be: silence is left out of windows
    unsure = bool(words) and log_prob < MIN_LOG_PROB
    problems = {"speech left out": left_out > 0, "loop": loops(text(words)), "unsure": unsure}
    return tuple(name for name, holds in problems.items() if holds)


def missing(speech: Sequence[Span], words: Sequence[Word]) -> list[Span]:
    """The parts of at least `MIN_GAP` seconds of spans of speech that no word covers."""
    left = [Span(span.start + PADDING, span.end - PADDING) for span in speech]
    for word in words:
        said = word.text.strip()
        longest = MAX_LETTER * len(said) + (MAX_IDEOGRAPH - MAX_LETTER) * ideographs(said)
        start = word.start - WORD_TIME_ERROR
        end = min(word.end, word.start + WORD_TIME_ERROR + longest) + WORD_TIME_ERROR
        left = [
            part
            for span in left
            for part in (Span(span.start, min(span.end, start)), Span(max(span.start, end), span.end))
            if part.length > 0
        ]
    return [span for span in left if span.length >= MIN_GAP]


def loops(said: str) -> bool:
    """Whether a text repeats itself: zlib shrinks it too well, or it says a phrase four times in a row."""
    # Each character is one byte to zlib: of the three that UTF-8 needs in Thai, two are nearly always the same
    raw = bytes(ord(character) & 255 for character in said)
    words = " ".join(re.findall(r"[\w']+", said.lower())) + " "
    return len(raw) / len(zlib.compress(raw)) > MAX_COMPRESSION or bool(_REPEATS.search(words))


def is_silence(no_speech: float, log_prob: float, words: Sequence[Word]) -> bool:
    """Whether nobody speaks, so that the words are invented: Whisper's own rule, stricter, and with loops."""
    return no_speech > MAX_NO_SPEECH and (log_prob < SILENCE_LOG_PROB or loops(text(words)))
