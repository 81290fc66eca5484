"""Imports any transcript file into a Transcript: our own documents, captions, web pages and plain text."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import frontmatter
import yaml

from ingest.errors import TranscriptError
from ingest.identity import one_line, slug
from ingest.models import Episode, Transcript
from ingest.times import parse_duration
from ingest.transcripts.captions import READABLE_SUFFIXES, Kind, kind_of, read_cues, segments_of
from ingest.transcripts.cues import Cue, collapse_spaces, timed
from ingest.transcripts.decoding import SIZE_LIMIT, decode
from ingest.transcripts.document import (
    BULLETS,
    HEADING,
    blank,
    from_markdown,
    normal_turns,
    read_sidecar,
    split_document,
    turns_from_segments,
)
from ingest.transcripts.text import turns_of_cues

UNKNOWN_PODCAST = "imported"

_FRONT = re.compile(r"---[ \t]*\n(.{0,65536}?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_FRONT_LINE = re.compile(r"([A-Za-z_][\w -]{0,40}):[ \t]+(.+)")
_NUMBERED = re.compile(r"(?:(\S.{0,80}?) )?(?:Season (\d{1,6}),? )?Episode (\d{1,9})", re.IGNORECASE)
_TITLE = re.compile(r"#[ \t]+(\S.*)")
# The names that front matter uses for our fields; the first that is there counts
_FRONT_NAMES = {
    "guid": ("guid", "episode_id", "id"), "title": ("title",), "podcast": ("podcast", "show"),
    "published": ("published", "publish_date", "date", "pub_date"), "link": ("link", "url", "youtube_url"),
    "audio_url": ("audio_url", "audio"), "source_feed": ("source_feed", "feed"), "author": ("author", "host"),
    "summary": ("description", "summary"),
}  # fmt: skip


def read_transcript(path: Path, podcast: str = "") -> Transcript:
    """The transcript in a file of any format we know, filed under the slug of `podcast` where that is given.

    What the file does not say is derived: the title from the file's name, the podcast is `imported`, the guid is
    `import:<podcast>/<title>`. Raises TranscriptError if the file is missing, unreadable, no text or without words.
    """
    read = read_file(path, podcast)
    title = read.episode.title or file_title(path)
    guid = read.episode.guid or derived_guid(read.episode.podcast, [title])
    return replace(read, episode=replace(read.episode, title=title, guid=guid))


def read_file(path: Path, podcast: str = "") -> Transcript:
    """`read_transcript`, with an empty title and guid where the file says none."""
    data = _read_bytes(path)
    kind = kind_of("", path.name, data)
    transcript = _read_text(decode(data, str(path)), kind, path)
    episode = transcript.episode
    title = episode.title if collapse_spaces(episode.title) else ""
    filed = slug(podcast or episode.podcast or UNKNOWN_PODCAST)
    provenance = transcript.provenance or {"source": "import", "file": path.name, "format": kind}
    return replace(transcript, episode=replace(episode, podcast=filed, title=title), provenance=provenance)


def file_title(path: Path) -> str:
    """A title from a file's name."""
    return collapse_spaces(bare_name(path).replace("_", " ")) or path.name


def bare_name(path: Path) -> str:
    """A file's name without the suffix of its format; `Ep. 12` has none."""
    return path.stem if path.suffix.lower() in READABLE_SUFFIXES else path.name


def derived_guid(podcast: str, names: Sequence[str]) -> str:
    """The guid of an imported episode that has none: the podcast, and the folders and the name of the file, or its title."""
    return f"import:{podcast}/{'/'.join(slug(name, 200) for name in names)}"


def _read_bytes(path: Path) -> bytes:
    """The content of a file that is neither too large nor empty."""
    try:
        if path.is_dir():
            raise TranscriptError(path, "is a directory; name the transcript files in it")
        if not path.exists():
            raise TranscriptError(path, "does not exist; check the name")
        if not path.is_file() or path.stat().st_size > SIZE_LIMIT:
            raise TranscriptError(path, f"is not a transcript: it is no plain file, or larger than {SIZE_LIMIT} bytes")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TranscriptError(path, f"cannot be read: {reason}") from error
    if not data.strip():
        raise TranscriptError(path, "is empty; there is nothing to import")
    return data


def _read_text(text: str, kind: Kind, path: Path) -> Transcript:
    if kind in {"md", "txt"}:
        title, values, body = split_document(text)
        if title is not None and values and body is not None:
            return _read_document(text, values, path)
        return _read_prose(text, kind, path)
    ours = read_sidecar(text, str(path)) if kind == "json" and '"soundbite"' in text else blank()
    if ours.segments or ours.turns:
        return replace(ours, turns=normal_turns(ours.turns) or turns_from_segments(ours.segments))
    return _with_words(ours.episode, read_cues(text, kind, str(path)), kind, path)


def _read_document(text: str, values: dict[str, str], path: Path) -> Transcript:
    """The library's own document, with the JSON beside it; bullets that were removed count as empty."""
    lacking = [f"- {bullet}: " for bullet, name in BULLETS.items() if name not in values]
    whole = text if not lacking else re.sub(rf"(?m)^{HEADING} *$", "\n".join([*lacking, "", HEADING]), text, count=1)
    return from_markdown(whole, _sidecar_of(path), subject=str(path))


