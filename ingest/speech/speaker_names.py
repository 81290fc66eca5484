"""Names voices by evidence alone: what the feed says of the people, and how they introduce each other; pure.

A voice has the name it gives itself, the one by which it was brought in where there are two voices, or the one by which
it is asked and answers. Where the evidence disagrees, the voice stays `Speaker 1`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby, pairwise
from typing import Any

from ingest.models import Episode, Segment
from ingest.sentences import is_question, split_sentences

OPENING = 300.0  # seconds in which people introduce themselves and others
SHORT_TURN = 2.0  # seconds; the edge of a shorter turn may be wrong by all of it
MINOR = 0.1  # share of the time spoken below which a voice is neither the one host nor the one guest, but a sponsor's
SAME = 0.8  # likeness (difflib) of two spellings of one name: `Kazanji` and `Kazanjy` .86, `Cory` and `Carl` .50

# Capitalised words that begin no name: what a recogniser writes with a capital after "I'm", and what titles are full of
_NO_NAMES = """
a an the and but so not no yes here back your his her their my our just very really still also now then what why how who
you we they he she it this that these those there today tomorrow welcome thanks thank hello hi hey okay ok sorry happy
glad sure afraid excited pleased honored honoured delighted grateful curious proud ready done good great fine from in on
at with to for of by about into like as if or going trying looking thinking talking calling speaking american african
asian european english british irish scottish welsh french german italian spanish portuguese dutch polish russian
ukrainian chinese japanese korean indian canadian australian mexican brazilian jewish muslim catholic buddhist hindu
texan californian new north south east west san los team type gen generation god monday tuesday wednesday thursday
friday saturday sunday difficult people everyone everybody folks friends data sales marketing business
"""
NO_NAMES = frozenset(_NO_NAMES.split())
MAX_WORDS = 4  # of a name
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
# An initial with its full stop, or a word that begins with a capital
_PART = rf"(?:{_CAPITAL}\.(?= {_CAPITAL})|(?!I\b){_CAPITAL}(?:[\w'-]*\w)?)"
_NAME = re.compile(
    r"[ ,]*(?:(?i:dr|doctor|professor|prof|mr|mrs|ms|sir|dame|coach)\b\.? )?"
    rf"({_PART}(?: (?:(?:van|von|de|der|den|del|della|di|da|dos|du|la|le|al|bin|ibn|y|e) )*{_PART})*)"
)

_SELF = re.compile(
    r"(?i)\b(?:(?P<named>my name(?: is|'s)|mein name ist|je m'appelle|me llamo|mi nombre es|mi chiamo|meu nome é"
    r"|mijn naam is|(?:I'm|I am) (?:your|the) host,?)|I'm|I am|(?P<this>this is)) "
)
_LISTENING = re.compile(r"(?i)[\s,.]*(?:and )?you(?:'re| are|'ve been| have been| were) listening")
_GREETS = re.compile(
    r"(?i)\b(?:welcome|hello|hi|hey|good (?:morning|afternoon|evening)|listening to|this is the"
    r"|thank(?:s| you) for (?:having|listening))\b"
)
_REPORTED = re.compile(
    r"(?i)\b(?:(?:say|tell|call|ask|answer|write|read|shout|think|quote|hear|sing|believe|claim)(?:s|ed)?|said|saying|told"
    r"|telling|goes|going|went|like|repl(?:y|ies|ied)|wrote|thought|heard|sang|if|unless|imagin\w*|pretend\w*|introduc\w+"
    r"|song|film|movie|book|character|line|whose|that|not|never)\b|[\"“”«]"
)
_TAG = re.compile(r"[\s,.!?'\"”]*(?:\w+ ){0,2}(?:said|says|goes|shouts?|thought|asked|replied|tells?|told)\b")
_AFTER = re.compile(  # what may follow a name that a person gives as theirs
    r"$|[,.!;:\u2013\u2014-]|\s(?:and|from|with|at|the|your|a|an|here|host|co-host|founder|head|vice|chief|I|in|of|or)\b"
)
_SPONSOR = re.compile(r"(?i)\b(?:sponsor\w*|brought to you|promo|code|percent off|dot com|\w+\.(?:com?|io|org|net))\b")
_INTRODUCES = re.compile(
    r"(?i)\b(?:(?:my|our)(?: \w+){0,2} guest(?: \w+){0,3},? is|(?:joining|with) (?:me|us)(?: \w+){0,4} is"
    r"|(?:I'm|we're|I am|we are)(?: (?!not|never)\w+){0,4} (?:joined(?: \w+){0,3} by|here(?: today)? with)"
    r"|please welcome|welcome(?: back)? to (?:the|our) \w+,) "
)
_ANOTHER = re.compile(rf"\s*(?:,|and|&)\s*(?:and )?(?!I\b){_CAPITAL}")
_POLITE = "(?:hi|hello|welcome|thanks|thank you)"
_OTHER_TIME = re.compile(
    r"(?i)\b(?:(?:last|next) (?:week|time|month|year|episode|show)|previous|earlier|yesterday|tomorrow|upcoming|soon"
    r"|was|were|wish)\b"
)
_GUEST = re.compile(r"(?<!\w)(?:with|w/|feat\.?|ft\.?|featuring|guest:?) (?=[^\W\d_])", re.IGNORECASE)
_GUEST_ENDS = re.compile(rf"\s*(?:$|[|:()\[\]\u2013\u2014-]|,(?! {_CAPITAL}\w+ {_CAPITAL})|(?:of|from|on|about|at)\b)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """That a voice (`speaker`) has a name, and why."""

    speaker: str
    name: str
    why: dict[str, Any]  # JSON data: the `kind` of evidence, its words (`quote`), their second (`at`)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence: who says it, when, what came before it, and whether its turn's edges can be trusted."""

    text: str
    speaker: str
    start: float
    before: str
    sure: bool

    def shows(self, name: str, kind: str, speaker: str = "") -> Evidence:
        return Evidence(speaker or self.speaker, name, {"kind": kind, "quote": self.text, "at": round(self.start, 2)})


