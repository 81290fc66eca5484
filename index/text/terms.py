"""Terms: the words of a text as full-text search, BM25 and highlights see them; pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from threading import Lock
from zlib import crc32

MAX_TERM = 40  # letters; LanceDB's full-text index drops longer ones
MAX_CACHED_TOKENS = 1 << 16

# Lucene's English stop words (EnglishAnalyzer): a short list, which leaves "who" and "how" alone.
_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with"
)
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001 - the typographic one is meant
_TERM = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’](s\b)?")  # noqa: RUF001 - the typographic one is meant

Span = tuple[int, int]  # begin and end, characters
TokenTerms = tuple[tuple[str, int, int], ...]  # the terms of a token, each with begin and end in the token


@cache
def _stemmer() -> Callable[[str], str]:
    from Stemmer import Stemmer

    stem: Callable[[str], str] = Stemmer("english", 0).stemWord
    return lru_cache(1 << 17)(stem)  # most words of a transcript repeat


def stems(text: str) -> list[str]:
    """The terms of a text in order: lower case, without accents and stop words, stemmed (Snowball English)."""
    plain, stem = text.lower(), _stemmer()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    words = [plain] if plain.isalpha() and plain.isascii() else _TERM.findall(_APOSTROPHE.sub("", plain))
    return [stem(word[:MAX_TERM]) for word in words if word not in _STOP]


def hash_term(term: str) -> int:
    """CRC-32 as a signed 32-bit number; two terms of one language collide less than once in a thousand libraries."""
    return crc32(term.encode()) - (1 << 31)


def highlights(texts: Sequence[str], terms: frozenset[str]) -> list[list[Span]]:
    """For each text, begin and end in characters of each word that is one of these terms."""
    split = [text.split(" ") for text in texts]
    matching = _cache.tokens_with(terms, chain.from_iterable(split))
    return [list(_spans(tokens, matching, terms)) for tokens in split]


def _spans(tokens: Sequence[str], matching: dict[str, TokenTerms], terms: frozenset[str]) -> Iterable[Span]:
    place = 0
    for token in tokens:
        for term, begin, end in matching.get(token, ()):
            if term in terms:
                yield place + begin, place + end
        place += len(token) + 1


def _terms_of(token: str) -> TokenTerms:
    if token.isalpha() and token.isascii():  # most tokens: no pattern is needed
        return tuple((term, 0, len(token)) for term in stems(token))
    return tuple(("".join(stems(word[0])), *word.span()) for word in _WORD.finditer(token))


class TokenCache:
    """Remembers the terms of tokens: a page of hits has 2,000 tokens, and stemming each costs more than the search.

    Many threads may use one. It is emptied when it holds more than `size` tokens.
    """

    def __init__(self, size: int = MAX_CACHED_TOKENS) -> None:
        self._size, self._lock = size, Lock()
        self._terms: dict[str, TokenTerms] = {}
        self._by_term: dict[str, set[str]] = {}

    def tokens_with(self, terms: Iterable[str], tokens: Iterable[str]) -> dict[str, TokenTerms]:
        """Those of the tokens that contain one of the terms, each with all its terms."""
        given = set(tokens)
        with self._lock:
            if len(self._terms) > self._size:
                self._terms, self._by_term = {}, {}
            for token in given.difference(self._terms):
                self._terms[token] = _terms_of(token)
                for term, _, _ in self._terms[token]:
                    self._by_term.setdefault(term, set()).add(token)
            found = given.intersection(chain.from_iterable(self._by_term.get(term, ()) for term in terms))
            return {token: self._terms[token] for token in found}


_cache = TokenCache()
