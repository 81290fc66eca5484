"""Cuts a transcript into chunks of windows of whole sentences, with speaker and time of each sentence; pure.

A *window* of a few sentences is embedded: small enough to mean one thing. A *chunk* of about fifteen windows is stored and
retrieved. A *passage*, at most `PASSAGE` of a chunk, is shown: the query decides which one (`index.passages`). Chunks
overlap by more than a passage, so every passage is whole in one of them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, pairwise
from operator import add
from typing import Any

from index.sentence_span import SentenceSpan
from index.spoken import paragraphs
from index.text.adverts import find_adverts
from index.text.language import language_of
from index.text.terms import hash_term, parted_stems, spoken
from index.text.timing import word_times
from ingest.models import Transcript
from ingest.sentences import is_question, sentence_ends, word_spans

CHUNKER = 6  # goes up whenever the same transcript would be cut or marked differently
# Word pieces. Few large chunks are faster, and retrieve as well because passages are chosen within them.
CHUNK, OVERLAP = 768, 256
PASSAGE = 206  # word pieces, about 160 English words
WINDOW = 64  # word pieces; in RETRIEVAL.md windows told paraphrases apart where chunks did not
MAX_SENTENCE = 200  # word pieces; a longer one is cut into parts of a quarter of that

LEAD = 2.0  # seconds by which playing starts before a sentence

# A sentence that begins with one of these goes on with a thought, in English.
_CONTINUES = re.compile(r"(?:and|but|so|because|or|then|also|which|that['’]s why)\b", re.IGNORECASE)  # noqa: RUF001

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is stored and retrieved; `windows` are its embedded parts, each by the number of the sentence after it.

    `id` depends on the episode's key and the text, and only for repeated text on its place: editing one passage leaves
    the ids of the others alone. `start` and `end` are seconds; `first_word` and `last_word` count the episode's words.
    `terms` are those of its sentences, each with those beside them; `indexed` are the same with all that is said in a row
    first, for phrases that reach over the end of a sentence. `misheard` are words as the speech model had them before a correction:
    search finds both forms.
    """

    id: str
    key: str
    text: str
    speakers: tuple[str, ...]
    start: float | None
    end: float | None
    first_word: int
    last_word: int
    sentences: tuple[SentenceSpan, ...]
    windows: tuple[int, ...]
    terms: tuple[str, ...]
    indexed: tuple[str, ...]
    misheard: tuple[str, ...] = ()

    def quotes(self) -> list[str]:
        """The sentences, without speaker labels."""
        return [self.text[sentence.begin : sentence.end] for sentence in self.sentences]

    def window_texts(self) -> list[str]:
        """The text of each window; labels such as `Speaker 2:` would make all vectors alike."""
        return [self._unlabelled(a, b) for a, b in zip((0, *self.windows), self.windows, strict=False)]

    def _unlabelled(self, first: int, last: int) -> str:
        """Some sentences with a space between them, where there is anything between them: Chinese has nothing."""
        said, spans = self.quotes()[first:last], self.sentences[first:last]
        gaps = ["", *(" " if after.begin > before.end else "" for before, after in pairwise(spans))]
        return "".join(map(add, gaps, said))


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    gap: str  # what stands before it in its paragraph
    speaker: str
    turn: int
    paragraph: int
    first: int  # words, counted through the episode
    last: int
    pieces: int
    start: float | None
    stop: float | None
    lead: float | None
    opens: bool


@dataclass(frozen=True, slots=True)
class _Terms:
    said: list[str]
    beside: list[str]
    signature: int


# With its prominence, whether it asks (see `SentenceSpan`), whether it is an advert, and its terms.
_Described = tuple[_Sentence, float, bool, bool, _Terms]


