"""What to ask: questions that are asked in transcripts, and completions of what is being typed. Functions of data."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from ingest.models import Transcript
from ingest.sentences import split_sentences

SHORTEST, LONGEST = 5, 13  # words of an example: shorter ones lean on what was said before, longer ones fill two lines
MOST = 8  # suggestions: more than fit below the box of a phone help nobody
FEW_LETTERS = 2
_OPENS = re.compile(
    r"(?:how (?:do|does|should|can|could|would|much|many|often|long)|(?:what|who|where) (?:is|are|makes?|does|do|should)|what's|"
    r"when (?:is|are|do|does|should)|why (?:is|are|do|does|should)|which \w+ (?:is|are|do|does|should))\b",
    re.IGNORECASE,
)
_CALLS = re.compile(
    r"^(?:(?:so|and|but|okay|well|now|then|[A-Z]\w+),? )?(?=(?:how|what|when|why|which|who|where)\b)", re.IGNORECASE
)
_GENERIC_YOU = re.compile(r"\b(?:do|should|can|could|would|if|when) you\b", re.IGNORECASE)
# Words that point at what was said before, at the guest, or at small talk; a question that has one says little on its own.
_POINTING = """
it its it's that's that this these those they them their there here he she him her his we us our me my mine
i you your yours yourself you've you'd you're you'll ones else after before again also too so far did was
were have had been being doing going other another mean think feel say tell love favorite guys happened next
exactly actually thing things stuff kind maybe sort whatever way we're
"""
_POINTS = frozenset(_POINTING.split())
_PLAIN_WORDS = (
    "how what what's when why which who where do does is are should can could would a an the to of in on for and or"
)
_PLAIN = frozenset(_PLAIN_WORDS.split())

Kind = Literal["question", "speaker", "episode", "podcast"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line below the box: `text` completes it, `address` is where choosing it leads."""

    kind: Kind
    text: str
    address: str


def asked_in(transcript: Transcript) -> list[str]:
    """The questions in a transcript that can be understood on their own, the most telling first."""
    found: dict[str, int] = {}
    for turn in transcript.turns:
        for sentence in split_sentences(" ".join(turn.text.split())):
            if sentence.endswith("?") and (question := standing_alone(sentence)):
                found.setdefault(question, _telling(question, transcript.episode.title))
    return sorted(found, key=lambda question: -found[question])


def standing_alone(sentence: str) -> str:
    """A question as one would ask it, without the name it calls; empty where it cannot stand alone."""
    question = _CALLS.sub("", sentence, count=1)
    words = re.findall(r"[\w'-]+", _GENERIC_YOU.sub("", question.replace("’", "'")).lower())  # noqa: RUF001
    stands = _OPENS.match(question) and SHORTEST <= len(question.split()) <= LONGEST and _POINTS.isdisjoint(words)
    names = re.search(r" [A-Z][a-z]", question)  # known to those who heard the rest
    if not stands or names or "," in question or len(set(words) - _PLAIN) < 2:
        return ""
    return question[:1].upper() + question[1:]


def _telling(question: str, title: str) -> int:
    """How much a question says: its words that are not plain, those of the episode's title twice."""
    words = set(re.findall(r"\w+", question.lower())) - _PLAIN
    return len(words) + len(words & set(re.findall(r"\w+", title.lower())))


def suggestions(
    typed: str, questions: Iterable[str], speakers: Iterable[str], episodes: Iterable[tuple[str, str]],
    podcasts: Iterable[tuple[str, str]],
) -> list[Suggestion]:  # fmt: skip
    """Completions: whatever has words that begin as the typed ones do. Episodes and podcasts are pairs of address and title."""
    wanted = re.findall(r"\w+", typed.casefold())
    if sum(map(len, wanted)) < FEW_LETTERS:
        return []
    found = [
        *(Suggestion("question", text, _asking(q=text)) for text in questions if _begins(text, wanted)),
        *(Suggestion("speaker", name, _asking(speaker=name)) for name in speakers if _begins(name, wanted)),
        *(Suggestion("podcast", title, _asking(podcast=slug)) for slug, title in podcasts if _begins(title, wanted)),
        *(Suggestion("episode", title, f"/episodes/{key}") for key, title in episodes if _begins(title, wanted)),
    ]
    kept: list[Suggestion] = []
    for kind, most in (("question", 3), ("speaker", 2), ("podcast", 1), ("episode", MOST)):
        kept += [one for one in found if one.kind == kind][:most]
    return kept[:MOST]


def _begins(text: str, wanted: list[str]) -> bool:
    words = re.findall(r"\w+", text.casefold())
    return all(any(word.startswith(part) for word in words) for part in wanted)


def _asking(**fields: str) -> str:
    return f"/?{urlencode(fields)}"
