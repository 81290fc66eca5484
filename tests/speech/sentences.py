"""Sentences to train and test the small speech model on: our own words, our own grammar, no third-party text.

`lexicon.txt` lists the words by the place they can take, `grammar.txt` the sentence frames. A share of the sentences
are loose phrases over a public-domain word list (SCOWL, Debian package `scowl`), so that spelling follows the sound.
"""

import random
import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
SCOWL = Path("/usr/share/dict/scowl")
SCOWL_LISTS = ("english-words.10", "american-words.10", "english-words.20", "american-words.20")
COMMON_LISTS = 2  # of these lists, how many hold the very common words
SLOT = re.compile(r"\{([a-z_]+)\}")
KINDS = ("plain", "statement", "question", "talk", "short", "work", "small")
SHARES = (0.25, 0.25, 0.08, 0.11, 0.05, 0.2, 0.06)
FEW = 13  # words
COMMON_SHARE = 0.8  # of the draws are from the words that speech uses most
DEEPEST = 3  # levels of nesting before only the plain frames of a symbol are used
FORMS = {"": 0, "_s": 1, "_ed": 2, "_en": 3, "_ing": 4}  # a verb slot's ending names the form
VERB_SLOTS = {
    "do": "verb_object",
    "act": "verb_alone",
    "say": "verb_that",
    "want": "verb_to",
    "give": "verb_give",
    "urge": "verb_person",
    "trade": "verb_trade",
}
WORD_SLOTS = {
    "name": "first_name", "family": "last_name", "place": "place", "day": "day", "month": "month", "person": "people",
    "group": "group", "thing": "thing", "stuff": "mass", "adj": "adjective", "adv": "adverb", "prep": "preposition",
    "link": "linking", "opener": "opener", "ordinal": "ordinal", "modal": "modal", "digit": "number", "function": "function",
    "worker": "worker", "deal": "deal", "pron": "pronoun", "pron_to": "pronoun_object",
}  # fmt: skip
VOWEL_SOUND = re.compile(r"(?!(?:uni|use|usu|euro|one|once))[aeiou]|hour|honest", re.IGNORECASE)
IRREGULAR_S = {"have": "has", "go": "goes", "do": "does", "be": "is"}
# Verbs whose last letter doubles before -ing and a regular -ed.
DOUBLED = {
    "begin", "cut", "drop", "fit", "forget", "get", "grab", "hit", "let", "nod", "plan", "put", "quit", "regret",
    "refer", "rub", "run", "set", "ship", "shop", "shut", "sit", "skip", "split", "spin", "stop", "swim", "win",
    "wrap", "admit", "commit", "permit", "control", "prefer", "beg", "submit", "bet", "bat", "hug", "plug", "rob",
    "step", "trim", "occur", "compel", "equip", "chat", "snap",
}  # fmt: skip


@cache
def lexicon() -> dict[str, list[str]]:
    """The words of `lexicon.txt` by section, with spaces for underscores."""
    sections: dict[str, list[str]] = {}
    for line in (HERE / "lexicon.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            words += (
                line.replace("_", " ").split(" ") if "_" not in line else [w.replace("_", " ") for w in line.split()]
            )
    return sections


@cache
def common() -> dict[str, list[str]]:
    """The words of `lexicon()` that speech uses most, by section; small sections keep all of theirs."""
    lines = (HERE / "common_words.txt").read_text(encoding="utf-8").splitlines()[1:]
    often = {word.replace("_", " ") for line in lines for word in line.split()}
    chosen = {name: [w for w in words if w.split("/")[0].lower() in often] for name, words in lexicon().items()}
    return {name: words if len(words) >= FEW else lexicon()[name] for name, words in chosen.items()}


@cache
def grammar() -> dict[str, list[str]]:
    """The frames of `grammar.txt` by symbol; the first frame of each symbol is a plain one that ends the nesting."""
    symbols: dict[str, list[str]] = {}
    for line in (HERE / "grammar.txt").read_text(encoding="utf-8").splitlines():
        if line.endswith(":") and "{" not in line:
            frames = symbols.setdefault(line[:-1], [])
        elif line and not line.startswith("#"):
            frames += [x.strip() for x in line.split("|") if x.strip()]
    return symbols


@cache
def listed_words(common: bool) -> list[str]:
    """Lower-case words of SCOWL: the very common ones, or some twelve thousand."""
    words: set[str] = set()
    for name in SCOWL_LISTS[: COMMON_LISTS if common else None]:
        text = (SCOWL / name).read_text(encoding="latin-1")
        words.update(w for w in text.split() if re.fullmatch(r"[a-z]{2,}", w))
    return sorted(words)


def plural(noun: str) -> str:
    """`noun/plural` where irregular, else by rule."""
    if "/" in noun:
        return noun.split("/")[1]
    if re.search(r"(s|x|z|ch|sh|hero|potato|tomato)$", noun):
        return noun + "es"
    return noun[:-1] + "ies" if re.search(r"[^aeiou]y$", noun) else noun + "s"


