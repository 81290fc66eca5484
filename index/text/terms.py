"""Terms: the words of a text as full-text search, BM25 and highlights see them; pure.

A token (`One-on-ones`, `2,000`, `café's`) has terms in the order they are spoken, and beside them terms under which it is
found as well: the parts of a compound, or the compound of its parts. `stems` puts the latter at the end, so that what was
said in a row stays in a row. `spoken` has what was said alone, with the stop words, for phrases in quotes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from zlib import crc32

from index.text import numbers
from index.text.language import ENGLISH, STEMMERS, STOP_WORDS

MAX_TERM = 40  # letters; LanceDB's full-text index drops longer ones

# What joins two words to a compound, and what may stand within a number.
_JOINED = r"['\-]{0}+|(?<=\d)[.,:](?=\d){0}+"
_PLAIN_TOKEN = re.compile(r"[^\W_]+(?:" + _JOINED.format(r"[^\W_]") + ")*")
# Python counts no combining mark as part of a word, though Indic scripts, Thai and Arabic write vowels with them.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u1049\u1050-\u109f"
    "\u17b4-\u17d3\u3099\u309a"
)
_LETTER = rf"(?:[^\W_]|[{_MARKS}])"
_TOKEN = re.compile(rf"{_LETTER}+(?:" + _JOINED.format(_LETTER).replace("'\\-", "'’‐‑\\-") + ")*")  # noqa: RUF001
_WORD = re.compile(rf"{_LETTER}+")
_APOSTROPHE = re.compile(r"['’](s\b)?")  # noqa: RUF001 - the typographic one is meant
_ELISION = re.compile(r"^.{1,5}['’](?=.)")  # noqa: RUF001
_ELIDING = frozenset({"fr", "it", "ca"})  # `l'azienda`, `d'une`
_PART = re.compile(r"[^‐‑-]+")  # noqa: RUF001 - the hyphens of Unicode are meant
# Scripts that part words by no space: Thai, Lao, Burmese, Khmer, kana and Chinese characters, and Korean, which adds
# particles to its words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
# What NFKC takes apart though it is one letter: the vowel am of Thai and Lao
_AM = {"\u0e4d\u0e32": "\u0e33", "\u0ecd\u0eb2": "\u0eb3"}
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# With one of these after a word, or before one that ends in -ing, English writes a compound in three ways: `follow up`,
# `follow-up` and `followup`; `on boarding`, `on-boarding`, `onboarding`.
# `in` and `on` follow any word, so they make compounds with few: all would add half to the terms that a collection has.
_AFTER = frozenset({"up", "out", "off", "down", "back", "through", "in", "on"})
_BEFORE_IN = frozenset(
    {"add", "buy", "check", "drop", "hand", "hands", "log", "opt", "plug", "sign", "stand", "tie", "trade", "walk"}
)
_BEFORE = frozenset({"on", "up", "out", "over", "off", "down", "under", "e"})
_BETWEEN = frozenset({"on", "to", "by", "in", "for"})  # `one on one`, `face to face`
# Letters that Unicode does not take apart into a plain one and an accent, as people type them without (as Lucene does)
_PLAIN_LETTERS = str.maketrans(
    {"ё": "е", "ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "œ": "oe", "æ": "ae", "þ": "th"}  # noqa: RUF001
)
STOP = "_"  # before a stop word among the terms of `spoken`; no token has one


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a token, from `begin` to `end` of it; `beside` says that the token is found by it without its being said."""

    text: str
    begin: int
    end: int
    beside: bool = False


def tokens(text: str) -> Iterator[re.Match[str]]:
    """The tokens of a text: words, compounds with hyphens, numbers."""
    return (_PLAIN_TOKEN if text.isascii() else _TOKEN).finditer(text)


def stems(text: str, language: str = ENGLISH) -> list[str]:
    """The terms of a text: those of its tokens in order, then those beside them."""
    said, beside = parted_stems(text, language)
    return said + beside


def parted_stems(text: str, language: str = ENGLISH) -> tuple[list[str], list[str]]:
    """The terms of a text's tokens in order, and those beside them."""
    said: list[str] = []
    beside: list[str] = []
    words = [match[0] for match in tokens(text)]
    for word in words:
        for term in terms_of(word, language):
            (beside if term.beside else said).append(term.text)
    beside += (term for _, _, term in compounds(words, language))
    return said, beside


