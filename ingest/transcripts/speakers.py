"""Tells who speaks by what stands before a colon at the start of a line: `Anna Berg: …`, `Q: …`, `@tom: …`."""

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from ingest.sentences import without_spaces
from ingest.transcripts.cues import CHANGE, Cue
from ingest.transcripts.document import NAME_LIMIT

# `Name: words`; a full-width colon needs no space after it, and French has one before
PREFIX = re.compile(
    # marks of a change, a list or an emoji, then the name, then the colon
    r"(?:>>+\s*)?(?:- )?(?:[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]{1,4}\s?)?"
    rf"([\[(@#+\"“‘«]?[^\W_][^:：\n]{{0,{NAME_LIMIT - 1}}}?)\s?(?::\s+|：\s*)(?=\S)"  # noqa: RUF001
)
_PARTICLES = frozenset(re.findall(r"\w+", "al and bin da de del della den der di dos du el la le of the van von y"))
# Words before a colon that are far more often the start of a sentence than a name
_ORDINARY = frozenset(
    re.findall(
        r"[\w&/;]+",
        """a answer but caution chapter day ep season week conclusion context disclaimer disclosure episode example fact faq hint important lesson
        listen look news note now ok okay one outro part point problem ps q&a question questions quote recap remember reminder result
        rule second section so solution spoiler step summary takeaway then thing things third thought tip tl;dr today tomorrow tonight topic
        true update warning why yes no and also because here well first finally next however moreover therefore
        meanwhile instead otherwise besides anyway basically honestly obviously translation source edit correction""",
    )
)
_WIDE_BRACKETS = re.compile(r"（[^（）笑拍音]{1,12}）\S")  # noqa: RUF001 - a name; not laughter, applause, music
_ASIDE = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|\|.*|[-\u2013\u2014]\s.*)\s*$")  # `(he/him)`, `| Mill Ltd`, `- CEO`


def is_name(words: str) -> bool:
    """Whether the words look like a speaker's name: one to five, each capitalised or a number, no ordinary word.

    What follows a name in brackets, or as a title after a comma, does not count; a handle is a name.
    """
    if re.fullmatch(r"@[\w.-]{2,40}", words):
        return True
    name, comma, title = _ASIDE.sub("", clean_name(words)).partition(", ")
    parts = name.split()
    if not 1 <= len(parts) <= 5 or parts[-1].casefold() in _ORDINARY or parts[0] in _PARTICLES:
        return False
    if parts[0].casefold() in _ORDINARY and parts[-1][0].isdigit():
        return False  # `Episode 7`, `Chapter 2`
    small = _PARTICLES | {"at", "for", "&"}
    if comma and not all(part in small or _is_capital(part) for part in title.split()):
        return False
    return all(part in _PARTICLES or part == "&" or _is_capital(part) for part in parts)


def prefixes(lines: Sequence[str]) -> frozenset[str]:
    """The names before a colon at the start of lines, if this file names its speakers so; else none.

    It does if two names come again, or if its first line has a name and a name comes again, or there is only one name,
    or half of the lines have one. Where half of the lines have a prefix that looks like a name or comes again, each that
    comes again is a name, whatever it looks like, and each that is as short as one.
    """
    said = [match[1] if (match := PREFIX.match(line)) else "" for line in lines if line.strip()]
    counts = Counter(name for name in said if name)
    shaped = Counter({name: count for name, count in counts.items() if is_name(name)})
    repeated = sum(count > 1 for count in shaped.values())
    opening = bool(said and said[0] in shaped)
    consistent = opening and (repeated > 0 or len(shaped) == 1 or 2 * shaped.total() >= len(said))
    again = {name for name, count in counts.items() if count > 1 and _may_be_name(name)}
    labelled = sum(name in again or name in shaped for name in said)
    names = set(shaped) if consistent or repeated > 1 else set()
    if again and 2 * labelled >= len(said) and (len(again) > 1 or shaped or said[0] in again):
        names |= set(shaped) | again
        if counts.total() >= 0.9 * len(said):  # all that is said is said by somebody
            names |= {name for name in counts if is_short(name)}
    return frozenset(names)


def prefix_of(line: str, names: Container[str]) -> re.Match[str] | None:
    """The prefix `Name:` at the start of a line, if it is one of the names; its group 1 is the name."""
    match = PREFIX.match(line)
    return match if match and match[1] in names else None


def is_strange(line: str, names: frozenset[str]) -> bool:
    """Whether the line starts with what may be another speaker's name, so that the last one does not say it."""
    match = PREFIX.match(line)
    if names and not match and _WIDE_BRACKETS.match(line):
        return True
    if not names or not match or match[1] in names or match[1].casefold() in _ORDINARY:
        return False
    name, comma, _ = match[1].partition(", ")
    titled = bool(comma) and len(name.split()) > 1 and is_name(name)  # `Ole Dahl, baker at the harbour`
    return titled or is_name(match[1]) or match[1].startswith("@") or ")" in match[1] or is_short(match[1])


def name_speakers(cues: Sequence[Cue]) -> list[Cue]:
    """Where no cue names its speaker, take the name from prefixes `Name:`, if the file uses them (see `prefixes`).

    A cue without a prefix has the speaker of the cue before; one with a prefix that is no known name has none.
    """
    if any(cue.speaker for cue in cues):
        return list(cues)
    lines = [line for cue in cues for line in cue.text.split("\n")]
    names = prefixes(lines)
    named: list[Cue] = []
    speaker = ""
    for cue in cues:
        for line in _by_speaker(cue.text, names):
            prefix = prefix_of(line, names)
            changed = bool(names) and (CHANGE.match(line) is not None or is_strange(line, names))
            speaker = clean_name(prefix[1]) if prefix else "" if changed else speaker
            named.append(replace(cue, text=line[prefix.end() :] if prefix else line, speaker=speaker))
    return named


def clean_name(name: str) -> str:
    """A name without the brackets around the whole of it."""
    inner = re.fullmatch(r"\[([^\[\]]+)\]|\(([^()]+)\)", name.strip())
    return (inner[1] or inner[2]).strip() if inner else name.strip()


def is_short(words: str) -> bool:
    """Whether words in small letters are few enough for a name; a sentence begins with a capital."""
    small = words == words.lower() and words.rsplit(maxsplit=1)[-1] not in _ORDINARY
    return small and len(words.split()) < 4 and _may_be_name(words)


def _may_be_name(words: str) -> bool:
    """Whether words that come again before a colon may be a name: without the end of a sentence."""
    return not re.search(r"[.!?…。！？]\s+[a-z]|[!?…。！？]", words)  # noqa: RUF001


def _is_capital(word: str) -> bool:
    """Whether the word starts with a capital, a digit, or a letter of a script without capitals."""
    if (without_spaces(word) and len(word) > 24) or (len(word) > 8 and re.match("[\u3040-\u9fff]", word)):
        return False  # a clause, not a name
    first = word.lstrip("([\"'“#")[:1]
    return first.isdigit() or (first.isalpha() and (first != first.lower() or first.lower() == first.upper()))


def _by_speaker(text: str, names: frozenset[str]) -> Iterator[str]:
    """The text cut before each line that starts with one of the names."""
    part: list[str] = []
    for line in text.split("\n"):
        if part and (prefix_of(line, names) or is_strange(line, names)):
            yield "\n".join(part)
            part = []
        part.append(line)
    yield "\n".join(part)
