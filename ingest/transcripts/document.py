r"""Writes and reads the library's document: Markdown that people read and edit, and a JSON sidecar with times beside it.

The Markdown is an H1 title, seven bullets, `## Transcript` and the text. A speaker turn starts with a line `Name:`. Text
without speakers is bare paragraphs; after a named turn it starts with `Unknown speaker:`. A paragraph that looks like a
name is written with a backslash before its colon (`Like this\:`), which Markdown hides.
"""

import logging
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import cache
from hashlib import sha256
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ingest.errors import TranscriptError
from ingest.finite import read_json, write_json
from ingest.identity import SHORT_KEY, one_line, slug
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.sentences import join_sentences

# The bullets in their order, and the field each holds: of the transcript for `transcribed_at`, else of the episode
BULLETS = {
    "Episode ID": "guid",
    "Podcast": "podcast",
    "Published": "published",
    "Link": "link",
    "Audio URL": "audio_url",
    "Source Feed": "source_feed",
    "Transcribed At": "transcribed_at",
}
HEADING = "## Transcript"
UNKNOWN_SPEAKER = "Unknown speaker"
NAME_LIMIT = 80  # characters; a longer line that ends in a colon is text

_LINE_END = re.compile(r"\r\n?|\n")
_LABEL = re.compile(rf"(.{{0,{NAME_LIMIT - 1}}}[^\\:]):")
_ESCAPED = re.compile(r"(?s)(.*\\):")
logger = logging.getLogger(__name__)


def text_of(text: str) -> str:
    """The text as a turn holds it: paragraphs of one line each, one blank line between, no control characters."""
    return "\n\n".join(_paragraphs(text))


def name_of(speaker: str) -> str:
    """A speaker's name as the document can hold it: one line, bounded; empty for `Unknown speaker`."""
    name = " ".join(one_line(speaker).split())[:NAME_LIMIT].rstrip("\\: ")
    return "" if name == UNKNOWN_SPEAKER else name


def normal_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """The turns as they are after writing and reading: clean, none empty, neighbours without a speaker joined.

    Two turns in a row of one named speaker stay two.
    """
    clean = [Turn(text, name_of(turn.speaker)) for turn in turns if (text := text_of(turn.text))]
    joined: list[Turn] = []
    for speaker, group in groupby(clean, key=lambda turn: turn.speaker):
        run = list(group)
        joined += run if speaker else [Turn("\n\n".join(turn.text for turn in run))]
    return tuple(joined)


def turns_from_segments(segments: Iterable[Segment]) -> tuple[Turn, ...]:
    """Turns of one paragraph each: consecutive segments of one speaker, joined as their script joins sentences."""
    runs = groupby(segments, key=lambda segment: name_of(segment.speaker))
    return normal_turns(Turn(join_sentences([one.text for one in run]), speaker) for speaker, run in runs)


def to_markdown(transcript: Transcript) -> str:
    """The Markdown document, ready to be written as UTF-8; see the module's docstring for the format."""
    episode = transcript.episode
    values = {bullet: getattr(episode, name, transcript.transcribed_at) for bullet, name in BULLETS.items()}
    bullets = [f"- {bullet}: {one_line(value)}" for bullet, value in values.items()]
    head = [f"# {one_line(episode.title)}", "", *bullets, "", HEADING, ""]
    return "\n".join(head) + "\n" + text_body(transcript.turns) + "\n"


def text_body(turns: Iterable[Turn]) -> str:
    """The turns as text: `Name:`, a blank line, the paragraphs; without a final newline."""
    return "\n\n".join(_body(normal_turns(turns)))


def text_hash(turns: Iterable[Turn]) -> str:
    """SHA-256 of the words and speakers as the document has them, as hex: by it an edit shows."""
    return sha256(text_body(turns).encode("utf-8", "backslashreplace")).hexdigest()


def is_edited(transcript: Transcript) -> bool:
    """Whether the text may be another than was written: by its hash, else by its segments; unknown without both."""
    if known := transcript.provenance.get("text_sha256"):
        return bool(known != text_hash(transcript.turns))
    return transcript.turns != turns_from_segments(transcript.segments)


def from_markdown(text: str, sidecar: str | None = None, *, subject: str = "") -> Transcript:
    """Read what `to_markdown` wrote, edited by hand or not, with `to_sidecar`'s JSON where there is one.

    The Markdown has the last word: the sidecar adds what Markdown cannot hold. A sidecar that cannot be read is ignored
    with a warning. Raises TranscriptError that names what the document lacks.
    """
    title, values, body = split_document(text)
    missing = ["the title (`# …` in the first line)"] if title is None else []
    missing += [f"`- {bullet}:`" for bullet, name in BULLETS.items() if name not in values]
    missing += [f"`{HEADING}`"] if body is None else []
    if missing:
        raise TranscriptError(subject, f"is not a transcript document: it lacks {', '.join(missing)}")
    turns = turns_of(body or "")
    if not turns:
        raise TranscriptError(subject, f"holds no words after `{HEADING}`; write the text there or remove the file")
    extra = blank() if sidecar is None else read_sidecar(sidecar, subject)
    said: dict[str, Any] = {
        name: _verbatim(extra, name, value) for name, value in {**values, "title": title or ""}.items()
    }
    transcribed_at = said.pop("transcribed_at")
    return replace(extra, episode=replace(extra.episode, **said), turns=turns, transcribed_at=transcribed_at)


def blank() -> Transcript:
    """A transcript of which nothing is known."""
    return Transcript(Episode("", "", ""), ())


def _verbatim(extra: Transcript, name: str, value: str) -> str:
    """A value of the Markdown as the sidecar has it, with control characters and all, if it is the same on one line."""
    verbatim: str = getattr(extra.episode, name, extra.transcribed_at)
    return verbatim if one_line(verbatim) == value else value


