"""Judged questions: what is asked, and the words or seconds that answer; read from JSON lines."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile("['’]")  # noqa: RUF001 - the typographic one is meant
_FORM = '{"question": "…", "type": "…", "episode_id": "…", "span": "the words that answer"}'


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer lies: an episode's guid, key or title, and there its words (`span`) or its `seconds`."""

    episode: str
    span: str = ""
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A question and the places that answer it; none where nothing does."""

    id: str
    question: str
    type: str
    places: tuple[Place, ...]


def tokens(text: str) -> list[str]:
    """Lower-case runs of letters and digits; apostrophes are dropped, so that `don't` is one token."""
    return _TOKEN.findall(_APOSTROPHE.sub("", text.lower()))


def plain(text: str) -> str:
    """The tokens with single spaces, and one at both ends, so that `in` compares whole words."""
    return f" {' '.join(tokens(text))} "


def read_questions(path: Path, words_of: Callable[[str], Sequence[str]]) -> list[Judged]:
    """The questions of a file; `words_of` gives the tokens of an episode's transcript.

    A place is an `episode_id` with a `span`, with `first` and `last` (numbers of tokens, from 0), or with `start` and
    `end` (seconds); `alt_spans` lists further places. Raises `ValueError` that names the line.
    """
    read: dict[str, Judged] = {}
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            judged = _judged(json.loads(line), f"line {number}", words_of)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name}:{number}: {error}; a line is {_FORM}") from error
        if judged.id in read:
            raise ValueError(f"{path.name}:{number}: the id {judged.id!r} is taken by an earlier question")
        read[judged.id] = judged
    if not read:
        raise ValueError(f"{path.name} holds no questions; a line is {_FORM}")
    return list(read.values())


def _judged(entry: dict[str, Any], name: str, words_of: Callable[[str], Sequence[str]]) -> Judged:
    question = entry["question"]
    if not tokens(question):
        raise ValueError("`question` holds no words")
    places = [place for one in (entry, *entry.get("alt_spans", ())) if (place := _place(one, words_of))]
    return Judged(str(entry.get("id") or name), question, entry.get("type") or "question", tuple(places))


def _place(entry: dict[str, Any], words_of: Callable[[str], Sequence[str]]) -> Place | None:
    episode, span = entry.get("episode_id") or "", entry.get("span") or ""
    if not episode and not span and "start" not in entry:
        return None
    if not episode:
        raise ValueError("says where the answer is but not in which `episode_id`")
    if "first" in entry:
        words, first, last = words_of(episode), entry["first"], entry["last"]
        if not 0 <= first <= last < len(words):
            raise ValueError(f"words {first} to {last} are not in {episode!r}, which has {len(words)}")
        return Place(episode, " ".join(words[first : last + 1]))
    if span:
        if not tokens(span):
            raise ValueError("`span` holds no words")
        return Place(episode, span)
    if "start" not in entry:
        raise ValueError(f"names the episode {episode!r} but no `span`, `first` and `last`, or `start` and `end`")
    if not 0 <= entry["start"] <= entry["end"]:
        raise ValueError("`start` and `end` must be seconds, in order")
    return Place(episode, "", (entry["start"], entry["end"]))
