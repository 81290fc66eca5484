"""Ready citations of a passage: text, Markdown, BibTeX and CSL-JSON. Functions of data."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.links import moment, playing, takes_time
from ingest.times import clock

# What LaTeX takes for itself, and how to write it
_LATEX = {char: f"\\{char}" for char in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|])")


@dataclass(frozen=True, slots=True)
class Source:
    """What is cited: `quote` by `speaker` (empty where unknown), said from `start` on (seconds; None where unknown).

    `address` leads to the moment, `version` is that of the transcript, `audio_sha256` tells which audio it was made of
    (empty where unknown), `transcriber` says who wrote it down.
    """

    quote: str
    speaker: str
    title: str
    podcast: str
    published: datetime | None
    start: float | None
    approximate: bool
    address: str
    passage: str
    transcriber: str
    version: str
    audio_sha256: str

    @property
    def when(self) -> str:
        """`at 1:15`, `at about 1:15`; empty where unknown."""
        return "" if self.start is None else f"at {'about ' * self.approximate}{clock(self.start)}"

    @property
    def date(self) -> str:
        """`20 February 2025`; empty where unknown."""
        return f"{self.published.day} {self.published:%B %Y}" if self.published else ""

    @property
    def note(self) -> str:
        """The moment, the transcript and the audio, in words."""
        transcript = f"transcript {self.transcriber}, version {self.version}"
        audio = f"audio SHA-256 {self.audio_sha256}" if self.audio_sha256 else ""
        return "; ".join(filter(None, (self.when, transcript, audio)))


@dataclass(frozen=True, slots=True)
class Citation:
    """One source in four forms; `csl` is an item of CSL-JSON."""

    text: str
    markdown: str
    bibtex: str
    csl: dict[str, Any]


def cite(source: Source) -> Citation:
    """The citation of a source."""
    return Citation(_text(source), _markdown(source), _bibtex(source), _csl(source))


def cited_address(link: str, audio_url: str, start: float | None) -> str:
    """Where the words are seen or heard: the page where that takes a time or no time is known, else the recording."""
    playable = "" if start is None or takes_time(link) else playing(audio_url, start)
    return playable or moment(link, start) or playing(audio_url, start)


def _parts(source: Source, title: str, *, podcast: str) -> str:
    return ", ".join(filter(None, (source.speaker, title, podcast, source.date, source.when)))


def _text(source: Source) -> str:
    where = _parts(source, f"“{source.title}”", podcast=source.podcast)
    made = f"Transcript {source.transcriber}, version {source.version}."
    return f"“{' '.join(source.quote.split())}” — {where}. {source.address} {made}".replace("  ", " ")


def _markdown(source: Source) -> str:
    title, who, show = map(_plain, (source.title, source.speaker, source.podcast))
    linked = f"[{title}](<{source.address}>)" if source.address else title
    quote = "\n>\n".join(f"> {_plain(part)}" for part in source.quote.split("\n\n"))
    where = ", ".join(filter(None, (who, linked, f"*{show}*", source.date, source.when)))
    return f"{quote}\n>\n> — {where}"


def _plain(text: str) -> str:
    """The text with everything escaped that Markdown could take for itself."""
    return _MARKDOWN.sub(r"\\\1", text)


def _bibtex(source: Source) -> str:
    published = source.published
    fields = {
        "author": f"{{{_latex(source.speaker)}}}" if source.speaker else "",
        "title": _latex(source.title),
        "howpublished": f"Podcast: {_latex(source.podcast)}",
        "year": f"{published:%Y}" if published else "",
        "month": f"{published.month}" if published else "",
        "day": f"{published.day}" if published else "",
        "url": source.address.replace("\\", "%5C").replace("{", "%7B").replace("}", "%7D"),
        "note": _latex(source.note),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@misc{{soundbite-{source.passage},\n" + ",\n".join(lines) + "\n}"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in " ".join(text.split()))


def _csl(source: Source) -> dict[str, Any]:
    published = source.published
    item: dict[str, Any] = {
        "id": f"soundbite-{source.passage}",
        "type": "broadcast",
        "medium": "Podcast",
        "title": source.title,
        "container-title": source.podcast,
        "URL": source.address,
        "note": source.note,
    }
    if source.speaker:
        item["author"] = [{"literal": source.speaker}]
    if published:
        item["issued"] = {"date-parts": [[published.year, published.month, published.day]]}
    return {name: value for name, value in item.items() if value}