@lru_cache(1 << 17)  # most tokens of a transcript repeat
def terms_of(token: str, language: str = ENGLISH) -> tuple[Term, ...]:
    """The terms of a token: without case, stop words and accents, stemmed as its language stems; numbers as digits."""
    if token.isascii() and token.isalpha():
        return tuple(Term(term, 0, len(token)) for term in _term(token.lower(), language))
    if is_unspaced(token):
        return tuple(_grams(token, language))
    plain = _plain(token)
    if plain[0].isdigit() and (number := tuple(_number(plain, len(token)))):
        return number
    parts = list(_PART.finditer(token))
    return tuple(_compound(token, parts, language) if len(parts) > 1 else _word(token, 0, language))


def spoken(text: str, language: str = ENGLISH) -> Iterator[Term]:
    """What a text says, term by term, with a stop word behind `STOP`: its places are those of the text."""
    for match in tokens(text):
        yield from _moved(_spoken(match[0], language), match.start())


@lru_cache(1 << 17)
def _spoken(token: str, language: str) -> tuple[Term, ...]:
    said = tuple(term for term in terms_of(token, language) if not term.beside)
    if len(said) > 1 and not is_unspaced(token):  # `state-of-the-art` has stop words of its own
        parts = (_moved(_spoken(part[0], language), part.start()) for part in _PART.finditer(token) if part[0] != token)
        said = tuple(term for terms in parts for term in terms) or said
    return said or (Term(STOP + _APOSTROPHE.sub("", without_accents(_plain(token))), 0, len(token)),)


def _moved(terms: Iterable[Term], by: int) -> Iterator[Term]:
    return (Term(term.text, by + term.begin, by + term.end, term.beside) for term in terms)


def words(text: str) -> list[str]:
    """The words of a text, without what joins them: those of a name, for one."""
    return _WORD.findall(text)


