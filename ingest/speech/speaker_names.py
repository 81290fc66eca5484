"""Names voices by evidence alone: what the feed says of the people, and how they introduce each other; pure.

A voice has the name that it gives itself, is brought in by, or is asked by and answers. Any sign against it removes it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from ingest.models import Episode, Segment
from ingest.sentences import is_question, split_sentences

OPENING = 300.0  # seconds in which people introduce themselves and others
SHORT_TURN = 2.0  # seconds; the edge of a shorter turn may be wrong by all of it
MINOR = 0.1  # share of the time spoken below which a voice is neither the one host nor the one guest, but a sponsor's
SAME = 0.8  # likeness (difflib) of two spellings of one name: `Kazanji` and `Kazanjy` .86, `Cory` and `Carl` .50
# Capitalised words that begin no name: what a recogniser writes with a capital after "I'm", and what titles are full of
_NO_NAMES = """
a an the and but so not no yes here back your his her their my our what why how who you we they he she it this that
today welcome thanks thank hello hi hey okay ok sorry happy glad sure great from in on at with to for of by about into
like as if or going african american asian european english british irish scottish welsh french german italian spanish
portuguese polish russian ukrainian chinese japanese korean indian canadian australian mexican brazilian jewish muslim
catholic buddhist hindu new north south san los team type god difficult people data sales marketing business
"""
NO_NAMES = frozenset(_NO_NAMES.split())
MAX_WORDS = 4  # of a name
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
_PART = rf"(?:{_CAPITAL}\.(?= {_CAPITAL})|(?!I\b){_CAPITAL}(?:[\w'-]*\w)?)"  # `J.` or `Ann`
_NAME = re.compile(
    r"[ ,]*(?:(?i:dr|doctor|professor|prof|mr|mrs|ms|sir|dame|coach)\b\.? )?"
    rf"({_PART}(?: (?:(?:van|von|de|der|den|del|della|di|da|dos|du|la|le|al|bin|ibn|y|e) )*{_PART})*)"
)
_SELF = re.compile(
    r"(?i)\b(?:(?P<named>my name(?: is|'s)|mein name ist|je m'appelle|me llamo|mi nombre es|mi chiamo|meu nome é"
    r"|mijn naam is|(?:I'm|I am) (?:your|the) host,?)|I'm|I am|(?P<this>this is)) "
)
_LISTENING = re.compile(r"(?i)[\s,.]*(?:and )?you(?:'re| are|'ve been| have been| were) listening")
_GREETS = re.compile(r"(?i)\b(?:welcome|hello|hi|hey|good (?:morning|afternoon|evening)|listening|for having me)\b")
_REPORTED = re.compile(
    r"(?i)\b(?:(?:say|tell|call|ask|answer|write|read|shout|think|quote|hear|sing|believe|claim)(?:s|ed)?|said|saying|told"
    r"|telling|goes|going|went|like|repl(?:y|ies|ied)|wrote|thought|heard|sang|if|unless|imagin\w*|pretend\w*|introduc\w+"
    r"|song|film|movie|book|character|line|whose|that|not|never)\b|[\"“”«]"
)
_TAG = re.compile(r"[\s,.!?'\"”]*(?:\w+ ){0,2}(?:said|says|goes|shouts?|thought|asked|replied|tells?|told)\b")
# What may follow a name that a person gives as theirs
_AFTER = re.compile(r"$|[,.!;:\u2013\u2014-]|\s(?:and|from|with|at|the|your|an?|here|(?:co-)?host|I|in|of|or)\b")
_SPONSOR = re.compile(r"(?i)\b(?:sponsor\w*|brought to you|promo|code|percent off|dot com|\w+\.(?:com?|io|org|net))\b")
_INTRODUCES = re.compile(
    r"(?i)\b(?:(?:my|our)(?: \w+){0,2} guest(?: \w+){0,3},? is|(?:joining|with) (?:me|us)(?: \w+){0,4} is"
    r"|(?:I'm|we're|I am|we are)(?: (?!not|never)\w+){0,4} (?:joined(?: \w+){0,3} by|here(?: today)? with)"
    r"|please welcome|welcome(?: back)? to (?:the|our) \w+,) "
)
_ANOTHER = re.compile(rf"\s*(?:,|and|&)\s*(?:and )?(?!I\b){_CAPITAL}")
_OTHER_TIME = re.compile(r"(?i)\b(?:(?:last|next) (?!guest)\w+|previous|earlier|yesterday|tomorrow|soon|was|were)\b")
_LEAD = re.compile(r"(?i)(?:(?:so|and|well|okay|ok|now|but|all ?right|hi|hello|hey|welcome|thanks|thank you),? )+|")
# What follows a name that is spoken to: neither a list nor words about the person
_ADDRESS = re.compile(rf",(?! (?:and|or|who|my|our|the|an?|his|her)\b)(?! {_CAPITAL}\w+(?:,| (?:and|or)\b))")
_CLOSES = re.compile(r"(?i:(?:that )?(.*)(?:,|\b(?:hi|hello|welcome|thanks|thank you))) ([^,]{1,60}?)[.!?]*$")
_RELATION = re.compile(r"(?i)\b(?:my|our|your|his|her|their|the)(?: [\w'-]+){1,3}$")  # `Have you met my boss, Ann?`
_INSIDE = re.compile(rf"(?<=[\w,] ){_CAPITAL}[\w'-]*")  # where only names have a capital: not the word of `Right, why?`
_ASKS = re.compile(r"(?i)^\S+: .*\?$|\bwelcome\b")  # whom and what: not by thanks, nor in `Ann Lee, what of her?`
_PRESENTS = re.compile(r"(?i)\b(?:welcome(?: back)? to (?:the|our)|brought to you|promo code)\b")  # no guest does
_BEFORE = re.compile(r"(?i)^|[|:(\[\u2013\u2014] ?| - |(?<!\w)(?:with|w/|feat\.?|ft\.?|featuring|guests?:?|and|&) |, ")
_BEHIND = re.compile(r"\s*(?:$|[|:,&()\[\]\u2013\u2014-]|(?:and|with|of|from|on|about|at)\b)")  # a name in a title
_WRITTEN = re.compile(r"[^\W\d][^\d<>:\"@/\n]*")  # what a feed may give as a person's name


@dataclass(frozen=True, slots=True)
class Evidence:
    """That a voice (`speaker`) has a name, and why."""

    speaker: str
    name: str
    why: dict[str, Any]  # JSON data: the `kind` of evidence, its words (`quote`), their second (`at`)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence of a voice, and the names in it; `own` and `brings` only where a show opens."""

    text: str
    speaker: str
    start: float  # seconds
    sure: bool  # whether the edges of its turn can be trusted
    own: tuple[str, bool]  # the name that the speaker gives as theirs, and whether beyond doubt
    brings: str  # whom it brings in
    to: str  # by which name it speaks to somebody
    asked: "_Statement | None"  # what another voice said just before, if that asks or welcomes somebody by name

    def shows(self, name: str, kind: str, speaker: str = "") -> Evidence:
        return Evidence(speaker or self.speaker, name, {"kind": kind, "quote": self.text, "at": round(self.start, 2)})


