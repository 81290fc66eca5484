"""Stand-ins that behave like the real thing, small enough to reason about."""

import re
from hashlib import sha256

import numpy as np


class BagOfWords:
    """An embedder: each word has a direction of its own, so texts are as near as the words they share.

    `embedded` lists the passages it was asked for.
    """

    dimension = 256

    def __init__(self, name="bag-of-words"):
        self.name = name
        self.embedded = []

    def count(self, text):
        return len(text.split())

    def embed_passages(self, texts):
        self.embedded += texts
        return np.array([self.embed_query(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def embed_query(self, text):
        vector = np.full(self.dimension, 1e-3, np.float32)
        for word in re.findall(r"\w+", text.lower()):
            vector[int.from_bytes(sha256(word.encode()).digest()[:2], "big") % self.dimension] += 1
        return vector / np.linalg.norm(vector)
