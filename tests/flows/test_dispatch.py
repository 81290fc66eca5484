"""Which run an episode gets, on which queue and when, and what becomes of runs that ended without it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import StateType

from flows import dispatch
from flows.dispatch import INDEX_LEAD, LIGHT, MOST_STARTS, SPEECH, Dispatcher, due_time, next_step, send_all
from ingest.models import Episode, EpisodeRecord
from ingest.times import now

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Engine:
    """As much of Prefect's client as is used: runs by their idempotency keys."""

    runs: dict = field(default_factory=dict)
    asked: int = 0

    def read_deployment_by_name(self, _name):
        return SimpleNamespace(id=uuid4())

    def create_flow_run_from_deployment(self, _deployment, *, idempotency_key, state, **options):
        self.asked += 1
        new = SimpleNamespace(
            id=uuid4(),
            run_count=0,
            state=state,
            state_type=state.type,
            due=state.state_details.scheduled_time,
            **options,
        )
        return self.runs.setdefault(idempotency_key, new)

    def read_flow_runs(self, *, work_queue_filter, limit, **_):
        (queue,) = work_queue_filter.name.any_
        runs = [run for run in self.runs.values() if run.state_type in dispatch.OPEN and run.work_queue_name == queue]
        return runs[:limit]

    def set_flow_run_state(self, id_, state, *, force):
        assert force
        run = next(run for run in self.runs.values() if run.id == id_)
        run.state_type = state.type

    def end(self, state, **changes):
        for run in self.runs.values():
            run.state_type, run.state = state, SimpleNamespace(message="killed", timestamp=now())
            run.run_count += 1
            vars(run).update(changes)

    def seen(self):
        return [(run.name, run.work_queue_name, run.parameters["speech"]) for run in self.runs.values()]


@pytest.fixture
def engine():
    return Engine()


def waiting(guid, attempts=0, published="Mon, 12 Jan 2026 08:00:00 GMT"):
    return EpisodeRecord(Episode("quota", guid, f"Episode {guid}", published=published), "pending", "", attempts)


def send(engine, *records, captioned=()):
    return send_all(Dispatcher(engine), records, {record.episode.key for record in captioned})


@pytest.mark.parametrize(
    ("state", "starts", "queue", "step"),
    [
        (StateType.SCHEDULED, 0, LIGHT, "wait"),
        (StateType.RUNNING, 1, SPEECH, "wait"),
        (StateType.PENDING, 2, SPEECH, "wait"),
        (StateType.COMPLETED, 1, LIGHT, "speech"),
        (StateType.COMPLETED, 1, SPEECH, "again"),
        (StateType.CRASHED, 1, SPEECH, "again"),
        (StateType.CRASHED, 1, LIGHT, "again"),
        (StateType.FAILED, MOST_STARTS - 1, LIGHT, "again"),
        (StateType.CRASHED, MOST_STARTS, SPEECH, "give up"),
        (StateType.CANCELLED, MOST_STARTS + 1, LIGHT, "give up"),
    ],
)
def test_what_becomes_of_an_episode_follows_from_its_run(state, starts, queue, step):
    assert step == next_step(state, starts, queue)


def test_a_new_episode_is_due_before_older_ones_and_before_an_archive_that_waits():
    def due(age, created):
        return due_time(NOW - age, NOW + created)

    now, later = timedelta(), timedelta(hours=3)
    assert due(timedelta(), now) < due(DAY, now) < due(6 * DAY, now) < due(8 * DAY, now) == due(900 * DAY, now)
    assert due(timedelta(hours=1), later) < due(900 * DAY, now)
    assert due_time(None, NOW) == NOW == due(30 * DAY, now)
    assert due_time(NOW + DAY, NOW) == NOW - 7 * DAY, "a date in the future counts as now"
    assert due(900 * DAY, now) < due(timedelta(), 8 * DAY), "an archive does not wait for ever"


