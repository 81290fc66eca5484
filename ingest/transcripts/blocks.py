"""Reads captions in blocks, a line of times above the words: WebVTT (also segments of it joined), SRT and SBV."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ingest.times import CLOCK, parse_clock, parse_time_expression
from ingest.transcripts.cues import Cue, strip_markup
from ingest.transcripts.speakers import name_speakers

VOICE_TAGS_NOTE = "NOTE Speakers are in voice tags only."  # in our own VTT: `Yes: …` is text there, not a name
_TIME = rf"-?\s?{CLOCK}|\d{{1,6}}[.,]\d{{1,3}}"
ARROW = re.compile(rf"\s*({_TIME})\s*(?:-?-|[\u2013\u2014])\s?(?:>|&gt;)\s*({_TIME})(?!\d)")
SETTINGS = re.compile(r"\s[A-Za-z]\w{1,20}:\S+")  # of a cue's place on the screen
COMMA = re.compile(rf"\s*({CLOCK})\s*,\s*({CLOCK})\s*$")  # SBV

_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_HEAD = re.compile(r"WEBVTT(?:\s|$)|X-TIMESTAMP-MAP=")
_MAP = re.compile(rf"X-TIMESTAMP-MAP=(?=.*MPEGTS:(\d{{1,12}}))(?=.*LOCAL:({CLOCK}))")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:\s+([^<>]*))?>|</v>")
_VOICE_SPAN = re.compile(r"<v [^<>]*>[^<>]*</v>")
MPEG_CLOCK = 90_000  # ticks a second (RFC 8216, 3.5)
SHOWN_LINES, SHOWN_WORDS = 4, 60  # the most that captions show at once
MIN_OVERLAP = 3  # words in a row that two captions share, to count as a repetition


def read_blocks(text: str, timing: re.Pattern[str] = ARROW, *, notes: bool = False) -> list[Cue]:
    """The cues of captions: a line with two times starts one, whatever is around it; `notes` are known in WebVTT only."""
    body = list[str]()  # of the file's head first, which nobody says
    blocks: list[tuple[list[str], float | None, float | None]] = []
    last_number, after_blank, skipping, maps = 0, True, False, list[float]()
    if any(" \n" in span for span in _VOICE_SPAN.findall(text)):  # Teams: breaks stand within words, too
        text = _VOICE_SPAN.sub(lambda span: span[0].replace("\n", ""), text)
    lines = text.split("\n")
    for line in lines:
        if found := timing.match(line):
            last_number = _drop_identifier(body, last_number, notes=notes)
            shift = maps[-1] - maps[0] if maps else 0.0
            times = [parse_time_expression(time.replace(",", ".")) for time in found.groups()]
            body = list(filter(None, [SETTINGS.sub("", line[found.end() :]).strip()]))
            start, end = (None if time is None else time + shift for time in times)
            blocks.append((body, start, end))
            after_blank = skipping = False
            continue
        if notes and (offset := _MAP.match(line)):
            maps.append(int(offset[1]) / MPEG_CLOCK - (parse_clock(offset[2]) or 0.0))
        head = notes and (_HEAD.match(line) or (after_blank and _BLOCK.match(line)))
        skipping = bool(line.strip()) and (skipping or bool(head))
        after_blank = not line.strip()
        if not skipping:
            body.append(line.strip())
    cues = [Cue("\n".join(filter(None, body)), "", start, end) for body, start, end in blocks]
    cues = list(_voices(unroll([cue for cue in cues if cue.text])))
    return cues if VOICE_TAGS_NOTE in lines[:4] else name_speakers(cues)


def is_timing(line: str) -> bool:
    """Whether the line holds the two times of a cue, and no words."""
    found = ARROW.match(line)
    return found is not None and not SETTINGS.sub("", line[found.end() :]).strip()


def _drop_identifier(body: list[str], last_number: int, *, notes: bool) -> int:
    """Remove the next cue's identifier from the end of this cue's lines; the last number seen."""
    if not body:
        return last_number
    alone = len(body) == 1 or not body[-2]
    if body[-1].isdecimal() and len(body[-1]) < 10 and (alone or int(body[-1]) == last_number + 1):
        follows = len(body) > 1 or int(body[-1]) == last_number + 1 or not last_number
        return int(body.pop()) if follows else last_number
    if notes and len(body) > 1 and body[-1] and not body[-2]:
        body.pop()
    return last_number


def unroll(cues: list[Cue]) -> list[Cue]:
    """Drop what rolling captions repeat: each of their cues shows the last lines or words of the one before again."""
    lines = [_plain_lines(cue.text).split("\n") for cue in cues]
    words = [" ".join(shown).split() for shown in lines]
    by_line = [_repeated(before, now, SHOWN_LINES) for before, now in pairwise(lines)]
    by_line = [len(" ".join(now[:count]).split()) for count, now in zip(by_line, lines[1:], strict=True)]
    by_word = [
        count if (count := _repeated(before, now, SHOWN_WORDS)) >= MIN_OVERLAP or count == len(before) else 0
        for before, now in pairwise(words)
    ]
    for repeats, share in ((by_line, 5), ([max(pair) for pair in zip(by_line, by_word, strict=True)], 2)):
        carried = sum(0 < repeat < len(now) for repeat, now in zip(repeats, words[1:], strict=True))
        if carried > 1 and share * carried >= len(cues):
            fresh = [_without(now, repeat) for repeat, now in zip([0, *repeats], lines, strict=True)]
            # the markup is gone: what looks like a tag or an entity now is text
            safe = [text.replace("&", "&amp;").replace("<", "&lt;") for text in fresh]
            return [replace(cue, text=text) for cue, text in zip(cues, safe, strict=True) if text]
    return cues


def _without(lines: Sequence[str], count: int) -> str:
    """The lines without their first `count` words."""
    return re.sub(rf"\A(?:\S+(?:\s+|\Z)){{{count}}}", "", "\n".join(lines))


def _repeated(before: Sequence[str], now: Sequence[str], most: int) -> int:
    """How many of the first items are the last items before."""
    return next((n for n in range(min(len(before), len(now), most), 0, -1) if before[-n:] == now[:n]), 0)


def _voices(cues: Iterable[Cue]) -> Iterator[Cue]:
    """One plain cue for each voice span; what two voices say in one cue keeps that cue's times."""
    for cue in cues:
        at, speaker = 0, ""
        for tag in _VOICE.finditer(cue.text):
            yield replace(cue, text=_plain_lines(cue.text[at : tag.start()]), speaker=speaker)
            at, speaker = tag.end(), strip_markup(tag[1] or "").strip("\"'- ")
        yield replace(cue, text=_plain_lines(cue.text[at:]), speaker=speaker)


def _plain_lines(markup: str) -> str:
    return "\n".join(text for line in markup.split("\n") if (text := strip_markup(line)))
