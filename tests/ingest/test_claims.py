"""Of many workers one has an episode, and what a dead one held is free again."""

import multiprocessing
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ingest.ledger import Ledger
from ingest.models import Claim, Episode

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EPISODES = [Episode("quota", f"g{n}", f"Episode {n}") for n in range(40)]
FIRST = EPISODES[0].key


@pytest.fixture
def ledger(ledger_place):
    ledger = Ledger(ledger_place)
    ledger.upsert_episodes(EPISODES)
    return ledger


def test_a_claimed_episode_is_its_owners_alone_until_it_is_released(ledger):
    assert ledger.claim(FIRST, "ann", NOW, NOW + MINUTE)
    assert not ledger.claim(FIRST, "bob", NOW, NOW + MINUTE)
    assert [Claim(FIRST, "ann", NOW + MINUTE)] == ledger.claimed(NOW)

    ledger.release(FIRST, "bob")
    assert not ledger.claim(FIRST, "bob", NOW, NOW + MINUTE)
    ledger.release(FIRST, "ann")
    assert [] == ledger.claimed(NOW)
    assert ledger.claim(FIRST, "bob", NOW, NOW + MINUTE)


@pytest.mark.parametrize(("seconds", "free"), [(0, False), (59, False), (60, True), (3600, True)])
def test_a_lease_that_ran_out_holds_nobody_off(ledger, seconds, free):
    ledger.claim(FIRST, "ann", NOW, NOW + MINUTE)
    later = NOW + timedelta(seconds=seconds)

    assert free is not bool(ledger.claimed(later))
    assert free is ledger.claim(FIRST, "bob", later, later + MINUTE)


def test_its_owner_claims_again_and_renews_what_nobody_took(ledger):
    ledger.claim(FIRST, "ann", NOW, NOW + MINUTE)

    assert ledger.claim(FIRST, "ann", NOW, NOW + 2 * MINUTE)
    assert ledger.renew(FIRST, "ann", NOW + 3 * MINUTE)
    assert [NOW + 3 * MINUTE] == [claim.until for claim in ledger.claimed(NOW)]
    assert not ledger.claim(FIRST, "bob", NOW + 2 * MINUTE, NOW + 9 * MINUTE)


def test_what_another_took_after_the_lease_ran_out_cannot_be_renewed(ledger):
    ledger.claim(FIRST, "ann", NOW, NOW + MINUTE)
    ledger.claim(FIRST, "bob", NOW + MINUTE, NOW + 2 * MINUTE)

    assert not ledger.renew(FIRST, "ann", NOW + 9 * MINUTE)
    assert [Claim(FIRST, "bob", NOW + 2 * MINUTE)] == ledger.claimed(NOW)


def test_neither_what_is_done_nor_what_is_unknown_can_be_claimed(ledger):
    ledger.claim(FIRST, "ann", NOW, NOW + MINUTE)
    ledger.settle(EPISODES[0])

    assert not ledger.claim(FIRST, "ann", NOW, NOW + MINUTE)
    assert not ledger.claim("nobody", "ann", NOW, NOW + MINUTE)
    assert not ledger.renew("nobody", "ann", NOW + MINUTE)
    assert [] == ledger.claimed(NOW)


def test_a_claim_outlives_polls_and_failures(ledger):
    ledger.claim(FIRST, "ann", NOW, NOW + MINUTE)
    ledger.upsert_episodes([Episode("quota", "g0", "Another title")])
    ledger.record_failure(EPISODES[0], "no", NOW)

    assert not ledger.claim(FIRST, "bob", NOW, NOW + MINUTE)


@pytest.mark.parametrize("ahead", [timedelta(minutes=-5), timedelta(days=7), timedelta(days=9), timedelta(days=365)])
def test_a_claim_under_a_wrong_clock_holds_nobody_off_for_long(ledger, ahead):
    ledger.claim(FIRST, "ann", NOW + ahead, NOW + ahead + MINUTE)

    mended = ledger.mend_moments(NOW, timedelta(days=8))

    assert (mended == 1) is (ahead > timedelta(days=8))
    assert ledger.claim(FIRST, "bob", NOW, NOW + MINUTE) is (ahead != timedelta(days=7))


def race(place, owner, start, won):
    """A worker that claims every episode it can get, as all others do at the same time."""
    ledger = Ledger(place)
    start.wait()
    won.put((owner, [one.key for one in EPISODES if ledger.claim(one.key, owner, NOW, NOW + MINUTE)]))


def test_of_processes_that_race_for_every_episode_one_has_each(ledger, ledger_place):
    spawn = multiprocessing.get_context("spawn")
    start, won = spawn.Barrier(4), spawn.Queue()
    workers = [spawn.Process(target=race, args=(ledger_place, f"w{n}", start, won)) for n in range(4)]
    for worker in workers:
        worker.start()
    found = dict(won.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()

    assert {one.key: 1 for one in EPISODES} == Counter(key for keys in found.values() for key in keys)
    assert {(claim.key, claim.owner) for claim in ledger.claimed(NOW)} == {
        (key, owner) for owner, keys in found.items() for key in keys
    }


def test_what_a_killed_worker_held_is_another_ones_after_its_lease(ledger, ledger_place):
    code = (
        "import os, sys, datetime as d; from pathlib import Path; from ingest.ledger import Ledger;"
        "place = sys.argv[1] if '://' in sys.argv[1] else Path(sys.argv[1]);"
        "now = d.datetime.fromisoformat(sys.argv[3]);"
        "assert Ledger(place).claim(sys.argv[2], 'dead', now, now + d.timedelta(minutes=1));"
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(ledger_place), FIRST, NOW.isoformat()], check=False)

    assert -9 == killed.returncode
    assert not ledger.claim(FIRST, "next", NOW, NOW + MINUTE)
    assert ledger.claim(FIRST, "next", NOW + MINUTE, NOW + 2 * MINUTE)