def split_document(text: str) -> tuple[str | None, dict[str, str], str | None]:
    """The document's title, the bullets' values by field name, and the text after the heading; None where absent."""
    lines = _LINE_END.split(text.lstrip("\ufeff"))
    start = next((number for number, line in enumerate(lines) if line.strip(" ")), 0)
    end = next((number for number, line in enumerate(lines) if line.rstrip(" ") == HEADING), None)
    title = one_line(lines[start][1:]) if re.match(r"#(?: |$)", lines[start]) else None
    values: dict[str, str] = {}
    for line in lines[start + 1 : end]:
        bullet, colon, value = line.removeprefix("- ").partition(":")
        if line.startswith("- ") and colon and bullet in BULLETS:
            values.setdefault(BULLETS[bullet], one_line(value))
    return title, values, None if end is None else "\n".join(lines[end + 1 :])


def turns_of(body: str) -> tuple[Turn, ...]:
    """The turns that the text of a document holds; the reverse of `text_body`."""
    turns: list[Turn] = []
    speaker, spoken = "", list[str]()
    for paragraph in _paragraphs(body):
        if label := _LABEL.fullmatch(paragraph):
            turns.append(Turn("\n\n".join(spoken), speaker))
            speaker, spoken = label[1], []
        else:
            escaped = _ESCAPED.fullmatch(paragraph)
            spoken.append(f"{escaped[1][:-1]}:" if escaped else paragraph)
    return normal_turns([*turns, Turn("\n\n".join(spoken), speaker)])


def to_sidecar(transcript: Transcript) -> str:
    """The JSON beside the Markdown, in the Podcasting 2.0 transcript shape (times in seconds).

    `soundbite` holds `transcribed_at`, `provenance` and the whole `episode`, so that the file can also stand alone.
    A transcript without times has an empty `segments`. Figures of the provenance that JSON cannot say (NaN, infinity)
    become null. Raises TranscriptError where a time is such a number.
    """
    timed = [
        {"speaker": segment.speaker, "startTime": segment.start, "endTime": segment.end, "body": segment.text}
        | ({"language": segment.language} if segment.language else {})
        for segment in transcript.segments
    ]
    return sidecar_json(transcript, timed)


def sidecar_json(transcript: Transcript, segments: list[dict[str, Any]]) -> str:
    """`to_sidecar` with the segments given; an empty speaker is left out."""
    ours = {
        "transcribed_at": transcript.transcribed_at,
        "provenance": _finite(transcript.provenance),
        "episode": {name: value for name, value in asdict(transcript.episode).items() if value not in (None, "", ())},
    }
    named = [{key: value for key, value in each.items() if key != "speaker" or value} for each in segments]
    document = {"version": "1.0.0", "segments": named, "soundbite": ours}
    try:
        return write_json(document)
    except ValueError as error:  # null for a time could not be read again
        raise TranscriptError(
            transcript.episode.title, f"cannot be kept: a time in it is no number ({error})"
        ) from error


def read_sidecar(text: str, subject: str = "") -> Transcript:
    """Read what `to_sidecar` wrote, or the times of any Podcasting 2.0 transcript; turns only where there are no times.

    A blank transcript, with a warning in the log, where the text is something else.
    """
    try:
        document = read_json(text)
        segments, turns = _entries(document["segments"])
        if "soundbite" not in document:
            return replace(blank(), segments=segments, turns=turns)
        ours = document["soundbite"]
        episode = _adapter(Episode).validate_python({"podcast": "", "guid": "", "title": "", **ours["episode"]})
        return Transcript(episode, turns, segments, str(ours["transcribed_at"]), dict(ours["provenance"]))
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError) as error:
        logger.warning("%s: the JSON beside it is ignored, it cannot be read (%s)", subject, one_line(str(error)))
        return blank()


def file_stem(episode: Episode) -> str:
    """`<YYYY-MM-DD or undated>-<slug of the title>-<first 8 of the key>`: sorts by date, unique."""
    date = episode.published_at.date().isoformat() if episode.published_at else "undated"
    return f"{date}-{slug(episode.title)}-{episode.key[:SHORT_KEY]}"


def _paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a text, each on one line."""
    block: list[str] = []
    for line in [*_LINE_END.split(text), ""]:
        if clean := one_line(line):
            block.append(clean)
        elif block:
            yield " ".join(block)
            block = []


def _body(turns: Iterable[Turn]) -> Iterator[str]:
    """The paragraphs of the document's text, labels among them."""
    for number, turn in enumerate(turns):
        if number or turn.speaker:
            yield f"{turn.speaker or UNKNOWN_SPEAKER}:"
        for paragraph in turn.text.split("\n\n"):
            hidden = _LABEL.fullmatch(paragraph) or _ESCAPED.fullmatch(paragraph)
            yield f"{paragraph[:-1]}\\:" if hidden else paragraph


def _entries(entries: list[dict[str, Any]]) -> tuple[tuple[Segment, ...], tuple[Turn, ...]]:
    """The entries of `segments`: timed segments, or turns where the first has no time."""
    names = {"startTime": "start", "endTime": "end", "body": "text"}
    renamed = [{names.get(name, name): value for name, value in entry.items()} for entry in entries]
    if renamed and "start" not in renamed[0]:
        return (), _adapter(tuple[Turn, ...]).validate_python(renamed)
    return _adapter(tuple[Segment, ...]).validate_python(renamed), ()


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Pydantic's reader of a dataclass: checks the types and ignores what it does not know."""
    return TypeAdapter(kind)


def _finite(value: Any) -> Any:
    """JSON data with null for every number that JSON cannot write."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
