"""Finds words and sentences in transcribed speech: the only sentence splitter. Pure."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

# After these a sentence ends whatever follows, for their scripts have no capitals, and a word ends even without a space:
# Chinese and Japanese; Indian scripts; Arabic; Burmese; Khmer; Ethiopic; Tibetan
_FINAL = "。！？｡।॥؟။។៕።፧།༎"  # noqa: RUF001
# After these one ends unless a small letter follows. The last is Armenian, whose marks of question and surprise end
# nothing: they stand on a vowel.
_CLOSED = "!?…‼⁇⁈⁉‽։"  # noqa: RUF001
STOPS = _FINAL + _CLOSED  # for character classes: what ends a sentence and does nothing else
_POINTS = (".", "．")  # noqa: RUF001 - these also abbreviate; the second is Japanese
# Urdu also abbreviates with its full stop: no word ends after it without a space. Ethiopic full stops are often typed as two
# word spaces.
_FINAL_MARKS = (*_FINAL, "۔", "፡፡")  # noqa: RUF001
_CLOSED_MARKS = tuple(_CLOSED)
_GREEK_MARKS = (";", "\u037e")  # a question in Greek, a semicolon elsewhere
_QUESTION_MARKS = ("?", "？", "؟", "፧", "⁇", "⁈", "⁉", "‽")  # noqa: RUF001
_ARMENIAN_QUESTION = "\u055e"  # in the word that asks, wherever that stands
# Japanese and Burmese questions that have a full stop
_ASKING = ("ですか", "ますか", "でしたか", "ましたか", "ませんか", "でしょうか", "ましょうか", "だろうか", "လား", "လဲ")

_SHUTS = "”’»›)]}」』）】〉》］｝"  # noqa: RUF001 - what closes a quotation or bracket, and never opens one after a space
_DIRECTIONS = "\u200e\u200f"  # invisible marks in Arabic and Hebrew text
_CLOSING = f"{_SHUTS}\"'“‘«‹{_DIRECTIONS}"  # noqa: RUF001 - German and Danish close with what others open with
_OPENING = f"\"'“‘«»‹›„‚([{{「『（【〈《［｛¿¡-–—{_DIRECTIONS}"  # noqa: RUF001
_ATTACHED = f"{_SHUTS}!?{_FINAL}"  # alone after a space, as in French, it belongs to the word before

# A word is a run without spaces. Scripts written without spaces are cut after their full stops and what closes with them,
# and at 64 characters, so that no single word is longer than a chunk. Digits go on after a full-width point.
_LETTERS = rf"[^\s{_FINAL}．]{{1,64}}"  # noqa: RUF001
_TAIL = rf"[{_FINAL}．](?:[{STOPS}.．{re.escape(_SHUTS)}]|[\"'](?!\S))*"  # noqa: RUF001
_WORD = re.compile(rf"{_LETTERS}(?:．(?=\d){_LETTERS})?(?:{_TAIL})?|{_TAIL}")  # noqa: RUF001
_ASCII_WORD = re.compile(r"\S{1,64}")

# English, then what German, French, Spanish and Hindi add
_ABBREVIATIONS_WORDS = (
    "mr mrs ms dr prof sr jr st vs inc ltd co corp dept fig vol approx est gen sen rep rev hon capt lt sgt col ave "
    "jan feb mar apr jun jul aug sept oct nov dec al ca cf "
    "bspw bzw chr evtl exkl ggf inkl mio mrd n.chr nr sog usw v.chr vgl zzgl "
    "avr déc févr j.-c janv juil mlle mlles mme mmes p.ex ste "
    "aprox avda dra núm p.ej pág págs sra sras sres srta ud uds uu डॉ"
)
_ABBREVIATIONS = frozenset(_ABBREVIATIONS_WORDS.split())
_DOTTED = re.compile(r"(?:\w\.)+\w|(\w)\1\.(\w)\2")  # U.S, z.B, EE.UU
_DOUBLED = re.compile(r"(\w)\1\.")  # EE. UU.
_CLOCK = frozenset({"a.m", "p.m"})
_DATED_WORDS = (  # what follows the number of a day or a century in German: 3. Mai
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember Jahrhundert Jahrhunderts"
)
_DATED = frozenset(_DATED_WORDS.split())
_GREEK = re.compile("[\u0386\u0388-\u03ff\u1f00-\u1fff]")
_NEAR = 8  # words on each side that say whether a text is Greek: a sentence or two, so that one quoted word does not
# Scripts without spaces between words: about two Chinese or Japanese characters, or five Thai ones, say as much as a word
_IDEOGRAPHS = re.compile(
    "[\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
_ENDS_UNSPACED = re.compile(
    rf"(?:[」』）】〉》]|(?:{_IDEOGRAPHS.pattern}|[。！？｡．、，…])[{re.escape(_CLOSING)}]*)$"  # noqa: RUF001
)
_BEGINS_UNSPACED = re.compile(rf"[「『（【〈《“‘]*{_IDEOGRAPHS.pattern}")  # noqa: RUF001
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")  # Thai, Lao, Burmese, Khmer


def word_spans(text: str) -> list[tuple[int, int]]:
    """Begin and end of every word, as character offsets."""
    return [match.span() for match in (_ASCII_WORD if text.isascii() else _WORD).finditer(text)]


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
    return "" if _BEGINS_UNSPACED.match(after) and _ENDS_UNSPACED.search(before) else " "


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
        if i == len(words) or (not word[-1:].isalnum() and _ends(words, i)):  # most words end with a letter
            yield i


def split_sentences(text: str) -> list[str]:
    """The sentences of a text that has single spaces between its words."""
    spans = word_spans(text)
    ends = sentence_ends([text[begin:end] for begin, end in spans])
    return [text[spans[first][0] : spans[last - 1][1]] for first, last in pairwise([0, *ends])] or [text]


def is_question(sentence: str) -> bool:
    """Whether a sentence is written as a question, in any script, within quotation marks or brackets or not."""
    core = sentence.rstrip(_CLOSING + " \u00a0\u202f")
    if core.rstrip("!！.…").endswith(_QUESTION_MARKS):  # noqa: RUF001 - `What?!`
        return True
    if sentence.isascii():
        return False
    if core.endswith(_GREEK_MARKS):
        return _is_greek([core])
    return _ARMENIAN_QUESTION in core or core.rstrip("。｡．။").endswith(_ASKING)  # noqa: RUF001


def is_ended(text: str) -> bool:
    """Whether a text ends as a sentence does; an abbreviation may."""
    core = text.rstrip(_CLOSING)
    return core.endswith((*_FINAL_MARKS, *_CLOSED_MARKS, *_POINTS)) or (
        core.endswith(_GREEK_MARKS) and _is_greek([core])
    )


def _ends(words: Sequence[str], i: int) -> bool:
    """Whether a sentence ends between two words, before the one with this index."""
    word, following = words[i - 1], words[i]
    if following and not following.strip(_ATTACHED):
        return False
    if i > 1 and not word.strip(_ATTACHED):
        word = words[i - 2] + word
    core = word.rstrip(_CLOSING)
    if core.endswith(_FINAL_MARKS):
        return not (word.endswith(("」", "』")) and following.startswith(("と", "って")))  # 「…。」と: `"…," said`
    if core.endswith(_POINTS):
        ends = not _abbreviates(core.strip(_OPENING).rstrip(".．").lower(), following)  # noqa: RUF001
    elif core.endswith(_GREEK_MARKS):
        ends = _is_greek(words[max(0, i - _NEAR) : i + _NEAR])
    else:
        ends = core.endswith(_CLOSED_MARKS)
    return ends and not following.lstrip(_OPENING)[:1].islower()


def _abbreviates(stem: str, following: str) -> bool:
    """Whether a full stop after `stem` marks an abbreviation: titles, months, initials, dotted letters such as U.S."""
    if stem.isdigit():
        return len(stem) <= 2 and following.rstrip(".,!?") in _DATED
    initial = len(stem) == 1 and stem.isalpha() and stem != "i"
    dotted = _DOTTED.fullmatch(stem) is not None and stem not in _CLOCK
    doubled = _DOUBLED.match(following) is not None and _DOUBLED.fullmatch(f"{stem}.") is not None
    return initial or dotted or doubled or stem in _ABBREVIATIONS


def _is_greek(words: Sequence[str]) -> bool:
    """Whether more than a third of the letters are Greek: names in Latin letters are frequent in Greek."""
    text = "".join(words)
    return 3 * len(_GREEK.findall(text)) > sum(map(str.isalpha, text))
