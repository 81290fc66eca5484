"""Where a question's words and phrases stand in a text; pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from threading import Lock

from index.text.language import ENGLISH
from index.text.phrases import Row, places
from index.text.terms import Term, compounds, spoken, terms_of, tokens

MAX_CACHED_TOKENS = 1 << 16

Span = tuple[int, int]  # begin and end, characters


def highlights(
    texts: Sequence[str],
    terms: Collection[str],
    language: str = ENGLISH,
    phrases: Sequence[Row] = (),
    *,
    paired: bool = False,
) -> list[list[Span]]:
    """For each text in a language, begin and end in characters of each word that has one of these terms.

    A row of a phrase is one span. With `paired`, compounds written as several words are looked for, too.
    """
    matching = _cache(language).tokens_with(terms, " ".join(texts).split(" "))
    found = [list(_spans(text, matching, terms)) for text in texts]
    if phrases or paired:
        found = [[*spans, *_longer(text, terms, language, phrases)] for spans, text in zip(found, texts, strict=True)]
    return [_united(spans) for spans in found]


def _spans(text: str, matching: dict[str, Sequence[Term]], terms: Collection[str]) -> Iterator[Span]:
    text = f" {text} "
    for word, own in matching.items():
        place = text.find(f" {word} ")
        while place >= 0:
            for term in own:
                if term.text in terms:
                    yield place + term.begin, place + term.end
            place = text.find(f" {word} ", place + 1)


def _longer(text: str, terms: Collection[str], language: str, phrases: Sequence[Row]) -> Iterator[Span]:
    """Spans of several words: compounds, and rows of phrases."""
    found = list(tokens(text))
    for begin, end, term in compounds([match[0] for match in found], language):
        if term in terms:
            yield found[begin].start(), found[end - 1].end()
    said = list(spoken(text, language)) if phrases else []
    for begin, end in (place for row in phrases for place in places([term.text for term in said], row)):
        yield said[begin].begin, said[end - 1].end


def _united(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that overlap as one."""
    united: list[Span] = []
    for begin, end in sorted(spans):
        if united and begin < united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((begin, end))
    return united


class TokenCache:
    """Remembers the terms of what stands between spaces: parting the 2,000 words of a page would cost more than the search.

    Many threads may use one. It is emptied when it holds more than `size` words.
    """

    def __init__(self, language: str = ENGLISH, size: int = MAX_CACHED_TOKENS) -> None:
        self._language, self._size, self._lock = language, size, Lock()
        self._terms: dict[str, tuple[Term, ...]] = {}
        self._by_term: dict[str, set[str]] = {}

    def tokens_with(self, terms: Iterable[str], words: Iterable[str]) -> dict[str, Sequence[Term]]:
        """Those of the words that have one of the terms, each with all its terms."""
        given = set(words)
        with self._lock:
            if len(self._terms) > self._size:
                self._terms, self._by_term = {}, {}
            for word in given.difference(self._terms):
                self._terms[word] = self._terms_in(word)
                for term in self._terms[word]:
                    self._by_term.setdefault(term.text, set()).add(word)
            found = given.intersection(chain.from_iterable(self._by_term.get(term, ()) for term in terms))
            return {word: self._terms[word] for word in found}

    def _terms_in(self, word: str) -> tuple[Term, ...]:
        return tuple(
            Term(term.text, match.start() + term.begin, match.start() + term.end)
            for match in tokens(word)
            for term in terms_of(match[0], self._language)
        )


@cache
def _cache(language: str) -> TokenCache:
    return TokenCache(language)