def named(segments: Sequence[Segment], episode: Episode) -> tuple[list[Segment], dict[str, Any]]:
    """The segments with names where there is evidence, and the evidence by name, as plain JSON data."""
    found = find_names(segments, episode)
    labels = {one.speaker: one.speaker for one in segments}
    labels = labels if len(labels) > 1 else {}  # one voice alone that has no name stays without a speaker
    labels |= {one.speaker: one.name for one in found}
    return [replace(one, speaker=labels.get(one.speaker, "")) for one in segments], {one.name: one.why for one in found}


def find_names(segments: Sequence[Segment], episode: Episode) -> list[Evidence]:
    """The evidence for the name of each speaker that has any."""
    said = list(_statements(segments))
    known = list(dict.fromkeys((*episode.people, *episode.hosts)))
    voices = shares(segments)
    pair = set(voices) if len(voices) == 2 and min(voices.values()) >= MINOR else set()
    found = list(_own_names(said, known))
    if len(voices) == 1 and len(episode.people) == 1:
        why = {"kind": "podcast:person, the only one, of the only voice"}
        found.append(Evidence(next(iter(voices)), episode.people[0], why))
    found += [*_guests(said, pair, known), *_in_title(said, episode.title, pair, found)]
    return _agreed(found, known)


def shares(segments: Sequence[Segment]) -> dict[str, float]:
    """Each speaker's share of the time spoken, as in the segments' order."""
    seconds: dict[str, float] = defaultdict(float)
    for segment in segments:
        seconds[segment.speaker] += segment.end - segment.start
    whole = sum(seconds.values()) or 1.0
    return {speaker: round(spent / whole, 4) for speaker, spent in seconds.items()}


def _statements(segments: Sequence[Segment]) -> Iterator[_Statement]:
    before = ""
    for speaker, turn in groupby(segments, key=lambda one: one.speaker):
        run = list(turn)
        sure = run[-1].end - run[0].start >= SHORT_TURN
        for one in run:
            for text in split_sentences(plain(one.text)):
                yield _Statement(text, speaker, one.start, before, sure)
                before = f"{before} {text}"[-300:]


def _own_names(said: Sequence[_Statement], known: Sequence[str]) -> Iterator[Evidence]:
    """Self-introductions: of people the feed names, or with a full name in words that open or close a show."""
    for one in said:
        heard, opens = own_name(one.text, one.before) or ("", False)
        name = spelled(heard, known) or (heard if opens and " " in heard else "")
        if name and one.sure and (one.start <= OPENING or "listening" in one.text):
            yield one.shows(name, "self-introduction")


def _guests(said: Sequence[_Statement], pair: set[str], known: Sequence[str]) -> Iterator[Evidence]:
    """Whom another voice brings in, where there are two voices; and who answers to their name."""
    brought = [(one, name) for one in said if one.start <= OPENING and (name := introduced(one.text))]
    names = list(dict.fromkeys(spelled(name, known) or name for _, name in brought))
    if pair and len(names) == 1 and len({one.speaker for one, _ in brought}) == 1:
        one = brought[0][0]
        yield one.shows(names[0], "introduced", next(iter(pair - {one.speaker})))
    changes = [(one, after) for one, after in pairwise(said) if after.speaker != one.speaker]
    for name in dict.fromkeys([*known, *names]):
        answers = [(one, after) for one, after in changes if addresses(one.text, name)]
        answering = {after.speaker for _, after in answers}
        if len(answering) == 1 and not answering & {one.speaker for one, _ in answers} and answers[0][1].sure:
            yield answers[0][0].shows(name, "answers to the name", next(iter(answering)))


