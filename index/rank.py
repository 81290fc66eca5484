"""How well a passage's words answer a question's: stems, BM25 and its fusion with the cosine; pure."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

K1, B = 1.2, 0.75  # Robertson and Walker's usual values; others gained nothing (RETRIEVAL measurements)
TRUST, POWER = 8.0, 4  # see `fused`; the optimum is flat from 4 to 16
WEAK = 0.45  # best fused score below which 9 of 10 questions that nothing answers lie, and 1 of 20 of the others
LONGEST_TERM = 40  # letters; the store cuts there too

# Lucene's English stop words: the usual list, short enough to leave "who" and "how" alone.
_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with"
)
_STOP = frozenset(_STOP_WORDS.split())
_TERM = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’](s\b)?")  # noqa: RUF001 - the typographic one is meant


@cache
def _stemmer() -> Callable[[str], str]:
    from Stemmer import Stemmer

    stem: Callable[[str], str] = Stemmer("english", 0).stemWord
    return lru_cache(1 << 17)(stem)  # a language has few words: most are looked up


def stems(text: str) -> list[str]:
    """The terms of a text in order: lower case, without accents, stop words and endings."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c)) if not plain.isascii() else plain
    stem = _stemmer()
    words = _TERM.findall(_APOSTROPHE.sub("", plain))
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


def counted(passages: Iterable[str]) -> tuple[int, Counter[str]]:
    """Length of the passages together and in how many each term occurs; a passage is its stems with spaces between."""
    length, containing = 0, Counter[str]()
    for passage in passages:
        terms = passage.split()
        length += len(terms)
        containing.update(set(terms))
    return length, containing


def share(question: Sequence[str], passage: str, known: Frequencies) -> float:
    """The share of the question's information that the passage holds word for word, 0 to 1.

    That is its BM25 over the most any passage could have: (k1 + 1) times the weights of the question's terms.
    """
    terms = list(dict.fromkeys(question))
    ideal = (K1 + 1) * sum(known.weight(term) for term in terms)
    if not ideal:
        return 0.0
    return sum(bm25(terms, passage.split(), known)) / ideal


def bm25(terms: Iterable[str], words: Sequence[str], known: Frequencies) -> Iterable[float]:
    """Each term's part of the BM25 of a passage given as its stems."""
    mean = known.length / max(1, known.passages)
    norm = K1 * (1 - B + B * len(words) / max(1.0, mean))
    for term in terms:
        if n := words.count(term):
            yield known.weight(term) * n * (K1 + 1) / (n + norm)


def fused(cosine: float, text: float) -> float:
    """The hybrid score: `cosine + 8 share^4`.

    A share below 0.3 adds next to nothing and the meaning decides; above 0.5 the words do. Rank fusion cannot tell the
    two apart, and was worse than BM25 alone on judged questions.
    """
    return cosine + TRUST * text**POWER


def closest(
    question: Sequence[str], sentences: Sequence[str], known: Frequencies, main: Sequence[bool] | None = None
) -> int:
    """Which sentence shares most of the question's information; the longest of the first few where none shares any.

    A sentence that asks, or that is not by the passage's `main` speaker, repeats a question's words more often than it
    answers them, and counts half.
    """
    wanted = {term: known.weight(term) for term in question}
    gains = [sum(wanted[term] for term in wanted.keys() & set(stems(sentence))) for sentence in sentences]
    gains = [gain / 2 if said.endswith("?") else gain for gain, said in zip(gains, sentences, strict=True)]
    gains = [gain if own else gain / 2 for gain, own in zip(gains, main or [True] * len(gains), strict=True)]
    best = max(range(len(sentences)), key=lambda i: (gains[i], -i))
    if gains[best] > 0:
        return best
    return max(range(min(3, len(sentences))), key=lambda i: (len(sentences[i]), -i))
