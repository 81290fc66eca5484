"""A transcript given out: Markdown, WebVTT, SRT, Podcasting 2.0 JSON or plain text."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, assert_never

from ingest.errors import TranscriptError
from ingest.models import Segment, Transcript
from ingest.transcripts.captions import MADE_HERE
from ingest.transcripts.cues import squeeze
from ingest.transcripts.document import UNKNOWN_SPEAKER, name_of, sidecar_json, text_body, to_markdown, to_sidecar

Format = Literal["md", "vtt", "srt", "json", "txt"]
CUE_SECONDS = 7.0  # the longest a caption stays in common subtitling guidelines

# Where to cut rather: after sentences, after commas and the like, between words
_CUTS = (re.compile(r"(?<=[.!?…]) "), re.compile(r"(?<=[,;:]) "), re.compile(" "))


def render(transcript: Transcript, fmt: Format) -> str:
    """The transcript in that format, as text to be written in UTF-8.

    WebVTT and SRT have one cue for each segment, more for one longer than about seven seconds. JSON of a transcript
    without times has a segment for each turn, with `speaker` and `body` only. Raises TranscriptError for WebVTT or SRT of
    a transcript without times.
    """
    match fmt:
        case "md":
            return to_markdown(transcript)
        case "txt":
            return text_body(transcript.turns) + "\n"
        case "json":
            return to_sidecar(transcript) if transcript.segments else _json_of_turns(transcript)
        case "vtt":
            return "\n".join(_vtt(_cues(transcript, fmt)))
        case "srt":
            return "\n".join(_srt(_cues(transcript, fmt)))
    assert_never(fmt)


def split_segment(segment: Segment, longest: float = CUE_SECONDS) -> Iterator[Segment]:
    """The segment in parts of at most about `longest` seconds, cut after sentences and commas, else between words.

    Times within are in proportion to the letters, to the millisecond; each part begins where the one before ends.
    """
    text, length = squeeze(segment.text), segment.end - segment.start
    if length <= longest or not text:
        yield Segment(segment.start, segment.end, text, segment.speaker)
        return
    whole = len(text) + 1  # each part counts the space after it
    allowed = whole * longest / length - 1
    at, start = 0, segment.start
    for part in _parts(text, allowed):
        at += len(part) + 1
        end = segment.end if at == whole else round(segment.start + length * at / whole, 3)
        yield Segment(start, end, part, segment.speaker)
        start = end


def _parts(text: str, allowed: float) -> Iterator[str]:
    """The text in parts of at most `allowed` characters where sentences, clauses or words permit."""
    gathered = ""
    for piece in _pieces(text, allowed, _CUTS):
        if gathered and len(gathered) + 1 + len(piece) > allowed:
            yield gathered
            gathered = piece
        else:
            gathered = f"{gathered} {piece}" if gathered else piece
    yield gathered


def _pieces(text: str, allowed: float, cuts: Sequence[re.Pattern[str]]) -> Iterator[str]:
    """The text cut only as finely as needed for pieces of `allowed` characters."""
    if len(text) <= allowed or not cuts:
        yield text
        return
    for piece in cuts[0].split(text):
        yield from _pieces(piece, allowed, cuts[1:])


def _cues(transcript: Transcript, fmt: str) -> list[Segment]:
    """What to show when, sorted by start."""
    if not transcript.segments:
        raise TranscriptError(
            transcript.episode.title, f"has no times, which {fmt} needs; the formats md, txt and json work without them"
        )
    ordered = sorted(transcript.segments, key=lambda segment: segment.start)
    return [part for segment in ordered for part in split_segment(segment) if part.text]


def _vtt(cues: list[Segment]) -> Iterator[str]:
    yield from ("WEBVTT", "", MADE_HERE, "")
    for cue in cues:
        name = name_of(cue.speaker)
        text = _escape(cue.text)
        yield _timing(cue, ".")
        yield f"<v {_escape(name)}>{text}</v>" if name else text
        yield ""


def _srt(cues: list[Segment]) -> Iterator[str]:
    speaker = ""
    for number, cue in enumerate(cues, start=1):
        name = name_of(cue.speaker)
        prefix = f"{name or UNKNOWN_SPEAKER}: " if name != speaker else ""
        speaker = name
        yield str(number)
        yield _timing(cue, ",")
        yield prefix + cue.text.replace("-->", "->")
        yield ""


def _json_of_turns(transcript: Transcript) -> str:
    named = [{"speaker": turn.speaker, "body": turn.text} for turn in transcript.turns]
    return sidecar_json(transcript, [{name: text for name, text in turn.items() if text} for turn in named])


def _escape(text: str) -> str:
    marked = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return marked.replace("{\\", "&#123;\\")  # else some players, and we, take it for a style code


def _timing(cue: Segment, mark: str) -> str:
    """`00:00:01.000 --> 00:00:02.500`; a cue lasts a millisecond at least, as WebVTT demands."""
    start = round(cue.start * 1000)
    return f"{_clock(start, mark)} --> {_clock(max(round(cue.end * 1000), start + 1), mark)}"


def _clock(milliseconds: int, mark: str) -> str:
    rest, thousandths = divmod(milliseconds, 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{mark}{thousandths:03}"
