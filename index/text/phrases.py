"""Phrases in quotes: the rows of terms that one may be written as, and where a text has them; pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from index.text import numbers
from index.text.terms import STOP, compounds, is_unspaced, spoken, tokens

MAX_ROWS = 8  # ways to write one phrase
_HYPHENS = str.maketrans("‐‑-", "   ")  # noqa: RUF001 - the hyphens of Unicode are meant

Row = tuple[str, ...]  # terms one after the other, with stop words, as `spoken` gives them


def rows_of(phrase: str, languages: Sequence[str]) -> tuple[Row, ...]:
    """A phrase as typed, with its compounds in parts, with their parts in one, and with its numbers in other ways."""
    words = [match[0] for match in tokens(phrase)]
    found = []
    for language in languages:
        typed, apart = _row(words, language), _row(phrase.translate(_HYPHENS).split(), language)
        # `on boarding` says less than `on-boarding`
        found += [typed, apart] if len(said(apart)) > len(said(typed)) else [typed]
        for begin, end, term in compounds(words, language):
            found.append((*_row(words[:begin], language), term, *_row(words[end:], language)))
        found += (_row(way, language) for way in islice(numbers.ways(words), 1, MAX_ROWS))
    return tuple(dict.fromkeys(row for row in found if row))[:MAX_ROWS]


def said(row: Row) -> Row:
    """A row without its stop words: what is indexed."""
    return tuple(term for term in row if not term.startswith(STOP))


def places(terms: Sequence[str], row: Row) -> Iterator[tuple[int, int]]:
    """From which term, to before which, of those that a text says, it has this row."""
    if len(row) == 1 and len(row[0]) == 1 and is_unspaced(row[0]):  # one character, where texts are cut in pairs
        yield from ((i, i + 1) for i, term in enumerate(terms) if row[0] in term)
        return
    for i in range(len(terms) - len(row) + 1):
        if terms[i] == row[0] and tuple(terms[i : i + len(row)]) == row:
            yield i, i + len(row)


def _row(words: Iterable[str], language: str) -> Row:
    return tuple(term.text for word in words for term in spoken(word, language))
