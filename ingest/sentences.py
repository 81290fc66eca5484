"""Finds words and sentences in transcribed speech: the only sentence splitter. Pure."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

# A word is a run without spaces. Scripts written without spaces are cut after their full stops, and at 64 characters,
# so that no single word is longer than a chunk.
_WORD = re.compile(r"[^\s。！？｡]{1,64}[。！？｡]*|[。！？｡]+")  # noqa: RUF001 - full-width marks are meant
_CLOSING = "\"'”’»)]}"  # noqa: RUF001 - typographic quotes are meant
_OPENING = "\"'“‘«([{¿¡-–—"  # noqa: RUF001
_ABBREVIATIONS_WORDS = (
    "mr mrs ms dr prof sr jr st vs inc ltd co corp dept fig vol approx est gen sen rep rev hon capt lt sgt col ave "
    "jan feb mar apr jun jul aug sept oct nov dec al ca cf"
)
_ABBREVIATIONS = frozenset(_ABBREVIATIONS_WORDS.split())
_CLOCK = frozenset({"a.m", "p.m"})
# Scripts without spaces between words: about two Chinese or Japanese characters, or five Thai ones, say as much as a word
_IDEOGRAPHS = re.compile(
    "[\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
_ENDS_UNSPACED = re.compile(f"(?:{_IDEOGRAPHS.pattern}|[。！？｡、，…」』）])$")  # noqa: RUF001
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")  # Thai, Lao, Burmese, Khmer


def word_spans(text: str) -> list[tuple[int, int]]:
    """Begin and end of every word, as character offsets."""
    return [match.span() for match in _WORD.finditer(text)]


def word_count(text: str) -> int:
    """How many words a text says: words between spaces; where a script has none, about as many as its characters say."""
    if text.isascii():
        return len(text.split())
    spaced = _UNSPACED.sub(" ", _IDEOGRAPHS.sub(" ", text))
    unspaced = len(_IDEOGRAPHS.findall(text)) / 2 + len(_UNSPACED.findall(text)) / 5
    return sum(any(letter.isalnum() for letter in word) for word in spaced.split()) + math.ceil(unspaced)


def ideographs(text: str) -> int:
    """How many Chinese or Japanese characters a text has."""
    return 0 if text.isascii() else len(_IDEOGRAPHS.findall(text))


def between(before: str, after: str) -> str:
    """What stands between two sentences of one paragraph: a space, or nothing in Chinese and Japanese.

    Thai has spaces between its sentences, though not between its words.
    """
    return "" if _IDEOGRAPHS.match(after) and _ENDS_UNSPACED.search(before) else " "


def join_sentences(sentences: Sequence[str]) -> str:
    """Sentences as one paragraph."""
    return "".join(
        (between(sentences[number - 1], one) if number else "") + one for number, one in enumerate(sentences)
    )


def without_spaces(text: str) -> bool:
    """Whether the text is in a script that parts words by no space."""
    return bool(_IDEOGRAPHS.search(text) or _UNSPACED.search(text))


def sentence_ends(words: Sequence[str]) -> Iterator[int]:
    """For each sentence in a paragraph's words, the index after its last word; ascending, the last is `len(words)`."""
    for i, word in enumerate(words, 1):
        if i == len(words) or _ends(word, words[i]):
            yield i


def split_sentences(text: str) -> list[str]:
    """The sentences of a text that has single spaces between its words."""
    spans = word_spans(text)
    ends = sentence_ends([text[begin:end] for begin, end in spans])
    return [text[spans[first][0] : spans[last - 1][1]] for first, last in pairwise([0, *ends])] or [text]


def _ends(word: str, following: str) -> bool:
    """Whether a sentence ends after `word`."""
    core = word.rstrip(_CLOSING)
    if core.endswith(("。", "！", "？", "｡")):  # noqa: RUF001 - full-width marks are meant
        return True
    if not core.endswith((".", "!", "?", "…")):
        return False
    if core.endswith(".") and _abbreviates(core.strip(_OPENING).rstrip(".").lower()):
        return False
    return not following.lstrip(_OPENING)[:1].islower()


def _abbreviates(stem: str) -> bool:
    """Whether a full stop after `stem` marks an abbreviation: titles, months, initials, dotted letters such as U.S."""
    initial = len(stem) == 1 and stem.isalpha() and stem != "i"
    dotted = re.fullmatch(r"(?:\w\.)+\w", stem) is not None and stem not in _CLOCK
    return initial or dotted or stem in _ABBREVIATIONS
