"""Tells who speaks by what stands at the start of a line: `Anna Berg: …`, `Q: …`, `@tom: …`, `(Mia) …`, `Mia — …`."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.sentences import STOPS, without_spaces
from ingest.transcripts.cues import BIDI, CHANGE, Cue
from ingest.transcripts.document import NAME_LIMIT

LABEL, HEADING, LABEL_END = "\x02", "\x01", "\x03"  # around bold text and headings; no text has them
_FULL = r"\uff1a"  # a full-width colon, which needs no space after it; French has one before
_BOLD = re.compile(
    rf"[{LABEL}{HEADING}]([^{LABEL_END}]{{1,{NAME_LIMIT}}}){LABEL_END}\s*(?:[-:{_FULL}\u2013\u2014|]\s+)?"
)
_COLON = re.compile(
    # marks of a change, a list or an emoji, then the name, then the colon
    rf"[{BIDI}]*(?:>>+\s*)?(?:- )?"
    r"(?:[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]{1,4}\s?)?"
    rf"([\[(@#+\"“‘«]?[^\W_][^:\n{_FULL}]{{0,{NAME_LIMIT - 1}}}?)\s?(?::\s+(?=\S)|:(?=[\u3040-\u9fff\uac00-\ud7af])|{_FULL}\s*(?=\S)|[:{_FULL}]\s*$)"  # noqa: RUF001
)
_BRACKETS = re.compile(r"(?:- )?[\[(（【<]([^\W\d_][^()\[\]（）【】<>\n]{0,79})[\])）】>]\s*(?=\S)")  # noqa: RUF001
_DASH = re.compile(r"([^\W\d_][^:\n\u2013\u2014]{0,79}?)(?:\s+[-\u2013\u2014]{1,2}\s+|\u2014)(?=\S)")
_QUOTE = re.compile(r"([^\W_]{1,20})(?=[「『])")
_ANGLE = re.compile(r"([^\W\d_][^:<>\n]{0,79}?)>\s+(?=\S)")
STYLES = (_BOLD, _COLON, _BRACKETS, _DASH, _QUOTE, _ANGLE)

_PARTICLES = frozenset(re.findall(r"\w+", "al and bin da de del della den der di dos du el la le of the van von y"))
# Words before a colon that are far more often the start of a sentence than a name
_ORDINARY = frozenset(re.findall(r"[\w&/;]+", """
    a answer but caution chapter day ep season week conclusion context disclaimer disclosure episode example fact faq hint important lesson
    listen look news note now ok okay one outro part point problem ps q&a question questions quote recap remember reminder result
    rule second section so solution spoiler step summary takeaway then thing things third thought tip tl;dr today tomorrow tonight topic
    true update warning why yes no and also because here well first finally next however moreover therefore
    meanwhile instead otherwise besides anyway basically honestly obviously translation source edit correction ah hi oh"""))  # fmt: skip
_SAYING = frozenset({"said", "says", "say", "asked", "asks", "thought", "goes", "was", "is", "are", "like"})
_SOUNDS = frozenset(re.findall(r"\w+", """
    applause audio cheering crosstalk inaudible laughing laughs laughter music pause playing silence sighs
    笑 笑い 拍手 音楽 音乐 笑声 掌声"""))  # fmt: skip
_ASIDE = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|\|.*|[-\u2013\u2014]\s.*)\s*$")  # `(he/him)`, `| Mill Ltd`, `- CEO`


@dataclass(frozen=True, slots=True)
class Names:
    """The speakers' names of one file, with the styles in which it writes them: each has its own pattern and names."""

    styles: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = ()

    def __bool__(self) -> bool:
        return any(names for _, names in self.styles)

    def __contains__(self, name: str) -> bool:
        return any(name in names for _, names in self.styles)

    def prefix_of(self, line: str) -> re.Match[str] | None:
        """The name at the start of a line with all that parts it from the words, if there is one; group 1 is the name."""
        for style, names in self.styles:
            if (match := style.match(line)) and match[1] in names:
                return match
        return None

    def is_strange(self, line: str) -> bool:
        """Whether the line starts with what may be another speaker's name, so that the last one does not say it."""
        match = _COLON.match(line) or (_BRACKETS.match(line) if line.startswith(("（", "【")) else None)  # noqa: RUF001
        if not self or not match or match[1] in self or match[1].casefold() in _ORDINARY:
            return False
        name, comma, _ = match[1].partition(", ")
        titled = bool(comma) and len(name.split()) > 1 and is_name(name)  # `Ole Dahl, baker at the harbour`
        return titled or is_name(match[1]) or match[1].startswith("@") or ")" in match[1] or is_short(match[1])


def find_names(*views: Sequence[str]) -> Names:
    """The names at the start of lines, in each style in which a file writes names; each view is a choice of its lines."""
    found = ((style, [_in_style(style, lines) for lines in views]) for style in STYLES)
    return Names(tuple((style, frozenset[str]().union(*names)) for style, names in found))


