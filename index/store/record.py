"""What a search reads of a chunk, packed into one value of bytes: LanceDB reads 72 of them in 2.6 ms, 19 columns in 13.6."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from index.chunk_arrays import IntArray, bounds_of

_TYPES = {
    "sentence_stats": np.int32, "terms": np.int32, "title_terms": np.int32, "windows": np.int32, "speaker_hashes": np.int32,
    "window_vectors": np.int8, "window_scales": np.float32, "window_norms": np.float32,
}  # fmt: skip
_FACTS = len(_TYPES)
_HEAD = 8 * (3 + _FACTS + 1)  # bytes: numbers of chunk and episode, the first word, the length of each part; as uint64


def pack_record(name: str, key: str, first_word: int, arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    """A chunk's arrays, by the names above, and the facts that a hit shows (JSON).

    `name` (the chunk's id) and `key` (the episode's) are hexadecimal; their first 64 bits are kept.
    """
    parts = [np.asarray(arrays[name], kind).tobytes() for name, kind in _TYPES.items()]
    parts.append(json.dumps(facts, ensure_ascii=False).encode())
    head = [*(int.from_bytes(bytes.fromhex(one)[:8]) for one in (name, key)), first_word]
    return b"".join([np.array([*head, *map(len, parts)], np.uint64).tobytes(), *parts])


class Records:
    """Packed chunks in the order of their ids, so that ties fall one way whatever order they were found in."""

    def __init__(self, records: Sequence[bytes]) -> None:
        heads = np.frombuffer(b"".join(record[:_HEAD] for record in records), np.uint64).reshape(len(records), -1)
        order = np.argsort(heads[:, 0])
        self.episode, self.first_word = heads[order, 1:3].T.astype(np.int64)
        self._records: list[bytes] = [records[i] for i in order]
        self._lengths = heads[order, 3:].astype(np.int64)
        self._bounds = (_HEAD + np.cumsum(np.pad(self._lengths, ((0, 0), (1, 0))), 1)).tolist()

    def values(self, name: str) -> Any:
        """An array of all chunks, one after the other."""
        part = list(_TYPES).index(name)
        return np.frombuffer(b"".join(self._part(number, part) for number in range(len(self._records))), _TYPES[name])

    def value(self, name: str, number: int) -> Any:
        """An array of one chunk."""
        return np.frombuffer(self._part(number, list(_TYPES).index(name)), _TYPES[name])

    def bounds(self, name: str) -> IntArray:
        """[n + 1]: where the values of each chunk begin."""
        return bounds_of(self._lengths[:, list(_TYPES).index(name)] // np.dtype(_TYPES[name]).itemsize)

    def facts(self, number: int) -> dict[str, Any]:
        """The facts of a chunk."""
        found: dict[str, Any] = json.loads(self._part(number, _FACTS))
        return found

    def _part(self, number: int, part: int) -> bytes:
        begin, end = self._bounds[number][part : part + 2]
        return self._records[number][begin:end]
