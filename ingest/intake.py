"""Takes transcript files into the library: which files are one episode, which one is read, and which episode it is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from ingest.errors import TranscriptError, UnknownFormatError
from ingest.identity import one_line, slug
from ingest.library import Document, Library, beside_transcript
from ingest.models import Episode, Transcript
from ingest.times import iso_milliseconds, now
from ingest.transcripts.captions import READABLE_SUFFIXES, SUFFIXES
from ingest.transcripts.decoding import decode
from ingest.transcripts.document import is_edited, split_document, text_hash
from ingest.transcripts.importing import UNKNOWN_PODCAST, bare_name, derived_guid, file_title, read_file

Outcome = Literal["added", "updated", "unchanged"]
# Where one episode lies in several formats, the one that says most is taken; the first of these where all say the same
PREFERENCE = ("json", "ttml", "vtt", "srt", "ass", "sbv", "tsv", "csv", "lrc", "html", "md", "txt")
CAPTIONS = frozenset({".vtt", ".srt", ".ttml", ".sbv", ".ass", ".ssa", ".lrc"})  # these are transcripts, if broken ones
# Files of these names tell about the folder they lie in
ABOUT = frozenset(
    {"readme", "license", "licence", "changelog", "contributing", "package", "package-lock", "requirements", "robots"}
)
EVERYWHERE = frozenset(
    {"transcript", "transcripts", "index", "captions", "subtitles", "audio", "output", "transcription", "text"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one episode, that differ in their suffix only; `names` are the folders and the name they go by."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    in_folder: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was not taken, and why."""

    path: Path
    reason: str


def find_sources(paths: Iterable[Path]) -> tuple[list[Source], list[LeftOut]]:
    """The episodes in the files named, and in the folders named, and what was left out of the folders."""
    found: dict[Path, tuple[tuple[str, ...], bool, list[Path]]] = {}
    left_out: list[LeftOut] = []
    for given in paths:
        for path in _walk(given) if given.is_dir() else [given]:
            if reason := _no_transcript(path) if given.is_dir() else "":
                left_out.append(LeftOut(path, reason))
                continue
            home = given.resolve() if given.is_dir() else path.resolve().parent
            folders = path.resolve().parent.relative_to(home).parts if given.is_dir() else ()
            names = tuple(filter(None, (home.name, *folders, bare_name(path))))
            _, _, same = found.setdefault(path.resolve().with_name(bare_name(path)), (names, given.is_dir(), []))
            if path.resolve() not in [one.resolve() for one in same]:
                same.append(path)
    return [Source(tuple(same), names, folder) for names, folder, same in found.values()], left_out


def read_source(source: Source, podcast: str) -> tuple[Transcript, Path, list[LeftOut]]:
    """The transcript that says most, its file, and the other files. Raises TranscriptError where none can be read.

    What it does not say of the episode (guid, title, date) is taken from the other files.
    """
    read: list[tuple[Transcript, Path]] = []
    unread: list[LeftOut] = []
    errors: list[TranscriptError] = []
    for path in sorted(source.paths, key=_preference):
        try:
            read.append((read_file(path, podcast), path))
        except TranscriptError as error:
            errors.append(error)
            unread.append(LeftOut(path, error.message))
    if not read:
        first = next((one for one in errors if not isinstance(one, UnknownFormatError)), errors[0])
        if source.in_folder and not any(path.suffix.lower() in CAPTIONS for path in source.paths):
            raise UnknownFormatError(first.subject, first.message)  # a page or a settings file that lies there too
        raise first
    ordered = sorted(read, key=lambda one: _says(*one), reverse=True)
    best, chosen = ordered[0]
    best = replace(best, episode=reduce(_filled, (other.episode for other, _ in ordered), best.episode))
    beside = chosen.with_suffix(".json") if _is_document(chosen) else None  # the document's own times
    others = [path for _, path in read if path not in {chosen, beside}]
    same = [LeftOut(path, f"the same episode in another format as {chosen.name}") for path in others]
    return best, chosen, [one for one in unread if one.path != beside] + same