def verb_form(verb: str, form: int) -> str:
    """One form of `base[/past[/participle]]`: 0 base, 1 he ..s, 2 past, 3 participle, 4 ..ing; a particle stays behind."""
    parts = [p.split(" ", 1) for p in verb.split("/")]
    base, particle = parts[0][0], " " + parts[0][1] if len(parts[0]) > 1 else ""
    stem = base + base[-1] if base in DOUBLED else base
    if form == 0:
        return base + particle
    if form == 1:
        return IRREGULAR_S.get(base, plural(base)) + particle
    if form == 4:
        stem = base[:-2] + "y" if base.endswith("ie") else base[:-1] if re.search(r"[^eo]e$", stem) else stem
        return stem + "ing" + particle
    if len(parts) > 1:
        return parts[min(form - 1, len(parts) - 1)][0] + particle
    stem = base[:-1] + "i" if re.search(r"[^aeiou]y$", base) else stem
    return (stem + "d" if stem.endswith("e") else stem + "ed") + particle


def number(draw: random.Random) -> str:
    """A cardinal in words."""
    ones, tens = lexicon()["number"], lexicon()["tens"]
    small = draw.choice(tens) + draw.choice(["", " " + draw.choice(ones[:9])])
    hundreds = draw.choice(ones[:9]) + " hundred"
    kinds = [
        draw.choice(ones), draw.choice(ones[:10]), small, hundreds, f"{hundreds} and {draw.choice([small, draw.choice(ones)])}",
        f"{draw.choice([small, draw.choice(ones), hundreds])} {draw.choice(['thousand', 'million'])}",
        f"{draw.choice(ones[:9])} point {draw.choice(ones[:9])}", f"two thousand and {draw.choice([small, draw.choice(ones)])}",
    ]  # fmt: skip
    return draw.choices(kinds, [5, 4, 5, 2, 2, 2, 1, 1])[0]


class Writer:
    """Draws sentences; `stray` is the share of content words that come from the word list instead of the lexicon."""

    def __init__(self, draw: random.Random, stray: float = 0.04) -> None:
        self.draw, self.stray = draw, stray

    def word(self, slot: str) -> str | None:
        """The word for one slot, or None where the slot is a symbol of the grammar."""
        draw = self.draw
        words = common() if draw.random() < COMMON_SHARE else lexicon()
        if slot == "number":
            return number(draw)
        base, _, ending = slot.partition("_")
        if base in VERB_SLOTS and (not ending or "_" + ending in FORMS):
            return verb_form(draw.choice(words[VERB_SLOTS[base]]), FORMS["_" + ending if ending else ""])
        if slot in ("thing", "adj", "stuff", "persons", "things") and draw.random() < self.stray:
            return draw.choice(listed_words(common=draw.random() < 0.7))
        if slot in ("persons", "groups", "things", "workers", "deals"):
            return plural(draw.choice(words[WORD_SLOTS[slot[:-1]]]))
        return draw.choice(words[WORD_SLOTS[slot]]).split("/")[0] if slot in WORD_SLOTS else None

    def fill(self, frame: str, depth: int = 0) -> str:
        """The frame with every slot filled."""

        def one(match: re.Match[str]) -> str:
            slot = match.group(1)
            word = self.word(slot)
            if word is not None:
                return word
            frames = grammar()[slot]
            return self.fill(frames[0] if depth >= DEEPEST else self.draw.choice(frames), depth + 1)

        return SLOT.sub(one, frame)

    def spoken(self, symbol: str) -> str:
        """One finished sentence of a symbol: articles fitted, first letter large, a mark at the end."""
        text = " ".join(self.fill("{" + symbol + "}").split())
        text = re.sub(
            r"\b([Aa]) (?=(\w+))", lambda m: m.group(1) + ("n " if VOWEL_SOUND.match(m.group(2)) else " "), text
        )
        text = text[0].upper() + text[1:]
        return text if text[-1] in ".?!" else text + "."

    def phrase(self) -> str:
        """Loose words: list, lexicon and function words in turn, so that spelling is learned from the sound."""
        draw, words = self.draw, []
        for _ in range(draw.randint(3, 10)):
            kind = draw.random()
            if kind < 0.3:
                words.append(draw.choice(listed_words(common=True)))
            elif kind < 0.4:
                words.append(draw.choice(listed_words(common=False)))
            elif kind < 0.7:
                words.append(self.any_form())
            else:
                words.append(draw.choice(lexicon()["function"]))
        text = " ".join(words)
        return text[0].upper() + text[1:] + "."

    def any_form(self) -> str:
        """Any word of the lexicon in any of its forms."""
        section = self.draw.choices(list(lexicon()), [len(w) for w in lexicon().values()])[0]
        word = self.draw.choice(lexicon()[section])
        if section.startswith("verb"):
            return verb_form(word, self.draw.randrange(5))
        if section in ("thing", "people", "group", "worker", "deal"):
            return plural(word) if self.draw.random() < 0.4 else word.split("/")[0]
        return word.split("/")[0]


def sentence(draw: random.Random, loose: float = 0.1) -> str:
    """One sentence; a share `loose` of them are phrases of unconnected words."""
    writer = Writer(draw, stray=0.04 if loose else 0.0)
    if draw.random() < loose:
        return writer.phrase()
    return writer.spoken(draw.choices(KINDS, SHARES)[0])
