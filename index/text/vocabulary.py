"""The words of a collection: which of them a mistyped word was meant to be, and which are compounds of a word; pure."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.text.terms import is_unspaced, terms_of, tokens, without_accents

SHORTEST = 5  # letters; a shorter word has neighbours that mean something else
LONG = 9  # letters from which two errors are corrected; of shorter words too many are two errors apart
FREQUENT = 2  # chunks that a correction is in at least, in a collection of more than a few
FEW_CHUNKS = 100
SHORTEST_PART = 4  # letters of a German word that is looked for within others; `rat` and `art` are in too many
MAX_COMPOUNDS = 40  # the most frequent ones
# What is before or after the part of a German compound, and no word: prefixes of verbs with up to two letters left of a
# syllable (`ver|g` before `essen`), and endings.
_PREFIX = re.compile(
    "(?:ab|an|auf|aus|be|bei|dar|durch|ein|emp|ent|er|fort|ge|her|hin|hinter|inter|los|miss|mit|nach|nieder|ob|über|um|un|"
    "unter|ur|ver|vor|weg|wider|wieder|zer|zu|zurück|zusammen).{0,2}"
)
_SUFFIX = re.compile(
    "(?:bar|chen|ei|en|er|eri?n|haft|heit|ig|in|innen|isch|keit|lein|lich|los|nis|sam|schaft|tum|ung)(?:e[mnrs]?|s)?"
)
_INFLECTION = re.compile("(?:e|en|er|ern|es|n|s|se|sen)?")
_SOUND = {letter: sounds for sounds in ("aeiouy", "cgjkqsxz", "fvw", "dt", "bp", "mn") for letter in sounds}
_VOWEL = re.compile("[aeiouyäöü]")


class Vocabulary:
    """Words as they are written, with the term of each, its language, and in how many of the `chunks` its term is."""

    def __init__(
        self, words: Sequence[str], terms: Sequence[str], languages: Sequence[str], counts: Sequence[int], chunks: int
    ) -> None:
        self.words, self.terms, self.languages, self.chunks = words, terms, languages, chunks
        self._counts = np.asarray(counts, np.int64)

    @cached_property
    def _plain(self) -> list[str]:
        return [without_accents(word.casefold()) for word in self.words]

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        return np.fromiter(map(len, self._plain), np.int64, len(self._plain))

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """The first letter of each word."""
        return np.fromiter((ord(word[0]) for word in self._plain), np.int64, len(self._plain))

    @cached_property
    def _letters(self) -> NDArray[np.uint64]:
        """Which letters each word has, a bit for each."""
        if not self._plain:
            return np.zeros(0, np.uint64)
        bits = np.frombuffer("".join(self._plain).encode("utf-32-le"), np.uint32).astype(np.uint64) % 64
        first = np.concatenate([[0], np.cumsum(self._lengths[:-1])])
        return np.bitwise_or.reduceat(np.uint64(1) << bits, first)

    def correction(self, word: str) -> str:
        """The frequent word that this one, which the collection lacks, was most likely meant to be; else empty.

        Names in capitals, words with digits and short words are taken as they are.
        """
        typed = without_accents(word.casefold())
        if len(typed) < SHORTEST or not typed.isalpha() or word.isupper():
            return ""
        frequent = self._counts >= (FREQUENT if self.chunks > FEW_CHUNKS else 1)
        unlike = np.bitwise_count(self._letters ^ np.uint64(_letters(typed)))
        longer = np.abs(self._lengths - len(typed))
        near = [(1, (longer <= 1) & (unlike <= 2))]
        if len(typed) >= LONG:
            near.append((2, (longer <= 2) & (unlike <= 4) & (self._first == ord(typed[0]))))
        ranked = [
            (edits, -int(self._counts[i]), i)
            for most, these in near
            for i in np.flatnonzero(these & frequent).tolist()
            if (edits := distance(typed, self._plain[i], most)) <= most
        ]
        return self.words[min(ranked)[2]] if ranked else ""

    def compounds(self, word: str) -> dict[str, int]:
        """The terms of German nouns that this word is part of, such as `Backofen` for `Ofen`, with their counts."""
        part = without_accents(word.casefold())
        if len(part) < SHORTEST_PART or not part.isalpha():
            return {}
        found = [i for i in self._nouns if part in self._plain[i] and is_compound(self._plain[i], part)]
        found.sort(key=lambda i: -int(self._counts[i]))
        return {self.terms[i]: int(self._counts[i]) for i in found[:MAX_COMPOUNDS]}

    @cached_property
    def _nouns(self) -> list[int]:
        """German nouns: the words that are always written with a capital letter."""
        german = [i for i, language in enumerate(self.languages) if language == "de"]
        small = {self.words[i] for i in german if self.words[i].islower()}
        return [i for i in german if self.words[i][0].isupper() and self.words[i].lower() not in small]


def is_compound(word: str, part: str) -> bool:
    """Whether a German noun is a compound with this part: what is left on either side is a word, as far as can be seen."""
    place = word.find(part)
    while place >= 0:
        before, after = word[:place], word[place + len(part) :]
        if (before or after) and _may_precede(before) and _may_follow(after):
            return True
        place = word.find(part, place + 1)
    return False


def _may_precede(before: str) -> bool:
    return not before or (len(before) > 2 and bool(_VOWEL.search(before)) and not _PREFIX.fullmatch(before))


def _may_follow(after: str) -> bool:
    if _INFLECTION.fullmatch(after):
        return True
    return len(after) > 3 and bool(_VOWEL.search(after)) and not _SUFFIX.fullmatch(after)


def _letters(word: str) -> int:
    """Bits for the letters of a word; equal letters have equal bits."""
    bits = 0
    for character in word:
        bits |= 1 << (ord(character) % 64)
    return bits


def distance(a: str, b: str, most: int) -> int:
    """Edits that make one word of the other: a letter more, less, two swapped, or another of the same sound (Damerau).

    Another letter than one of the same sound is two edits: `clashing` is no misspelt `crashing`, `leeders` are leaders. No
    letter is edited twice (optimal string alignment). Above `most` any larger number may be given.
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    far = most + 1
    two, one, now = list[int](), list[int](), list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        two, one, now = one, now, [i] + [far] * len(b)
        sound = _SOUND.get(letter, letter)
        for j in range(max(1, i - most), min(len(b), i + most) + 1):  # what is further off is too far
            other = b[j - 1]
            replaced = 0 if letter == other else 1 if sound == _SOUND.get(other) else 2
            edits = min(one[j] + 1, now[j - 1] + 1, one[j - 1] + replaced)
            if i > 1 and j > 1 and letter == b[j - 2] and other == a[i - 2]:
                edits = min(edits, two[j - 2] + 1)
            now[j] = edits
        if min(now) > most:
            return far
    return now[-1]


def words_by_term(texts: Iterable[str], language: str) -> dict[str, list[str]]:
    """The words of texts as they are written, small where they stand small anywhere, by their terms."""
    found = {match[0] for text in texts for match in tokens(text)}
    by_term: dict[str, list[str]] = {}
    for word in sorted(found):
        if len(word) < SHORTEST_PART or not word.isalpha() or (not word.islower() and word.lower() in found):
            continue
        terms = terms_of(word, language)
        if terms and not is_unspaced(word):
            by_term.setdefault(terms[0].text, []).append(word)
    return by_term
