"""The flows of many machines (`prefect.yaml`): poll, ingest one episode, index; each run opens the stores of the settings.

They take the same steps as a run on one machine. What that run keeps in memory lies with Prefect (which episodes wait) and
in the ledger (who has which).
"""

from asyncio import CancelledError
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import run as runs
from flows.claim import claimed, this_process
from flows.context import RunContext, open_context
from flows.dispatch import SPEECH, Dispatcher, send_all
from flows.notify import tell_failures
from flows.prefect_flow import TASKS, named, record
from flows.progress import reporting
from flows.steps import Selection
from index.build import BuildReport, update
from ingest import pipeline
from ingest.errors import SoundbiteError, TranscriptionError
from ingest.models import EpisodeRecord
from ingest.settings import Settings, read_settings
from ingest.times import now

# Seconds. Four hours of audio at one and a half times their length, as the largest model needs on few cores; hosts that
# are silent are given up after 30 s anyway. What is ended here goes on from its checkpoint at the next attempt.
EPISODE_LIMIT = 6 * 3600
POLL_LIMIT = 3600  # of 5,000 feeds, four at once, each 2 s: 42 minutes
INDEX_LIMIT = 24 * 3600  # of a first index over a large library; the next run goes on where it ended
ONLY_SAVE = replace(TASKS, index=lambda _context, _document: 0, update_index=lambda _context, _advance: BuildReport())


@flow(name="poll", flow_run_name=named("poll"), timeout_seconds=POLL_LIMIT)
def poll() -> dict[str, Any]:
    """Ask the feeds that are due, and create one run of `ingest` for each episode that waits, newest first."""
    settings = read_settings()
    with open_context(settings, shared=True) as context, reporting() as reporter:
        begun = runs.begin(context, reporter, Selection(due_only=True), TASKS)
        ledger = context.ingest.ledger
        with get_client(sync_client=True) as client:
            claimed = {claim.key for claim in ledger.claimed(now())}
            dispatcher = Dispatcher(client, claimed)
            sent, given_up = send_all(dispatcher, _waiting(context, begun), ledger.captioned())
            if _is_behind(context):
                dispatcher.ask_for_index()
        for episode, reason in given_up:
            pipeline.record_failure(context.ingest, episode.episode, episode.attempts, SoundbiteError("run", reason))
            begun.report.failed.append((episode.episode.title, reason))
        begun.report.pending, begun.report.waiting = ledger.counts()
        begun.report.next_try = ledger.next_try()
    record(begun.report)
    tell_failures(settings.notify_url, begun.report)
    return begun.report.as_dict() | {"sent": sent}


def _is_behind(context: RunContext) -> bool:
    """Whether the index lacks episodes that are done: runs that were asked for while a dead one was not known to be dead."""
    done = sum(states.get("done", 0) for states in context.ingest.ledger.counts_by_podcast().values())
    return (context.store.counts()["episodes"] if context.store.folder else 0) < done


def _waiting(context: RunContext, begun: runs.Run) -> Iterator[EpisodeRecord]:
    """The episodes to be had now, in the order of the queue; read as far as they are asked for."""
    for key in begun.queue():
        record = context.ingest.ledger.record(key)
        if record and not (context.ingest.respect_opt_out and record.episode.opted_out):
            yield record


@flow(name="ingest", timeout_seconds=EPISODE_LIMIT)
def ingest(key: str, speech: bool = True) -> State[Any]:
    """Obtain one episode and save its transcript, unless another worker has it; `index` makes it searchable.

    Without `speech` only its publisher's transcript is taken; where that is not to be used, the queue `speech` gets it.
    """
    settings = read_settings()
    with open_context(settings, shared=True) as context:
        context.check_home()
        with claimed(context.ingest.ledger, key, this_process()) as ours:
            if not ours:
                return Completed(message="it is done, or another worker has it")
            return _ingest(context, settings, key, speech=speech)


def _ingest(context: RunContext, settings: Settings, key: str, *, speech: bool) -> State[Any]:
    before = context.ingest.ledger.find(key)
    if before.status == "failed" and (before.next_try is None or before.next_try > now()):
        return Completed(message="it failed since this run was created; it is tried again later")
    begun = runs.begin_one(context, key, speech=speech)
    try:
        with reporting() as reporter:
            report = begun.complete(reporter, ONLY_SAVE)
    except CancelledError:  # Prefect's way to end a run that takes too long
        reason = TranscriptionError(before.episode.title, f"took longer than {EPISODE_LIMIT // 3600} hours")
        pipeline.record_failure(context.ingest, before.episode, before.attempts, reason)
        raise
    with get_client(sync_client=True) as client:
        if begun.unheard and not report.failed:
            Dispatcher(client).send(before, SPEECH)
            return Completed(message="the publisher's transcript cannot be used; its audio is transcribed next")
        if report.new:
            Dispatcher(client).ask_for_index()
    tell_failures(settings.notify_url, report)
    if report.failed:
        return Failed(message="; ".join(f"{what}: {why}" for what, why in report.failed))
    return Completed(message=f"saved {', '.join(report.new)}" if report.new else "its transcript was saved before")


@flow(name="index", flow_run_name=named("index"), timeout_seconds=INDEX_LIMIT)
def index() -> dict[str, int]:
    """Bring the index to what the library holds, and look again until there is nothing more: the only writer of it."""
    settings = read_settings()
    changed = 0
    with open_context(settings, shared=True) as context:
        while True:
            built = update(context.ingest.library, context.store, context.embedder)
            now_changed = built.added + built.changed + built.removed
            changed += now_changed
            if not now_changed:
                break
    if built.failed:
        lines = "\n".join(f"- {name}: {reason}" for name, reason in built.failed)
        create_markdown_artifact(lines, key="soundbite-index", description=f"{len(built.failed)} not indexed")
    return {"changed": changed, "failed": len(built.failed)}
