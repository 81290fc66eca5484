"""How a transcript reads on its page: paragraphs of one speaker, in sentences that have a time where times are known. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ingest.models import Segment, Transcript
from ingest.sentences import sentence_ends, split_sentences, word_spans

PARAGRAPH_CHARACTERS = 420  # about 75 words: half a minute of speech, and four lines of a page


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or what of it stands in one segment; `start` in seconds, None where unknown."""

    text: str
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences of one speaker, who is empty where unknown."""

    speaker: str
    sentences: tuple[Sentence, ...]

    @property
    def start(self) -> float | None:
        """When it begins, in seconds; None where unknown."""
        return self.sentences[0].start


def paragraphs(transcript: Transcript) -> list[Paragraph]:
    """The transcript by its timed segments where there are some, else by its turns, in paragraphs that can be read."""
    if transcript.segments:
        said = ((segment.speaker, one) for segment in transcript.segments for one in timed_sentences(segment))
        return list(_paragraphs(said))
    found: list[Paragraph] = []
    for turn in transcript.turns:
        for part in turn.text.split("\n\n"):
            found += _paragraphs(
                (turn.speaker, Sentence(one)) for one in split_sentences(" ".join(part.split())) if one
            )
    return found


def timed_sentences(segment: Segment) -> Iterator[Sentence]:
    """The sentences of a segment, which share its time by their characters, as in the index: long ones are whole turns."""
    text = segment.text.strip()
    spans = word_spans(text)
    pace = max(0.0, segment.end - segment.start) / max(1, len(text))
    for begin, end in pairwise([0, *sentence_ends([text[slice(*span)] for span in spans])]):
        first, last = spans[begin][0], spans[end - 1][1]
        yield Sentence(text[first:last], round(segment.start + first * pace, 3))


def _paragraphs(said: Iterable[tuple[str, Sentence]]) -> Iterator[Paragraph]:
    """Runs of one speaker's sentences, cut once they are as long as a paragraph and a sentence has ended."""
    group: list[Sentence] = []
    speaker = ""
    for who, sentence in said:
        if group and (who != speaker or _is_full(group)):
            yield Paragraph(speaker, tuple(group))
            group = []
        speaker = who
        group.append(sentence)
    if group:
        yield Paragraph(speaker, tuple(group))


def _is_full(group: list[Sentence]) -> bool:
    length = sum(len(sentence.text) for sentence in group)
    ended = group[-1].text.rstrip("\"'”’»)").endswith((".", "!", "?", "…", "。", "！", "？"))  # noqa: RUF001 - full-width marks
    return length > PARAGRAPH_CHARACTERS and ended
