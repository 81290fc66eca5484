"""Sentences as they are stored, for what stands around a passage."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from index.sentence_span import SentenceTable
from index.store.generations import Tables
from index.store.record import Records
from index.store.schema import quoted

Places = Mapping[str, Sequence[tuple[int, int]]]  # words, first to before last, by the episode's key


@dataclass(frozen=True, slots=True)
class StoredSentence:
    """Words `first` to before `last` of an episode; `start` and `end` in seconds, None where unknown; `advert` a sponsor's."""

    first: int
    last: int
    text: str
    speaker: str
    start: float | None
    end: float | None
    advert: bool


async def read_around(tables: Tables, places: Places, count: int) -> dict[str, list[StoredSentence]]:
    """The sentences around places in episodes, in order, by the episode's key: `count` on each side, or all there are.

    Others may be among them. Only the chunks at hand are unpacked: whole episodes took ten times as long.
    """
    where = f"key IN ({', '.join(map(quoted, places))})"
    rows = await tables.chunks.query().where(where).select(["record"]).to_arrow()
    if not len(rows):
        return {key: [] for key in places}
    records = Records(rows["record"].to_pylist())
    return {key: _around(records, _chunks_of(records, key), wanted, count) for key, wanted in places.items()}


def _chunks_of(records: Records, key: str) -> list[int]:
    """The numbers of an episode's chunks, in order."""
    own = np.flatnonzero(records.episode == np.uint64(int(key, 16)).astype(np.int64))
    return [int(number) for number in own[np.argsort(records.first_word[own], kind="stable")]]


def _around(
    records: Records, chunks: Sequence[int], wanted: Iterable[tuple[int, int]], count: int
) -> list[StoredSentence]:
    read = cache(lambda number: list(_of_chunk(records, number, records.facts(number))))
    starts = [int(records.first_word[number]) for number in chunks]
    found: dict[int, StoredSentence] = {}
    for first, last in wanted:
        at = max(0, bisect_right(starts, first) - 1)
        for way, side in ((chunks[at::-1], "before"), (chunks[at:], "after")):
            beside = set[int]()
            for number in way:
                found |= {one.first: one for one in read(number)}
                beside |= {
                    one.first for one in read(number) if (one.last <= first if side == "before" else one.first >= last)
                }
                if len(beside) >= count:
                    break
    return [found[first] for first in sorted(found)]


def _of_chunk(records: Records, number: int, facts: dict[str, Any]) -> Iterable[StoredSentence]:
    table = SentenceTable(records.value("sentence_stats", number))
    names, word = [*facts["speakers"], ""], int(records.first_word[number])  # nobody is number -1
    for row in range(len(table)):
        span = table.span(row)
        text = facts["text"][span.begin : span.end]
        yield StoredSentence(word, word + span.words, text, names[span.speaker], span.start, span.stop, span.advert)
        word += span.words
