"""Compares a quote with what was said, word by word, whatever the spelling, punctuation and fillers. Pure."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import accumulate, pairwise
from unicodedata import combining, normalize

MIN_RUN = 5  # words in a row that are no chance: of four, as in `at the end of`, there are many
ANCHOR = 3  # words in a row by which a place is looked for
MAX_LEFT_OUT = 120  # words that an ellipsis may stand for, about 45 seconds of speech; more joins two things
# What people say while they think, and quotes leave out
FILLERS = frozenset({"ah", "eh", "er", "erm", "hm", "hmm", "mhm", "mm", "mmm", "uh", "uhm", "um", "umm"})
ELLIPSIS = re.compile(r"[\[(]\s*(?:\.\s?\.\s?\.|…)\s*[\])]|\.\s?\.\s?\.|…")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\u00b4`]")
# Scripts without spaces are compared by characters
_TOKEN = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+"
)


@dataclass(frozen=True)
class Tokens:
    """The plain words of a text; `places` says which of the text's own words each is part of."""

    words: list[str]
    places: list[int]

    @cached_property
    def joined(self) -> str:
        """The words between single spaces, with one at both ends."""
        return f" {' '.join(self.words)} "

    @cached_property
    def offsets(self) -> list[int]:
        """Where each word begins in `joined`."""
        return list(accumulate((len(word) + 1 for word in self.words), initial=1))


def without_labels(text: str, speakers: Iterable[str]) -> str:
    """A quote without the names of speakers before colons, which stand in transcripts and were not said."""
    for name in sorted(speakers, key=len, reverse=True):
        if f"{name}:" in text:
            text = re.sub(rf"(?<!\w){re.escape(name)}:(?=\s|$)", " ", text)
    return text


@dataclass(frozen=True, slots=True)
class Match:
    """Words `begin` to before `end` of what was said, for those from `quoted` to before `quoted_end` of the quote."""

    begin: int
    end: int
    quoted: int
    quoted_end: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Words of the quote, and what was said in their place; one of them may be empty."""

    quoted: str
    said: str


def tokens(words: Iterable[str]) -> Tokens:
    """A text's words as they are compared: in lower case without accents, apostrophes, hyphens and fillers."""
    found, places = list[str](), list[int]()
    for place, word in enumerate(words):
        folded = "".join(char for char in normalize("NFKD", word.casefold()) if not combining(char))
        for token in _TOKEN.findall(_APOSTROPHES.sub("", folded)):
            if token not in FILLERS:
                found.append(token)
                places.append(place)
    return Tokens(found, places)


def exact(quote: Tokens, said: Tokens) -> Iterator[Match]:
    """Everywhere that these words are said in a row."""
    at = said.joined.find(quote.joined) if quote.words else -1
    while at >= 0:
        begin = bisect_right(said.offsets, at + 1) - 1
        yield Match(begin, begin + len(quote.words), 0, len(quote.words))
        at = said.joined.find(quote.joined, at + 1)


def with_omissions(pieces: Sequence[Tokens], said: Tokens) -> Match | None:
    """Where the pieces are said one after the other, with no more than `MAX_LEFT_OUT` words between each two."""
    for first in exact(pieces[0], said):
        end = first.end
        for piece in pieces[1:]:
            following = (one for one in exact(piece, said) if 0 <= one.begin - end <= MAX_LEFT_OUT)
            found = next(following, None)
            if found is None:
                break
            end = found.end
        else:
            return Match(first.begin, end, 0, sum(len(piece.words) for piece in pieces))
    return None


