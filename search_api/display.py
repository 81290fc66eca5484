"""How things read on the page: times, dates, the marked words, a citation. Functions of data, without HTML in them."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from ingest.models import Segment, Transcript

PARAGRAPH_CHARACTERS = 420  # about 75 words: half a minute of speech, and four lines of a page
_ELLIPSES = re.compile(r"^\s*(?:…|\.\.\.)|(?:…|\.\.\.)\s*$")
_TURN = re.compile(r"([^.!?:\n]{1,80}): ")
_ENDS_SENTENCE = (".", "!", "?", "…", '."', '?"', '!"')


def clock(time: float) -> str:
    """`75.4` as `1:15`, `3675` as `1:01:15`: whole seconds, never later than the words."""
    minutes, rest = divmod(math.floor(max(time, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def day(moment: datetime | None) -> str:
    """`20 February 2025`; empty where there is no date."""
    return f"{moment.day} {moment:%B %Y}" if moment else ""


def web_address(text: str) -> str:
    """The address if a browser may follow it (http or https), else nothing: feeds are written by others."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return ""
    return text.strip() if parts.scheme.lower() in {"http", "https"} and parts.netloc else ""


def marked(text: str, snippet: str) -> tuple[str, str, str]:
    """A passage as before, marked, after; nothing is marked where the snippet is not in it.

    White space may differ, and the snippet may wear an ellipsis at either end.
    """
    words = _ELLIPSES.sub("", snippet).split()
    found = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    if found is None:
        return text, "", ""
    end = found.end()
    while end < len(text) and text[end] in '.!?"':
        end += 1
    return text[: found.start()], text[found.start() : end], text[end:]


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph of a passage, in three parts; `speaker` is empty where the heading names it, or nobody does."""

    before: str
    marked: str = ""
    after: str = ""
    speaker: str = ""


def said(text: str, snippet: str, speaker: str) -> list[Said]:
    """A hit's passage by paragraphs, with the snippet marked in the first that holds it.

    In a passage whose speakers are known, turns open with `Name: `; of a single turn the hit's heading names the speaker.
    """
    passage: list[Said] = []
    parts = [part for part in text.split("\n\n") if part.strip()]
    for part in parts:
        label = _TURN.match(part) if speaker else None
        words = part[label.end() :] if label else part
        split = (words, "", "") if any(one.marked for one in passage) else marked(words, snippet)
        passage.append(Said(*split, label[1] if label and len(parts) > 1 else ""))
    return passage


def at(address: str, start: float | None, end: float | None = None) -> str:
    """The address with a temporal media fragment (W3C Media Fragments URI 1.0, section 4.2.1), where a time is known."""
    if not address or start is None:
        return address
    upto = f",{seconds(end)}" if end is not None else ""
    return f"{address.partition('#')[0]}#t={seconds(start)}{upto}"


def seconds(value: float) -> str:
    """Seconds as an address writes them: `75`, `75.4`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def citation(quote: str, source: Iterable[str], address: str) -> str:
    """One line to paste elsewhere: the words, their source (who, where, when), and where to hear them."""
    where = ", ".join(part for part in source if part)
    return f"“{' '.join(quote.split())}” — {where}. {address}".strip()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences of one speaker; `speaker` is empty where it is the same as before, or unknown."""

    speaker: str
    segments: tuple[Segment, ...] = ()
    text: str = ""


def paragraphs(transcript: Transcript) -> list[Paragraph]:
    """The transcript as it is read: by its timed segments where there are some, else by its turns."""
    if transcript.segments:
        return _without_repeats(Paragraph(run[0].speaker, tuple(run)) for run in _runs(transcript.segments))
    spoken = ((turn.speaker, part) for turn in transcript.turns for part in turn.text.split("\n\n") if part.strip())
    return _without_repeats(Paragraph(speaker, text=part) for speaker, part in spoken)


def _runs(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    run: list[Segment] = []
    for segment in segments:
        if run and (segment.speaker != run[0].speaker or _is_full(run)):
            yield run
            run = []
        run.append(segment)
    if run:
        yield run


def _is_full(run: list[Segment]) -> bool:
    length = sum(len(segment.text) for segment in run)
    return length > PARAGRAPH_CHARACTERS and run[-1].text.rstrip().endswith(_ENDS_SENTENCE)


def _without_repeats(found: Iterable[Paragraph]) -> list[Paragraph]:
    read: list[Paragraph] = []
    speaker = ""
    for paragraph in found:
        name = paragraph.speaker if paragraph.speaker != speaker else ""
        speaker = paragraph.speaker
        read.append(Paragraph(name, paragraph.segments, paragraph.text))
    return read
