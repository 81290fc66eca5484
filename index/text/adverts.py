"""Finds sponsors' messages by their wording and their voices; pure.

A message is told by a sign, and then lasts, within its turn, as long as it names the sponsor or calls to act:

- it opens as sponsors' messages do ("brought to you by"), and names who pays, or gives their address soon after;
- it sends listeners, and nobody else, to an address: with a path of the show's own, twice, or with an offer;
- a voice that is heard nowhere else speaks, and an address is given: an interview with the sponsor; where voices are told
  apart by their sound and this one has no name, an offer will do: a recorded message.

What is read aloud in many episodes word for word is found where hits are compared (`index.passages`). Measured by
`python -m tests.benchmarks adverts`; the figures beside the constants are recall of its half for tuning, .99 as they are.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Protocol

from ingest.sentences import is_question

MAX_MESSAGE = 20  # sentences after its sign, two minutes; with 14 .97, with 26 as with 20
GAP = 8  # sentences in a row that neither name the sponsor nor call to act, at most: more are talk; 5 to 12 are alike
VOICE = 0.03  # of the words, at most, are those of a voice that only a message has; a guest has more
APART = 6  # turns, at most, between two turns of that voice
ANNOUNCED = 3  # sentences before it in which its name announces it; without them .98


def _any(*ways: str) -> re.Pattern[str]:
    """Finds any of these where a word begins."""
    return re.compile(rf"(?<![\w/])(?:{'|'.join(ways)})", re.IGNORECASE)


_S = "['’]s"  # noqa: RUF001 - the typographic one is meant, too
_PATH = r"\s?(?:/|(?:forward |back)?slash\b)\s?\w{1,30}"
_TLD = r"(?:com|io|ai|co(?:(?:\.| dot )uk)?|org|net|app|dev|fm|ly|de|tech|tv|xyz|shop|[a-z]{2,12}(?=/[a-z]))"
_SITE = re.compile(rf"\b([\w-]{{1,63}})(?:\.| dot ){_TLD}\b({_PATH})?", re.IGNORECASE)
_AROUND = re.compile(r"^(?:get|try|use|join|go|hey)(?=\w{3})|(?<=\w{3})(?:app|hq)$")  # getpaperlane is Paperlane's
_PLATFORM_NAMES = "twitter x youtube github instagram facebook tiktok linkedin medium spotify apple substack"
_PLATFORMS = frozenset(_PLATFORM_NAMES.split())
# How a host names the show, and says who pays for it.
_NOW = r"(?:today|tonight|this (?:week|month|time|episode)|in part)"
_OF_NOW = rf"(?:today|tonight|this (?:week|month|episode|show|podcast)){_S}"
_SHOW = r"(?:episode|show|podcast|program(?:me)?|series|season|interview|conversation|video|week)"
_THIS_SHOW = rf"(?:this|{_OF_NOW}) (?:\w+ ){{0,3}}{_SHOW}(?: of(?: [\w'-]{{1,30}}){{1,5}})?"
_A_SHOW = rf"(?:{_THIS_SHOW}|(?:our (?:\w+ )?|the )(?:episode|show|podcast|interview))"  # a programme is also a plan
_TITLE = r"(?-i:(?:[A-Z][\w'-]{0,30} ){1,5})"  # of the show
_OUR_SPONSOR = r"our (?:(?:[\w-]{1,20}[ -]time|wonderful|amazing|great|first|next|new|podcast|show) ){0,2}sponsors?"
_PAID = r"(?:brought to you|sponsored|supported|presented|powered|made possible|(?:made )?in partnership)"
_WE_ARE_PAID = r"we(?: are|['’]re) (?:\w+ )?(?:sponsored|supported|brought to you)"  # noqa: RUF001
_BY = rf"(?: {_NOW})? (?:by|with)"
_NOT_A = r"(?! (?:an?|my|his|her|their|some\w+|every\w+|nobody|people)\b)"  # "friend": a figure of speech
_HANDS_OVER = _any(rf"(?:words?|messages?|hear) from (?:{_OUR_SPONSOR}|(?:the|{_OF_NOW}) sponsors?)\b")
# Said of nothing but a sponsor.
_OPENS = _any(
    rf"{_THIS_SHOW} (?:is|was) (?:\w+ ){{0,2}}(?:brought to you|sponsored){_BY}{_NOT_A}",
    rf"^\W*(?:(?:and|also|it{_S}|this is) ){{0,2}}brought to you{_BY}{_NOT_A}",
    rf"thank\w* (?:\w+ ){{0,3}}sponsors? (?:of|for|behind) {_A_SHOW}",
    r"one of our (?:[\w-]{1,20} ){0,2}(?:podcast|show) sponsors|^\W*(?:advertisement|ad break|sponsored (?:message|content))\W*$",
)
# Said of a sponsor where a name follows, or a call to act does; else of the trade, or of a sponsor at work.
_OPENS_WITH_NAME = _any(
    rf"(?:{_THIS_SHOW} (?:is|was)|{_A_SHOW}(?: {_NOW})? is) (?:\w+ ){{0,2}}{_PAID}{_BY}",
    rf"(?:welcome|listening|{_SHOW})\b.{{0,80}}? brought to you{_BY}|^{_TITLE}is (?:\w+ ){{0,2}}brought to you{_BY}",
    rf"{_NOW},? {_WE_ARE_PAID} by|{_WE_ARE_PAID} {_NOW} by",
    rf"{_OF_NOW} (?:\w+ )?(?:sponsor|partner)s?|(?:podcast|show) sponsors?|{_OUR_SPONSOR} (?:for )?{_NOW}",
    rf"(?:sponsor|partner)s? (?:of|for|on|behind) {_A_SHOW}|^\W*sponsored by|paid (?:message|advertisement) (?:from|by|for)",
    rf"(?:thank\w*|shout[- ]?outs?|words?|notes?|messages?|hear) (?:\w+ ){{0,4}}{_OUR_SPONSOR}",
    rf"support for (?:{_A_SHOW} (?:\w+ )?comes|(?:{_A_SHOW} |{_TITLE})is (?:provided|brought to you)) (?:\w+ )?(?:from|by)",
    rf"thank(?:s| you)?(?:(?: \w+){{0,2}} to)?(?= .{{2,60}} for (?:sponsoring|supporting|making) (?:us\W*$|{_A_SHOW}))",
)
# Said of much else, unless it opens a message, or the address of what the sentence names follows.
_HINTS = _any(rf"{_PAID}|sponsor|partner|support|thank|tell you about|(?:word|message)s? (?:from|comes)|ad\b|advert")
_SEND = (
    r"visit|(?:head|go|hop) (?:on )?(?:over )?to|check (?:\S{1,30} ){0,3}out|learn more|find out more|sign up|get started"
    r"|(?:try|join) (?:\S{1,30} ){0,4}at|that(?:['’]?s| is)"  # noqa: RUF001
)
_SENDS = _any(rf"(?:{_SEND})\b")
_SENDS_TO_OFFER = _any(rf"(?:{_SEND}|get|save|grab|claim|take|redeem|use|enter|start|try|order|book|shop|listeners)\b")
_OFFERS = _any(
    r"(?:(?:promo|discount|coupon|offer) code|(?:use|enter|with) (?:the |my |our )?code|free (?:trial|delivery|shipping))\b",
    r"[\w-]{1,20} ?(?:%|per ?cent) (?:off|on your)\b|(?:dollars|bucks|pounds|euros) off\b|half (?:off|price)\b",
    r"[$£€][\d,]{1,9} (?:\w+ )?(?:off|credit)|(?:first (?:month|year|three months|box|order) free|free month)\b",
    r"(?:sign up|get started) (?:today|now|for free)|book a demo|(?:try|start) (?:\S{1,30} ){1,3}(?:for free|free today)",
    r"no credit card|risk[- ]free|limited[- ]time offer|terms and conditions apply|link in the (?:show notes|description)",
    r"tell (?:\w+ ){1,2}(?:I|we) sent you|companies like .{2,60} (?:use|trust|rely)",
    r"(?:[a-z]-){2,12}[a-z]\b ?(?:(?:\.|dot) ?[\w-]{1,5} ?)?(?:/|slash\b)",  # an address that is spelled
)
_KEEPS_HOUSE = _any(
    r"(?:subscribe|leav\w+ (?:us )?a review|podcast(?:ing)? app|(?:all|past|previous|future) episodes)\b"
)
# Before a call to act: somebody else acts so, or a page, a poster, a person says so.
_SOMEBODY = r"(?:I|we|s?he|they|them|who|people|everyone|nobody|(?:user|customer|client|visitor|team|kid|student)s|you(?= would))"
_OTHERS = _any(rf"{_SOMEBODY}\b")
_MAY = r"(?:['’]\w{1,2})?(?: (?:\w{1,9}ly|[wc]ould|will|can|all|always|never|then|had|have|used|did|to|want)){0,3}"  # noqa: RUF001
_NOT_A_CALL = _any(rf"(?:{_SOMEBODY}{_MAY} ?|(?:says?|said|saying|reads?|wr[io]tes?|called|not|never)\b.{{0,40}})$")
_BEFORE = 60  # characters before a call to act that say who acts
_OWN = _any(r"(?:I|we|my|our(?! sponsor))\b")  # a guest tells where to find what is theirs
_THEIRS = _any(r"(?:(?:find|follow|reach|contact) me|I['’]m at|my (?:\w+ )?(?:book|course|newsletter|site|website))\b")  # noqa: RUF001
_NAME = r"(?!I['’]|\d+ )(?:[A-Z0-9]|[a-z]\d)[\w'&-]{1,30}"  # noqa: RUF001
_BEFORE_NAME = r"is|are|the|our|my|friends|folks|people|team|makers|good|great|company|at|over|of|behind|from|by"
_NAMED = re.compile(rf"\W{{0,3}}(?:(?:{_BEFORE_NAME})\b,? ?){{0,6}}((?:{_NAME} ?){{1,3}})")
_UNNAMED = re.compile(r"Speaker \d+")  # a voice told apart by its sound
_WORD = re.compile(r"[\w'&-]{2,40}")
_POSSESSIVE = re.compile(rf"{_S}$")
_GENERAL = frozenset(("the", "this", "that", "our", "podcast", "show"))


class Said(Protocol):
    """A sentence, the number of its turn, and who said it (empty where nobody is named)."""

    @property
    def text(self) -> str:
        """Without the speaker's name."""

    @property
    def turn(self) -> int:
        """Counted from 0."""

    @property
    def speaker(self) -> str:
        """A name."""


