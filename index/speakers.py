"""Speakers by a part of their name: who is meant, and under which other names a podcast has the same person; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from index.text.terms import without_accents, words

MAX_NEAR = 3  # names offered where nobody is meant


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who is meant, as `comparable` names: everywhere, and in one podcast alone."""

    names: frozenset[str]
    aliases: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def all(self) -> frozenset[str]:
        """All of them."""
        return self.names.union(*self.aliases.values())


def comparable(name: str) -> str:
    """A name as names are compared: its words without case, accents and punctuation."""
    return " ".join(words(without_accents(name.casefold())))


def meant(asked: str, known: Iterable[tuple[str, str]]) -> Speakers:
    """Who is meant by a name or whole words of it, among pairs of a podcast and a speaker in it.

    In a podcast where that is `Lenny Rachitsky`, `Lenny` is the same person, unless it is part of another name, too.
    """
    wanted = comparable(asked)
    by_podcast: dict[str, set[str]] = {}
    for podcast, name in known:
        by_podcast.setdefault(podcast, set()).add(comparable(name))
    names = frozenset(name for there in by_podcast.values() for name in there if _within(wanted, name))
    aliases = {podcast: _aliases(names, there) for podcast, there in by_podcast.items()}
    return Speakers(names, {podcast: others for podcast, others in aliases.items() if others})


def near(asked: str, known: Iterable[tuple[str, str]]) -> list[str]:
    """Names, as they are written, that are close to one that nobody has, or of which a word is; the closest first."""
    written: dict[str, str] = {}
    names = sorted({name for _, name in known})
    for name in names:
        written.setdefault(comparable(name), name)
    for name in names:
        for part in comparable(name).split():
            written.setdefault(part, name)
    close = get_close_matches(comparable(asked), sorted(written), n=2 * MAX_NEAR, cutoff=0.7)
    return list(dict.fromkeys(written[part] for part in close))[:MAX_NEAR]


def _aliases(names: frozenset[str], there: set[str]) -> frozenset[str]:
    """Other names in a podcast for those who are meant."""
    shorter = {name for name in there - names if any(_within(name, longer) for longer in names & there)}
    return frozenset(name for name in shorter if all(other in names for other in there if _within(name, other, True)))


def _within(name: str, longer: str, strictly: bool = False) -> bool:
    """Whether a name is another, or whole words of it."""
    return bool(name) and f" {name} " in f" {longer} " and not (strictly and name == longer)
