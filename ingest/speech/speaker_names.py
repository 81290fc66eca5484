"""Names voices by evidence alone: what the feed says of the people, and how they introduce each other; pure.

A voice has the name it gives itself, the one by which it was brought in where there are two voices, or the one by which
it is asked and answers. Where the evidence disagrees, the voice stays `Speaker 1`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby, pairwise
from typing import Any

from ingest.models import Episode, Segment
from ingest.sentences import split_sentences
from ingest.speech.introductions import addresses, introduced, own_name, plain, title_guest
from ingest.speech.speakers import shares

OPENING = 300.0  # seconds in which people introduce themselves and others
SHORT_TURN = 2.0  # seconds; the edge of a shorter turn may be wrong by all of it
MINOR = 0.1  # share of the time spoken below which a voice is neither the one host nor the one guest, but a sponsor's
SAME = 0.8  # likeness (difflib) of two spellings of one name: `Kazanji` and `Kazanjy` .86, `Cory` and `Carl` .50


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a voice has a name: what kind of evidence, the words, and the second at which they are said."""

    name: str
    kind: str
    quote: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence: who says it, when, what came before it, and whether its turn is long enough to trust its edges."""

    text: str
    speaker: str
    start: float
    before: str
    early: bool
    sure: bool


def named(segments: Sequence[Segment], episode: Episode) -> tuple[list[Segment], dict[str, Any]]:
    """The segments with names where there is evidence, and the evidence by name, as plain JSON data.

    One voice alone that has no name stays without a speaker.
    """
    found = find_names(segments, episode)
    labels = {one.speaker: one.speaker for one in segments}
    if len(labels) == 1:
        labels = dict.fromkeys(labels, "")
    labels |= {label: evidence.name for label, evidence in found.items()}
    renamed = [replace(one, speaker=labels[one.speaker]) for one in segments]
    told = {one.name: {"kind": one.kind, "quote": one.quote, "at": one.at} for one in found.values()}
    return renamed, {
        name: {key: value for key, value in one.items() if value not in ("", None)} for name, one in told.items()
    }


def find_names(segments: Sequence[Segment], episode: Episode) -> dict[str, Evidence]:
    """The evidence for the name of each speaker that has any, by the speaker's label."""
    said = list(_statements(segments))
    known = list(dict.fromkeys((*episode.people, *episode.hosts)))
    voices = shares(segments)
    pair = set(voices) if len(voices) == 2 and min(voices.values()) >= MINOR else set()
    found: dict[str, list[Evidence]] = defaultdict(list)
    for speaker, evidence in _own_names(said, known):
        found[speaker].append(evidence)
    if len(voices) == 1 and len(episode.people) == 1:
        found[said[0].speaker].append(Evidence(episode.people[0], "podcast:person, the only one, of the only voice"))
    for speaker, evidence in (*_guests(said, pair, known), *_in_title(said, episode, pair, found)):
        found[speaker].append(evidence)
    return _agreed(found, known)


def _statements(segments: Sequence[Segment]) -> Iterator[_Statement]:
    before = ""
    for speaker, turn in groupby(segments, key=lambda one: one.speaker):
        run = list(turn)
        sure = run[-1].end - run[0].start >= SHORT_TURN
        for start, text in _sentences(run):
            yield _Statement(text, speaker, round(float(start), 2), before, start <= OPENING, sure)
            before = f"{before} {text}"[-300:]


def _sentences(run: Sequence[Segment]) -> Iterator[tuple[float, str]]:
    """The sentences of one turn, which segments may cut, each with the second at which its segment starts."""
    start, held = 0.0, ""
    for segment in run:
        start = start if held else segment.start
        held = f"{held} {plain(segment.text)}".strip()
        if held.endswith((".", "!", "?", "…")) or segment is run[-1]:
            yield from ((start, sentence) for sentence in split_sentences(held))
            held = ""


def _own_names(said: Sequence[_Statement], known: Sequence[str]) -> Iterator[tuple[str, Evidence]]:
    """Self-introductions: of people the feed names, or with a full name in words that open or close a show."""
    for one in said:
        if not one.sure or not (claim := own_name(one.text, one.before)):
            continue
        heard, opens = claim
        name = spelled(heard, known)
        full = len(heard.split()) > 1 and opens
        if (name or full) and (one.early or "listening" in one.text):
            yield one.speaker, Evidence(name or heard, "self-introduction", one.text, one.start)


def _guests(said: Sequence[_Statement], pair: set[str], known: Sequence[str]) -> Iterator[tuple[str, Evidence]]:
    """Whom another voice brings in, where there are two voices; and who answers to their name."""
    brought = [(one, spelled(name, known) or name) for one in said if one.early and (name := introduced(one.text))]
    names = list(dict.fromkeys(name for _, name in brought))
    if pair and len(names) == 1 and len({one.speaker for one, _ in brought}) == 1:
        one = brought[0][0]
        (other,) = pair - {one.speaker}
        yield other, Evidence(names[0], "introduced", one.text, one.start)
    for name in dict.fromkeys([*known, *names]):
        answers = [
            (one, after) for one, after in pairwise(said) if after.speaker != one.speaker and addresses(one.text, name)
        ]
        answering = {after.speaker for _, after in answers}
        if len(answering) == 1 and not answering & {one.speaker for one, _ in answers} and answers[0][1].sure:
            one, after = answers[0]
            yield after.speaker, Evidence(name, "answers to the name", one.text, one.start)


def _in_title(
    said: Sequence[_Statement], episode: Episode, pair: set[str], found: dict[str, list[Evidence]]
) -> Iterator[tuple[str, Evidence]]:
    """The guest in the title is the other one of two voices, if one is the host by name.

    A name that is talked of, but never to, is a subject and no guest.
    """
    guest = title_guest(episode.title)
    if not guest or not pair or len(found) != 1:
        return
    ((host, evidence),) = found.items()
    (other,) = pair - {host}
    of = any(guest.split()[-1] in one.text for one in said)
    to = any(addresses(one.text, guest) or _same(introduced(one.text), guest) for one in said if one.speaker == host)
    if (to or not of) and not any(_same(one.name, guest) for one in evidence):
        yield other, Evidence(guest, "the guest in the title, the other of two voices")


def _agreed(found: dict[str, list[Evidence]], known: Sequence[str]) -> dict[str, Evidence]:
    """One name for a voice, and one voice for a name; a name the feed knows counts more than one only heard."""
    chosen: dict[str, Evidence] = {}
    for speaker, evidence in found.items():
        of_feed = [one for one in evidence if one.name in known]
        if claims := of_feed or evidence:
            first = claims[0]
            if all(_same(one.name, first.name) for one in claims):
                chosen[speaker] = max(claims, key=lambda one: (one.name in known, len(one.name.split()), one is first))
    return {
        speaker: one
        for speaker, one in chosen.items()
        if not any(_same(one.name, other.name) for voice, other in chosen.items() if voice != speaker)
    }


def spelled(heard: str, known: Sequence[str]) -> str:
    """The known name that was heard, in full or its first word; empty where none is, or more than one."""
    meant = [name for name in known if _same(heard, name)]
    return meant[0] if len(meant) == 1 else ""


def _same(heard: str, name: str) -> bool:
    """Whether two names are one: spelled alike, or one is the first word of the other."""
    one, other = heard.casefold().split(), name.casefold().split()
    if not one or not other:
        return False
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    return all(SequenceMatcher(None, a, b).ratio() >= SAME for a, b in ((one[0], other[0]), (one[-1], other[-1])))
