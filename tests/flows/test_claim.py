"""An episode in the hands of one worker: while it works, and no longer."""

import time
from datetime import timedelta

import pytest

from flows.automations import SILENCE
from flows.claim import LEASE, RENEW_SECONDS, claimed, this_process
from ingest.errors import HomeError
from ingest.ledger import Ledger
from ingest.models import Episode
from ingest.times import now

EPISODE = Episode("quota", "one", "Cold calls")
SHORT = {"lease": timedelta(seconds=0.6), "renew_seconds": 0.1, "patience": timedelta()}


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.upsert_episodes([EPISODE])
    return ledger


def taken(ledger, owner):
    with claimed(ledger, EPISODE.key, owner, **SHORT) as ours:
        return ours


def test_nobody_else_gets_an_episode_while_a_worker_holds_it_longer_than_its_lease(ledger):
    with claimed(ledger, EPISODE.key, "ann", **SHORT) as ours:
        assert ours
        for _ in range(4):
            time.sleep(0.3)
            assert not taken(ledger, "bob")
    assert taken(ledger, "bob")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_episode_is_free_again_however_the_work_ends(ledger, error):
    with pytest.raises(error), claimed(ledger, EPISODE.key, "ann", **SHORT):
        raise error
    assert [] == ledger.claimed(now())


def test_what_is_done_is_not_claimed_and_not_waited_for(ledger):
    ledger.settle(EPISODE)
    began = time.monotonic()

    with claimed(ledger, EPISODE.key, "ann", **SHORT | {"patience": timedelta(hours=1)}) as ours:
        assert not ours
    assert time.monotonic() - began < 1


def test_a_dead_workers_episode_is_waited_for(ledger, monkeypatch):
    monkeypatch.setattr("flows.claim.LOOK_SECONDS", 0.05)
    ledger.claim(EPISODE.key, "dead", now(), now() + timedelta(seconds=0.4))

    with claimed(ledger, EPISODE.key, "ann", **SHORT | {"patience": timedelta(seconds=30)}) as ours:
        assert ours


def test_a_ledger_that_is_away_for_a_moment_costs_no_claim(ledger, monkeypatch, caplog):
    renew, answers = Ledger.renew, [HomeError("ledger", "is locked")] * 2

    def sometimes(*arguments):
        if answers:
            raise answers.pop()
        return renew(*arguments)

    monkeypatch.setattr(Ledger, "renew", sometimes)
    with claimed(ledger, EPISODE.key, "ann", **SHORT):
        time.sleep(1)
        assert not taken(ledger, "bob")
    assert 2 == caplog.text.count("could not be renewed")


def test_work_goes_on_after_a_claim_was_lost_and_says_so(ledger, caplog):
    with claimed(ledger, EPISODE.key, "ann", **SHORT | {"renew_seconds": 0.8}):
        time.sleep(0.7)
        assert ledger.claim(EPISODE.key, "bob", now(), now() + LEASE)
        time.sleep(0.3)
    assert "is lost" in caplog.text
    assert ["bob"] == [claim.owner for claim in ledger.claimed(now())]


def test_a_lease_runs_out_before_a_dead_run_is_found_and_outlives_two_renewals_that_fail():
    assert timedelta(seconds=3 * RENEW_SECONDS) <= LEASE
    assert timedelta(seconds=30) + LEASE < SILENCE  # the last heartbeat may be so much older than the kill
    assert this_process() == this_process()