def test_each_episode_gets_one_run_of_its_name_on_its_queue_however_often_it_is_sent(engine):
    one, two = waiting("one"), waiting("two")
    assert (2, []) == send(engine, one, two, captioned=[one])
    asked = engine.asked

    assert (0, []) == send(engine, one, two, captioned=[one])

    assert [("quota: Episode one", LIGHT, False), ("quota: Episode two", SPEECH, True)] == engine.seen()
    assert asked == engine.asked, "what waits already costs no request of its own"


def test_another_attempt_is_another_run(engine):
    send(engine, waiting("one"))
    engine.end(StateType.FAILED)
    send(engine, waiting("one", attempts=1))

    assert 2 == len(engine.runs)


@pytest.mark.parametrize("state", [StateType.CRASHED, StateType.FAILED, StateType.CANCELLED])
def test_a_run_that_broke_off_goes_on_and_is_given_up_after_so_many_starts(engine, state):
    send(engine, waiting("one"))
    for _ in range(MOST_STARTS - 1):
        engine.end(state)
        assert (1, []) == send(engine, waiting("one"))
    engine.end(state)

    sent, [(record, reason)] = send(engine, waiting("one"))

    assert (0, "one", 1) == (sent, record.episode.guid, len(engine.runs))
    assert "3 times" in reason
    assert "killed" in reason


@pytest.mark.parametrize("state", [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING])
@pytest.mark.parametrize(
    ("minutes", "held", "again"), [(1, False, False), (9, False, False), (11, False, True), (600, True, False)]
)
def test_a_run_that_nobody_works_on_goes_on_even_where_the_server_has_not_noticed(engine, state, minutes, held, again):
    one = waiting("one")
    send(engine, one)
    engine.end(state)
    (run,) = engine.runs.values()
    run.state.timestamp = now() - timedelta(minutes=minutes)

    sent, _ = send_all(Dispatcher(engine, {one.episode.key} if held else set()), [one], set())

    assert (again, StateType.SCHEDULED if again else state) == (bool(sent), run.state_type)


def test_an_episode_whose_publishers_transcript_was_of_no_use_goes_to_be_transcribed(engine):
    one = waiting("one")
    send(engine, one, captioned=[one])
    engine.end(StateType.COMPLETED)

    assert (1, []) == send(engine, one, captioned=[one])

    assert [LIGHT, SPEECH] == [queue for _, queue, _ in engine.seen()]
    assert (0, []) == send(engine, one, captioned=[one]), "and is sent once"


def test_a_backlog_is_handed_over_as_far_as_a_page_of_runs_and_no_queue_waits_for_another(engine, monkeypatch):
    monkeypatch.setattr(dispatch, "AHEAD", 3)
    spoken, light = [waiting(f"s{n}") for n in range(9)], [waiting(f"l{n}") for n in range(2)]

    assert (5, []) == send(engine, *spoken, *light, captioned=light)

    assert ["s0", "s1", "s2", "l0", "l1"] == [name.split()[-1] for name, _, _ in engine.seen()]
    assert (0, []) == send(engine, *spoken, *light, captioned=light)


def test_many_who_ask_for_the_index_at_about_the_same_time_get_one_run_after_all_of_them(engine, monkeypatch):
    dispatcher = Dispatcher(engine)
    for seconds in (0.5, 1, 4.9, 5.1, 12, 19.9, 30):
        at = NOW + timedelta(seconds=seconds)
        monkeypatch.setattr(dispatch, "now", lambda at=at: at)
        before = set(engine.runs)
        dispatcher.ask_for_index()
        assert all(engine.runs[key].due >= at + timedelta(seconds=INDEX_LEAD) for key in set(engine.runs) - before)

    assert [15, 30, 45] == [(run.due - NOW).total_seconds() for run in engine.runs.values()]
    assert {"index, 2026-03-01 12:00"} == {run.name for run in engine.runs.values()}
