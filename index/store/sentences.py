"""The sentences of whole episodes as they are stored, for what stands around a passage."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from index.sentence_span import SentenceTable
from index.store.generations import Tables
from index.store.record import Records
from index.store.schema import quoted


@dataclass(frozen=True, slots=True)
class StoredSentence:
    """Words `first` to before `last` of an episode; `start` and `end` in seconds, None where unknown."""

    first: int
    last: int
    text: str
    speaker: str
    start: float | None
    end: float | None


async def read_sentences(tables: Tables, keys: Iterable[str]) -> dict[str, list[StoredSentence]]:
    """Every sentence of these episodes in order, by the episode's key."""
    where = f"key IN ({', '.join(map(quoted, keys))})"
    rows = await tables.chunks.query().where(where).select(["record"]).to_arrow()
    records = Records(rows["record"].to_pylist())
    found: dict[str, dict[int, StoredSentence]] = {}
    for number in np.argsort(records.first_word).tolist():
        facts = records.facts(number)
        for sentence in _of_chunk(records, number, facts):
            found.setdefault(facts["key"], {}).setdefault(sentence.first, sentence)
    return {key: list(sentences.values()) for key, sentences in found.items()}


def _of_chunk(records: Records, number: int, facts: dict[str, Any]) -> Iterable[StoredSentence]:
    table = SentenceTable(records.value("sentence_stats", number))
    names, word = [*facts["speakers"], ""], int(records.first_word[number])  # nobody is number -1
    for row in range(len(table)):
        span = table.span(row)
        text = facts["text"][span.begin : span.end]
        yield StoredSentence(word, word + span.words, text, names[span.speaker], span.start, span.stop)
        word += span.words
