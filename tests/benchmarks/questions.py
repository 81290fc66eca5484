"""Judged questions: what is asked, and where the answer lies; read from JSON lines, pure."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from index.query import MAX_QUERY
from ingest.errors import QueryError, SoundbiteError

EVERYTHING = "all"
RESERVED = (EVERYTHING, "episode", "abstention")  # what figures' names begin with
_TOKEN = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile("['’]")  # noqa: RUF001 - the typographic one is meant
_FORM = 'expected {"question": "…", "type": "…", "episode_id": "…", "span": "the words that answer"}'


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer lies in an episode: its words (`span`) or its `seconds`.

    `episode` is a guid, a key (or its first 8 digits) or a title.
    """

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
    """Lower-case runs of letters and digits; apostrophes are dropped, so that `don't` is one."""
    return _TOKEN.findall(_APOSTROPHE.sub("", text.lower()))


def plain(text: str) -> str:
    """The tokens with single spaces, and one at both ends, so that `in` compares whole words."""
    return f" {' '.join(tokens(text))} "


def read_questions(lines: Iterable[str], name: str, words_of: Callable[[str], Sequence[str]]) -> list[Judged]:
    """Questions from JSON lines; `words_of` gives the tokens of an episode's transcript, where a place counts them.

    A question has `question`, `type`, `episode_id` and one of `span`, `first` and `last` (numbers of tokens, from 0), or
    `start` and `end` (seconds); `alt_spans` lists further places. Without an episode and a place nothing answers it.
    Raises `QueryError` that names the line, whatever is wrong with it.
    """
    read: dict[str, Judged] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            judged = _judged(json.loads(line), f"line {number}", words_of)
        except json.JSONDecodeError as error:
            raise QueryError(f"{name}:{number}", f"is not JSON ({error.msg}); {_FORM}") from error
        except (ValueError, RecursionError, SoundbiteError) as error:
            raise QueryError(f"{name}:{number}", str(error)) from error
        if judged.id in read:
            raise QueryError(f"{name}:{number}", f"the id {judged.id!r} is taken by an earlier question")
        read[judged.id] = judged
    if not read:
        raise QueryError(name, f"holds no questions; one JSON object a line is {_FORM}")
    return list(read.values())


def _judged(row: Any, name: str, words_of: Callable[[str], Sequence[str]]) -> Judged:
    if not isinstance(row, dict):
        raise ValueError(f"is not an object; {_FORM}")  # noqa: TRY004 - all that is wrong with a line is a ValueError
    json.dumps(row, ensure_ascii=False).encode()  # half a surrogate pair cannot be asked or printed
    question, kind = _text(row, "question"), _text(row, "type") or "question"
    if not tokens(question) or len(question) > MAX_QUERY:
        raise ValueError(f"`question` must be of one word to {MAX_QUERY:,} characters; {_FORM}")
    if kind in RESERVED:
        raise ValueError(f"the type {kind!r} means something else here; call it otherwise")
    others = row.get("alt_spans") or []
    if not isinstance(others, list) or not all(isinstance(other, dict) for other in others):
        raise ValueError('`alt_spans` must be a list of {"episode_id": "…", "span": "…"}')
    places = [place for entry in (row, *others) if (place := _place(entry, words_of))]
    return Judged(str(row.get("id") or name), question, kind, tuple(places))


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`{name}` must be text, not {value!r}")
    return value or ""


def _place(row: dict[str, Any], words_of: Callable[[str], Sequence[str]]) -> Place | None:
    episode, span = _text(row, "episode_id"), _text(row, "span")
    numbers, seconds = _pair(row, "first", "last", int), _pair(row, "start", "end", int | float)
    if not (span or numbers or seconds):
        if episode:
            raise ValueError(
                f"names the episode {episode!r} but no `span`, nor `first` and `last`, nor `start` and `end`"
            )
        return None
    if not episode:
        raise ValueError("says where the answer is but not in which `episode_id`")
    if span and not tokens(span):
        raise ValueError("`span` holds no words")
    if numbers:
        span = _counted(words_of(episode), episode, *numbers)
    return Place(episode, span, seconds)


def _pair(row: dict[str, Any], first: str, last: str, kind: Any) -> tuple[Any, Any] | None:
    begin, end = row.get(first), row.get(last)
    if begin is None and end is None:
        return None
    if not (isinstance(begin, kind) and isinstance(end, kind) and 0 <= begin <= end):
        raise ValueError(f"`{first}` and `{last}` must both be numbers, from 0 up and in order")
    return begin, end


def _counted(words: Sequence[str], episode: str, first: int, last: int) -> str:
    if last >= len(words):
        raise ValueError(f"ends at word {last} of {episode!r}, which has {len(words)}")
    return " ".join(words[first : last + 1])
