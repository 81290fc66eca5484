"""The run as a Prefect flow: each step a task, only those on the network retried, with back-off."""

from datetime import datetime
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from flows import run as runs
from flows.context import open_context
from flows.progress import reporting
from flows.report import RunReport
from flows.steps import Actions, Selection
from ingest import pipeline
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
TASKS = Actions(
    poll=task(name="poll", **ON_NETWORK)(STEPS.poll),
    publisher=task(name="publisher transcript", **ON_NETWORK)(STEPS.publisher),
    download=task(name="download", **ON_NETWORK)(STEPS.download),
    transcribe=task(name="transcribe", **ON_MACHINE)(STEPS.transcribe),
    save=task(name="save", **ON_MACHINE)(STEPS.save),
    index=task(name="index", **ON_MACHINE)(STEPS.index),
    update_index=task(name="update index", **ON_MACHINE)(STEPS.update_index),
)


@flow(name="soundbite", validate_parameters=True)
def run(  # noqa: PLR0917 - Prefect passes them by name
    podcast: str = "",
    latest: int = 0,
    since: datetime | None = None,
    due_only: bool = False,
    match: str = "",
    everything: bool = False,
) -> dict[str, Any]:
    """Poll every feed (or one), transcribe what is new, index it; settings come from the environment."""
    selection = Selection(podcast, latest, since, due_only, match, everything)
    with open_context(read_settings()) as context, reporting() as reporter:
        report = runs.run(context, reporter, selection, TASKS)
    _record(report)
    return report.as_dict()


def _record(report: RunReport) -> None:
    create_markdown_artifact(report.markdown(), key="soundbite-run", description=report.summary())
