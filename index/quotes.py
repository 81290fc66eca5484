"""Checks a quote: whether it was said word for word, nearly so, in several places that were joined, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.hits import PASSAGES
from index.query import Query
from index.quote_words import (
    ELLIPSIS,
    MIN_RUN,
    Difference,
    Match,
    Tokens,
    coverage,
    cut,
    differences,
    equal_words,
    exact,
    near,
    pieces,
    tokens,
    with_omissions,
    without_labels,
)
from index.references import refer
from index.spoken import Spoken, spoken
from index.store.lance import Store
from ingest.errors import NotFoundError, QueryError
from ingest.identity import slug
from ingest.library import Library
from ingest.links import moment, playing
from ingest.models import Transcript
from ingest.times import iso

Verdict = Literal["exact", "near", "spliced", "absent"]

MAX_QUOTE = 3_000  # characters, about three minutes of speech
MIN_WORDS = 3  # fewer are said everywhere, and tell nothing of a place
NEAR = 0.75  # of the words are equal; below, the quotes tried by hand were paraphrases
SPLICED = 0.8  # of the quote's words stand in its pieces
PIECE, SEARCHES, DEPTH = 14, 12, 10  # words that one search looks for, searches at most, chunks that each brings
MAX_EPISODES = 10  # whose transcripts are read: 10 to 30 ms each
LEAD = 2.0  # seconds by which playing starts before the first word


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """Where a quote, or the piece of it in `quoted`, was said: the words as they stand there, who says them and when.

    `id` and `address` name the passage for good. `differences` are in plain words.
    """

    id: str
    address: str
    quoted: str
    said: str
    speakers: tuple[str, ...]
    start: float | None
    end: float | None
    podcast: str
    podcast_title: str
    key: str
    title: str
    published: str | None
    link: str
    play_url: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteCheck:
    """A verdict on a quote; `likeness` is the share of equal words, 0 to 1. `places` are where it was said.

    For `spliced` they are the pieces in the quote's order, for `absent` the nearest thing, if there is one. `notes` say in
    words what to mind.
    """

    verdict: Verdict
    likeness: float
    places: tuple[QuotePlace, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Text:
    transcript: Transcript
    spoken: Spoken
    tokens: Tokens


class QuoteChecker:
    """Checks quotes against a library; its index finds where to look. `titles` are the names of podcasts by slug."""

    def __init__(self, library: Library, store: Store, titles: Mapping[str, str]) -> None:
        self.library, self.store, self.titles = library, store, titles

    def check(self, text: str, episode: str = "", podcast: Sequence[str] = ()) -> QuoteCheck:
        """The verdict, within one episode (its key or guid) or some podcasts where they are given.

        Raises `QueryError` for a quote of more than `MAX_QUOTE` characters, `NotFoundError`, `TranscriptError`,
        `IndexNotBuiltError`.
        """
        if len(text) > MAX_QUOTE:
            raise QueryError("", f"the quote has {len(text):,} characters; check at most {MAX_QUOTE:,} at a time")
        text = without_labels(text, self.store.speakers() if ":" in text else ())
        quote = tokens(text.split())
        if not quote.words:
            return QuoteCheck("absent", 0.0, (), ("It has no words beside fillers such as `um`",))
        names = [self.library.find(episode).name] if episode else self._documents(quote, tuple(podcast))
        texts = [_Text(one, words := spoken(one), tokens(words.words)) for one in map(self.library.read, names)]
        return self._verdict(text, quote, texts)

    def _documents(self, quote: Tokens, podcasts: tuple[str, ...]) -> list[str]:
        """The documents in which the quote may stand, the likeliest first."""
        covered: dict[str, frozenset[int]] = {}
        for part in cut(quote.words, PIECE, SEARCHES):
            query = Query(" ".join(part)[:1_000], mode="text", podcast=podcasts)
            found = self.store.candidates(query, None, self.store.ask(query.text), DEPTH)
            for facts in found.rows(range(found.chunks)):
                words = coverage(quote, tokens(facts["text"].split()))
                covered[facts["key"]] = covered.get(facts["key"], frozenset()) | words
        return [name for key in _most_covering(covered) if (name := self._name(key))]

    def _name(self, key: str) -> str:
        try:
            return self.library.find(key).name
        except NotFoundError:
            return ""  # its document was removed and the index does not know yet

    def _verdict(self, text: str, quote: Tokens, texts: Sequence[_Text]) -> QuoteCheck:
        places = [self._place(one, match, quote) for one in texts for match in exact(quote, one.tokens)]
        parts = [part for piece in ELLIPSIS.split(text) if (part := tokens(piece.split())).words]
        if places:
            few = ("So few words are said in many places",) if len(quote.words) < MIN_WORDS else ()
            return QuoteCheck("exact", 1.0, tuple(places[:MAX_EPISODES]), (*few, *_notes(places)))
        if len(parts) > 1 and all(len(part.words) >= MIN_WORDS for part in parts):
            for one in texts:
                if match := with_omissions(parts, one.tokens):
                    place = self._place(one, match, quote)
                    note = "What the ellipsis stands for was said in between"
                    return QuoteCheck("exact", 1.0, (place,), (note, *_notes([place])))
        return self._not_exact(quote, texts)

    def _not_exact(self, quote: Tokens, texts: Sequence[_Text]) -> QuoteCheck:
        found = [(one, *like) for one in texts if (like := near(quote, one.tokens))]
        best, match, likeness = max(found, key=lambda one: one[2], default=(None, None, 0.0))
        equal = equal_words(quote, best.tokens, match) if best and match else 0
        cuts = pieces(quote, [one.tokens for one in texts])
        in_pieces = sum(piece.quoted_end - piece.quoted for _, piece in cuts)
        joins = len(cuts) > 1 and in_pieces >= SPLICED * len(quote.words)
        if joins and (likeness < NEAR or in_pieces - equal >= MIN_RUN):
            places = tuple(self._place(texts[number], piece, quote) for number, piece in cuts)
            return QuoteCheck("spliced", round(in_pieces / len(quote.words), 3), places, _notes(places))
        if best is None or match is None:
            return QuoteCheck("absent", 0.0, ())
        place = self._place(best, match, quote)
        return QuoteCheck("near" if likeness >= NEAR else "absent", round(likeness, 3), (place,), _notes([place]))

    def _place(self, text: _Text, match: Match, quote: Tokens) -> QuotePlace:
        first, last = text.tokens.places[match.begin], text.tokens.places[match.end - 1] + 1
        episode, said = text.transcript.episode, text.spoken.excerpt(first, last)
        start = None if said.start is None else max(0.0, said.start - LEAD)
        podcast, name = slug(episode.podcast), str(refer(episode.key, text.spoken, first, last))
        piece = Tokens(quote.words[match.quoted : match.quoted_end], quote.places[match.quoted : match.quoted_end])
        return QuotePlace(
            id=name, address=f"{PASSAGES}/{name}", quoted=" ".join(piece.words), said=said.text,
            speakers=tuple(dict.fromkeys(one.speaker for one in text.spoken.by_turns(first, last) if one.speaker)),
            start=said.start, end=said.end,
            podcast=podcast, podcast_title=self.titles.get(podcast) or episode.podcast,
            key=episode.key, title=episode.title, published=iso(episode.published_at),
            link=moment(episode.link, start), play_url=playing(episode.audio_url, start, said.end),
            differences=differences(piece, text.tokens, match),
        )  # fmt: skip


def _most_covering(covered: Mapping[str, frozenset[int]]) -> list[str]:
    """Keys of the episodes to read: those that have most of the quote, and those that have what is missing there."""
    left, chosen, seen = dict(covered), list[str](), frozenset[int]()
    while left and len(chosen) < MAX_EPISODES:
        key = max(left, key=lambda one: (len(left[one] - seen), len(left[one])))
        if not left[key]:
            break
        seen |= left.pop(key)
        chosen.append(key)
    return chosen


def _notes(places: Sequence[QuotePlace]) -> tuple[str, ...]:
    mixed = any(len(place.speakers) > 1 for place in places)
    return ("The words are of more than one speaker",) if mixed else ()