def is_name(words: str) -> bool:
    """Whether the words look like a speaker's name: one to five, each capitalised or a number, no ordinary word.

    What follows a name in brackets, or as a title after a comma, does not count; a handle is a name.
    """
    if re.fullmatch(r"@[\w.-]{2,40}", words):
        return True
    name, _, title = _ASIDE.sub("", clean_name(words)).partition(", ")
    parts = [part for part in name.split() if part == "&" or any(letter.isalnum() for letter in part)]
    if (
        not 1 <= len(parts) <= 5
        or parts[-1].casefold() in _ORDINARY
        or parts[0] in _PARTICLES
        or not _may_be_name(name)
    ):
        return False
    if parts[0].casefold() in _ORDINARY and parts[-1][0].isdigit():
        return False  # `Episode 7`, `Chapter 2`
    small = _PARTICLES | {"&"}
    titled = all(part in small | {"at", "for"} or _is_capital(part) for part in title.split())
    return titled and all(part in small or _is_capital(part) for part in parts)


def name_speakers(cues: Sequence[Cue]) -> list[Cue]:
    """Where no cue names its speaker, take the name from the start of its lines, if the file has them there.

    A cue without a name has the speaker of the cue before; one with a prefix that is no known name has none.
    """
    if any(cue.speaker for cue in cues):
        return list(cues)
    texts = [cue.text for cue in cues if cue.text]
    names = find_names([line for text in texts for line in text.split("\n")], texts)
    named: list[Cue] = []
    speaker = ""
    for cue in cues:
        for line in _by_speaker(cue.text, names):
            prefix = names.prefix_of(line)
            changed = bool(names) and (CHANGE.match(line) is not None or names.is_strange(line))
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


def _in_style(style: re.Pattern[str], lines: Sequence[str]) -> set[str]:
    """The names that these lines start with in one style, if they do so again and again; else none."""
    said = [style.match(line) for line in lines if line.strip()]
    counts = Counter(match[1] for match in said if match)
    shaped = {name for name in counts if is_name(name)}
    again = {name for name, count in counts.items() if count > 1 and _may_be_name(name)}
    share = sum(counts[name] for name in again | shaped) / max(1, len(said))
    if style is _COLON:
        return _before_colon(said, counts, shaped, again, share)
    if style is _BOLD:  # headings and the bold first words of sections are written so, too
        names = {name for name in again if name in shaped or len(name.split()) < 5}
        mostly = 2 * sum(counts[name] for name in names) >= counts.total()
        once = {name for name in counts if is_short(name) or (name in shaped and (mostly or len(name.split()) > 1))}
        return names | once if names and 3 * counts.total() >= len(said) else set()
    # sounds and asides are written so, too: only where half of the lines have one, of two speakers or nearly all
    throughout = counts.total() >= 0.9 * len(said)
    sounds = {name for name in counts if name.casefold().split()[-1] in _SOUNDS}
    names = (shaped | {name for name in again if throughout and is_short(name)}) - sounds
    others = again & names or (style is _BRACKETS and throughout)
    return names if others and 2 * share >= 1 and (len(names) > 1 or (again & names and throughout)) else set()


def _before_colon(
    said: Sequence[re.Match[str] | None], counts: Counter[str], shaped: set[str], again: set[str], share: float
) -> set[str]:
    """The names before a colon, if this file names its speakers so.

    It does if two names come again, or if its first line has a name and a name comes again, or there is only one name,
    or half of the lines have one. Where half of the lines have a prefix that looks like a name or comes again, each that
    comes again is a name, whatever it looks like, and each that is as short as one. A name alone on its line, or after
    `>>`, is one.
    """
    found = [match for match in said if match]
    repeated = len(again & shaped)
    opening = bool(said and said[0] and said[0][1] in shaped)
    consistent = opening and (repeated > 0 or len(shaped) == 1 or 2 * sum(counts[name] for name in shaped) >= len(said))
    names = set(shaped) if consistent or repeated > 1 else set()
    names |= {m[1] for m in found if m[1] in shaped and (m.end() == len(m.string) or m[0].startswith(">>"))}
    throughout = len(found) >= 0.9 * len(said)
    first = bool(said and said[0] and said[0][1] in again)
    if again and 2 * share >= 1 and (len(again) > 1 or shaped or first):
        names |= shaped | again
        names |= {m[1] for m in found if throughout or m.string[m.end() : m.end() + 1].isupper() if is_short(m[1])}
    elif throughout and len(found) > 2 and all(is_short(name) or name in shaped for name in counts):
        names |= set(counts)  # each speaks once
    return names


def _may_be_name(words: str) -> bool:
    """Whether words may be a name at all: without the end of a sentence, where that is no initial (`M.`), or `he said`."""
    if words.casefold().split()[-1:] and words.casefold().split()[-1] in _SAYING:
        return False
    return not re.search(rf"\.\s+[a-z]|[{STOPS}]|\w{{3}}\.$", words)


def _is_capital(word: str) -> bool:
    """Whether the word starts with a capital, a digit, or a letter of a script without capitals."""
    if (without_spaces(word) and len(word) > 24) or (len(word) > 8 and re.match("[\u3040-\u9fff]", word)):
        return False  # a clause, not a name
    first = word.lstrip("([\"'“#")[:1]
    return (
        first.isdigit()
        or re.match("[a-z][A-Z]", word) is not None
        or (first.isalpha() and (first != first.lower() or first.lower() == first.upper()))
    )


def _by_speaker(text: str, names: Names) -> Iterator[str]:
    """The text cut before each line that starts with one of the names."""
    part: list[str] = []
    for line in text.split("\n"):
        if part and (names.prefix_of(line) or names.is_strange(line)):
            yield "\n".join(part)
            part = []
        part.append(line)
    yield "\n".join(part)
