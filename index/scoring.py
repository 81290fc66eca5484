"""Words as search sees them: stems, what each is worth, and the constants of the score; pure."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from threading import Lock

K1, B = 1.2, 0.75  # Robertson and Walker's usual values; others gained nothing (measured)
# A hybrid score is cosine + 6 share^3: a share below 0.3 adds next to nothing and the meaning decides; above 0.5 the words
# do. Rank fusion cannot tell the two apart, and was worse than BM25 alone on judged questions.
TRUST, POWER = 6.0, 3
# Beside vectors, what a term weighs in the share is its idf to this power: the meaning stands for the common words. MRR@10 of
# 180 judged questions is higher by .02 (95 %: .002 to .036), the same for libraries of 20 episodes, lower by .005 for five.
SHARPER = 1.25
WEAK = 0.48  # best fused score below which 9 of 10 questions that nothing answers lie, and 1 of 20 of the others
LONGEST_TERM = 40  # letters; the store cuts there too
MOST_HEARD = 1 << 16  # words remembered with what search sees of them

# Lucene's English stop words: the usual list, short enough to leave "who" and "how" alone.
_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with"
)
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001 - the typographic one is meant
_TERM = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’](s\b)?")  # noqa: RUF001 - the typographic one is meant


@cache
def _stemmer() -> Callable[[str], str]:
    from Stemmer import Stemmer

    stem: Callable[[str], str] = Stemmer("english", 0).stemWord
    return lru_cache(1 << 17)(stem)  # a language has few words: most are looked up


def stems(text: str) -> list[str]:
    """The terms of a text in order: lower case, without accents, stop words and endings."""
    plain, stem = text.lower(), _stemmer()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    words = [plain] if plain.isalpha() and plain.isascii() else _TERM.findall(_APOSTROPHE.sub("", plain))
    return [stem(word[:LONGEST_TERM]) for word in words if word not in _STOP]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """What BM25 knows of all passages: how many, how long together (in terms), and in how many each term occurs."""

    passages: int
    length: int
    containing: Mapping[str, int]

    def weight(self, term: str) -> float:
        """Inverse document frequency; a term nobody has used counts ln(N + 1)."""
        n = self.containing.get(term, 0)
        if n <= 0:
            return math.log(self.passages + 1)
        return math.log(1 + max(0.0, self.passages - n + 0.5) / (n + 0.5))


def containing(texts: Iterable[str]) -> Counter[str]:
    """In how many texts each term occurs; a text is its stems with spaces between."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(text.split()))
    return found


Words = dict[str, tuple[tuple[str, int, int], ...]]  # what stands between two spaces: its terms, with begin and end


def marked(texts: Sequence[str], terms: frozenset[str]) -> list[list[tuple[int, int]]]:
    """Begin and end, in characters, of each word that is among these terms, text by text."""
    split = [text.split(" ") for text in texts]
    holding = _heard.holding(chain.from_iterable(split), terms)
    return [_spans(tokens, holding, terms) for tokens in split]


def _spans(tokens: Sequence[str], holding: Words, terms: frozenset[str]) -> list[tuple[int, int]]:
    spans, place = [], 0
    for token in tokens:
        if token in holding:
            spans += [(place + begin, place + end) for term, begin, end in holding[token] if term in terms]
        place += len(token) + 1
    return spans


def _words(token: str) -> tuple[tuple[str, int, int], ...]:
    """The terms of the words in a text, with begin and end."""
    if token.isalpha() and token.isascii():  # most are, and need no pattern to be found
        return tuple((term, 0, len(token)) for term in stems(token))
    return tuple(("".join(stems(word[0])), *word.span()) for word in _WORD.finditer(token))


class Heard:
    """What stood between two spaces so far: its words as terms, with begin and end.

    Remembered, since a page of hits has two thousand words: to look for terms in each takes longer than to find the hits.
    """

    def __init__(self, most: int = MOST_HEARD) -> None:
        self._most, self._lock = most, Lock()
        self._words: Words = {}
        self._by_term: dict[str, set[str]] = {}

    def holding(self, tokens: Iterable[str], terms: Iterable[str]) -> Words:
        """Those of the tokens that hold one of the terms, with all their words."""
        given = set(tokens)
        with self._lock:
            if len(self._words) > self._most:
                self._words, self._by_term = {}, {}
            for token in given.difference(self._words):
                self._words[token] = _words(token)
                for term, _, _ in self._words[token]:
                    self._by_term.setdefault(term, set()).add(token)
            found = given.intersection(chain.from_iterable(self._by_term.get(term, ()) for term in terms))
            return {token: self._words[token] for token in found}


_heard = Heard()