def split(
    transcript: Transcript, count: Count, size: int = CHUNK, overlap: int = OVERLAP, window: int = WINDOW
) -> tuple[Chunk, ...]:
    """Chunks of at most `size` word pieces, as `count` counts them, each repeating at least `overlap` of the one before.

    Speaker labels do not count, since they are not embedded. Only a sentence that alone is too long is cut, between
    words.
    """
    sentences = list(_sentences(transcript, count))
    advert = find_adverts(sentences)
    language = language_of(transcript)
    terms = [_terms(sentence.text, language) for sentence in sentences]
    prominence = _prominence(sentences)
    asks = [_asks(sentence, share) for sentence, share in zip(sentences, prominence, strict=True)]
    prominence = [share / 2 if other else share for share, other in zip(prominence, asks, strict=True)]
    described = list(zip(sentences, prominence, asks, advert, terms, strict=True))
    windows = _windows([sentence.pieces for sentence in sentences], window)
    sizes = [sum(sentence.pieces for sentence in sentences[a:b]) for a, b in windows]
    texts: Counter[str] = Counter()
    return tuple(
        _chunk(transcript, described, windows[low:high], texts) for low, high in _chunk_bounds(sizes, size, overlap)
    )


def _chunk(
    transcript: Transcript, described: Sequence[_Described], windows: Sequence[tuple[int, int]], texts: Counter[str]
) -> Chunk:
    begin, end = windows[0][0], windows[-1][1]
    part = described[begin:end]
    speakers = tuple(dict.fromkeys(sentence.speaker for sentence, *_ in part if sentence.speaker))
    text, spans = _text_and_spans(part, speakers)
    key = transcript.episode.key
    identity = f"{key}\0{text}\0{texts[text]}"
    texts[text] += 1
    return Chunk(
        id=sha256(identity.encode()).hexdigest()[:32],
        key=key,
        text=text,
        speakers=speakers,
        start=spans[0].start,
        end=spans[-1].stop,
        first_word=part[0][0].first,
        last_word=part[-1][0].last,
        sentences=spans,
        windows=tuple(stop - begin for _, stop in windows),
        terms=tuple(term for *_, terms in part for term in (*terms.said, *terms.beside)),
        indexed=tuple(
            chain.from_iterable([*(terms.said for *_, terms in part), *(terms.beside for *_, terms in part)])
        ),
        misheard=_misheard(transcript.provenance, spans[0].start, spans[-1].stop),
    )


def _terms(text: str, language: str) -> _Terms:
    signature = hash_term(" ".join(term.text for term in spoken(text, language)))  # with `not`, and all small words
    return _Terms(*parted_stems(text, language), signature)


def _text_and_spans(part: Sequence[_Described], speakers: Sequence[str]) -> tuple[str, tuple[SentenceSpan, ...]]:
    """The text with each turn under its speaker's name, and where in it each sentence stands."""
    parts: list[str] = []
    spans: list[SentenceSpan] = []
    length = 0
    previous: _Sentence | None = None
    for sentence, prominence, asks, advert, terms in part:
        gap = "" if previous is None else sentence.gap if sentence.paragraph == previous.paragraph else "\n\n"
        if sentence.speaker and (previous is None or sentence.turn != previous.turn):
            gap += f"{sentence.speaker}: "
        begin = length + len(gap)
        length = begin + len(sentence.text)
        parts += (gap, sentence.text)
        spans.append(
            SentenceSpan(
                begin, length, sentence.start, sentence.stop, sentence.lead,
                speakers.index(sentence.speaker) if sentence.speaker else -1,
                sentence.last - sentence.first, sentence.pieces, prominence, advert, sentence.opens, asks,
                len(terms.said) + len(terms.beside), terms.signature,
            )
        )  # fmt: skip
        previous = sentence
    return "".join(parts), tuple(spans)


def _misheard(provenance: Mapping[str, Any], start: float | None, end: float | None) -> tuple[str, ...]:
    """The wrong forms of the corrections made between two times; see `ingest.speech.glossary`."""
    if start is None or end is None:
        return ()
    corrections = provenance.get("corrections") or ()
    return tuple(one["wrong"] for one in corrections if any(start <= time <= end for time in one["times"]))