def find_adverts(sentences: Sequence[Said]) -> list[bool]:
    """For each sentence, whether it belongs to a sponsor's message."""
    episode = _Episode(sentences)
    found = [False] * len(sentences)
    for begin, end in (*episode.opened(), *episode.hinted(), *episode.addressed(), *episode.interviews()):
        found[begin:end] = [True] * (end - begin)
    return found


class _Episode:
    """The sentences with what each shows; `opened`, `addressed` and `interviews` give messages' begins and ends."""

    def __init__(self, sentences: Sequence[Said]) -> None:
        self.said = sentences
        self.sites = [[(site.lower(), path) for site, path in _SITE.findall(one.text)] for one in sentences]
        self.names = [{name for site, _ in own for name in (site, _AROUND.sub("", site))} for own in self.sites]
        self.offers = [bool(_OFFERS.search(one.text)) for one in sentences]
        self.hands_over = [bool(_HANDS_OVER.search(one.text)) for one in sentences]
        asked = Counter(a.speaker for a, b in pairwise(sentences) if a.turn != b.turn and is_question(a.text))
        self.asker = next((speaker for speaker, _ in asked.most_common() if speaker), "")  # the host
        self.answers = _answers(sentences, self.asker)
        self.hints = [bool(_HINTS.search(one.text)) for one in sentences]
        self.openings = [_opening(one.text) if hint else None for one, hint in zip(sentences, self.hints, strict=True)]

    def opened(self) -> Iterator[tuple[int, int]]:
        """Messages that name their sponsor."""
        for i, names in enumerate(self.openings):
            if names is not None:
                yield i, self._end(i, names)

    def hinted(self) -> Iterator[tuple[int, int]]:
        """Messages whose beginning is like other talk, but whose sponsor's own address follows."""
        for i, one in enumerate(self.said):
            if self.openings[i] is not None or self.hands_over[i] or not self.hints[i]:
                continue
            near = (j for j in self._onwards(i) if j <= i + GAP)
            told = (j for j in near if not (self.answers[j] or _OTHERS.search(self.said[j].text)))
            sites = set[str]().union(*(self.names[j] for j in told))
            if named := (sites if _OPENS_WITH_NAME.search(one.text) else sites & _heard(one.text)):
                yield self._begin(i, named), self._end(i, named)

    def addressed(self) -> Iterator[tuple[int, int]]:
        """Messages that send listeners to an address; what they are for is named before it, too."""
        for i in range(len(self.said)):
            if self._pitches(i):
                named = {name for one in self.said[max(0, i - 2) : i] for name in _inner_names(one.text)}
                yield self._begin(i, named | self.names[i]), self._end(i, self.names[i])

    def interviews(self) -> Iterator[tuple[int, int]]:
        """Messages in which a voice speaks that is heard nowhere else."""
        words, places = Counter[str](), defaultdict[str, list[int]](list)
        for i, one in enumerate(self.said):
            words[one.speaker] += len(one.text.split())
            places[one.speaker].append(i)
        most = VOICE * words.total()
        for speaker, own in places.items():
            first: int | None = None
            ours = speaker in ("", self.asker) or words[speaker] > most
            for i, following in () if ours else zip_longest(own, own[1:]):
                first = i if first is None else first
                if following is None or self.said[following].turn - self.said[i].turn > APART:
                    alone = bool(_UNNAMED.fullmatch(speaker))
                    after = next((j for j in self._onwards(i, turns=2) if self._gives(j, alone)), 0)
                    if after or any(self._gives(j, alone) for j in range(first, i)):
                        yield self._announced(first), max(after, i) + 1
                    first = None

    def _announced(self, i: int) -> int:
        """The sentence that calls the voice of this one by name, where one does shortly before."""
        names = set() if _UNNAMED.fullmatch(self.said[i].speaker) else set(self.said[i].speaker.split())
        before = range(max(0, i - ANNOUNCED), i)
        return next((j for j in before if names & set(_WORD.findall(self.said[j].text))), i)

    def _onwards(self, i: int, turns: int = 1) -> Iterator[int]:
        """The sentences from this one on that may be in one message with it."""
        for j in range(i, min(len(self.said), i + MAX_MESSAGE + 1)):
            if self.said[j].turn < self.said[i].turn + turns:
                yield j

    def _calls(self, i: int) -> bool:
        """Whether a sentence that gives an address asks listeners to act, and tells of nobody else who does."""
        text = self.said[i].text
        if not self.sites[i] or _KEEPS_HOUSE.search(text):
            return False
        others = False  # "users go there and sign up"
        for act in (_SENDS_TO_OFFER if self.offers[i] else _SENDS).finditer(text):
            before = text[max(0, act.start() - _BEFORE) : act.start()]
            others = bool(_NOT_A_CALL.search(before)) or (others and before.endswith((" and ", " or ", " then ")))
            if not others:
                return True
        return False

    def _gives(self, i: int, alone: bool) -> bool:
        """Whether a sentence makes an offer or calls to act, and gives an address, which an offer `alone` does without."""
        offers = self.offers[i]
        return (alone and offers) or bool(self.sites[i] and (offers or _SENDS.search(self.said[i].text)))

    def _pitches(self, i: int) -> bool:
        """Whether a sentence sends to an address as sponsors do, and not as a guest does who is asked for one."""
        text = self.said[i].text
        if not self._calls(i) or self.answers[i] or _THEIRS.search(text):
            return False
        if any(self.offers[max(0, i - 1) : i + 2]):
            return True
        if _OWN.search(text):
            return False
        said = Counter(site for j in self._onwards(i) if j <= i + GAP for site, _ in self.sites[j])
        return any((path and site not in _PLATFORMS) or said[site] > 1 for site, path in self.sites[i])

    def _end(self, i: int, brand: set[str]) -> int:
        """The sentence after the last of a message."""
        last, brand = i, set(brand)
        for j in self._onwards(i):
            near = j - last <= GAP and (self.sites[j] or self.offers[j] or brand & _heard(self.said[j].text))
            if near or brand & self.names[j]:
                last = j
                brand |= self.names[j]
        return last + 1

    def _begin(self, i: int, brand: set[str]) -> int:
        """The first sentence of a message that is told by its address."""
        first = i
        for j in range(i - 1, max(-1, i - MAX_MESSAGE), -1):
            text = self.said[j].text
            if self.hands_over[j] and self.said[j].turn == self.said[i].turn:
                return j + 1
            if self.said[j].turn != self.said[i].turn or self.openings[j] is not None or _KEEPS_HOUSE.search(text):
                break
            near = first - j <= GAP and (self.offers[j] or brand & _heard(text))
            if near or brand & self.names[j]:
                first = j
        return first


