"""What the index keeps about a sentence: the one list of it, and how it is packed into numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1  # stands for None
SCALES = {"start": 1_000, "stop": 1_000, "lead": 1_000, "prominence": 1_000_000}  # of fields that are no whole numbers


@dataclass(frozen=True, slots=True)
class SentenceSpan:
    """One sentence of a chunk: `text[begin:end]`, spoken from `start` to `stop` (seconds, None where unknown).

    `lead` is where to play from to hear it whole: a little earlier, between two words. `opens` says that a thought may
    begin here: it goes on with no `and`, `but` or `because`, or is the first sentence of a paragraph. `asks` marks a
    question by another than the episode's most talkative speaker.
    `speaker` is a number in the chunk's `speakers`, -1 where nobody is named. `words` and `pieces` (of the embedding
    model) are lengths. `prominence` is 0 to 1: what the speaker says in the episode as a share of what the most
    talkative speaker says, halved where it `asks`. `advert` marks a sponsor's message. `terms` counts the
    sentence's terms, `signature` is the hash of its words: equal sentences have equal signatures.
    """

    begin: int
    end: int
    start: float | None
    stop: float | None
    lead: float | None
    speaker: int
    words: int
    pieces: int
    prominence: float
    advert: bool
    opens: bool
    asks: bool
    terms: int
    signature: int


FIELDS = tuple(field.name for field in fields(SentenceSpan))


def pack(spans: Sequence[SentenceSpan]) -> NDArray[np.int32]:
    """int32 [sentences * fields], a sentence after the other; times to a millisecond."""
    columns = [[_number(name, getattr(span, name)) for span in spans] for name in FIELDS]
    return np.array(columns, np.int32).T.ravel()


def _number(name: str, value: float | None) -> int:
    return UNKNOWN if value is None else round(value * SCALES.get(name, 1))


class SentenceTable:
    """Packed sentences, by row; `values` is int32 [sentences, fields]."""

    def __init__(self, packed: Any) -> None:
        self.values: NDArray[np.int32] = np.asarray(packed, np.int32).reshape(-1, len(FIELDS))

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> NDArray[np.int64]:
        """One field of all sentences; in the units of `SCALES`."""
        return self.values[:, FIELDS.index(name)].astype(np.int64)

    def spans(self, begin: int = 0, end: int | None = None) -> list[SentenceSpan]:
        """The sentences of these rows."""
        columns = zip(FIELDS, self.values[begin:end].T.tolist(), strict=True)
        return list(map(SentenceSpan, *(_values(name, numbers) for name, numbers in columns)))


def _values(name: str, numbers: list[int]) -> list[Any]:
    if name in SCALES:
        return [None if number == UNKNOWN else number / SCALES[name] for number in numbers]
    return list(map(bool, numbers)) if name in {"advert", "opens", "asks"} else numbers
