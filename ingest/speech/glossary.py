"""Handles names that a speech model misspells: which to give it as hotwords, and which to correct afterwards.

A glossary file has one entry a line: `HubSpot` is a name to listen for, `hub spot -> HubSpot` one to correct as well;
`#` starts a comment. Only `read_glossary` reads files.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

from ingest.errors import HomeError
from ingest.models import Episode, Segment
from ingest.speech.introductions import title_guest

ARROW = re.compile(r"\s*(?:->|=>|→)\s*")
MAX_HOTWORDS = 200  # characters, about 60 tokens: a longer prompt leaves less room for words, and the model repeats it
MAX_NOTES = 20_000  # characters of show notes that are searched: names come early

_WORD = r"[^\W\d_a-zß-öø-ÿ][\w’'&-]*"  # noqa: RUF001 - starts with a capital; typographic apostrophes are common
_NAME = re.compile(rf"{_WORD}(?:\s+(?:(?:of|de|van|von|der|den|la|le)\s+)*{_WORD})*")
_ODD = re.compile(r"\w[A-Z]|\d")  # HubSpot, GPT4, B2B: capitals or digits inside
_SENTENCE_START = re.compile(r"[.!?:•\n–—-]\W*$")  # noqa: RUF001 - dashes and bullets of show notes
_COMMON_WORDS = (
    "a about after all an and are as at be before but by can do episode every first for from get go good had has have he her "
    "here his how i i'm if in into is it it's its join last learn let's like listen live look more my next no not now of "
    "on one or our out part plus season see she so some sponsored subscribe thank thanks than that the their then there these "
    "they this to today transcript two up us want was we we'll we're welcome were what what's when where which who why will "
    "with would you you'll your"
)
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class Glossary:
    """`terms` to listen for (right forms included), `corrections` as (wrong, right), `warnings` about the file."""

    terms: tuple[str, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def read_glossary(path: Path) -> Glossary:
    """The glossary in a file; an empty one where there is no file. Raises `HomeError`."""
    try:
        return parse_glossary(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return Glossary()
    except (OSError, UnicodeDecodeError) as error:
        raise HomeError(path, "cannot be read; save it as UTF-8 text, one name a line") from error


def parse_glossary(text: str) -> Glossary:
    """The entries that can be read; `warnings` name the others."""
    terms: dict[str, None] = {}
    corrections: dict[str, str] = {}
    warnings = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip() if raw.lstrip().startswith("#") or " #" in raw else raw.strip()
        sides = [" ".join(side.split()) for side in ARROW.split(line)]
        if sides == [""]:
            continue
        if len(sides) > 2 or not all(sides):
            warnings.append(f"line {number} of the glossary is neither a name nor `wrong -> right`: {line}")
            continue
        terms[sides[-1]] = None
        if len(sides) == 2:
            corrections[sides[0]] = sides[1]
    return Glossary(tuple(terms), tuple(corrections.items()), tuple(warnings))


def hotwords(episode: Episode, glossary: Glossary | None = None, most: int = MAX_HOTWORDS) -> tuple[str, ...]:
    """Names to listen for, at most `most` characters in all: the glossary's first, then people, the title's guest and show notes."""
    notes = unescape(re.sub(r"<[^<>]*>", "\n", unescape(episode.summary[:MAX_NOTES])))
    found: dict[str, str] = {}
    for name in (
        *(glossary.terms if glossary else ()),
        *episode.people,
        episode.author,
        title_guest(episode.title),
        *names(notes),
    ):
        clean = " ".join(name.split())
        if clean:
            found.setdefault(clean.casefold(), clean)
    return tuple(_fitting(found.values(), most))


def names(text: str) -> Iterator[str]:
    """Runs of capitalised words; a single one at the start of a sentence only if it is spelled like `HubSpot`."""
    text = "\n" + text
    for match in _NAME.finditer(text):
        words = re.sub(r"(?:['’]s|[-&'’])$", "", match.group()).split()  # noqa: RUF001
        starts = bool(_SENTENCE_START.search(text[max(0, match.start() - 5) : match.start()]))
        while words and words[0].lower().replace("’", "'") in _COMMON:  # noqa: RUF001
            words, starts = words[1:], False
        name = " ".join(words)
        if len(name) > 2 and not (starts and len(words) == 1 and not _ODD.search(name)):
            yield name


def _fitting(words: Iterable[str], most: int) -> Iterator[str]:
    room = most
    for word in words:
        room -= len(word) + 2  # the comma and the space
        if room < 0:
            return
        yield word


def correct(segments: Sequence[Segment], glossary: Glossary) -> tuple[tuple[Segment, ...], list[dict[str, Any]]]:
    """The segments with wrong forms corrected at word borders, and the corrections, as plain JSON data.

    Each correction has `wrong` as it was heard, `right`, and the `times` (seconds) of its segments, so that both forms
    can be searched. A right form with a capital is written verbatim; another takes the case of what it replaces.
    A corrected text is not corrected again.
    """
    rights = {_key(wrong): right for wrong, right in glossary.corrections}
    if not rights:
        return tuple(segments), []
    pattern = _any_of([wrong for wrong, _ in glossary.corrections])
    times: dict[tuple[str, str], list[float]] = {}
    corrected = []
    for segment in segments:

        def corrected_form(match: re.Match[str], start: float = segment.start) -> str:
            wrong = match.group()
            right = _cased(rights[_key(wrong)], wrong)
            if right != wrong:
                times.setdefault((wrong, right), []).append(start)
            return right

        corrected.append(replace(segment, text=pattern.sub(corrected_form, segment.text)))
    return tuple(corrected), [
        {"wrong": wrong, "right": right, "times": moments} for (wrong, right), moments in times.items()
    ]


def _any_of(wrongs: Sequence[str]) -> re.Pattern[str]:
    """Any of the forms, the longest first, between word borders; spaces match any white space."""
    forms = [r"\s+".join(map(re.escape, wrong.split())) for wrong in sorted(wrongs, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE)


def _key(form: str) -> str:
    return " ".join(form.lower().split())


def _cased(right: str, wrong: str) -> str:
    if right != right.lower() or not wrong[:1].isupper():
        return right
    return right.upper() if wrong.isupper() and len(wrong) > 1 else right[:1].upper() + right[1:]
