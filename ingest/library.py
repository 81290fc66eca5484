"""The library: one Markdown file per episode with its timed segments beside it, written by rename; the record of truth."""

import os
from collections.abc import Iterator
from pathlib import Path

from ingest.errors import HomeError, NotFoundError, TranscriptError
from ingest.models import Episode, Transcript
from ingest.transcripts.document import file_stem, from_markdown, slug, to_markdown, to_sidecar

ORIGINAL = ".publisher"  # before the suffix of a publisher's own file, which is never taken for a transcript of ours
HEAD_BYTES = 4096  # enough of a document to hold its title and seven bullets


class Library:
    """`root/<podcast>/<date>-<slug>-<id8>.md` and `.json`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def paths(self) -> list[Path]:
        """Every transcript, in a stable order."""
        return sorted(path for path in self.root.glob("*/*.md") if not path.name.startswith("."))

    def locate(self, episode: Episode) -> Path | None:
        """Where the episode's transcript lies, whatever its title was then; None where there is none."""
        for path in sorted((self.root / slug(episode.podcast)).glob(f"*-{episode.key[:8]}.md")):
            if self.read(path).episode.guid == episode.guid:
                return path
        return None

    def read(self, path: Path) -> Transcript:
        """One transcript with its times, if it has any. Raises `TranscriptError`."""
        sidecar = path.with_suffix(".json")
        try:
            times = sidecar.read_text("utf-8") if sidecar.exists() else None
            return from_markdown(path.read_text("utf-8"), times, subject=str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise TranscriptError(path, f"cannot be read ({error}); correct or remove the file") from error

    def write(self, transcript: Transcript, original: tuple[str, bytes] | None = None) -> Path:
        """Keep a transcript, in place of an earlier one of the same episode. Raises `HomeError`.

        `original` is the suffix and the bytes of the publisher's file, kept beside it as `<name>.publisher<suffix>`.
        The Markdown goes last: one that is there is always complete.
        """
        episode = transcript.episode
        path = self.locate(episode) or self.root / slug(episode.podcast) / f"{file_stem(episode)}.md"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if original:
                suffix, body = original
                write_atomically(path.with_name(f"{path.stem}{ORIGINAL}{suffix}"), body)
            write_atomically(path.with_suffix(".json"), to_sidecar(transcript))
            write_atomically(path, to_markdown(transcript))
        except OSError as error:
            raise HomeError(
                path, f"cannot be written ({error.strerror}); check the disk and the permissions"
            ) from error
        return path

    def find(self, name: str) -> Path:
        """The transcript whose key (or its first 8 digits and more) or guid is `name`. Raises `NotFoundError`."""
        found = set(self._named(name))
        if len(found) == 1:
            return found.pop()
        if found:
            raise NotFoundError(name, f"names {len(found)} episodes; use the key that `soundbite episodes` shows")
        raise NotFoundError(name, "no such episode in the library; `soundbite episodes` lists them")

    def _named(self, name: str) -> Iterator[Path]:
        id8 = name[:8].lower()
        for path in self.paths():
            by_key = path.stem.endswith(f"-{id8}") and self.read(path).episode.key.startswith(name.lower())
            if by_key or _head(path).find(f"\n- Episode ID: {name}\n") > 0:
                yield path


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, meets the old content or the new, never a part; text as UTF-8."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
