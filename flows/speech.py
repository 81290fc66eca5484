"""The speech models of one process: one for each transcription at a time, which share its cores."""

import os
from concurrent.futures import Future
from dataclasses import dataclass, field

from flows.jobs import Jobs
from flows.report import RunReport
from ingest.errors import TranscriptionError
from ingest.settings import Settings
from ingest.speech.transcribe import Transcriber


def threads(cores: int, workers: int) -> int:
    """Threads of each of so many transcriptions; 0 for one alone: the library's own number, four at most. Pure."""
    return max(1, cores // workers) if workers > 1 else 0


def open_transcribers(settings: Settings, workers: int) -> tuple[Transcriber, ...]:
    """So many speech models, each loaded at its first use.

    One model for all would save memory, but what one episode changes on the way (a smaller batch, the CPU instead of the
    GPU) must not meet another in the middle of its work.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return tuple(
        Transcriber(
            settings.whisper_model,
            models_dir=settings.models_dir,
            device=settings.whisper_device,
            compute_type=settings.whisper_compute_type,
            server=settings.whisper_url,
            api_key=settings.whisper_api_key.get_secret_value(),
            threads=threads(cores, workers),
        )
        for _ in range(workers)
    )


@dataclass(slots=True)
class SpeechModels:
    """The speech models of a run, loaded one after the other as they are needed, each for one transcription at a time.

    `usable` is whether audio can be transcribed at all, None before the first model is loaded; `idle` are loaded and
    not at work.
    """

    unloaded: list[Transcriber]
    usable: bool | None = None
    idle: list[Transcriber] = field(default_factory=list)
    _loading: bool = False

    def needed(self, expected: bool, waiting: bool) -> bool:
        """Whether to load a model now: the first where audio is `expected`, one more where some waits for a model."""
        if self._loading or not self.unloaded:
            return False
        return expected if self.usable is None else self.usable and waiting and not self.idle

    def load_one(self, jobs: Jobs, report: RunReport, language: str) -> None:
        """Load a model beside the work. Where the first cannot be had, none is usable; later ones are done without."""
        model, first = self.unloaded.pop(0), self.usable is None
        self._loading = True

        def load() -> None:
            model.load().known_language(language)

        def loaded(job: Future[None]) -> None:
            self._loading = False
            try:
                job.result()
            except TranscriptionError as error:
                self.unloaded.clear()
                if first:
                    report.failed.append(("speech model", str(error)))
                    self.usable = False
                else:
                    report.warn(f"fewer transcriptions at a time than wanted: {error}")
            else:
                self.idle.append(model)
                self.usable = True if first else self.usable

        jobs.start("load", "speech model", load, loaded)