def named(segments: Sequence[Segment], episode: Episode) -> tuple[list[Segment], dict[str, Any]]:
    """The segments with names where there is evidence, and the evidence by name, as plain JSON data."""
    found = find_names(segments, episode)
    names = {one.speaker: one.name for one in found}
    alone = len(shares(segments)) == 1  # one voice alone that has no name stays without a speaker
    labelled = [replace(one, speaker=names.get(one.speaker, "" if alone else one.speaker)) for one in segments]
    return labelled, {one.name: one.why for one in found}


def find_names(segments: Sequence[Segment], episode: Episode) -> list[Evidence]:
    """The evidence for the name of each speaker that has any, and nothing against it."""
    known = [name for name in dict.fromkeys((*episode.people, *episode.hosts)) if _WRITTEN.fullmatch(name)]
    known += [name for name in title_names(episode.title) if not spelled(name, known)]
    said = _of_one(list(_statements(segments, known)))
    return _agreed([one for one in _claims(said, shares(segments), known) if not _contradicted(one, said)], known)


def shares(segments: Sequence[Segment]) -> dict[str, float]:
    """Each speaker's share of the time spoken, as in the segments' order."""
    whole = sum(one.end - one.start for one in segments) or 1.0
    voices: dict[str, float] = dict.fromkeys((one.speaker for one in segments), 0.0)
    for one in segments:
        voices[one.speaker] += one.end - one.start
    return {speaker: round(spent / whole, 4) for speaker, spent in voices.items()}


