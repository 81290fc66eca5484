"""Cuts a transcript into chunks: whole sentences, speaker turns kept together where they can be, times kept; pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from index.sentences import sentence_ends, word_spans
from index.timing import word_times
from ingest.models import Transcript, Turn

CHUNKER = 1  # goes up whenever the same transcript would be cut differently
SIZE = 200  # word pieces: with a model's two marks it stays within the 256 that all-MiniLM-L6-v2 reads
OVERLAP = 40  # word pieces: an answer at a border is whole in one of the two chunks
FULL = 0.75  # share of SIZE from which a chunk may end early, where a speaker turn ends

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Mark:
    """One sentence of a chunk: `text[begin:end]` of the chunk, who says it, and when (seconds, None where unknown)."""

    begin: int
    end: int
    speaker: str
    start: float | None
    stop: float | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded, stored and quoted.

    `id` depends on the episode's key and the text, and only for repeated text on its place, so that editing one passage
    leaves the others' ids alone. `first` and `last` count the episode's words, `start` and `end` are seconds. `heard`
    are words as the speech model had them before they were corrected, so that both forms can be searched.
    """

    id: str
    key: str
    position: int
    text: str
    speaker: str
    speakers: tuple[str, ...]
    start: float | None
    end: float | None
    first: int
    last: int
    marks: tuple[Mark, ...]
    heard: tuple[str, ...] = ()

    @property
    def spoken(self) -> str:
        """The text without the speakers' labels."""
        return " ".join(self.text[mark.begin : mark.end] for mark in self.marks)


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


def split(transcript: Transcript, count: Count, size: int = SIZE, overlap: int = OVERLAP) -> tuple[Chunk, ...]:
    """Chunks of at most `size` word pieces, as `count` counts them, each repeating up to `overlap` of the one before.

    Speakers' labels do not count, since they are not embedded. Chunks hold whole sentences; only a sentence that alone is larger is cut, between words.
    """
    sentences = list(_sentences(transcript, count, size))
    seen: Counter[str] = Counter()
    chunks = []
    for position, (begin, end) in enumerate(_cuts(sentences, size, overlap)):
        text, marks = _written(sentences[begin:end])
        identity = f"{transcript.episode.key}\0{text}\0{seen[text]}"
        seen[text] += 1
        chunks.append(
            Chunk(
                id=sha256(identity.encode()).hexdigest()[:32],
                key=transcript.episode.key,
                position=position,
                text=text,
                speaker=_loudest(marks),
                speakers=tuple(dict.fromkeys(mark.speaker for mark in marks if mark.speaker)),
                start=marks[0].start,
                end=marks[-1].stop,
                first=sentences[begin].first,
                last=sentences[end - 1].last,
                marks=marks,
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


def _loudest(marks: Sequence[Mark]) -> str:
    said: Counter[str] = Counter()
    for mark in marks:
        said[mark.speaker] += mark.end - mark.begin
    return said.most_common(1)[0][0]


# -- from turns to sentences


def _paragraphs(turns: Sequence[Turn]) -> Iterator[tuple[int, Turn, str]]:
    for number, turn in enumerate(turns):
        for paragraph in turn.text.replace("\r\n", "\n").split("\n\n"):
            if text := " ".join(paragraph.split()):
                yield number, turn, text


def _sentences(transcript: Transcript, count: Count, size: int) -> Iterator[_Sentence]:
    paragraphs = [(number, turn, text, word_spans(text)) for number, turn, text in _paragraphs(transcript.turns)]
    words = [text[begin:end] for _, _, text, spans in paragraphs for begin, end in spans]
    times = word_times(words, transcript.segments)
    starts = {segment.start for segment in transcript.segments}
    breaths = frozenset(i for i, span in enumerate(times) if span[0] in starts)  # where a segment begins
    first = 0
    for place, (number, turn, text, spans) in enumerate(paragraphs):
        begin = 0
        for end in _ends(words[first : first + len(spans)], count, size, breaths, first):
            quote = text[spans[begin][0] : spans[end - 1][1]]
            low, high = first + begin, first + end
            start, stop = (round(times[low][0], 3), round(times[high - 1][1], 3)) if times else (None, None)
            yield _Sentence(quote, turn.speaker, number, place, low, high, count(quote), start, stop)
            begin = end
        first += len(spans)


def _ends(words: Sequence[str], count: Count, size: int, breaths: frozenset[int], offset: int) -> Iterator[int]:
    """Where sentences end, after cutting those of more than `size` word pieces into quarters of that.

    Speech recognised without punctuation comes as one such sentence; it is cut where a segment begins, if one does.
    """
    begin = 0
    for end in sentence_ends(words):
        sentence = " ".join(words[begin:end])
        if len(sentence.encode()) > size and count(sentence) > size:  # a word piece is a byte at least
            part = 0
            for i in range(begin, end):
                pieces = count(words[i])
                breathes = offset + i in breaths and part > size // 8
                if part and (part + pieces > size // 4 or breathes):
                    yield i
                    part = 0
                part += pieces
        yield end
        begin = end


# -- from sentences to chunks


def _cuts(sentences: Sequence[_Sentence], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each chunk, in sentences."""
    begin = 0
    while begin < len(sentences):
        end = _fill(sentences, begin, size)
        yield begin, end
        if end == len(sentences):
            return
        begin = _step_back(sentences, begin, end, overlap)
        while _fill(sentences, begin, size) <= end and begin < end:  # else nothing new would fit
            begin += 1


def _fill(sentences: Sequence[_Sentence], begin: int, size: int) -> int:
    """How far a chunk from `begin` reaches: back to the last end of a turn in its last quarter, else as far as it can."""
    total, turn_end = 0, 0
    for i in range(begin, len(sentences)):
        if i > begin and sentences[i].turn != sentences[i - 1].turn and total >= FULL * size:
            turn_end = i
        total += sentences[i].size
        if total > size and i > begin:
            return turn_end or i
    return len(sentences)


def _step_back(sentences: Sequence[_Sentence], begin: int, end: int, overlap: int) -> int:
    start, total = end, 0
    while start - 1 > begin and total + sentences[start - 1].size <= overlap:
        start -= 1
        total += sentences[start].size
    return start


def _written(sentences: Sequence[_Sentence]) -> tuple[str, tuple[Mark, ...]]:
    """The text as it is quoted, each turn under its speaker's name, and where in it each sentence stands."""
    parts: list[str] = []
    marks: list[Mark] = []
    length = 0
    previous: _Sentence | None = None
    for sentence in sentences:
        lead = "" if previous is None else " " if sentence.paragraph == previous.paragraph else "\n\n"
        if sentence.speaker and (previous is None or sentence.turn != previous.turn):
            lead += f"{sentence.speaker}: "
        begin = length + len(lead)
        length = begin + len(sentence.text)
        parts += (lead, sentence.text)
        marks.append(Mark(begin, length, sentence.speaker, sentence.start, sentence.stop))
        previous = sentence
    return "".join(parts), tuple(marks)
