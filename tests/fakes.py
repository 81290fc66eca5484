"""Stand-ins that behave like the real thing, small enough to reason about."""

import re
from hashlib import sha256

import numpy as np

from ingest.speech.recognizer import DecodedSegment
from ingest.speech.segments import Word


class BagOfWords:
    """An embedder: each word has a direction of its own, so texts are as near as the words they share.

    `embedded` lists the passages it was asked for.
    """

    dimension, no_answer_score = 256, 0.45

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
    """A speech model that finds a word every 0.4 s; in windows longer than `long` seconds `hears_first` changes them."""

    name, window, device = "forgetful", 30.0, "cpu"

    def __init__(self, hears_first, own_language=("en", 1.0), long=15.0, log_prob=-0.2):
        self.hears_first = hears_first
        self.own_language = own_language
        self.long = long
        self.log_prob = log_prob
        self.asked = []

    def language(self, _):
        return self.own_language

    def decode(self, _, windows, options):
        self.asked.append((options, tuple(windows)))
        return [[DecodedSegment(self._words(window), self.log_prob, 10, 0.0)] for window in windows]

    def _words(self, window):
        starts = np.arange(window.start, window.end - 0.4, 0.4).tolist()
        words = tuple(
            Word(start, start + 0.4, f" {sha256(f'{start:.1f}'.encode()).hexdigest()[:5]}") for start in starts
        )
        return words if window.length <= self.long else tuple(self.hears_first(words))
