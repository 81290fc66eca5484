"""How hits and transcripts read on the page: dates, marked snippets, paragraphs, citations. Functions of data, no HTML."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from index.query import Hit
from ingest.models import Segment, Transcript
from ingest.times import clock, parse_date, play_url

PARAGRAPH_CHARACTERS = 420  # about 75 words: half a minute of speech, and four lines of a page
_SPEAKER_LABEL = re.compile(r"([^.!?:\n]{1,80}): ")
_SENTENCE_ENDS = (".", "!", "?", "…", '."', '?"', '!"')


def long_date(published: datetime | None) -> str:
    """`20 February 2025`; empty for None."""
    return f"{published.day} {published:%B %Y}" if published else ""


def web_address(text: str) -> str:
    """The address if it is http or https, else empty: feeds are written by others."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return ""
    return text.strip() if parts.scheme.lower() in {"http", "https"} and parts.netloc else ""


@dataclass(frozen=True, slots=True)
class PassageParagraph:
    """A paragraph of a passage in three parts; `marked` is the snippet, empty where it is in another paragraph.

    `speaker` is empty where the hit's heading names it, or it is unknown.
    """

    before: str
    marked: str = ""
    after: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit with what the page says of it in words; `start` and `end` are clock times, empty where unknown.

    `link` and `play_url` are empty where they are no web addresses; `play_url` starts at the snippet.
    """

    hit: Hit
    paragraphs: list[PassageParagraph]
    start: str
    end: str
    published: datetime | None
    page: str
    link: str
    play_url: str
    citation: str


def hit_view(hit: Hit) -> HitView:
    """The view of one hit."""
    published = parse_date(hit.published or "")
    seconds = hit.start if hit.snippet_start is None else hit.snippet_start
    start = "" if seconds is None else clock(seconds)
    link, playing = web_address(hit.link), web_address(play_url(hit.audio_url, seconds, hit.end))
    source = (hit.speaker, f"“{hit.title}”", hit.podcast, long_date(published), start)
    return HitView(
        hit=hit,
        paragraphs=passage_paragraphs(hit.text, hit.snippet, hit.speaker),
        start=start,
        end="" if hit.end is None else clock(hit.end),
        published=published,
        page=play_url(f"/episodes/{hit.key}", seconds),
        link=link,
        play_url=playing,
        citation=citation(hit.snippet or hit.text, source, play_url(link, seconds) or playing),
    )


def passage_paragraphs(text: str, snippet: str, speaker: str) -> list[PassageParagraph]:
    """A hit's text by paragraphs, with the snippet marked in the first that holds it.

    Where speakers are known, turns open with `Name: `; a single turn's speaker is left to the heading.
    """
    passage: list[PassageParagraph] = []
    parts = [part for part in text.split("\n\n") if part.strip()]
    for part in parts:
        label = _SPEAKER_LABEL.match(part) if speaker else None
        words = part[label.end() :] if label else part
        holds = snippet and snippet in words and not any(paragraph.marked for paragraph in passage)
        split = words.partition(snippet) if holds else (words, "", "")
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
