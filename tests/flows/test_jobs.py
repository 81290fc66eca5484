"""Jobs: what follows them happens in the scheduler's thread, and an interrupt does not wait for them."""

import threading
import time
from contextvars import ContextVar

import pytest

from flows.jobs import STOP_SECONDS, Jobs, StoppableReporter, left_behind
from tests.flows.test_children import wait_for

WHO = ContextVar("who", default="nobody")


def test_what_follows_a_job_is_called_in_the_schedulers_thread_in_the_order_of_beginning():
    seen, jobs = [], Jobs()
    for name in ("first", "second", "third"):
        jobs.start("read", name, threading.get_ident, lambda job, name=name: seen.append((name, job.result())))
    time.sleep(0.2)
    while len(jobs):
        jobs.wait(10)

    assert ["first", "second", "third"] == [name for name, _ in seen]
    assert threading.get_ident() not in {where for _, where in seen}


def test_jobs_know_the_context_they_were_started_in():
    seen, jobs = [], Jobs()
    token = WHO.set("the run")
    jobs.start("read", "", WHO.get, lambda job: seen.append(job.result()))
    WHO.reset(token)
    jobs.wait(10)

    assert ["the run"] == seen


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_of_a_job_is_its_futures(error):
    def fail():
        raise error

    seen, jobs = [], Jobs()
    jobs.start("read", "", fail, lambda job: seen.append(job.exception()))
    jobs.wait(10)

    assert [error] == seen


def test_it_is_known_whether_jobs_are_left_behind():
    over, jobs = threading.Event(), Jobs()
    jobs.start("download", "a file", over.wait, lambda _: None)
    assert left_behind()

    over.set()
    jobs.wait(10)
    wait_for(lambda: not left_behind(), 10)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_stops_jobs_at_their_next_word_and_waits_for_no_other(error):
    reached, over = threading.Event(), threading.Event()

    def telling(jobs):
        with StoppableReporter(None, jobs.stopped).step("downloading") as advance:
            reached.set()
            try:
                while True:
                    advance(1, None)
                    time.sleep(0.01)
            finally:
                over.set()

    started = time.monotonic()

    def interrupted():
        with Jobs() as jobs:
            jobs.start("download", "told", lambda: telling(jobs), lambda _: None)
            jobs.start("download", "silent", lambda: time.sleep(60), lambda _: None)
            reached.wait(10)
            raise error

    with pytest.raises(error):
        interrupted()

    assert over.is_set()
    assert time.monotonic() - started < STOP_SECONDS + 5
