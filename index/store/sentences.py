"""Sentences as they are stored, for what stands around a passage."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from index.sentence_span import SentenceTable
from index.store.generations import Tables
from index.store.record import Record
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
    records = sorted(map(Record, rows["record"].to_pylist()), key=attrgetter("first_word"))
    return {
        key: _around([record for record in records if record.key == key], wanted, count)
        for key, wanted in places.items()
    }


def _around(chunks: Sequence[Record], wanted: Iterable[tuple[int, int]], count: int) -> list[StoredSentence]:
    read = cache(lambda record: list(_of_chunk(record)))
    starts = [record.first_word for record in chunks]
    found: dict[int, StoredSentence] = {}
    for first, last in wanted:
        at = max(0, bisect_right(starts, first) - 1)
        for way, side in ((chunks[at::-1], "before"), (chunks[at:], "after")):
            beside = set[int]()
            for record in way:
                found |= {one.first: one for one in read(record)}
                beside |= {
                    one.first for one in read(record) if (one.last <= first if side == "before" else one.first >= last)
                }
                if len(beside) >= count:
                    break
    return [found[first] for first in sorted(found)]


def _of_chunk(record: Record) -> Iterable[StoredSentence]:
    names, text, word = [*record.facts["speakers"], ""], record.facts["text"], record.first_word  # nobody is number -1
    for span in SentenceTable(record.arrays["sentence_stats"]).spans():
        said = text[span.begin : span.end]
        yield StoredSentence(word, word + span.words, said, names[span.speaker], span.start, span.stop, span.advert)
        word += span.words