def _opening(text: str) -> set[str] | None:
    """What the sponsor is called whose message a sentence opens, as far as it says so; None where it opens none."""
    if handing := _HANDS_OVER.search(text):
        named = _names_at(text, handing.end())
        ends = named or not _WORD.search(text, handing.end())
        return named if ends and not _inner_names(text[: handing.start()]) else None
    if sure := _OPENS.search(text):
        return _names_at(text, sure.end())
    return next(filter(None, (_names_at(text, way.end()) for way in _OPENS_WITH_NAME.finditer(text))), None)


def _answers(sentences: Sequence[Said], asker: str) -> list[bool]:
    """Whether each sentence is in a turn that follows another's question, and not the host's."""
    found: list[bool] = []
    for i, one in enumerate(sentences):
        before = sentences[i - 1]
        same = i > 0 and (before.turn == one.turn or one.speaker == before.speaker != "")
        found.append(found[-1] if same else i > 0 and is_question(before.text) and (not asker or one.speaker != asker))
    return found


def _names_at(text: str, at: int) -> set[str]:
    """What a sponsor is called, where its name follows."""
    named = _NAMED.match(text, at)
    return _joined(_WORD.findall(named[1])) - _GENERAL if named else set()


def _inner_names(text: str) -> set[str]:
    """Capitalised words that begin no sentence."""
    return {word.lower() for word in _WORD.findall(text)[1:] if word[0].isupper()}


def _heard(text: str) -> set[str]:
    """Words with capitals or digits, in lower case: the sponsor's name is among them where it is named."""
    return _joined([word for word in _WORD.findall(text) if not (word.isalpha() and word.islower())])


def _joined(words: Sequence[str]) -> set[str]:
    """The words in lower case, also each with its next one: Paper Lane's site is paperlane."""
    plain = [_POSSESSIVE.sub("", word.lower()) for word in words]
    return {*plain, *map("".join, pairwise(plain))}
