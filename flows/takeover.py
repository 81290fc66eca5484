"""What `soundbite up` takes over from one that was killed: its runs, which no process works on any more."""

from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

AT_WORK = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)
OPEN = [*AT_WORK, StateType.SCHEDULED]


def take_over(deployment: str) -> None:
    """Call those runs of a deployment dead that are said to be at work, drop those that wait, and free its one place.

    Only for the process that alone starts runs of this deployment, before it begins.
    """
    with get_client(sync_client=True) as client:
        try:
            found = client.read_deployment_by_name(deployment)
        except ObjectNotFound:
            return
        while _end_some(client, found.id):
            pass
        if found.global_concurrency_limit:  # the leases on it have gone with the server that gave them
            free = GlobalConcurrencyLimitUpdate(active_slots=0)
            client.update_global_concurrency_limit(found.global_concurrency_limit.name, free)


def _end_some(client: SyncPrefectClient, deployment: UUID) -> int:
    """End as many of its open runs as the server gives at once; how many that were."""
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN))),
    )
    for run in runs:
        if run.state_type in AT_WORK:
            client.set_flow_run_state(run.id, Crashed(message="its process was killed"), force=True)
        else:
            client.delete_flow_run(run.id)
    return len(runs)
