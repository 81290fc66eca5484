"""Renders a transcript as Markdown, WebVTT, SRT, Podcasting 2.0 JSON or plain text."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, assert_never

from ingest.errors import TranscriptError
from ingest.models import Segment, Transcript
from ingest.sentences import split_sentences
from ingest.times import cue_clock
from ingest.transcripts.blocks import VOICE_TAGS_NOTE
from ingest.transcripts.cues import collapse_spaces
from ingest.transcripts.document import UNKNOWN_SPEAKER, name_of, sidecar_json, text_body, to_markdown, to_sidecar

Format = Literal["md", "vtt", "srt", "json", "txt"]
Splitter = Callable[[str], list[str]]
CUE_SECONDS = 7.0  # the longest a caption stays in common subtitling guidelines
SPLITTERS: tuple[Splitter, ...] = (split_sentences, re.compile(r"(?<=[,;:]) ").split, str.split)  # the best cut first


def render(transcript: Transcript, fmt: Format) -> str:
    """The transcript in that format, as text to be written in UTF-8.

    WebVTT and SRT have one cue for each segment, several for one longer than about seven seconds. JSON of a transcript
    without times has a segment for each turn, with `speaker` and `body` only. Raises TranscriptError for WebVTT or SRT
    of a transcript without times.
    """
    match fmt:
        case "md":
            return to_markdown(transcript)
        case "txt":
            return text_body(transcript.turns) + "\n"
        case "json":
            turns = [{"speaker": turn.speaker, "body": turn.text} for turn in transcript.turns]
            return to_sidecar(transcript) if transcript.segments else sidecar_json(transcript, turns)
        case "vtt":
            return "\n".join(_vtt(_cues(transcript, fmt)))
        case "srt":
            return "\n".join(_srt(_cues(transcript, fmt)))
    assert_never(fmt)


def split_segment(segment: Segment, longest: float = CUE_SECONDS) -> Iterator[Segment]:
    """The segment in parts of at most about `longest` seconds, cut after sentences and commas, else between words.

    Each part gets time in proportion to its letters, to the millisecond, and begins where the part before it ends.
    """
    text, length = collapse_spaces(segment.text), segment.end - segment.start
    if length <= longest or not text:
        yield Segment(segment.start, segment.end, text, segment.speaker)
        return
    whole = len(text) + 1  # each part counts the space after it
    at, start = 0, segment.start
    for part in _parts(text, whole * longest / length - 1):
        at += len(part) + 1
        end = segment.end if at == whole else round(segment.start + length * at / whole, 3)
        yield Segment(start, end, part, segment.speaker)
        start = end


def _parts(text: str, limit: float) -> Iterator[str]:
    """The text in parts of at most `limit` characters, as far as its words permit."""
    part = ""
    for piece in _pieces(text, limit, SPLITTERS):
        if part and len(part) + 1 + len(piece) > limit:
            yield part
            part = piece
        else:
            part = f"{part} {piece}" if part else piece
    yield part


def _pieces(text: str, limit: float, splitters: Sequence[Splitter]) -> Iterator[str]:
    """The text cut only as finely as pieces of `limit` characters need."""
    if len(text) <= limit or not splitters:
        yield text
        return
    for piece in splitters[0](text):
        yield from _pieces(piece, limit, splitters[1:])


def _cues(transcript: Transcript, fmt: str) -> list[Segment]:
    """What to show when, sorted by start."""
    if not transcript.segments:
        raise TranscriptError(
            transcript.episode.title, f"has no times, which {fmt} needs; the formats md, txt and json work without them"
        )
    ordered = sorted(transcript.segments, key=lambda segment: segment.start)
    return [part for segment in ordered for part in split_segment(segment) if part.text]


def _vtt(cues: list[Segment]) -> Iterator[str]:
    yield from ("WEBVTT", "", VOICE_TAGS_NOTE, "")
    for cue in cues:
        name, text = name_of(cue.speaker), _escape(cue.text)
        yield _timing(cue, ".")
        yield f"<v {_escape(name)}>{text}</v>" if name else text
        yield ""


def _srt(cues: list[Segment]) -> Iterator[str]:
    speaker = ""
    for number, cue in enumerate(cues, start=1):
        name = name_of(cue.speaker)
        prefix = f"{name or UNKNOWN_SPEAKER}: " if name != speaker else ""
        speaker = name
        yield from (str(number), _timing(cue, ","), prefix + cue.text.replace("-->", "->"), "")


def _escape(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("{\\", "&#123;\\")  # some players, and our reader, take `{\` for a style code


def _timing(cue: Segment, mark: str) -> str:
    """`00:00:01.000 --> 00:00:02.500`; a cue lasts a millisecond at least, as WebVTT demands."""
    start = round(cue.start * 1000) / 1000
    return f"{cue_clock(start, mark)} --> {cue_clock(max(cue.end, start + 0.001), mark)}"
