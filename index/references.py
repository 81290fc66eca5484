"""Names of passages that stay good: the episode, the place in its words, and a hash of what is said there. Pure.

The index is derived and chunks are cut anew with each version, but an episode's key never changes and its words only by an
edit. So a name is resolved against the transcript, and says whether the words are still the same.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from index.spoken import Spoken
from ingest.errors import PassageNotFoundError

State = Literal["same", "moved", "changed"]
DIGITS = 8  # of the hash; the key and the place are part of the name, too
_NAME = re.compile(rf"([0-9a-f]{{16}})-(\d{{1,7}})-(\d{{1,5}})-([0-9a-f]{{{DIGITS}}})")


@dataclass(frozen=True, slots=True)
class Reference:
    """`count` words of an episode from the word `first` on, whose letters have this hash."""

    key: str
    first: int
    count: int
    digest: str

    def __str__(self) -> str:
        return f"{self.key}-{self.first}-{self.count}-{self.digest}"


@dataclass(frozen=True, slots=True)
class Place:
    """The words from `first` to before `last`; `moved` where they are the same elsewhere, `changed` where they are others."""

    first: int
    last: int
    state: State


def digest(text: str) -> str:
    """The hash of a text's letters, without spaces."""
    return sha256("".join(text.split()).encode("utf-8", "backslashreplace")).hexdigest()[:DIGITS]


def parse_reference(name: str) -> Reference:
    """What a name says. Raises `PassageNotFoundError` for what is none."""
    found = _NAME.fullmatch(name)
    if not found or int(found[3]) < 1:
        raise PassageNotFoundError(name[:60], "is no name of a passage; they come with the hits of a search, as `id`")
    return Reference(found[1], int(found[2]), int(found[3]), found[4])


def refer(key: str, words: Spoken, first: int, last: int) -> Reference:
    """The name of the words from `first` to before `last`."""
    return Reference(key, first, last - first, digest(words.text(first, last)))


def resolve(reference: Reference, words: Spoken) -> Place:
    """Where the words stand now; where they are gone, the whole sentences at their old place.

    Where they stand several times, the nearest counts. Raises `PassageNotFoundError` where there are no words.
    """
    first, count = reference.first, reference.count
    places = sorted(range(len(words.words) - count + 1), key=lambda place: abs(place - first))
    for place in places:  # the first is the old place: nothing else is looked at where nothing was edited
        if digest("".join(words.words[place : place + count])) == reference.digest:
            return Place(place, place + count, "same" if place == first else "moved")
    if not words.words:
        raise PassageNotFoundError(str(reference), "its transcript has no words any more")
    first = min(first, len(words.words) - 1)
    return Place(*words.around(first, min(first + count, len(words.words)), 0), "changed")