def _statements(segments: Sequence[Segment], known: Sequence[str]) -> Iterator[_Statement]:
    before, last = "", None
    heard = {*_INSIDE.findall(" | ".join(one.text for one in segments)), *" ".join(known).split()}
    for speaker, turn in groupby(segments, key=lambda one: one.speaker):
        run = list(turn)
        sure = run[-1].end - run[0].start >= SHORT_TURN
        for one, text in ((each, text) for each in run for text in split_sentences(plain(each.text))):
            own = own_name(text, before) if sure and (one.start <= OPENING or "listening" in text) else None
            brings = introduced(text) if one.start <= OPENING else ""
            to = to if (to := spoken_to(text)).partition(" ")[0] in heard else ""
            asks: Any = last and last.speaker != speaker and last.to and _ASKS.search(f"{last.to}: {last.text}")
            asked: _Statement | None = last if asks and not is_question(text) else None  # who asks back may interrupt
            last = _Statement(text, speaker, one.start, sure, own or ("", False), brings, to, asked)
            yield last
            before = f"{before} {text}"[-300:]


def _of_one(said: Sequence[_Statement]) -> list[_Statement]:
    """What is said by voices that are one person's: not host and guest at once, nor asking by name and going on."""
    early = [one for one in said if one.start <= OPENING]
    alone = len({one.speaker for one in said}) == 1
    asking = {one.speaker for one in early if (one.to and (alone or "?" in one.text)) or (alone and one.brings)}
    asking -= {one.speaker for i, one in enumerate(said) if one.to and len({a.speaker for a in said[i : i + 4]}) > 1}
    hosts = {one.speaker for one in early if one.brings or _PRESENTS.search(one.text)}
    mixed = asking | (hosts & {one.speaker for one in said if "having me" in one.text})
    return [one for one in said if one.speaker not in mixed]


def _claims(said: Sequence[_Statement], voices: dict[str, float], known: Sequence[str]) -> Iterator[Evidence]:
    """Who says who they are; whom one of two voices brings in; who is asked by name and speaks next, and nobody else does."""
    for one in said:
        name = spelled(one.own[0], known) or (one.own[0] if one.own[1] and " " in one.own[0] else "")
        if name:
            yield one.shows(name, "self-introduction")
    brought = {spelled(one.brings, known) or one.brings: one for one in reversed(said) if one.brings}
    others = {one.speaker for one in said} - {one.speaker for one in brought.values()}
    if len(voices) == 2 and min(voices.values()) >= MINOR and len(brought) == len(others) == 1:
        yield from (one.shows(name, "introduced", *others) for name, one in brought.items())
    names = list(dict.fromkeys((*brought, *known)))
    asked = [(one, one.asked, spelled(one.asked.to, names)) for one in said if one.asked]
    for name in dict.fromkeys(name for *_, name in asked if name):
        answers = {one.speaker: (one, by) for one, by, to in reversed(asked) if to == name}
        for one, by in answers.values():
            if len(answers) == 1 and one.sure and voices[one.speaker] >= MINOR:
                yield by.shows(name, "answers to the name", one.speaker)


