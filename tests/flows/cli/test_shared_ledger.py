"""The commands where the ledger is in PostgreSQL: what they do in a home they do there, too, and no file is made."""

import json
import re

import pytest

from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode
from ingest.times import now
from tests.flows.cli.test_damaged import transcript

NOWHERE = "postgresql+psycopg://ann:s3cret@127.0.0.1:1/ledger"


@pytest.fixture
def shared(home, call, monkeypatch, postgres_url):
    """A home with one transcript, indexed, whose ledger is on a server and knows two more episodes."""
    monkeypatch.setenv("SOUNDBITE_LEDGER", postgres_url)
    Library(home / "library").write(transcript("quota", "https://quota.example/feed.xml"))
    ledger = Ledger(postgres_url)
    ledger.upsert_episodes([Episode("quota", "2", "Discounts"), Episode("quota", "3", "Quotas")])
    ledger.record_failure(Episode("quota", "3", "Quotas"), "is not there (404)", now())
    assert 0 == call("index")[0]
    return home


def test_commands_find_the_ledger_on_its_server(shared, call, postgres_url):
    assert "The price is fine" in call("search", "price", "--podcast", "quota", "--mode", "text")[1]
    listed = json.loads(call("episodes", "--json")[1])["episodes"]
    assert {"Prices": "indexed", "Discounts": "pending", "Quotas": "failed"} == {
        episode["title"]: episode["status"] for episode in listed
    }
    assert 0 == call("retry")[0]
    assert (2, 0) == Ledger(postgres_url).counts()
    assert not list(shared.glob("ledger.sqlite*"))


def test_doctor_says_where_the_ledger_is_and_who_works(shared, call, postgres_url):
    ledger = Ledger(postgres_url)
    ledger.claim(Episode("quota", "2", "").key, "w1", now(), now().replace(year=9999))

    found = {one["what"]: one["found"] for one in json.loads(call("doctor", "--json")[1])["findings"]}

    assert found["ledger"] == "postgresql:///postgres can be written"
    assert found["claims"] == "1 episodes are in hand, of 1 workers"
    assert str(shared) in found["home"]


@pytest.mark.usefixtures("shared")
def test_without_its_server_search_goes_on_and_runs_say_why_not(call, monkeypatch):
    monkeypatch.setenv("SOUNDBITE_LEDGER", NOWHERE)

    assert "The price is fine" in call("search", "price", "--podcast", "quota", "--mode", "text")[1]
    listed = json.loads(call("episodes", "--json")[1])["episodes"]
    assert [("Prices", "indexed")] == [(episode["title"], episode["status"]) for episode in listed]
    assert 0 == call("index")[0]
    code, _, told = call("run")
    assert (1, True) == (
        code,
        bool(re.search(r"127\.0\.0\.1:1/ledger: cannot be reached .* check SOUNDBITE_LEDGER", told)),
    )
    code, found, _ = call("doctor", "--json")
    assert (1, [False]) == (code, [one["ok"] for one in json.loads(found)["findings"] if one["what"] == "ledger"])
    assert "s3cret" not in told + found
