"""Handles names that a speech model misspells: which to give it as hotwords, and which to correct afterwards.

A glossary file has one entry a line: `HubSpot` is a name to listen for, `hub spot -> HubSpot` one to correct as well;
`#` starts a comment. Only `read_glossary` reads files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from ingest.errors import HomeError
from ingest.models import Episode, Segment
from ingest.speech.speaker_names import title_guest

ARROW = re.compile(r"\s*(?:->|=>|→)\s*")
MAX_HOTWORDS = 200  # characters, about 60 tokens: a longer prompt leaves less room for words, and the model repeats it


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
    """Names to listen for, at most `most` characters in all: the glossary's, then people, the podcast, the title's guest."""
    terms = glossary.terms if glossary else ()
    found = (" ".join(name.split()) for name in (*terms, *episode.people, episode.author, title_guest(episode.title)))
    names = [name for name in dict.fromkeys(found) if name]
    ends = accumulate(len(name) + 2 for name in names)  # the comma and the space
    return tuple(name for name, end in zip(names, ends, strict=True) if end <= most)


def correct(segments: Sequence[Segment], glossary: Glossary) -> tuple[tuple[Segment, ...], list[dict[str, Any]]]:
    """The segments with wrong forms corrected at word borders, and the corrections, as plain JSON data.

    Each correction has `wrong` as it was heard, `right`, and the `times` (seconds) of its segments, so that both forms
    can be searched. A right form with a capital is written verbatim; another takes the case of what it replaces.
    A corrected text is not corrected again.
    """
    rights = {_key(wrong): right for wrong, right in glossary.corrections}
    longest = sorted(rights, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(_spaced(wrong) for wrong in longest)})(?!\w)", re.IGNORECASE)
    times: dict[tuple[str, str], list[float]] = {}

    def corrected(segment: Segment) -> Segment:
        def form(match: re.Match[str]) -> str:
            wrong = match[0]
            right = _cased(rights[_key(wrong)], wrong)
            if right != wrong:
                times.setdefault((wrong, right), []).append(segment.start)
            return right

        return replace(segment, text=pattern.sub(form, segment.text)) if rights else segment

    found = tuple(map(corrected, segments))
    return found, [{"wrong": wrong, "right": right, "times": moments} for (wrong, right), moments in times.items()]


def _spaced(form: str) -> str:
    return r"\s+".join(map(re.escape, form.split()))


def _key(form: str) -> str:
    return " ".join(form.lower().split())


def _cased(right: str, wrong: str) -> str:
    if right != right.lower() or not wrong[:1].isupper():
        return right
    return right.upper() if wrong.isupper() and len(wrong) > 1 else right[:1].upper() + right[1:]
