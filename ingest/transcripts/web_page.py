"""Reads web pages: the markup of Podcasting 2.0, else their blocks as prose, with headings and bold names kept apart."""

import re
from collections.abc import Iterator

from ingest.entities import unescaped
from ingest.times import parse_clock
from ingest.transcripts.blocks import is_timing, read_blocks
from ingest.transcripts.cues import LOOSE_STOP, Cue, collapse_spaces
from ingest.transcripts.text import read_prose

_TAG = re.compile(r"(<!--|-->|<[/!?a-zA-Z][^<>]*>)")
_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_LINKS = re.compile(r"(?i)<li(?=[\s>])[^<>]*>\s*<a\s[^<>]*>[^<]*</a>\s*</li>")  # a list of links is a menu
# What begins a new line of text; every other tag stands within one
_BLOCKS = frozenset(re.findall(r"\w+", """
    address article blockquote body br caption center cite dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 hr html
    legend li main ol p pre section summary table tbody td tfoot th thead time title tr ul"""))  # fmt: skip
_UNSPOKEN = frozenset(re.findall(r"\w+", "script style head template svg noscript nav header footer aside button"))
_BOLD = frozenset({"b", "strong"})


def read_html(text: str) -> list[Cue]:
    """Read HTML: `<cite>` is who speaks, `<time>` when, `<p>` what; other pages are read as prose by blocks.

    There a heading is written as `### …`, and bold text as `**…**`, by which prose knows names.
    """
    paragraphs: list[Cue] = []
    blocks: list[str] = []
    speaker, start, inside, in_paragraph, spaces, pieces = "", None, "", False, r"\s+", list[str]()
    for piece, tag, closing in [*_pieces(LOOSE_STOP.sub(r"\1", _LINKS.sub("", text))), ("", "p", True)]:
        if not tag or tag == "br" or tag in _BOLD:
            pieces.append("\n" if tag == "br" else "**" if tag else re.sub(spaces, " ", piece))
            continue
        block = "\n".join(collapse_spaces(line) for line in unescaped("".join(pieces)).split("\n")).strip()
        words = collapse_spaces(block.replace("**", ""))
        if tag in {"cite", "time"} and not inside and in_paragraph and words:
            continue  # within a paragraph: the title of a work, or a date
        pieces = []
        if inside == "cite":
            speaker = words.rstrip(": ") or speaker
        elif inside == "time":
            start = parse_clock(words.strip("[]()"))
        elif words and in_paragraph:
            paragraphs.append(Cue(words, speaker, start))
            start = None
        if words or tag == "tr":
            blocks.append(_as_markdown(block, words, tag if closing else ""))
        inside = tag if tag in {"cite", "time"} and not closing else ""
        in_paragraph = not closing if tag == "p" else in_paragraph
        spaces = r"[^\S\n]+" if tag == "pre" and not closing else r"\s+"  # `pre` keeps its lines
    marked = any(cue.speaker or cue.start is not None for cue in paragraphs)
    page = re.sub(r"(?m)^(\| .*)\n\n(?=\| )", r"\1", "\n\n".join(blocks))  # the cells of a row stand on one line
    if not marked and any(map(is_timing, page.split("\n"))):
        return read_blocks(page, notes="WEBVTT" in page)
    return paragraphs if marked else read_prose(page)


def _as_markdown(block: str, words: str, closed: str) -> str:
    """A block of a page as a line of Markdown, by the tag that closes it."""
    if re.fullmatch(r"h[1-6]", closed):
        return f"### {words}"
    if closed == "dt":
        return f"**{words.rstrip(': ')}**"
    if closed in {"td", "th"}:
        return f"| {words} "
    return re.sub(r"\*\*\s*\*\*", "", block)


def _pieces(text: str) -> Iterator[tuple[str, str, bool]]:
    """Text as (text, "", False), block tags as ("", name, closing); without comments, scripts, navigation and the like."""
    unspoken = ""
    for piece in _TAG.split(text):
        name = _NAME.match(piece)
        tag, closing = (name[2].lower(), bool(name[1])) if name and piece.endswith(">") else ("", False)
        if unspoken:
            unspoken = "" if piece == unspoken or (closing and tag == unspoken) else unspoken
        elif piece == "<!--" or tag in _UNSPOKEN:
            unspoken = "" if closing else "-->" if piece == "<!--" else tag
        elif tag in _BLOCKS or tag in _BOLD:
            yield "", tag, closing
        elif not tag and (piece == "-->" or not _TAG.fullmatch(piece)):  # an arrow, where no comment ends
            yield piece, "", False
