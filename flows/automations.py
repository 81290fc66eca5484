"""`python -m flows.automations`: what Prefect's server does by itself about workers that die. Run it after each deploy.

A run that sends no heartbeats any more is called crashed, which frees its place; a run of `ingest` that crashed lets `poll`
hand its episode to another worker at once.
"""

from datetime import timedelta
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, RunDeployment

from flows.dispatch import POLL

# Three heartbeats that are 30 s apart (PREFECT_FLOWS_HEARTBEAT_FREQUENCY of the workers)
SILENCE = timedelta(seconds=90)
RUN = "prefect.flow-run"
ENDS = {f"{RUN}.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed", "TimedOut")}


def automations(poll: UUID, silence: timedelta = SILENCE) -> list[AutomationCore]:
    """The two automations; `poll` is its deployment."""
    silent = EventTrigger(
        posture=Posture.Proactive,
        match={"prefect.resource.id": f"{RUN}.*"},
        for_each={"prefect.resource.id"},
        after={f"{RUN}.heartbeat"},
        expect={f"{RUN}.heartbeat", *ENDS},
        threshold=1,
        within=silence,
    )
    crashed = EventTrigger(
        posture=Posture.Reactive,
        match={"prefect.resource.id": f"{RUN}.*"},
        match_related={"prefect.resource.role": "flow", "prefect.resource.name": "ingest"},
        for_each={"prefect.resource.id"},
        expect={f"{RUN}.Crashed"},
        threshold=1,
    )
    dead = ChangeFlowRunState(
        name="Crashed", state=StateType.CRASHED, message="its worker sends no heartbeats any more", force=False
    )
    return [
        AutomationCore(name="soundbite: silent runs are crashed", trigger=silent, actions=[dead]),
        AutomationCore(
            name="soundbite: crashed episodes go to another worker",
            trigger=crashed,
            actions=[RunDeployment(source="selected", deployment_id=poll, parameters=None, job_variables=None)],
        ),
    ]


def install(client: SyncPrefectClient, silence: timedelta = SILENCE) -> None:
    """Make them, in place of those of the same names. Raises `prefect.exceptions.ObjectNotFound` before the deploy."""
    for new in automations(client.read_deployment_by_name(POLL).id, silence):
        for old in client.read_automations_by_name(new.name):
            client.delete_automation(old.id)
        client.create_automation(new)


if __name__ == "__main__":
    with get_client(sync_client=True) as client:
        install(client)
