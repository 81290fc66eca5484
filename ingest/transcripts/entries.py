"""Reads lists of entries that say who said what when: the JSON of speech recognisers, rows of tables.

Every program has its own names for the same four things. They are listed here once; the table of formats says where in a
document the list lies.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, pairwise
from typing import Any

from ingest.errors import TranscriptError, UnknownFormatError
from ingest.sentences import sentence_ends, word_count
from ingest.times import CLOCK, parse_duration, parse_time_expression
from ingest.transcripts.cues import Cue, collapse_spaces, join_words

# Where the list of entries lies, the first that holds words; `*` is each member of a list, digits one of them
PATHS = (
    "segments",  # Podcasting 2.0, Whisper, whisperX, OpenAI
    "transcription", "monologues.*.elements.*", "utterances",  # whisper.cpp, Rev, AssemblyAI and Gladia
    "results.utterances", "results.channels.*.alternatives.0.paragraphs.paragraphs.*.sentences.*",  # Deepgram
    "results.channels.*.alternatives.0.words.*", "results.audio_segments", "results.items",  # Deepgram, AWS Transcribe
    "speakers", "chunks",  # insanely-fast-whisper, Hugging Face
    "events", "snippets",  # YouTube json3, youtube-transcript-api
    "recognizedPhrases", "phrases", "results",  # Azure, Speechmatics and Google
    "sentences", "paragraphs.*.cues.*", "paragraphs",  # Fireflies and AssemblyAI, TED, AssemblyAI
    "cues", "captions", "transcript", "words", "result",  # players, YouTube, ElevenLabs and OpenAI, Vosk
)  # fmt: skip
LONG_ENTRY = 60  # words; a longer one is cut into sentences where its words have times of their own
DEPTH = 4  # how far a list may be wrapped in other objects
MAX_WORD_SECONDS = 60.0  # where words seem to take longer than this on average, the times are in milliseconds

_TEXT = re.findall(r"\w+", """
    body text transcript utterance sentence display content punctuatedword word value utf8 line caption words dialogue snippet""")  # fmt: skip
_WORDS = ("words", "elements", "segs", "items", "tokens", "sentences")
_SPEAKER = re.findall(r"\w+", """
    voice speaker speakerlabel speakername speakerid speakertag name who actor participant author users""")  # fmt: skip
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "inms": 1e-3, "milliseconds": 1e-3, "inticks": 1e-7}  # fmt: skip
_ROLES = {
    "start": "start starttime begin from ts tstart offset in timecodein time timestamp timecode t datastart",
    "end": "end endtime to endts stop stoptime out timecodeout finish dataend",
    "duration": "duration dur dduration d",
}
_TIMES = {
    role: {name + unit: scale for name in re.findall(r"\w+", names) for unit, scale in _UNITS.items()}
    for role, names in _ROLES.items()
}
_RANGE = re.compile(rf"\s*\[?({CLOCK})\s*(?:-->|->|-|\u2013|\u2014|to)\s*({CLOCK})\]?\s*")
_BETWEEN = re.compile(r"[\s,]*")


def read_json(text: str, subject: str) -> list[Cue]:
    """The cues of JSON, or of JSON lines. Raises TranscriptError where it is broken, or of a format that is not read."""
    document = _load(text.strip(), subject)
    if cues := _search(document, DEPTH):
        return cues
    if not isinstance(document, dict):
        return []
    for name in _TEXT:
        if isinstance(said := document.get(name), str):
            return [Cue(said)]
    if any(path.partition(".")[0] in document for path in PATHS):
        return []
    keys = ", ".join(repr(str(key)[:40]) for key in islice(document, 5)) or "none"
    raise UnknownFormatError(subject, f"is JSON, but no transcript that we know; its keys are {keys}")


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
    shapes = {2: ["start", "text"], 3: ["start", second, "text"], 4: ["start", "end", "speaker", "text"]}
    names = shapes.get(len(rows[0]), [])
    if not names or number_of(rows[0][0]) is None:
        reason = "is a table without a row that names a column for the time and one for the text"
        raise UnknownFormatError(subject, reason)
    return cues_of([dict(zip(names, row, strict=False)) for row in rows])


def delimiter(line: str) -> str:
    """What parts the columns of a table whose first line this is."""
    return max("\t,;|", key=line.count)


def is_header(cells: Sequence[str]) -> bool:
    """Whether the cells name a column for the time, and one for the text."""
    names = [_plain(cell) for cell in cells]
    return any(name in _TIMES["start"] for name in names) and any(name in _TEXT for name in names)


def cues_of(entries: Sequence[Any]) -> list[Cue]:
    """A cue for each entry that has words; times in milliseconds are seen by how long the words would take.

    Entries of one word each are joined into sentences.
    """
    cues = [cue for entry in entries if isinstance(entry, dict) for cue in _cues(entry) if cue.text]
    if _in_milliseconds(cues):
        cues = [replace(cue, start=cue.start and cue.start / 1000, end=cue.end and cue.end / 1000) for cue in cues]
    short = sum(len(cue.text.split()) < 2 for cue in cues)
    return _sentences(cues) if len(cues) > 3 and short >= 0.9 * len(cues) else cues


def _load(text: str, subject: str) -> Any:
    """A JSON document, or the list of those that follow each other (JSON lines)."""
    decoder, documents, at = json.JSONDecoder(), list[Any](), 0
    try:
        while at < len(text) or not documents:
            document, at = decoder.raw_decode(text, at)
            documents.append(document)
            at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
    except (ValueError, RecursionError) as error:
        raise TranscriptError(subject, "is not JSON that can be read; the file may be cut short") from error
    return documents[0] if len(documents) == 1 else documents


def _search(document: Any, depth: int) -> list[Cue]:
    """The cues of the first format that finds words in the document, or in what it wraps."""
    if isinstance(document, list):
        return cues_of(document) or [cue for each in document if depth for cue in _search(each, depth - 1)]
    if not isinstance(document, dict):
        return []
    listed = document.get("speakers")
    people = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    names = {_speaker(one.get("id")): name for one in people if (name := _speaker(one.get("name")))}
    for path in PATHS:
        if cues := cues_of(list(_at(document, path.removesuffix(".*").split(".")))):
            return [replace(cue, speaker=names.get(cue.speaker, cue.speaker)) for cue in cues]
    if columns := _columns(document):
        return cues_of([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
    inner = list(document.values())
    if all(str(key).isdigit() for key in document):  # numbered entries
        return _search(inner, depth)
    return next((cues for each in inner if depth and (cues := _search(each, depth - 1))), [])


def _columns(document: dict[str, Any]) -> dict[str, list[Any]]:
    """Lists of one length, as `words` and `starts`, that hold what the entries of one list do elsewhere; else none."""
    lists = {_plain(str(key)).removesuffix("s"): value for key, value in document.items() if isinstance(value, list)}
    columns = {key: value for key, value in lists.items() if value and not isinstance(value[0], dict | list)}
    return columns if is_header(list(columns)) and len({len(column) for column in columns.values()}) == 1 else {}


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """The entries of the list that a path leads to; a list of sentences in an entry takes the entry's speaker."""
    if not path:
        yield from value if isinstance(value, list) else ()
    elif path[0] == "*" and isinstance(value, list):
        for member in value:
            speaker = {"speaker": member["speaker"]} if isinstance(member, dict) and "speaker" in member else {}
            yield from ({**speaker, **each} for each in _at(member, path[1:]) if isinstance(each, dict))
    elif path[0].isdigit() and isinstance(value, list):
        yield from _at(value[int(path[0])], path[1:]) if int(path[0]) < len(value) else ()
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _cues(entry: dict[str, Any]) -> list[Cue]:
    """One entry as a cue; a long one whose words have times in sentences."""
    cue = entry_cue(entry)
    words = [entry_cue(word) for word in _listed(_fields(entry))] if word_count(cue.text) > LONG_ENTRY else []
    if not words or any(word.start is None for word in words[:2]):
        return [cue]
    return _sentences([replace(word, speaker=cue.speaker) for word in words if word.text])