def _contradicted(claim: Evidence, said: Sequence[_Statement]) -> bool:
    """Whether a voice has another name too or speaks to somebody of this one; if a guest's, of them, or as a host would."""
    words = [one for one in said if one.speaker == claim.speaker]
    called = [name for one in words for name in (one.own[0], one.asked.to if one.asked else "") if name]
    other = any(not _alike(claim.name, name) for name in called) or any(_same(one.to, claim.name) for one in words)
    of = re.compile(rf"(?<!\w){re.escape(claim.name)}(?!\w)")
    guest = [one for one in words if claim.why["kind"] != "self-introduction" and not one.own[0]]
    return other or any(_PRESENTS.search(one.text) or (one.start <= OPENING and of.search(one.text)) for one in guest)


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


def _alike(one: str, other: str) -> bool:
    """Whether two names may be one person's: words of theirs begin alike, as in `Ben` and `Benjamin`."""
    return any(a[:3] == b[:3] for a in one.casefold().split() for b in other.casefold().split())


def plain(text: str) -> str:
    """The text with straight apostrophes and single spaces."""
    return " ".join(text.replace("’", "'").split())  # noqa: RUF001 - the typographic one is meant


def own_name(text: str, before: str) -> tuple[str, bool] | None:
    """The name that a speaker gives as theirs after the text `before`, and whether it certainly is one; or None."""
    if is_question(text) or _SPONSOR.search(f"{before} {text}"):
        return None
    for found in _SELF.finditer(text):
        name, after = leading_name(text[found.end() :])
        listening = bool(_LISTENING.match(after))
        told = _REPORTED.search(" ".join([*before.split()[-5:], text[: found.start()]])) or _TAG.match(after)
        if name and _AFTER.match(after) and not told and (listening or not found["this"]):
            return name, listening or bool(found["named"] or _GREETS.search(f"{before} {text}"))  # `I'm Big Bird`
    return None


def introduced(text: str) -> str:
    """Whom a plain sentence brings in as being there today; empty where nobody, or more than one."""
    if not is_question(text) and not _OTHER_TIME.search(text) and not _SPONSOR.search(text):
        for found in _INTRODUCES.finditer(text):
            name, rest = leading_name(text[found.end() :])
            if name and not _ANOTHER.match(rest) and not _REPORTED.search(text[: found.start()]):
                return name
    return ""


def spoken_to(text: str) -> str:
    """The name by which a plain sentence speaks to somebody, as in `Ann, what is it?` and `Thanks, Ann.`; or empty."""
    name, rest = leading_name(_LEAD.sub("", text, count=1))
    if name and _ADDRESS.match(rest):
        return name
    closes = _CLOSES.match(text)
    name, rest = leading_name(closes[2]) if closes else ("", "")
    return "" if not closes or rest or _RELATION.search(closes[1]) or _REPORTED.search(closes[1]) else name


def title_names(title: str) -> list[str]:
    """What may be names in a title, of two words at least: `Ann Lee: calls`, `Calls | Ann Lee`, `Calls with Ann Lee`."""
    text = plain(title)[:300]  # a longer one is no title
    found = [leading_name(text[match.end() :]) for match in _BEFORE.finditer(text)]
    return list(dict.fromkeys(name for name, rest in found if " " in name and _BEHIND.match(rest)))


def title_guest(title: str) -> str:
    """The one name in a title; empty where there are none or several. That it is a person's, others have to tell."""
    return names[0] if len(names := title_names(title)) == 1 else ""


def leading_name(text: str) -> tuple[str, str]:
    """The name a text begins with, one to four words with capitals and no title or genitive, or none; and what follows."""
    found = _NAME.match(text)
    words = found[1].replace(".", "").split() if found else []
    if not found or len(words) > MAX_WORDS or any(one.endswith("'s") or one.lower() in NO_NAMES for one in words):
        return "", text
    return " ".join(words), text[found.end() :]
