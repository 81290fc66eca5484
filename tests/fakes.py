"""Stand-ins that behave like the real thing, small enough to reason about."""

import re
from hashlib import sha256

import numpy as np

from index.calibration import DEFAULT_SCALE
from ingest.audio.decode import RATE
from ingest.errors import TranscriptionError
from ingest.speech.diarize import VoiceTurn
from ingest.speech.recognizer import Recognized
from ingest.speech.segments import Word


class BagOfWords:
    """An embedder: each word has a direction of its own, so texts are as near as the words they share.

    `embedded` lists the passages it was asked for.
    """

    dimension, cosine_scale = 256, DEFAULT_SCALE

    def __init__(self, name="bag-of-words"):
        self.name = name
        self.embedded = []

    def count(self, text):
        return len(text.split())

    def embed_passages(self, texts):
        self.embedded += texts
        return np.array([self.embed_query(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def embed_queries(self, texts):
        return np.array([self.embed_query(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def embed_query(self, text):
        vector = np.full(self.dimension, 1e-3, np.float32)
        for word in re.findall(r"\w+", text.lower()):
            vector[int.from_bytes(sha256(word.encode()).digest()[:2], "big") % self.dimension] += 1
        return vector / np.linalg.norm(vector)


class ForgetfulWhisper:
    """A speech model that finds a word every 0.4 s; in sound longer than `long` seconds `hears_first` changes them.

    The samples that it is given are their own numbers (`NUMBERED`), so that a word's text tells its moment.
    `careful` is what it finds in its careful way.
    """

    name, facts, batch_size = "forgetful", {"device": "none"}, 4

    def __init__(self, hears_first, long=15.0, log_prob=-0.2, careful=None, language="en"):
        self.hears_first = hears_first
        self.long = long
        self.log_prob = log_prob
        self.careful = careful
        self.language = language
        self.changes = []
        self.asked = []

    def transcribe(self, sounds, options):
        lengths = [len(sound) / RATE for sound in sounds]
        self.asked.append((options, lengths))
        return [
            Recognized(tuple(self._words(sound, length, options)), self.language, self.log_prob, 10, 0.0)
            for sound, length in zip(sounds, lengths, strict=True)
        ]

    def _words(self, sound, length, options):
        words = []
        for start in np.arange(0.0, length - 0.4, 0.4).tolist():
            moment = f"{sound[round(start * RATE)] / RATE:.1f}"
            words.append(Word(start, start + 0.4, f" {sha256(moment.encode()).hexdigest()[:5]}"))
        if options.careful and self.careful:
            return self.careful(words)
        return words if length <= self.long else self.hears_first(words)


class TwoVoices:
    """A diarizer that hears one voice up to `change` (seconds) and another after it; or fails."""

    name = "two voices"

    def __init__(self, change=5.0, fails=""):
        self.change, self.fails, self.heard = change, fails, []

    def diarize(self, audio, progress):
        self.heard.append(audio.name)
        progress(1.0, 2.0)
        if self.fails:
            raise TranscriptionError(audio, self.fails)
        return [VoiceTurn(0.0, self.change, "x"), VoiceTurn(self.change, self.change + 3600, "y")]


NUMBERED = np.arange(60 * RATE, dtype=np.float32)  # a minute
