"""Episodes as a Parquet file, written in parts of bounded size."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

ROWS = 16  # episodes in a row group: about 3 MB of text


def to_parquet(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The bytes of a Parquet file, a row group at a time; columns are those of `export_row`, `segments` and `turns` lists.

    `provenance` is a column of JSON, since each recogniser says something else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, seconds = pa.string(), pa.float64()
    turn = pa.struct({"speaker": text, "text": text})
    segment = pa.struct({"start": seconds, "end": seconds, "speaker": text, "text": text, "language": text})
    names = ("key", "podcast", "podcast_title", "guid", "title", "published", "link", "audio_url", "transcribed_at")
    columns = dict.fromkeys(names, text) | {
        "duration": seconds, "turns": pa.list_(turn), "segments": pa.list_(segment), "provenance": text, "version": text,
    }  # fmt: skip
    schema = pa.schema(list(columns.items()))
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        rest = iter(rows)
        while group := list(islice(rest, ROWS)):
            ready = [{**row, "provenance": json.dumps(row["provenance"], ensure_ascii=False)} for row in group]
            writer.write_table(pa.Table.from_pylist(ready, schema=schema))
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that is written to once and read as it grows."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._position += len(self._parts[-1])
        return len(self._parts[-1])

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
