"""Cuts a transcript into chunks of windows of whole sentences, with who says each sentence and when; pure.

Three sizes, each for one purpose. A *window* of a few sentences is what is embedded: small enough to mean one thing. A
*chunk* of about fifteen windows is what is stored and found. A *passage*, at most `PASSAGE` of a chunk, is what a reader sees:
which part of a chunk that is, the question decides (`index.passages`). Chunks overlap by more than a passage, so every
passage is whole in one of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from index.text.adverts import adverts
from index.text.timing import word_times
from ingest.models import Transcript, Turn
from ingest.sentences import sentence_ends, word_spans

CHUNKER = 2  # goes up whenever the same transcript would be cut differently
SIZE, OVERLAP = 768, 256  # word pieces: fewer chunks are faster, and found as well because passages are chosen in them
PASSAGE = 206  # word pieces, about 160 English words: longer ones answer more and say less
WINDOW = 64  # word pieces; RETRIEVAL measurements: windows told paraphrases apart where chunks did not
LONGEST = 200  # word pieces of a sentence; a longer one is cut into parts of a quarter of that

_ASKS = ("?", "?”", '?"', "？")  # noqa: RUF001 - the full-width one is meant

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Mark:
    """One sentence of a chunk: `text[begin:end]` of the chunk, who says it, and when (seconds, None where unknown).

    `words` and `pieces` (of the embedding model) are its length. `voice` is how much its speaker says in the episode, 1
    for who says most, and half of that in a question put by others: it repeats the words that its answer may lack.
    `advert` tells that it sells.
    """

    begin: int
    end: int
    speaker: str
    start: float | None
    stop: float | None
    words: int
    pieces: int
    voice: float
    advert: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is stored and found; `windows` are its parts that are embedded, each by the number of the mark after it.

    `id` depends on the episode's key and the text, and only for repeated text on its place, so that editing one passage
    leaves the others' ids alone. `first` and `last` count the episode's words, `start` and `end` are seconds. `heard`
    are words as the speech model had them before they were corrected, so that both forms can be searched.
    """

    id: str
    key: str
    position: int
    text: str
    speakers: tuple[str, ...]
    start: float | None
    end: float | None
    first: int
    last: int
    marks: tuple[Mark, ...]
    windows: tuple[int, ...]
    heard: tuple[str, ...] = ()

    def quotes(self) -> list[str]:
        """The sentences, without the speakers' labels."""
        return [self.text[mark.begin : mark.end] for mark in self.marks]

    def embedded(self) -> list[str]:
        """The text of each window; labels like `Speaker 2:` would pull all of them towards each other."""
        quotes = self.quotes()
        return [" ".join(quotes[a:b]) for a, b in zip((0, *self.windows), self.windows, strict=False)]


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    speaker: str
    turn: int
    paragraph: int
    first: int  # words, counted through the episode
    last: int
    size: int  # word pieces
    start: float | None = None
    stop: float | None = None


def split(
    transcript: Transcript, count: Count, size: int = SIZE, overlap: int = OVERLAP, window: int = WINDOW
) -> tuple[Chunk, ...]:
    """Chunks of at most `size` word pieces, as `count` counts them, each repeating `overlap` or more of the one before.

    Speakers' labels do not count, since they are not embedded. Only a sentence that alone is too long is cut, between
    words.
    """
    sentences = list(_sentences(transcript, count))
    voices = _voices(sentences)
    sold = adverts([(sentence.text, sentence.turn) for sentence in sentences])
    windows = _windows([sentence.size for sentence in sentences], window)
    seen: Counter[str] = Counter()
    chunks = []
    for position, (low, high) in enumerate(
        _cuts([sum(s.size for s in sentences[a:b]) for a, b in windows], size, overlap)
    ):
        begin, end = windows[low][0], windows[high - 1][1]
        part = sentences[begin:end]
        text, marks = _written(part, voices[begin:end], sold[begin:end])
        identity = f"{transcript.episode.key}\0{text}\0{seen[text]}"
        seen[text] += 1
        chunks.append(
            Chunk(
                id=sha256(identity.encode()).hexdigest()[:32],
                key=transcript.episode.key,
                position=position,
                text=text,
                speakers=tuple(dict.fromkeys(mark.speaker for mark in marks if mark.speaker)),
                start=marks[0].start,
                end=marks[-1].stop,
                first=part[0].first,
                last=part[-1].last,
                marks=marks,
                windows=tuple(stop - begin for _, stop in windows[low:high]),
                heard=_heard(transcript.provenance, marks[0].start, marks[-1].stop),
            )
        )
    return tuple(chunks)