def entry_cue(entry: dict[str, Any]) -> Cue:
    """One entry as a cue, whatever its program calls the fields."""
    fields = _fields(entry)
    for nested in ("alternatives", "nbest"):  # the recogniser's guesses, the best first
        best = fields.get(nested)
        if isinstance(best, list) and best and isinstance(best[0], dict):
            fields = _fields(best[0]) | fields
    for nested, unit in (("offsets", "ms"), ("timestamp", ""), ("timestamps", "")):
        span = fields.get(nested)
        if isinstance(span, dict):
            fields |= {key + unit: value for key, value in _fields(span).items()}
        elif isinstance(span, list) and len(span) == 2:
            fields |= {"start": span[0], "end": span[1], nested: None}
    start, end, duration = (_time(fields, role) for role in _TIMES)
    if isinstance(said := fields.get("timestamp", fields.get("time")), str) and (found := _RANGE.fullmatch(said)):
        start, end = number_of(found[1]), number_of(found[2])
    if end is None and start is not None and duration is not None:
        end = start + duration
    words = _listed(fields)
    if start is None and words:
        start, end = _time(words[0], "start"), _time(words[-1], "end")
    text = next((said for name in _TEXT if isinstance(said := fields.get(name), str) and said.strip()), "")
    pieces = (next((word[key] for key in _TEXT if isinstance(word.get(key), str)), "") for word in words)
    speaker = next((name for key in _SPEAKER if (name := _speaker(fields.get(key)))), "")
    return Cue(collapse_spaces(text) or join_words(pieces), speaker, start, end)


