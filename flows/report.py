"""What a run did, in figures and in words: the record a person reads the morning after."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ingest.times import iso


@dataclass(slots=True)
class RunReport:
    """Filled while a run goes on; `failed` holds (what, why), `audio_seconds` and `work_seconds` count transcription.

    `pending` is how much of the backlog is left, `waiting` how many episodes failed, now or before, of which the first
    is tried again at `next_try`.
    """

    new: list[str] = field(default_factory=list)
    skipped: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unchanged_feeds: int = 0
    pending: int = 0
    waiting: int = 0
    next_try: datetime | None = None
    chunks: int = 0
    audio_seconds: float = 0.0
    work_seconds: float = 0.0

    def warn(self, warning: str) -> None:
        """Add a warning, once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work for a second of audio transcribed; None where nothing was."""
        return self.work_seconds / self.audio_seconds if self.audio_seconds else None

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        failed = [{"subject": subject, "reason": reason} for subject, reason in self.failed]
        factor = self.real_time_factor
        return {
            **asdict(self),
            "failed": failed,
            "next_try": iso(self.next_try),
            "summary": self.summary(),
            "audio_minutes": round(self.audio_seconds / 60, 2),
            "real_time_factor": None if factor is None else round(factor, 3),
        }

    def summary(self) -> str:
        """One line for a terminal or a log."""
        left = f", {self.pending} pending" if self.pending else ""
        if self.waiting:
            due = f", tried again from {self.next_try:%Y-%m-%d %H:%M} UTC" if self.next_try else ""
            left += f" ({self.waiting} failed so far{due})"
        if not (self.new or self.failed or self.chunks):
            return f"Nothing new: {self.skipped} episodes are in the library already{left}."
        factor = self.real_time_factor
        speed = f", {self.audio_seconds / 60:.1f} min of audio at {factor:.2f} x real time" if factor else ""
        return f"{len(self.new)} new, {self.skipped} skipped, {len(self.failed)} failed{left}{speed}."

    def markdown(self) -> str:
        """The run's Prefect artifact."""
        lines = ["# Soundbite run", "", self.summary(), ""]
        lines += _section("New", self.new)
        lines += _section("Failed, tried again later", [f"{subject}: {reason}" for subject, reason in self.failed])
        lines += _section("Warnings", self.warnings)
        factor = "-" if self.real_time_factor is None else f"{self.real_time_factor:.2f}"
        lines += ["| minutes of audio | real-time factor | chunks embedded |", "| --- | --- | --- |"]
        lines += [f"| {self.audio_seconds / 60:.1f} | {factor} | {self.chunks} |"]
        return "\n".join(lines) + "\n"


def _section(title: str, items: list[str]) -> list[str]:
    plain = [" ".join(item.split()).replace("<", "&lt;").replace("|", "\\|") for item in items]
    return [f"## {title} ({len(items)})", "", *(f"- {item}" for item in plain), ""] if items else []