def _in_title(said: Sequence[_Statement], title: str, pair: set[str], found: Sequence[Evidence]) -> Iterator[Evidence]:
    """The guest in the title is the other one of two voices, if one is the host by name."""
    guest = title_guest(title)
    hosts = {one.speaker for one in found}
    if guest and pair and len(hosts) == 1 and not any(_same(one.name, guest) for one in found):
        of = any(guest.split()[-1].casefold() in one.text.casefold() for one in said)
        told = [one.text for one in said if one.speaker in hosts]
        to = any(addresses(text, guest) or _same(introduced(text), guest) for text in told)
        if to or not of:  # who is talked of, but never to, is a subject and no guest
            yield Evidence(next(iter(pair - hosts)), guest, {"kind": "the guest in the title, the other of two voices"})


def _agreed(found: Sequence[Evidence], known: Sequence[str]) -> list[Evidence]:
    """One name for a voice, and one voice for a name; a name the feed knows counts more than one only heard."""
    chosen = []
    for speaker in dict.fromkeys(one.speaker for one in found):
        heard = [one for one in found if one.speaker == speaker]
        claims = [one for one in heard if one.name in known] or heard
        if all(_same(one.name, claims[0].name) for one in claims):
            chosen.append(max(claims, key=lambda one: len(one.name.split())))
    return [one for one in chosen if not any(_same(one.name, other.name) for other in chosen if other is not one)]


def spelled(heard: str, known: Sequence[str]) -> str:
    """The known name that was heard, in full or its first word; empty where none is, or more than one."""
    meant = [name for name in known if _same(heard, name)]
    return meant[0] if len(meant) == 1 else ""


def _same(heard: str, name: str) -> bool:
    """Whether two names are one: spelled alike, or one is the first word of the other."""
    one, other = heard.casefold().split(), name.casefold().split()
    if len(one) < 2 or len(other) < 2:
        return one[:1] == other[:1] != []
    return all(SequenceMatcher(None, a, b).ratio() >= SAME for a, b in ((one[0], other[0]), (one[-1], other[-1])))


def plain(text: str) -> str:
    """The text with straight apostrophes and single spaces."""
    return " ".join(text.replace("’", "'").split())  # noqa: RUF001 - the typographic one is meant


def own_name(text: str, before: str) -> tuple[str, bool] | None:
    """The name that a speaker gives as theirs in a plain sentence, and whether its words leave no doubt that it is one.

    They do in a greeting, at a show's opening or close, and after `my name is`; `I'm Big Bird` alone may be a joke.
    `before` is the text before the sentence. None where there is none, or where somebody else's words may be told.
    """
    if is_question(text) or _SPONSOR.search(f"{before} {text}"):
        return None
    for found in _SELF.finditer(text):
        lead = " ".join([*before.split()[-5:], text[: found.start()]])
        name, after = leading_name(text[found.end() :])
        listening = bool(_LISTENING.match(after))
        told = _REPORTED.search(lead) or _TAG.match(after)
        if name and _AFTER.match(after) and not told and (listening or not found["this"]):
            return name, listening or bool(found["named"] or _GREETS.search(f"{before} {text}"))
    return None


def introduced(text: str) -> str:
    """Whom a plain sentence brings in as being there today; empty where nobody, or more than one."""
    if not is_question(text) and not _OTHER_TIME.search(text) and not _SPONSOR.search(text):
        for found in _INTRODUCES.finditer(text):
            name, rest = leading_name(text[found.end() :])
            if name and not _ANOTHER.match(rest) and not _REPORTED.search(text[: found.start()]):
                return name
    return ""


def addresses(text: str, name: str) -> bool:
    """Whether a plain sentence speaks to somebody by this name or its first word, as in `Ann, what is it?`."""
    first = name.partition(" ")[0]
    either = f"(?:{re.escape(name)}|{re.escape(first)})"
    opens = re.match(rf"(?i:(?:(?:so|and|well|okay|now|{_POLITE}),? )*{either}),(?! (?:and|or|[A-Z]\w+ and)\b)", text)
    closes = re.search(rf"(?i:,|\b{_POLITE}) {either}[.!?]*$", text)
    return bool(opens or closes) and not _REPORTED.search(text.partition(first)[0])


def title_guest(title: str) -> str:
    """The one guest, two words at least, that a title names after `with`, `feat.` or the like; empty where unsure."""
    text = plain(title)
    found = [leading_name(text[match.end() :]) for match in _GUEST.finditer(text)]
    names = [name for name, rest in found if len(name.split()) > 1 and _GUEST_ENDS.match(rest)]
    return names[0] if len(names) == 1 else ""


def leading_name(text: str) -> tuple[str, str]:
    """The name that a text begins with, without a title before it, and what follows; an empty one if there is none.

    A name is one to four capitalised words, particles and initials among them; one in the genitive is none.
    """
    found = _NAME.match(text)
    words = found[1].replace(".", "").split() if found else []
    if not found or len(words) > MAX_WORDS or any(one.endswith("'s") or one.lower() in NO_NAMES for one in words):
        return "", text
    return " ".join(words), text[found.end() :]