def _prominence(sentences: Sequence[_Sentence]) -> list[float]:
    """What each sentence's speaker says as a share of what the most talkative one says."""
    words: Counter[str] = Counter()
    for sentence in sentences:
        words[sentence.speaker] += sentence.last - sentence.first
    most = max(words.values(), default=1)
    return [words[sentence.speaker] / most for sentence in sentences]


def _asks(sentence: _Sentence, share: float) -> bool:
    """See `SentenceSpan.asks`; where nobody is named, any question may be another's."""
    return is_question(sentence.text) and (share < 1 or not sentence.speaker)


# -- from turns to sentences


def _sentences(transcript: Transcript, count: Count) -> Iterator[_Sentence]:
    parts = [(number, turn, text, word_spans(text)) for number, turn, text in paragraphs(transcript.turns)]
    words = [text[begin:end] for _, _, text, spans in parts for begin, end in spans]
    times = word_times(words, transcript.segments)
    starts = {segment.start for segment in transcript.segments}
    segment_starts = frozenset(i for i, span in enumerate(times) if span[0] in starts)
    first = 0
    for place, (number, turn, text, spans) in enumerate(parts):
        begin = 0
        for end in _ends(words[first : first + len(spans)], count, segment_starts, first):
            quote = text[spans[begin][0] : spans[end - 1][1]]
            gap = text[spans[begin - 1][1] : spans[begin][0]] if begin else ""
            low, high = first + begin, first + end
            start, stop = (round(times[low][0], 3), round(times[high - 1][1], 3)) if times else (None, None)
            lead = round(_lead(times, low), 3) if times else None
            opens = begin == 0 or not _CONTINUES.match(quote)
            yield _Sentence(quote, gap, turn.speaker, number, place, low, high, count(quote), start, stop, lead, opens)
            begin = end
        first += len(spans)


def _lead(times: Sequence[tuple[float, float]], word: int) -> float:
    """The moment `LEAD` before a word, or the beginning of the word that is being said then; seconds."""
    moment = max(0.0, times[word][0] - LEAD)
    while word > 0 and times[word][0] > moment:
        word -= 1
    return times[word][0] if times[word][0] <= moment < times[word][1] else moment


def _ends(words: Sequence[str], count: Count, segment_starts: frozenset[int], offset: int) -> Iterator[int]:
    """Where sentences end, after cutting those of more than `MAX_SENTENCE` word pieces into quarters of that.

    Speech recognised without punctuation is one such sentence; it is cut where a segment begins, if one does.
    """
    begin = 0
    for end in sentence_ends(words):
        sentence = " ".join(words[begin:end])
        if len(sentence.encode()) > MAX_SENTENCE and count(sentence) > MAX_SENTENCE:  # a piece has a byte at least
            part = 0
            for i in range(begin, end):
                pieces = count(words[i])
                at_segment = offset + i in segment_starts and part > MAX_SENTENCE // 8
                if part and (part + pieces > MAX_SENTENCE // 4 or at_segment):
                    yield i
                    part = 0
                part += pieces
        yield end
        begin = end


# -- from sentences to windows to chunks


def _windows(sizes: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Begin and end of each window, in sentences; a sentence longer than `size` word pieces is a window alone."""
    windows = []
    begin = total = 0
    for i, pieces in enumerate(sizes):
        if i > begin and total + pieces > size:
            windows.append((begin, i))
            begin, total = i, 0
        total += pieces
    return [*windows, (begin, len(sizes))] if sizes else []


def _chunk_bounds(sizes: Sequence[int], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each chunk, in windows of these sizes (word pieces)."""
    begin = end = 0
    while end < len(sizes):
        total, stop = 0, begin
        while stop < len(sizes) and (stop <= end or total + sizes[stop] <= size):  # each brings something new
            total += sizes[stop]
            stop += 1
        yield begin, stop
        end, repeated = stop, 0
        while stop - 1 > begin and repeated < overlap:
            stop -= 1
            repeated += sizes[stop]
        begin = stop
