"""Reads tables of who said what when: CSV and TSV, with or without a row of names."""

import csv
import io

from ingest.errors import TranscriptError, UnknownFormatError
from ingest.transcripts.cues import Cue
from ingest.transcripts.entries import cues_of, is_header, number_of


def read_table(text: str, subject: str) -> list[Cue]:
    """The cues of CSV or TSV: columns by their names, else start, end and text. Raises TranscriptError for other tables."""
    table = text.strip("\n")
    mark = delimiter(table.partition("\n")[0])
    plain = mark == "\t"  # Whisper writes quotes as they are
    try:
        cells = csv.reader(io.StringIO(table), delimiter=mark, quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL)
        rows = [row for row in cells if row]
    except csv.Error as error:
        raise TranscriptError(subject, f"is not a table that can be read: {error}") from error
    if not rows:
        return []
    if is_header(rows[0]):
        return cues_of([dict(zip(rows[0], row, strict=False)) for row in rows[1:]])
    second = "end" if len(rows[0]) > 2 and number_of(rows[0][1]) is not None else "speaker"
    names = {2: ["start", "text"], 3: ["start", second, "text"], 4: ["start", "end", "speaker", "text"]}.get(
        len(rows[0])
    )
    if names is None or number_of(rows[0][0]) is None:
        reason = "is a table without a row that names a column for the time and one for the text"
        raise UnknownFormatError(subject, reason)
    return cues_of([dict(zip(names, row, strict=False)) for row in rows])


def delimiter(line: str) -> str:
    """What parts the columns of a table whose first line this is."""
    return max("\t,;|", key=line.count)
