"""The run as a Prefect flow: each step a task, only those on the network retried, with back-off."""

import logging
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import flow_run
from prefect.tasks import Task, exponential_backoff

from flows import run as runs
from flows.children import PARENT, end_with
from flows.context import open_context
from flows.notify import tell_failures
from flows.progress import Paced, reporting
from flows.report import RunReport
from flows.steps import Actions, Selection
from flows.verify import differences
from index.build import tidy
from index.open import open_store
from ingest import pipeline
from ingest.audio.download import Audio
from ingest.ledger import Ledger
from ingest.models import Advance, Episode
from ingest.open import open_library
from ingest.pipeline import IngestContext, Obtained
from ingest.settings import read_settings


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the network may do better in a moment."""
    return pipeline.is_transient(state.result(raise_on_failure=False))


# Prefect would hash every argument for its cache; idempotence is the library's business here
ON_MACHINE: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
ON_NETWORK: dict[str, Any] = ON_MACHINE | {
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
STEPS = Actions()
logger = logging.getLogger(__name__)
OF_EPISODE = "{episode.podcast}: {episode.title}"


def _named(name: str, of: str, **options: Any) -> Any:
    """A task whose runs are named by the step and what it is of."""
    return task(name=name, task_run_name=f"{name} {of}", **options)


class _Artifact:
    """How far a step is, on the page of its run. The server's failures are logged: the step goes on without."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._id: UUID | None = None
        self._failed = False

    def tell(self, percent: float) -> None:
        """Show so many percent, in words as well: a run's list of artifacts shows nothing else."""
        if self._failed:
            return
        shown = f"{percent:.0f} % of {self.title}"
        try:
            if self._id is None:
                made = create_progress_artifact(percent, key="transcription", description=shown)
                assert isinstance(made, UUID)  # it would be a coroutine only under a running event loop
                self._id = made
            else:
                update_progress_artifact(self._id, percent, description=shown)
        except Exception as error:  # noqa: BLE001 - whatever the engine meets, transcription is worth more
            self._failed = True
            logger.warning("the progress of %s is not shown: %s", self.title, error)


def _transcribe(context: IngestContext, episode: Episode, audio: Audio, advance: Advance) -> Obtained:
    """The step, with a progress artifact where it takes longer than a minute."""
    paced = Paced(_Artifact(f"{episode.podcast}: {episode.title}").tell)

    def both(done: float, total: float | None, stage: str = "", /) -> None:
        advance(done, total, stage)
        paced(done, total)

    obtained = STEPS.transcribe(context, episode, audio, both)
    if paced.told:
        paced.tell(100.0)
    return obtained


TASKS = Actions(
    poll=_named("poll", "{feed.podcast}", **ON_NETWORK)(STEPS.poll),
    publisher=_named("publisher transcript", OF_EPISODE, **ON_NETWORK)(STEPS.publisher),
    download=_named("download", OF_EPISODE, **ON_NETWORK)(STEPS.download),
    transcribe=_named("transcribe", OF_EPISODE, **ON_MACHINE)(_transcribe),
    save=_named("save", "{obtained.transcript.episode.title}", **ON_MACHINE)(STEPS.save),
    index=_named("index", "{document.name}", **ON_MACHINE)(STEPS.index),
    update_index=task(name="update index", task_run_name="update index", **ON_MACHINE)(STEPS.update_index),
)


def run_name() -> str:
    """`the-quota-room, 2026-11-28 03:10`, or `all podcasts, ...`; the time is when the run was due, in UTC."""
    return _due(flow_run.get_parameters().get("podcast") or "all podcasts")


def named(what: str) -> Callable[[], str]:
    """Gives the name of a run, as `poll, 2026-11-28 03:10`."""
    return lambda: _due(what)


def _due(what: str) -> str:
    return f"{what}, {flow_run.get_scheduled_start_time():%Y-%m-%d %H:%M}"


@flow(name="soundbite", flow_run_name=run_name, validate_parameters=True)
def run(  # noqa: PLR0917 - Prefect passes them by name
    podcast: str = "",
    latest: int = 0,
    since: datetime | None = None,
    due_only: bool = False,
    match: str = "",
    everything: bool = False,
    workers: int = 1,
) -> dict[str, Any]:
    """Poll every feed (or one), transcribe what is new, index it; settings come from the environment."""
    if parent := os.environ.get(PARENT):
        end_with(int(parent))
    settings = read_settings()
    with reporting() as reporter:
        if begun := runs.given():
            report = begun.complete(reporter, TASKS)
        else:
            selection = Selection(podcast, latest, since, due_only, match, everything)
            with open_context(settings, workers=workers) as context:
                report = runs.run(context, reporter, selection, TASKS)
    record(report)
    if due_only:  # nobody watches
        tell_failures(settings.notify_url, report)
    return report.as_dict()


@flow(name="maintain", flow_run_name=named("maintain"), validate_parameters=True)
def maintain() -> list[dict[str, Any]]:
    """Compact the index, remove what killed writers have left, and compare library, ledger and index."""
    if parent := os.environ.get(PARENT):
        end_with(int(parent))
    settings = read_settings()
    store = open_store(settings)
    if store.folder:
        tidy(store)
    found = differences(open_library(settings), Ledger(settings.ledger_place), store)
    if found:
        lines = "\n".join(f"- {one.what}: {one.found}" for one in found)
        create_markdown_artifact(lines, key="soundbite-verify", description=f"{len(found)} differences")
    return [one.as_dict() for one in found]


def record(report: RunReport) -> None:
    """Keep what a run did as an artifact of Prefect; a run that did nothing leaves none."""
    if report.new or report.failed or report.warnings:
        create_markdown_artifact(report.markdown(), key="soundbite-run", description=report.summary())