def _heard(provenance: Mapping[str, Any], start: float | None, end: float | None) -> tuple[str, ...]:
    """The wrong forms of the corrections made between two moments; see `ingest.corrections.correct`."""
    if start is None or end is None:
        return ()
    made = provenance.get("corrections") or ()
    return tuple(one["wrong"] for one in made if any(start <= moment <= end for moment in one["times"]))


def _voices(sentences: Sequence[_Sentence]) -> list[float]:
    """For each sentence how much its speaker says, as a share of what the most talkative one does.

    A question counts half, unless it is the most talkative one's own; where nobody is named, any might be another's.
    """
    said: Counter[str] = Counter()
    for sentence in sentences:
        said[sentence.speaker] += sentence.last - sentence.first
    most = max(said.values(), default=1)
    shares = [said[sentence.speaker] / most for sentence in sentences]
    return [
        share / 2 if sentence.text.endswith(_ASKS) and (share < 1 or not sentence.speaker) else share
        for share, sentence in zip(shares, sentences, strict=True)
    ]


# -- from turns to sentences


def _paragraphs(turns: Sequence[Turn]) -> Iterator[tuple[int, Turn, str]]:
    for number, turn in enumerate(turns):
        for paragraph in turn.text.replace("\r\n", "\n").split("\n\n"):
            if text := " ".join(paragraph.split()):
                yield number, turn, text


def _sentences(transcript: Transcript, count: Count) -> Iterator[_Sentence]:
    paragraphs = [(number, turn, text, word_spans(text)) for number, turn, text in _paragraphs(transcript.turns)]
    words = [text[begin:end] for _, _, text, spans in paragraphs for begin, end in spans]
    times = word_times(words, transcript.segments)
    starts = {segment.start for segment in transcript.segments}
    breaths = frozenset(i for i, span in enumerate(times) if span[0] in starts)  # where a segment begins
    first = 0
    for place, (number, turn, text, spans) in enumerate(paragraphs):
        begin = 0
        for end in _ends(words[first : first + len(spans)], count, breaths, first):
            quote = text[spans[begin][0] : spans[end - 1][1]]
            low, high = first + begin, first + end
            start, stop = (round(times[low][0], 3), round(times[high - 1][1], 3)) if times else (None, None)
            yield _Sentence(quote, turn.speaker, number, place, low, high, count(quote), start, stop)
            begin = end
        first += len(spans)


def _ends(words: Sequence[str], count: Count, breaths: frozenset[int], offset: int) -> Iterator[int]:
    """Where sentences end, after cutting those of more than `LONGEST` word pieces into quarters of that.

    Speech recognised without punctuation comes as one such sentence; it is cut where a segment begins, if one does.
    """
    begin = 0
    for end in sentence_ends(words):
        sentence = " ".join(words[begin:end])
        if len(sentence.encode()) > LONGEST and count(sentence) > LONGEST:  # a word piece is a byte at least
            part = 0
            for i in range(begin, end):
                pieces = count(words[i])
                breathes = offset + i in breaths and part > LONGEST // 8
                if part and (part + pieces > LONGEST // 4 or breathes):
                    yield i
                    part = 0
                part += pieces
        yield end
        begin = end


# -- from sentences to windows to chunks


def _windows(sizes: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Begin and end of each window, in sentences; a sentence longer than `most` word pieces is one alone."""
    windows = []
    begin = total = 0
    for i, size in enumerate(sizes):
        if i > begin and total + size > most:
            windows.append((begin, i))
            begin, total = i, 0
        total += size
    return [*windows, (begin, len(sizes))] if sizes else []


def _cuts(sizes: Sequence[int], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each chunk, in windows of these sizes."""
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


def _written(
    sentences: Sequence[_Sentence], voices: Sequence[float], sold: Sequence[bool]
) -> tuple[str, tuple[Mark, ...]]:
    """The text as it is quoted, each turn under its speaker's name, and where in it each sentence stands."""
    parts: list[str] = []
    marks: list[Mark] = []
    length = 0
    previous: _Sentence | None = None
    for sentence, voice, sells in zip(sentences, voices, sold, strict=True):
        lead = "" if previous is None else " " if sentence.paragraph == previous.paragraph else "\n\n"
        if sentence.speaker and (previous is None or sentence.turn != previous.turn):
            lead += f"{sentence.speaker}: "
        begin = length + len(lead)
        length = begin + len(sentence.text)
        parts += (lead, sentence.text)
        words = sentence.last - sentence.first
        marks.append(
            Mark(begin, length, sentence.speaker, sentence.start, sentence.stop, words, sentence.size, voice, sells)
        )
        previous = sentence
    return "".join(parts), tuple(marks)