def near(quote: Tokens, said: Tokens) -> tuple[Match, float] | None:
    """The place most like the quote, and how like, 0 to 1: twice the words that are equal over all words of both."""
    votes = Counter[int]()
    anchors: dict[tuple[str, ...], list[int]] = {}
    size = min(ANCHOR, len(quote.words))
    for i, run in enumerate(_runs(quote.words, size)):
        anchors.setdefault(run, []).append(i)
    for i, run in enumerate(_runs(said.words, size)):
        votes.update(i - place for place in anchors.get(run, ()))
    best: tuple[Match, float] | None = None
    pad = 4 + len(quote.words) // 4
    for shift, _ in votes.most_common(3):
        low, high = max(0, shift - pad), min(len(said.words), shift + len(quote.words) + pad)
        blocks = [block for block in _matcher(quote.words, said.words[low:high]).get_matching_blocks() if block.size]
        # What differs at the ends was said there, too
        begin = max(0, low + blocks[0].b - blocks[0].a)
        left = len(quote.words) - blocks[-1].a - blocks[-1].size
        end = min(len(said.words), low + blocks[-1].b + blocks[-1].size + left)
        equal = sum(block.size for block in blocks)
        likeness = 2 * equal / (len(quote.words) + end - begin)
        if best is None or likeness > best[1]:
            best = Match(begin, end, 0, len(quote.words)), likeness
    return best


def differences(quote: Tokens, said: Tokens, match: Match) -> tuple[Difference, ...]:
    """Where the words differ between a quote and the place it was found at."""
    ours = said.words[match.begin : match.end]
    return tuple(
        Difference(" ".join(quote.words[a:b]), " ".join(ours[c:d]))
        for kind, a, b, c, d in _matcher(quote.words, ours).get_opcodes()
        if kind != "equal"
    )


def equal_words(quote: Tokens, said: Tokens, match: Match) -> int:
    """How many words of the quote are said at that place, in their order."""
    return sum(block.size for block in _matcher(quote.words, said.words[match.begin : match.end]).get_matching_blocks())


def pieces(quote: Tokens, texts: Sequence[Tokens]) -> list[tuple[int, Match]]:
    """The quote cut into the longest runs of at least `MIN_RUN` words that some text has: the text's number, and where."""
    starts: list[dict[tuple[str, ...], list[int]]] = []
    wanted = set(_runs(quote.words, MIN_RUN))
    for said in texts:
        known: dict[tuple[str, ...], list[int]] = {}
        for i, run in enumerate(_runs(said.words, MIN_RUN)):
            if run in wanted:
                known.setdefault(run, []).append(i)
        starts.append(known)
    found: list[tuple[int, Match]] = []
    at = 0
    while at + MIN_RUN <= len(quote.words):
        run = tuple(quote.words[at : at + MIN_RUN])
        ways = [(number, i) for number, known in enumerate(starts) for i in known.get(run, ())]
        lengths = [_common(quote.words, at, texts[number].words, i) for number, i in ways]
        if not ways:
            at += 1
            continue
        best = max(range(len(ways)), key=lambda n: lengths[n])
        number, begin = ways[best]
        found.append((number, Match(begin, begin + lengths[best], at, at + lengths[best])))
        at += lengths[best]
    return found


def _common(first: Sequence[str], i: int, second: Sequence[str], j: int) -> int:
    length = 0
    while i + length < len(first) and j + length < len(second) and first[i + length] == second[j + length]:
        length += 1
    return length


def _runs(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[i : i + size]) for i in range(len(words) - size + 1)) if size else iter(())


def _matcher(first: Sequence[str], second: Sequence[str]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, first, second, autojunk=False)


def coverage(quote: Tokens, said: Tokens) -> frozenset[int]:
    """Which words of the quote stand in runs of `ANCHOR` words that the text has, too."""
    size = min(ANCHOR, len(quote.words))
    there = set(_runs(said.words, size))
    return frozenset(i + n for i, run in enumerate(_runs(quote.words, size)) if run in there for n in range(size))


def cut(words: Sequence[str], longest: int, most: int) -> list[list[str]]:
    """The words in at most `most` parts of about equal length, of `longest` words where that is enough."""
    count = min(most, max(1, -(-len(words) // longest)))
    ends = [round(len(words) * n / count) for n in range(count + 1)]
    return [list(words[a:b]) for a, b in pairwise(ends)]
