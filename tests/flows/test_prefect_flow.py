"""Which steps Prefect tries again, how often and for what."""

from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from prefect.states import Failed

from flows import prefect_flow
from flows.progress import Paced
from flows.report import RunReport
from flows.steps import Actions
from ingest.errors import AudioError, FetchError, TranscriptionError
from ingest.library import Document
from ingest.models import Episode, Subscription, Transcript
from ingest.pipeline import Obtained

NETWORK = {"poll", "publisher", "download"}


def steps():
    return {field.name: getattr(prefect_flow.TASKS, field.name) for field in fields(prefect_flow.TASKS)}


def test_only_steps_on_the_network_are_tried_again_with_growing_delays_apart():
    for name, step in steps().items():
        assert (2 if name in NETWORK else 0) == step.retries, name
        assert not step.persist_result
    for name in NETWORK:
        first, second = steps()[name].retry_delay_seconds
        assert (0 < first < second, True) == (True, steps()[name].retry_jitter_factor > 0)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (FetchError("x", "is busy", 503), True),
        (AudioError("x", "broke off", transient=True), True),
        (FetchError("x", "is not there", 404), False),
        (FetchError("x", "comes back tomorrow", 503, 86_400.0), False),
        (TranscriptionError("x", "is no model"), False),
        (ValueError("nobody foresaw this"), False),
    ],
)
def test_a_step_is_tried_again_only_where_the_network_may_do_better(error, again):
    for name in NETWORK:
        assert again == steps()[name].retry_condition_fn(steps()[name], None, Failed(data=error))


def test_the_runs_of_steps_are_named_by_what_they_work_on():
    episode = Episode("the-quota-room", "1", "Cold {calls} & 50%")
    known = {
        "feed": Subscription("the-quota-room", "https://quota.example"),
        "episode": episode,
        "obtained": Obtained(Transcript(episode, ())),
        "document": Document("the-quota-room/cold-calls.md", "", "", ""),
    }

    names = {name: step.task_run_name.format(**known) for name, step in steps().items()}

    assert names == {
        "poll": "poll the-quota-room",
        "publisher": "publisher transcript the-quota-room: Cold {calls} & 50%",
        "download": "download the-quota-room: Cold {calls} & 50%",
        "transcribe": "transcribe the-quota-room: Cold {calls} & 50%",
        "save": "save Cold {calls} & 50%",
        "index": "index the-quota-room/cold-calls.md",
        "update_index": "update index",
    }


@pytest.mark.parametrize(
    ("podcast", "name"), [("", "all podcasts, 2026-03-01 04:05"), ("quota", "quota, 2026-03-01 04:05")]
)
def test_a_run_is_named_by_its_podcast_and_the_time_it_was_due(monkeypatch, podcast, name):
    due = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
    monkeypatch.setattr(prefect_flow.flow_run, "get_parameters", lambda: {"podcast": podcast})
    monkeypatch.setattr(prefect_flow.flow_run, "get_scheduled_start_time", lambda: due)

    assert name == prefect_flow.run_name()


@pytest.mark.parametrize(
    ("report", "recorded"),
    [
        (RunReport(skipped=9, unchanged_feeds=3), False),
        (RunReport(new=["quota: Prices"]), True),
        (RunReport(failed=[("quota", "is not there")]), True),
        (RunReport(warnings=["quota: has moved"]), True),
    ],
)
def test_a_run_is_recorded_where_something_happened(monkeypatch, report, recorded):
    made = []
    monkeypatch.setattr(prefect_flow, "create_markdown_artifact", lambda *_, **options: made.append(options["key"]))

    prefect_flow.record(report)

    assert recorded == (made == ["soundbite-run"])


class Step:
    """A transcription that tells its progress so many times, some seconds apart, by a clock of its own."""

    def __init__(self, monkeypatch, times, seconds):
        self.now, self.times, self.seconds, self.shown, self.words = 0.0, times, seconds, [], []
        monkeypatch.setattr(prefect_flow, "Paced", partial(Paced, clock=lambda: self.now))
        monkeypatch.setattr(prefect_flow, "STEPS", Actions(transcribe=self.transcribe))
        monkeypatch.setattr(prefect_flow, "create_progress_artifact", self.create)
        monkeypatch.setattr(prefect_flow, "update_progress_artifact", self.update)

    def create(self, done, *, key, description):
        assert "transcription" == key
        self.update(None, done, description)
        return uuid4()

    def update(self, _id, done, description):
        self.shown.append((self.now, done))
        self.words.append(description)

    def transcribe(self, _context, _episode, _audio, advance):
        for part in range(1, self.times + 1):
            self.now += self.seconds
            advance(part, self.times)
        return "obtained"

    def run(self):
        told = []
        assert "obtained" == prefect_flow._transcribe(
            None, Episode("quota", "1", "Cold calls"), None, lambda *at: told.append(at)
        )
        assert self.times == len(told)
        return self.shown


@pytest.mark.parametrize(("times", "seconds"), [(1, 59), (59, 1), (2, 29)])
def test_a_short_transcription_shows_no_progress(monkeypatch, times, seconds):
    assert [] == Step(monkeypatch, times, seconds).run()


def test_a_long_transcription_shows_its_progress_every_ten_seconds_at_most(monkeypatch):
    step = Step(monkeypatch, 100, 1)
    *told, last = step.run()

    assert [(60.0, 60.0), (70.0, 70.0), (80.0, 80.0), (90.0, 90.0), (100.0, 100.0)] == told
    assert (100.0, 100.0) == last, "the end is told in any case"
    assert [f"{percent} % of quota: Cold calls" for percent in (60, 70, 80, 90, 100, 100)] == step.words


@pytest.mark.parametrize("times", [3, 7, 50])
def test_slow_steps_are_told_as_they_come_and_end_at_hundred(monkeypatch, times):
    shown = Step(monkeypatch, times, 45).run()

    assert 100.0 == shown[-1][1]
    assert times == len(shown)


def test_an_engine_that_shows_nothing_stops_no_transcription(monkeypatch, caplog):
    step = Step(monkeypatch, 9, 45)
    monkeypatch.setattr(prefect_flow, "create_progress_artifact", lambda *_, **_options: 1 / 0)

    assert [] == step.run()
    assert 1 == caplog.text.count("is not shown")