def _fields(entry: dict[str, Any]) -> dict[str, Any]:
    return {_plain(str(key)): value for key, value in entry.items()}


def _listed(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The words, or smaller pieces, that an entry lists."""
    found = next((value for name in _WORDS if isinstance(value := fields.get(name), list)), [])
    return [_fields(word) for word in found if isinstance(word, dict)]


def _speaker(value: Any) -> str:
    """A speaker's name, from text, a number, an object that has one, or a list of these."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        names = (value.get(key) for key in ("name", "displayName", "username", "label", "id"))
        value = next((name for name in names if isinstance(name, str | int) and str(name).strip()), "")
    return collapse_spaces(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _time(fields: dict[str, Any], role: str) -> float | None:
    for name, scale in _TIMES[role].items():
        if name in fields and (value := number_of(fields[name])) is not None:
            return value * scale
    return None


def number_of(value: Any) -> float | None:
    """Seconds from a number, or from text that is a number, a clock, a number with its unit, or `PT1M2S`."""
    if isinstance(value, str):
        if (seconds := parse_time_expression(value.strip("[]() "))) is not None:
            return seconds
        if value.startswith("PT"):
            return parse_duration(value) or 0.0
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _in_milliseconds(cues: Sequence[Cue]) -> bool:
    """Whether the times are whole numbers at which every word would take longer than anybody speaks."""
    starts = [cue.start for cue in cues if cue.start is not None]
    spans = [(cue.start, cue.end) for cue in cues if cue.start is not None and cue.end is not None]
    if not starts or any(time % 1 for time in (*starts, *chain(*spans))):
        return False
    seconds = sum(end - start for start, end in spans) if spans else max(starts) - min(starts)
    return seconds > MAX_WORD_SECONDS * max(sum(word_count(cue.text) for cue in cues), 1)


def _sentences(words: Sequence[Cue]) -> list[Cue]:
    """Words joined into sentences: cut at a full stop, a change of speaker, a silence of a second, or after 40."""
    groups: list[list[Cue]] = [[words[0]]]
    ends = {*sentence_ends([word.text.strip() for word in words])}
    for number, (before, word) in enumerate(pairwise(words), 1):
        ended = number in ends and word.start is not None
        other = word.speaker != before.speaker and bool(word.speaker)
        silent = None not in (before.end, word.start) and (word.start or 0) - (before.end or 0) > 1
        if ended or other or silent or len(groups[-1]) >= 40:
            groups.append([])
        groups[-1].append(word)
    stops = (next((word.end for word in reversed(group) if word.end is not None), None) for group in groups)
    return [
        Cue(join_words(word.text for word in group), group[0].speaker, group[0].start, end)
        for group, end in zip(groups, stops, strict=True)
    ]