def _sidecar_of(path: Path) -> str | None:
    """The JSON beside a document; empty, which `read_sidecar` warns about, where it cannot be read."""
    beside = path.with_suffix(".json")
    try:
        return decode(_read_bytes(beside), str(beside)) if beside.is_file() else None
    except TranscriptError:
        return ""


def _read_prose(text: str, kind: Kind, path: Path) -> Transcript:
    """Markdown or plain text: metadata first, in front matter or in the head of a publisher's page, then the words."""
    front, rest = _front_matter(text)
    episode = _episode_of(front)
    heading = _TITLE.match(rest.lstrip())
    if heading and not episode.title:
        episode = replace(episode, title=collapse_spaces(heading[1]))
    head, body = _page_head(rest)
    cues = read_cues(body, "md" if front or heading else kind, str(path))
    first = next((number for number, cue in enumerate(cues) if cue.speaker), 0)
    above = [cue.text.strip() for cue in cues[:first] if cue.start is None]
    if not head and not episode.title and len(above) == first:
        head, above = _unmarked_head(above)
    if head:
        episode, cues = replace(episode, summary="\n\n".join(above), **head), cues[first:]
    return _with_words(episode, cues, kind, path)


def _with_words(episode: Episode, cues: list[Cue], kind: Kind, path: Path) -> Transcript:
    """The episode with the words of the cues; prose keeps its paragraphs, captions are joined into turns."""
    segments = segments_of(cues, kind, str(path))
    prose = kind in {"md", "txt"} or not timed(segments)
    turns = normal_turns(turns_of_cues(cues)) if prose else turns_from_segments(segments)
    return Transcript(episode, turns, timed(segments))


def _page_head(text: str) -> tuple[dict[str, Any], str]:
    """The fields in the head of a publisher's page (podcast, title, `Author Season S Episode E`), and the rest."""
    lines = text.split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()][:8]
    for place, number in enumerate(filled):
        found = _NUMBERED.fullmatch(one_line(lines[number]))
        if found and place:
            above = [collapse_spaces(lines[line].lstrip("# ")) for line in filled[:place]]
            author, season, episode = found.groups(default="")
            head: dict[str, Any] = {"title": above[-1], "author": author, "number": int(episode)}
            head |= {"season": int(season)} if season else {}
            return head | ({"podcast": above[0]} if place > 1 else {}), "\n".join(lines[number + 1 :])
    return {}, text


def _unmarked_head(above: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The title, and the podcast above it, in the paragraphs before the first speaker, and the others."""
    count = next((number for number, text in enumerate(above) if not _is_heading(text)), len(above))
    words = [word for word in (above or [""])[0].split() if len(word) > 3]
    numbered = re.match(r"#?\d{1,5}\s?[.:)|\u2013-]|ep(?:isode)?\b", (above or [""])[0], re.IGNORECASE)
    titled = numbered or sum(word[0].isupper() or word[0].isdigit() for word in words) * 2 >= len(words)
    if not count or (len(above) == 1 and not titled):
        return {}, above
    count = min(count, 2)
    return {"title": above[count - 1]} | ({"podcast": above[0]} if count > 1 else {}), above[count:]


def _is_heading(text: str) -> bool:
    """Whether a paragraph looks like a heading: short, and no sentence."""
    return len(text) <= 150 and not text.endswith((".", "…", ":", ",", ";")) and text[:1] not in "[("


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The YAML between `---` lines at the top, and the text after it; broken YAML is read line by line."""
    found = _FRONT.match(text)
    if not found:
        return {}, text
    try:
        front = frontmatter.loads(found[0]).metadata
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        front = {}
    if not front:
        pairs = (_FRONT_LINE.fullmatch(line) for line in found[1].split("\n"))
        front = {pair[1]: pair[2].strip("\"' ") for pair in pairs if pair}
    return {str(name).strip().lower(): value for name, value in front.items()}, text[found.end() :]


def _episode_of(front: dict[str, Any]) -> Episode:
    """An episode from front matter; values of an unexpected type are left out."""
    said: dict[str, Any] = {
        ours: next((text for name in names if (text := _text(front.get(name)))), "")
        for ours, names in _FRONT_NAMES.items()
    }
    guests = front.get("guest", front.get("guests"))
    people = tuple(name for guest in (guests if isinstance(guests, list) else [guests]) if (name := _text(guest)))
    return Episode(
        **said, people=people, duration=parse_duration(_text(front.get("duration_seconds", front.get("duration")))),
        season=_whole(front.get("season")), number=_whole(front.get("episode", front.get("number"))),
    )  # fmt: skip


def _text(value: Any) -> str:
    """A scalar as one line of text; empty for lists and the like."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return collapse_spaces(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _whole(value: Any) -> int | None:
    text = _text(value)
    return int(text) if text.isdecimal() and len(text) < 10 else None
