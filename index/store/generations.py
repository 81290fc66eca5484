"""Which folder of the index is in use: `root/CURRENT` names it, so that a rebuild takes its place by one rename."""

import shutil
from pathlib import Path

from ingest.errors import IndexingError


class Current:
    """The folder that is searched; read again only when another file has taken the place of `CURRENT`."""

    def __init__(self, root: Path) -> None:
        self.path = root / "CURRENT"
        self._seen: tuple[tuple[int, int] | None, str] = (None, "")

    def name(self) -> str:
        """Empty where nothing is built. Raises `IndexingError`."""
        try:
            stat = self.path.stat()
            mark = stat.st_ino, stat.st_mtime_ns
            if mark != self._seen[0]:
                self._seen = mark, self.path.read_text("utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise IndexingError(self.path, f"cannot be read ({error}); check the permissions") from error
        name = self._seen[1]
        return name if name.startswith("index-") and Path(name).name == name else ""


def unused(root: Path) -> str:
    """A name for one more folder; what rebuilds that were cut off have left is removed."""
    sweep(root)
    serials = [int(path.name[6:]) for path in root.glob("index-*") if path.name[6:].isdecimal()]
    return f"index-{max(serials, default=0) + 1}"


def publish(root: Path, name: str) -> None:
    """Make a folder the one that is searched, and remove all others."""
    part = root / ".CURRENT.part"
    part.write_text(name, "utf-8")
    part.replace(root / "CURRENT")
    sweep(root)


def sweep(root: Path) -> None:
    """Remove every folder but the one in use."""
    used = Current(root).name()
    for other in root.glob("index-*"):
        if other.name != used:
            shutil.rmtree(other, ignore_errors=True)