def _plain(text: str) -> str:
    """The text as it is compared: one form of each letter, without case; accents stay."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    for apart, letter in _AM.items():
        plain = plain.replace(apart, letter)
    return plain


def is_unspaced(text: str) -> bool:
    """Whether part of the text is in a script that parts words by no space."""
    return not text.isascii() and bool(_UNSPACED.search(text))


def without_accents(text: str) -> str:
    """A text without the accents of Latin, Greek, Hebrew and Arabic letters; elsewhere marks tell letters apart."""
    if text.isascii():
        return text
    kept, base = [], ""
    for character in unicodedata.normalize("NFD", text.translate(_PLAIN_LETTERS)):
        if unicodedata.combining(character) and (base < "\u0400" or "\u0590" <= base < "\u0700"):
            continue
        kept.append(character)
        base = character
    return unicodedata.normalize("NFC", "".join(kept))


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    from Stemmer import Stemmer

    stem: Callable[[str], str] = Stemmer(STEMMERS[language], 0).stemWord
    return stem


def _term(word: str, language: str) -> Iterator[str]:
    """The term of one word without case, and where it has accents that of the word without them, if that is another."""
    if not word or word in STOP_WORDS.get(language, ()):
        return
    stem = _stemmer(language) if language in STEMMERS else str
    term = without_accents(stem(word[:MAX_TERM]))
    yield term
    if not word.isascii() and (bare := stem(without_accents(word[:MAX_TERM]))) != term:
        yield bare


def _word(token: str, begin: int, language: str, *, beside: bool = False) -> Iterator[Term]:
    plain = _plain(token)
    if language in _ELIDING:
        plain = _ELISION.sub("", plain)
    for i, term in enumerate(_term(_APOSTROPHE.sub("", plain), language)):
        yield Term(term, begin, begin + len(token), beside or i > 0)


def _compound(token: str, parts: Sequence[re.Match[str]], language: str) -> Iterator[Term]:
    """A word with hyphens: its parts where two or more say something, and beside them the whole; else the other way round."""
    plain = [_plain(part[0]) for part in parts]
    if all(part.isdigit() for part in plain):  # a range, or a list
        yield from (Term(part[0], *part.span()) for part in parts)
        return
    one = is_one_word(plain, language)
    for term in _term(joined(plain), language):
        yield Term(term, 0, len(token), not one)
    for part in parts:
        yield from _word(part[0], part.start(), language, beside=one)


def joined(parts: Iterable[str]) -> str:
    """The parts of a compound as one word: `1-on-1` is `oneonone`."""
    return "".join("one" if part == "1" else part for part in parts)


def is_one_word(parts: Sequence[str], language: str) -> bool:
    """Whether a compound of these parts says something only as a whole: `follow-up`, `e-mail`, `one-on-one`."""
    return len({part.removesuffix("s") for part in parts if _says_something(part, language)}) < 2


def _says_something(word: str, language: str) -> bool:
    particle = language == ENGLISH and (word in _AFTER or word in _BEFORE)
    return not particle and (len(word) > 1 or word.isdigit()) and word not in STOP_WORDS.get(language, ())


def compounds(words: Sequence[str], language: str) -> Iterator[tuple[int, int, str]]:
    """The compounds that words in a row may be: from which word, before which; and numbers with their scale as words."""
    plain = [word.lower() for word in words]
    for i, (word, following) in enumerate(pairwise(plain)):
        if following in numbers.SCALE_WORDS and (number := numbers.value(word, numbers.SCALE_WORDS[following])):
            yield i, i + 2, number
        if language != ENGLISH or not (word.isascii() and following.isascii()):
            continue
        if following in _BETWEEN and i + 2 < len(plain) and joined([word]) == joined([plain[i + 2].removesuffix("s")]):
            yield i, i + 3, _stem_english(joined((word, following, word)))
        elif _is_phrasal(word, following):
            yield i, i + 2, _stem_english(word) + following
        elif word in _BEFORE and following.isalpha() and (word == "e" or following.endswith("ing")):
            yield i, i + 2, _stem_english(word + following)


def _is_phrasal(word: str, following: str) -> bool:
    if following not in _AFTER or not word.isalpha() or not _says_something(word, ENGLISH):
        return False
    return following not in STOP_WORDS[ENGLISH] or word in _BEFORE_IN


def _stem_english(word: str) -> str:
    return next(_term(word, ENGLISH), word)


def _number(plain: str, length: int) -> Iterator[Term]:
    """A number in digits, whatever parts its thousands; beside `10k` stands 10000. Nothing for what is no number."""
    if plain.rstrip("s").removesuffix("'") == "1:1":
        yield Term("oneonon", 0, length)
        return
    found = numbers.parsed(plain)
    if not found:
        if re.fullmatch(r"[\d.,:]+", plain):
            yield from (Term(part[0], *part.span()) for part in re.finditer(r"\d+", plain))
        return
    whole, part, suffix = found
    number = f"{whole}.{part}" if part else whole
    yield Term(number[:MAX_TERM] + suffix, 0, length)
    if suffix and (value := numbers.value(number, numbers.SCALE[suffix])):
        yield Term(value, 0, length, beside=True)


def _grams(token: str, language: str) -> Iterator[Term]:
    """Two neighbouring characters at a time where a script has no spaces; beside them each Chinese character."""
    place = 0
    for run in _UNSPACED.finditer(token):
        yield from _between(token, place, run.start(), language)
        plain = _plain(run[0])
        exact = len(plain) == len(run[0])  # half-width kana are not
        for i in range(max(1, len(plain) - 1)):
            span = (run.start() + i, min(run.start() + i + 2, run.end())) if exact else run.span()
            yield Term(plain[i : i + 2], *span)
        if len(plain) > 1:
            for ideograph in _IDEOGRAPH.finditer(plain):
                begin = run.start() + ideograph.start() if exact else run.start()
                yield Term(ideograph[0], begin, begin + 1 if exact else run.end(), beside=True)
        place = run.end()
    yield from _between(token, place, len(token), language)


def _between(token: str, begin: int, end: int, language: str) -> Iterator[Term]:
    """The terms of what stands between two runs, which may be no more than a hyphen."""
    for match in tokens(token[begin:end]):
        yield from _moved(terms_of(match[0], language), begin + match.start())


def hash_term(term: str) -> int:
    """CRC-32 as a signed 32-bit number; two terms of one language collide less than once in a thousand libraries."""
    return crc32(term.encode()) - (1 << 31)