@dataclass(slots=True)
class Intake:
    """Takes transcripts into one library. `repeated` are the file names that several of the sources have."""

    library: Library
    repeated: frozenset[str] = frozenset()
    taken: set[str] = field(default_factory=set)  # documents that a file of this run is in
    _paths: dict[str, dict[str, str]] = field(default_factory=dict)  # by podcast: the document by its file's path

    def take_in(self, read: Transcript, path: Path, names: Sequence[str]) -> Outcome:
        """Write a transcript unless it is there already; says which. Raises `TranscriptError` rather than lose another's."""
        data = path.read_bytes()
        mark = {
            "imported_sha256": sha256(data).hexdigest(),
            "file": path.name,
            "path_id": path_id(path),
            "text_sha256": text_hash(read.turns),
        }
        title = read.episode.title or self._title(path, names)
        episode = replace(read.episode, title=title)
        new = replace(read, episode=episode, provenance=read.provenance | mark)
        earlier = derived_guid(episode.podcast, [read.episode.title or file_title(path)])
        document = (self.library.locate(episode) if episode.guid else None) or self._document(new, names, earlier)
        if document is None:
            guid = episode.guid or self._free_guid(new, names)
            return self._write(replace(new, episode=replace(episode, guid=guid)), "added")
        old = self.library.read(document.name)
        if old.provenance.get("imported_sha256") == mark["imported_sha256"]:
            self.taken.add(document.name)
            return "unchanged"
        before = old.provenance.get("file", path.name)
        if document.name in self.taken or old.provenance.get("path_id", mark["path_id"]) != mark["path_id"]:
            raise TranscriptError(path, f"has the guid of {before}, imported before; give one of them another guid")
        if before != path.name and _richness(new, path) <= _richness(old, Path(before)):
            raise TranscriptError(
                path,
                f"has been imported before, from {before}, which says as much; remove that document to import this one",
            )
        if "text_sha256" in old.provenance and is_edited(old):
            raise TranscriptError(
                path, "has been edited in the library since; remove that document to import the file anew"
            )
        return self._write(replace(new, episode=replace(episode, guid=document.guid)), "updated")

    def _write(self, transcript: Transcript, outcome: Outcome) -> Outcome:
        stamped = (
            transcript if transcript.transcribed_at else replace(transcript, transcribed_at=iso_milliseconds(now()))
        )
        self.taken.add(self.library.write(stamped).name)
        return outcome

    def _title(self, path: Path, names: Sequence[str]) -> str:
        """The file's name, with its folder where the name says nothing, or is that of another file too."""
        title = file_title(path)
        common = bare_name(path).casefold() in self.repeated or slug(title) in EVERYWHERE
        return f"{one_line(names[-2])}/{title}" if common and len(names) > 1 else title

    def _document(self, new: Transcript, names: Sequence[str], earlier: str) -> Document | None:
        """The document of a file that has no guid: by its path, else by its name where its content is the same.

        `earlier` is the guid that an earlier version gave it, of podcast and title.
        """
        mine, podcast = new.provenance, new.episode.podcast
        for guid in _guids(podcast, names, mine["path_id"]):
            document = self.library.locate(replace(new.episode, guid=guid))
            if document is None:
                break
            if self._provenance(document).get("path_id") == mine["path_id"]:
                return document
        if podcast not in self._paths:  # imported from another folder above it
            documents = [one for one in self.library.documents(podcast) if one.guid.startswith("import:")]
            self._paths[podcast] = {str(self._provenance(one).get("path_id")): one.name for one in documents}
        if known := self._paths[podcast].get(mine["path_id"]):
            return next((one for one in self.library.documents(podcast) if one.name == known), None)
        for guid in (derived_guid(podcast, names), earlier):  # moved with its folder, or imported by an earlier version
            document = self.library.locate(replace(new.episode, guid=guid))
            if document and document.name not in self.taken:
                theirs = self._provenance(document)
                if all(theirs.get(key) == mine[key] for key in ("file", "imported_sha256")):
                    return document
        return None

    def _free_guid(self, new: Transcript, names: Sequence[str]) -> str:
        guids = _guids(new.episode.podcast, names, new.provenance["path_id"])
        return next(guid for guid in guids if self.library.locate(replace(new.episode, guid=guid)) is None)

    def _provenance(self, document: Document) -> dict[str, Any]:
        try:
            return self.library.read(document.name).provenance
        except TranscriptError:  # a document that was damaged by hand is nobody's
            return {}


def repeated_names(sources: Iterable[Source]) -> frozenset[str]:
    """The file names, without suffix, that several sources have."""
    counts = Counter(source.names[-1].casefold() for source in sources)
    return frozenset(name for name, count in counts.items() if count > 1)


def path_id(path: Path) -> str:
    """Which file this is, on this machine: a hash, since a library may be shown to others. Formats beside it share it."""
    return sha256(str(path.resolve().with_name(bare_name(path))).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _guids(podcast: str, names: Sequence[str], path_id: str) -> Iterator[str]:
    """The guids that a file may have got: of its names, or another where that was another file's."""
    yield derived_guid(podcast, names)
    yield f"{derived_guid(podcast, names)}-{path_id}"


def _walk(folder: Path) -> list[Path]:
    """The files in a folder, without hidden ones and what lies beside a library's transcripts: publishers' files, copies."""
    files = (path for path in folder.rglob("*") if path.is_file() and not beside_transcript(path.name))
    return sorted(p for p in files if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def _no_transcript(path: Path) -> str:
    """Why a file that lies in a folder is none to read; empty where it may be one."""
    if path.stem.casefold() in ABOUT:
        return "tells about the folder; name the file itself to import it"
    if path.suffix.lower() in READABLE_SUFFIXES:
        return ""
    try:
        with path.open("rb") as file:
            decode(file.read(400), str(path))
    except UnknownFormatError as error:
        return error.message
    except (TranscriptError, OSError):
        pass
    return f"no transcript format is called {path.suffix or 'so'}"


def _preference(path: Path) -> int:
    return PREFERENCE.index(SUFFIXES.get(path.suffix.lower().removeprefix("."), "txt"))


def _says(transcript: Transcript, path: Path) -> tuple[bool, bool, bool, int]:
    """How much a file says: our own document most, then times, speakers, and the format that is likely to say more."""
    return _is_document(path), *_richness(transcript, path)


def _richness(transcript: Transcript, path: Path) -> tuple[bool, bool, int]:
    """Whether it has times, and speakers, and the place of its format."""
    return bool(transcript.segments), any(turn.speaker for turn in transcript.turns), -_preference(path)


def _filled(episode: Episode, other: Episode) -> Episode:
    """The episode with what it does not say as another file of it does."""
    lacking = [name for name in (each.name for each in fields(Episode)) if getattr(episode, name) in ("", None, ())]
    lacking += ["podcast"] if episode.podcast == UNKNOWN_PODCAST else []
    return replace(episode, **{name: getattr(other, name) for name in lacking})


def _is_document(path: Path) -> bool:
    if path.suffix.lower() != ".md":
        return False
    title, values, body = split_document(path.read_text("utf-8", "replace"))
    return title is not None and bool(values) and body is not None
