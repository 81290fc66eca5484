"""How hits and transcripts read on the page: dates, marked snippets, paragraphs, citations. Functions of data, no HTML."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from index.query import Excerpt, Hit
from ingest.links import is_video
from ingest.models import Segment, Transcript
from ingest.times import clock, parse_date, play_url
from search_api.citations import cited_address

PARAGRAPH_CHARACTERS = 420  # about 75 words: half a minute of speech, and four lines of a page
_SPEAKER_LABEL = re.compile(r"([^.!?:\n]{1,80}): ")
_SENTENCE_ENDS = (".", "!", "?", "…", '."', '?"', '!"')


def long_date(published: datetime | None) -> str:
    """`20 February 2025`; empty for None."""
    return f"{published.day} {published:%B %Y}" if published else ""


@dataclass(frozen=True, slots=True)
class PassageParagraph:
    """A paragraph of a passage in three parts; `marked` is what of the answer stands in it.

    `speaker` is empty where the hit's heading names it, or it is unknown.
    """

    before: str
    marked: str = ""
    after: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit with what the page says of it in words; `start` and `end` are clock times, empty where unknown.

    `start` is the answer's, `player` what an audio element plays.
    """

    hit: Hit
    paragraphs: list[PassageParagraph]
    start: str
    end: str
    published: datetime | None
    page: str
    player: str
    citation: str
    more: "list[HitView]"


def hit_view(hit: Hit) -> HitView:
    """The view of one hit."""
    published = parse_date(hit.published or "")
    answer = hit.answer
    start = "" if answer.start is None else clock(answer.start)
    source = (answer.speaker, f"“{hit.title}”", hit.podcast_title, long_date(published), start)
    return HitView(
        hit=hit,
        paragraphs=passage_paragraphs(hit.passage.text, answer),
        start=start,
        end="" if answer.end is None else clock(answer.end),
        published=published,
        page=play_url(f"/episodes/{hit.key}", answer.start),
        player="" if is_video(hit.play_url) else hit.play_url,
        citation=citation(answer.text, source, cited_address(hit.link, hit.audio_url, answer.start)),
        more=[hit_view(one) for one in hit.more],
    )


def passage_paragraphs(text: str, answer: Excerpt) -> list[PassageParagraph]:
    """A passage's text by paragraphs, with each paragraph of the answer marked where it first stands.

    Where speakers are known, turns open with `Name: `; a single turn's speaker is left to the heading.
    """
    passage: list[PassageParagraph] = []
    parts = [part for part in text.split("\n\n") if part.strip()]
    unmarked = answer.text.split("\n\n")
    for part in parts:
        label = _SPEAKER_LABEL.match(part) if answer.speaker else None
        words = part[label.end() :] if label else part
        holds = unmarked and unmarked[0] in words
        split = words.partition(unmarked.pop(0)) if holds else (words, "", "")
        passage.append(PassageParagraph(*split, label[1] if label and len(parts) > 1 else ""))
    return passage


def citation(quote: str, source: Iterable[str], address: str) -> str:
    """One line: the quote, its source (speaker, title, podcast, date, time; empty ones left out), and its address."""
    where = ", ".join(part for part in source if part)
    return f"“{' '.join(quote.split())}” — {where}. {address}".strip()


@dataclass(frozen=True, slots=True)
class TranscriptParagraph:
    """Some sentences of one speaker, with times in `segments` or without in `text`; `speaker` is empty where unknown."""

    speaker: str
    segments: tuple[Segment, ...] = ()
    text: str = ""


def transcript_paragraphs(transcript: Transcript) -> list[TranscriptParagraph]:
    """The transcript by its timed segments where there are some, else by its turns."""
    if transcript.segments:
        return [TranscriptParagraph(group[0].speaker, tuple(group)) for group in _grouped(transcript.segments)]
    parts = ((turn.speaker, part) for turn in transcript.turns for part in turn.text.split("\n\n"))
    return [TranscriptParagraph(speaker, text=part) for speaker, part in parts if part.strip()]


def _grouped(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """Runs of one speaker's segments, cut after a sentence once they are as long as a paragraph."""
    group: list[Segment] = []
    for segment in segments:
        if group and (segment.speaker != group[0].speaker or _is_full(group)):
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def _is_full(group: list[Segment]) -> bool:
    length = sum(len(segment.text) for segment in group)
    return length > PARAGRAPH_CHARACTERS and group[-1].text.rstrip().endswith(_SENTENCE_ENDS)
