"""Finds sponsors' messages by their wording and their voices; pure.

A message is told by one of three signs, and then lasts, within its turn, as long as it names the sponsor or calls to act:

- it opens by naming its sponsor ("brought to you by");
- it sends listeners to an address as sponsors do: with a path of the show's own, twice, or with an offer;
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
HANDED = 9  # words: a longer sentence that hands over to a message also introduces the guest
VOICE = 0.03  # of the words, at most, are those of a voice that only a message has; a guest has more
APART = 6  # turns, at most, between two turns of that voice
ANNOUNCED = 3  # sentences before it in which its name announces it; without them .98

_TLD = r"(?:com|io|ai|co|org|net|app|dev|fm|ly|de|tech|co\.uk)"
_SITE = re.compile(rf"\b([\w-]{{1,63}})(?:\.| dot ){_TLD}\b(\s?(?:/|slash\b)\s?\w{{1,30}})?", re.IGNORECASE)
_PLATFORM_NAMES = "twitter x youtube github instagram facebook tiktok linkedin medium spotify apple substack"
_PLATFORMS = frozenset(_PLATFORM_NAMES.split())
_OPENINGS = re.compile(
    r"\b(?:brought to you by"
    r"|(?:episode|show|podcast|week|program(?:me)?) (?:is|was) (?:\w+ )?(?:sponsored|supported|presented|made possible) by"
    r"|(?:today['’]s|this (?:episode|week|show)['’]s) sponsors?\b(?! (?:is|was|were) (?:a|an|the|my|his|her|their)\b)"  # noqa: RUF001
    r"|our sponsors?(?:[,:.]| today\b| this week\b)"
    r"|(?:podcast|show) sponsors?\b|the sponsors? (?:of|for|behind) (?:this|today['’]s|our|the) (?:episode|show|week|podcast)"  # noqa: RUF001
    r"|(?:thanks|thank you) to .{2,60} for (?:sponsoring|supporting))",
    re.IGNORECASE,
)
_HANDS_OVER = re.compile(r"\b(?:words?|messages?) from (?:our|my|the|today['’]s) sponsors?\b", re.IGNORECASE)  # noqa: RUF001
_SENDS = re.compile(
    r"\b(?:visit|(?:head|go|hop) (?:on )?(?:over )?to|check (?:\S+ ){0,3}out|learn more|find out more|sign up|get started"
    r"|(?:try|join) (?:\S+ ){0,4}at|that(?:['’]?s| is))\b",  # noqa: RUF001
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"\b(?:(?:promo|discount|coupon|offer) code|use (?:the |my |our )?code|free trial|\d+ ?(?:%|percent) off"
    r"|sign up (?:today|now|for free)|get started (?:today|now|for free)|book a demo|(?:try|start) (?:\S+ ){1,3}(?:for free|free today)"
    r"|no credit card|first (?:month|year|three months) free|limited[- ]time offer|terms and conditions apply"
    r"|link in the (?:show notes|description)|companies like .{2,60} (?:use|trust|rely))"
    r"|\$[\d,]{1,9} (?:\w+ )?(?:off|credit)"
    r"|\b(?:[a-z]-){2,12}[a-z]\b ?(?:(?:\.|dot) ?[\w-]{1,5} ?)?(?:/|slash\b)",  # an address that is spelled
    re.IGNORECASE,
)
_KEEPS_HOUSE = re.compile(
    r"\b(?:subscribe|leav\w+ (?:us )?a review|podcast(?:ing)? app|(?:all|past|previous|future) episodes)\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:I|we|my|our)\b", re.IGNORECASE)  # a guest tells where to find what is theirs
_NAMED = re.compile(r"\W{0,3}(?:(?:the|our|my|friends|at|over) ){0,4}((?:(?:[A-Z0-9]|[a-z]\d)[\w'&-]{1,30} ?){1,3})")
_UNNAMED = re.compile(r"Speaker \d+")  # a voice told apart by its sound
_WORD = re.compile(r"[\w'&-]{2,40}")
_POSSESSIVE = re.compile("['’]s$")  # noqa: RUF001
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
    for begin, end in (*episode.opened(), *episode.addressed(), *episode.interviews()):
        found[begin:end] = [True] * (end - begin)
    return found


class _Episode:
    """The sentences with what each shows; `opened`, `addressed` and `interviews` give messages' begins and ends."""

    def __init__(self, sentences: Sequence[Said]) -> None:
        self.said = sentences
        self.sites = [[(site.lower(), path) for site, path in _SITE.findall(one.text)] for one in sentences]
        self.offers = [bool(_OFFERS.search(one.text)) for one in sentences]
        self.openings = [_OPENINGS.search(one.text) for one in sentences]
        self.hands_over = [bool(_HANDS_OVER.search(one.text)) for one in sentences]
        self.answers = _answers(sentences)

    def opened(self) -> Iterator[tuple[int, int]]:
        """Messages that name their sponsor."""
        for i, one in enumerate(self.said):
            opening = self.openings[i] or (_HANDS_OVER.search(one.text) if self.hands_over[i] else None)
            if opening and (not self.hands_over[i] or len(one.text.split()) <= HANDED):
                yield i, self._end(i, _names_after(one.text[opening.end() :]))

    def addressed(self) -> Iterator[tuple[int, int]]:
        """Messages that send listeners to an address; what they are for is named before it, too."""
        for i in range(len(self.said)):
            if self._pitches(i):
                named = {name for one in self.said[max(0, i - 2) : i] for name in _inner_names(one.text)}
                yield self._begin(i, named | self._names_of_sites(i)), self._end(i, self._names_of_sites(i))

    def interviews(self) -> Iterator[tuple[int, int]]:
        """Messages in which a voice speaks that is heard nowhere else."""
        words, places = Counter[str](), defaultdict[str, list[int]](list)
        for i, one in enumerate(self.said):
            words[one.speaker] += len(one.text.split())
            places[one.speaker].append(i)
        most = VOICE * words.total()
        for speaker, own in places.items():
            first: int | None = None
            for i, following in zip_longest(own, own[1:]) if speaker and words[speaker] <= most else ():
                first = i if first is None else first
                if following is None or self.said[following].turn - self.said[i].turn > APART:
                    calls = self._offers_or_calls if _UNNAMED.fullmatch(speaker) else self._calls
                    after = next((j for j in self._onwards(i, turns=2) if calls(j)), 0)
                    if after or any(calls(j) for j in range(first, i)):
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

    def _sends(self, i: int) -> bool:
        text = self.said[i].text
        return bool(self.sites[i] and _SENDS.search(text) and not _KEEPS_HOUSE.search(text))

    def _calls(self, i: int) -> bool:
        """Whether a sentence sends to an address, or gives one with an offer."""
        return self._sends(i) or bool(self.sites[i] and self.offers[i])

    def _offers_or_calls(self, i: int) -> bool:
        return self.offers[i] or self._calls(i)

    def _pitches(self, i: int) -> bool:
        """Whether a sentence sends to an address as sponsors do, and not as a guest does who is asked for one."""
        if not self._sends(i):
            return False
        if any(self.offers[max(0, i - 1) : i + 2]):
            return True
        if self.answers[i] or _OWN.search(self.said[i].text):
            return False
        said = Counter(site for j in self._onwards(i) if j <= i + GAP for site, _ in self.sites[j])
        return any((path and site not in _PLATFORMS) or said[site] > 1 for site, path in self.sites[i])

    def _end(self, i: int, brand: set[str]) -> int:
        """The sentence after the last of a message."""
        last, brand = i, set(brand)
        for j in self._onwards(i):
            near = j - last <= GAP and (self.sites[j] or self.offers[j] or brand & _heard(self.said[j].text))
            if near or brand & self._names_of_sites(j):
                last = j
                brand |= self._names_of_sites(j)
        return last + 1

    def _begin(self, i: int, brand: set[str]) -> int:
        """The first sentence of a message that is told by its address."""
        first = i
        for j in range(i - 1, max(-1, i - MAX_MESSAGE), -1):
            text = self.said[j].text
            if self.hands_over[j] and self.said[j].turn == self.said[i].turn:
                return j + 1
            if self.said[j].turn != self.said[i].turn or self.openings[j] or _KEEPS_HOUSE.search(text):
                break
            near = first - j <= GAP and (self.offers[j] or brand & _heard(text))
            if near or brand & self._names_of_sites(j):
                first = j
        return first

    def _names_of_sites(self, i: int) -> set[str]:
        return {site for site, _ in self.sites[i]}


def _answers(sentences: Sequence[Said]) -> list[bool]:
    """Whether each sentence is in a turn that follows another's question."""
    found: list[bool] = []
    for i, one in enumerate(sentences):
        before = sentences[i - 1]
        same = i > 0 and (before.turn == one.turn or one.speaker == before.speaker != "")
        found.append(found[-1] if same else i > 0 and is_question(before.text))
    return found


def _names_after(text: str) -> set[str]:
    """What a sponsor is called, from the text after the words that open its message."""
    named = _NAMED.match(text)
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
