"""Handles names that a speech model misspells: which to give it as hotwords, and which to correct afterwards.

A glossary file has one entry a line: `HubSpot` is a name to listen for, `hub spot -> HubSpot` one to correct as well;
`#` starts a comment. Only `read_glossary` reads files.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from ingest.errors import HomeError
from ingest.models import Episode, Segment
from ingest.speech.speaker_names import title_guest

ARROW = re.compile(r" ?(?:->|=>|→) ?")
COMMENT = re.compile(r"(?:^|\s)#")  # `C#` is a name
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
        line = " ".join(COMMENT.split(raw)[0].split())
        *wrong, right = ARROW.split(line)
        if len(wrong) < 2 and all((*wrong, right)):
            terms[right] = None
            corrections |= dict.fromkeys(wrong, right)
        elif line:
            warnings.append(f"line {number} of the glossary is neither a name nor `wrong -> right`: {line}")
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
    rights = {" ".join(wrong.lower().split()): right for wrong, right in glossary.corrections}
    if not rights:
        return tuple(segments), []
    forms = [re.escape(wrong).replace(r"\ ", r"\s+") for wrong in sorted(rights, key=len, reverse=True)]
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE)

    def right_form(wrong: str) -> str:
        right = rights[" ".join(wrong.lower().split())]
        if right != right.lower() or not wrong[:1].isupper():
            return right
        return right.upper() if wrong.isupper() and len(wrong) > 1 else right[:1].upper() + right[1:]

    times: dict[str, list[float]] = defaultdict(list)
    for one in segments:
        for wrong in pattern.findall(one.text):
            times[wrong].append(one.start)
    found = [{"wrong": wrong, "right": right_form(wrong), "times": moments} for wrong, moments in times.items()]
    corrected = (replace(one, text=pattern.sub(lambda match: right_form(match[0]), one.text)) for one in segments)
    return tuple(corrected), [one for one in found if one["right"] != one["wrong"]]
