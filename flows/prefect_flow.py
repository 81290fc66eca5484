"""The run as a Prefect flow: each step a task, only those on the network retried, with back-off."""

from datetime import datetime
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from flows import run as session
from flows.cli.output import reporting
from flows.context import open_studio
from flows.report import RunReport
from ingest import pipeline as steps
from ingest.feeds import poll as polling
from ingest.settings import Settings


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the network may do better in a moment."""
    return steps.is_transient(state.result(raise_on_failure=False))


# Prefect would hash every argument for its cache; idempotence is the library's business here
ON_MACHINE: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
ON_NETWORK: dict[str, Any] = ON_MACHINE | {
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
TASKS = session.Actions(
    poll=task(name="poll", **ON_NETWORK)(polling.poll),
    publisher=task(name="publisher transcript", **ON_NETWORK)(steps.publisher_transcript),
    download=task(name="download", **ON_NETWORK)(steps.download),
    transcribe=task(name="transcribe", **ON_MACHINE)(steps.transcribe),
    keep=task(name="write", **ON_MACHINE)(steps.keep),
    index=task(name="index", **ON_MACHINE)(steps.update_index),
)


@flow(name="soundbite", validate_parameters=True)
def run(podcast: str = "", latest: int = 0, since: datetime | None = None, due_only: bool = False) -> dict[str, Any]:
    """Poll every feed (or one), transcribe what is new, index it; settings come from the environment."""
    with open_studio(Settings()) as studio, reporting() as reporter:
        report = session.run(
            studio, reporter, podcast=podcast, latest=latest, since=since, due_only=due_only, actions=TASKS
        )
    _record(report)
    return report.as_dict()


def _record(report: RunReport) -> None:
    create_markdown_artifact(report.markdown(), key="soundbite-run", description=report.summary())
