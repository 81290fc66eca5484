"""Hands episodes to the workers of a cluster: a flow run for each, created once however often it is asked for."""

import logging
import math
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkQueueFilter,
    WorkQueueFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Scheduled

from ingest.models import EpisodeRecord
from ingest.times import now

INGEST, INDEX, POLL = "ingest/ingest", "index/index", "poll/poll"
LIGHT, SPEECH = "default", "speech"  # work queues: publishers' transcripts, and transcription
AHEAD = 200  # open runs of a queue, one page of Prefect's API; a longer backlog waits in the ledger
MOST_STARTS = 3  # of one run; an episode that ends its worker's process each time must not do so for ever
# A run at work has claimed its episode within a minute; one that has not by now was lost with its worker before it sent
# its first heartbeat, or was not noticed by the server
LOST_AFTER = timedelta(minutes=10)
WEEK = timedelta(days=7)
INDEX_EVERY = 15  # seconds: what is saved in these is indexed together
# Seconds from a saved transcript to a run of `index`, at least: one that is at work by then has begun its last look after
# it, since it ends within a few seconds of that; so the new one may be cancelled
INDEX_LEAD = 10
BEGUN = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
OPEN = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]

Next = Literal["wait", "again", "speech", "give up"]
logger = logging.getLogger(__name__)


def next_step(state: StateType | None, starts: int, queue: str) -> Next:
    """What becomes of an episode that still waits, by the run that was created for it before. Pure.

    A light run that has ended leaves what needs its audio; one that broke off, or met an outage, goes on in the same run.
    """
    if state is None or state in OPEN:
        return "wait"
    if queue == LIGHT and state == StateType.COMPLETED:
        return "speech"
    return "again" if starts < MOST_STARTS else "give up"


def due_time(published: datetime | None, at: datetime) -> datetime:
    """When a run is said to be due: the newest of this week before all others, since workers take what is due first. Pure.

    What was created a week before goes before everything.
    """
    age = max(timedelta(), at - published) if published else WEEK
    return at - max(timedelta(), WEEK - age)


class Dispatcher:
    """Creates runs of the deployments `ingest` and `index`; the client is Prefect's, for its API.

    `claimed` are the keys of the episodes that workers hold now. Raises `prefect.exceptions.ObjectNotFound` where nothing is deployed.
    """

    def __init__(self, client: SyncPrefectClient, claimed: Collection[str] = ()) -> None:
        self.client, self.claimed = client, claimed
        self.deployment: UUID = client.read_deployment_by_name(INGEST).id

    def open_keys(self, queue: str) -> set[str]:
        """The keys of the episodes whose runs wait or are at work in a work queue, `AHEAD` of them at most."""
        runs = self.client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[self.deployment])),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN))),
            work_queue_filter=WorkQueueFilter(name=WorkQueueFilterName(any_=[queue])),
            limit=AHEAD,
        )
        return {str(run.parameters.get("key")) for run in runs if not self._is_lost(run)}

    def _is_lost(self, run: FlowRun) -> bool:
        since = run.state.timestamp if run.state else now()
        held = run.parameters.get("key") in self.claimed
        return run.state_type in BEGUN and not held and now() - since > LOST_AFTER

    def send(self, record: EpisodeRecord, queue: str) -> str:
        """See to it that a worker gets an episode; why that is given up after too many starts, else an empty text."""
        run, step = self._create(record, queue)
        if step == "speech":
            run, step = self._create(record, SPEECH)
        if step == "again":
            self.client.set_flow_run_state(run.id, Scheduled(message="goes on with this episode"), force=True)
        if step != "give up":
            return ""
        message = run.state.message if run.state else ""
        return f"was begun {run.run_count} times and never ended (at last: {message or 'no word of it'})"

    def _create(self, record: EpisodeRecord, queue: str) -> tuple[FlowRun, Next]:
        """The run of this attempt at an episode, made now unless it was made before, and what becomes of it."""
        episode = record.episode
        run = self.client.create_flow_run_from_deployment(
            self.deployment,
            parameters={"key": episode.key, "speech": queue == SPEECH},
            state=Scheduled(scheduled_time=due_time(episode.published_at, now())),
            name=f"{episode.podcast}: {episode.title}",
            tags=[episode.podcast],
            idempotency_key=f"{episode.key} {record.attempts} {queue}",
            work_queue_name=queue,
        )
        return run, next_step(StateType.CRASHED if self._is_lost(run) else run.state_type, run.run_count, queue)

    def ask_for_index(self) -> None:
        """Let the index be brought up to date soon; many who ask at about the same time get one run."""
        soon = math.ceil((now().timestamp() + INDEX_LEAD) / INDEX_EVERY) * INDEX_EVERY
        due = datetime.fromtimestamp(soon, UTC)
        self.client.create_flow_run_from_deployment(
            self.client.read_deployment_by_name(INDEX).id,
            state=Scheduled(scheduled_time=due),
            name=f"index, {due:%Y-%m-%d %H:%M}",  # as it names itself when it starts, which one that is cancelled does not
            idempotency_key=f"index {soon}",
        )


def send_all(
    dispatcher: Dispatcher, due: Iterable[EpisodeRecord], captioned: set[str]
) -> tuple[int, list[tuple[EpisodeRecord, str]]]:
    """Hand over episodes in their order, each queue filled up to `AHEAD`; how many, and those given up with the reason."""
    open_keys = {queue: dispatcher.open_keys(queue) for queue in (LIGHT, SPEECH)}
    sent, given_up = 0, list[tuple[EpisodeRecord, str]]()
    for record in due:
        key = record.episode.key
        queue = LIGHT if key in captioned else SPEECH
        if any(key in keys for keys in open_keys.values()) or len(open_keys[queue]) >= AHEAD:
            continue
        open_keys[queue].add(key)
        if reason := dispatcher.send(record, queue):
            given_up.append((record, reason))
        else:
            sent += 1
        if all(len(keys) >= AHEAD for keys in open_keys.values()):
            break
    return sent, given_up
