"""What hits show of chunks, read from Arrow as few times as can be: a cell at a time, it would cost as much as finding them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any

from index import scoring as rank
from index.chunk_arrays import Found
from index.store.schema import MARK, SHOWN, joined


class Shown:
    """`rows` of `chunks` as Arrow, with `key`, `marks` and the columns `SHOWN`."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def of(self, places: Sequence[int], sentences: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
        """One dictionary for each chunk at these places, in the same order, with the `marks` of these sentences of each."""
        episode, episodes = self._episodes
        texts = joined(self.rows["text"])
        return [
            {**episodes[episode[place]], "text": texts[place].as_py(), "marks": list(self._marked(place, own))}
            for place, own in zip(places, sentences, strict=True)
        ]

    def _marked(self, place: int, sentences: Sequence[int]) -> Iterator[dict[str, Any]]:
        first, speakers, columns = self._marks
        for i in (first[place] + sentence for sentence in sentences):
            mark = {name: column[i].item() for name, column in columns.items()}
            known = {name: None if isnan(value) else value for name, value in mark.items()}
            yield {**known, "speaker": speakers[i].as_py()}

    @cached_property
    def _episodes(self) -> tuple[Any, list[dict[str, Any]]]:
        """The episode of each chunk, and what all of its chunks show alike."""
        import numpy as np
        import pyarrow as pa

        episode = np.asarray(joined(self.rows["key"]).dictionary_encode().indices)
        _, first = np.unique(episode, return_index=True)
        alike = self.rows.select(["key", *(name for name in SHOWN if name != "text")])
        return episode, alike.take(pa.array(first)).to_pylist()

    @cached_property
    def _marks(self) -> tuple[Any, Any, dict[str, Any]]:
        """Where the marks of each chunk begin, and all marks column by column; a time that is not known is no number."""
        import numpy as np

        marks = joined(self.rows["marks"])
        numbers = {name: marks.values.field(name) for name in MARK if name != "speaker"}
        columns = {name: column.to_numpy(zero_copy_only=False) for name, column in numbers.items()}
        return np.asarray(marks.offsets), marks.values.field("speaker"), columns


@dataclass(frozen=True, slots=True)
class Candidates:
    """The chunks that may answer: as arrays, None where there are none, and the places in `shown` where they are."""

    found: Found | None
    known: rank.Frequencies
    shown: Shown | None
    places: Sequence[int]

    def show(self, chunks: Sequence[int], sentences: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
        """As `Shown.of`, for chunks numbered as in `found`."""
        return self.shown.of([self.places[chunk] for chunk in chunks], sentences) if self.shown else []
