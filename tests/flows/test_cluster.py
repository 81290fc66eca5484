"""The flows of many machines, without their engine: what each does to the stores, and what it asks for next."""

from asyncio import CancelledError
from contextlib import nullcontext
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import pytest
import yaml
from prefect.client.schemas.objects import StateType

from flows import cluster
from flows.claim import this_process
from flows.dispatch import INDEX, INGEST, LIGHT, POLL, SPEECH
from flows.run import Run
from flows.steps import Actions
from index.build import BuildReport
from ingest.errors import HomeError
from ingest.models import Episode
from ingest.times import now
from tests.conftest import ROOT
from tests.flows.test_run import CAPTIONED, SRT, context, feed, host, opened, paths, records, run, subscribe  # noqa: F401
from tests.podcast_host import Reply, document

DEPLOYMENTS = {one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}


class Sent:
    """A dispatcher that only notes what it is asked."""

    def __init__(self, _client=None):
        self.asked = []

    def send(self, record, queue):
        self.asked.append((record.episode.guid, queue))

    def ask_for_index(self):
        self.asked.append("index")


@pytest.fixture
def asked(monkeypatch):
    """What the flows ask Prefect for; the steps are those of the run, without tasks around them."""
    sent = Sent()
    monkeypatch.setattr(cluster, "Dispatcher", lambda _client: sent)
    monkeypatch.setattr(cluster, "get_client", lambda **_: nullcontext())
    plain = Actions(index=cluster.ONLY_SAVE.index, update_index=cluster.ONLY_SAVE.update_index)
    monkeypatch.setattr(cluster, "ONLY_SAVE", plain)
    return sent.asked


@pytest.fixture
def ingest(context, monkeypatch):  # noqa: F811
    """The flow's function on an episode of the feed, in the context of the test."""
    monkeypatch.setattr(cluster, "open_context", lambda _settings, **_: nullcontext(context))
    run(context, latest=0, match="nothing of this name")  # polls

    def call(guid, *, speech=True):
        return cluster.ingest.fn(records(context)[guid].episode.key, speech)

    return call


def test_an_episode_is_saved_and_left_to_the_writer_of_the_index(context, ingest, asked):  # noqa: F811
    state = ingest("one")

    assert StateType.COMPLETED == state.type
    assert (["index"], "done") == (asked, records(context)["one"].status)
    assert 1 == len(context.ingest.library.documents())
    assert [] == context.store.episodes()
    assert [] == context.ingest.ledger.claimed(now())


@pytest.mark.parametrize("place", ["", "new", "new/er/still"])
def test_a_worker_begins_in_a_home_that_is_not_there_yet(context, tmp_path, place):  # noqa: F811
    home = tmp_path / "worker" / place

    replace(context, home=home).check_home()

    assert home.is_dir()


def test_a_home_that_cannot_be_made_is_named(context, tmp_path):  # noqa: F811
    (tmp_path / "file").write_text("")

    with pytest.raises(HomeError, match="worker"):
        replace(context, home=tmp_path / "file" / "worker").check_home()


def test_an_episode_that_another_worker_has_or_had_is_left_alone(context, ingest, asked, host, monkeypatch):  # noqa: F811
    monkeypatch.setattr(cluster, "claimed", lambda *_: nullcontext(enter_result=False))
    before = paths(host)

    assert StateType.COMPLETED == ingest("one").type

    assert ([], before, "pending") == (asked, paths(host), records(context)["one"].status)


def test_a_failure_is_recorded_once_and_is_the_runs_own(context, ingest, asked, host):  # noqa: F811
    host.serve("/audio/one.mp3", Reply(404))

    state = ingest("one")

    assert (StateType.FAILED, []) == (state.type, asked)
    assert "404" in state.message
    assert ("failed", 1) == (records(context)["one"].status, records(context)["one"].attempts)
    assert StateType.COMPLETED == ingest("one").type, "a run that waited for this one does not try at once"
    assert 1 == paths(host).count("/audio/one.mp3")


@pytest.mark.parametrize("srt", [Reply(404), document(b"none, sorry", "application/x-subrip")])
def test_where_no_publishers_transcript_can_be_used_its_audio_is_left_to_the_other_queue(
    context, ingest, asked, host, srt  # noqa: F811
):  # fmt: skip
    host.serve("/feed.xml", document(feed("one", "two", more=CAPTIONED)))
    host.serve("/two.srt", srt)
    run(context, match="nothing of this name")

    state = ingest("two", speech=False)

    assert (StateType.COMPLETED, [("two", SPEECH)]) == (state.type, asked)
    assert ("pending", 0) == (records(context)["two"].status, records(context)["two"].attempts)
    assert "/audio/two.mp3" not in paths(host)


def test_a_publishers_transcript_needs_no_speech(context, ingest, asked, host):  # noqa: F811
    host.serve("/feed.xml", document(feed("one", "two", more=CAPTIONED)))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))
    run(context, match="nothing of this name")

    ingest("two", speech=False)

    assert (["index"], "done") == (asked, records(context)["two"].status)
    assert "/audio/two.mp3" not in paths(host)


def test_a_run_that_takes_too_long_is_a_failure_that_is_tried_again(context, ingest, asked, monkeypatch):  # noqa: F811
    def forever(*_):
        assert [this_process()] == [claim.owner for claim in context.ingest.ledger.claimed(now())]
        raise CancelledError

    monkeypatch.setattr(Run, "complete", forever)

    with pytest.raises(CancelledError):
        ingest("one")

    record = records(context)["one"]
    assert ("failed", 1, []) == (record.status, record.attempts, asked)
    assert "longer than" in record.reason
    assert record.next_try > now()
    assert [] == context.ingest.ledger.claimed(now())


def test_the_index_is_looked_at_until_nothing_is_left(context, monkeypatch):  # noqa: F811
    built = [BuildReport(added=3), BuildReport(changed=1), BuildReport(removed=1), BuildReport(unchanged=9)]
    monkeypatch.setattr(cluster, "open_context", lambda _settings, **_: nullcontext(context))
    monkeypatch.setattr(cluster, "update", lambda *_: built.pop(0))

    assert {"changed": 5, "failed": 0} == cluster.index.fn()
    assert [] == built


@pytest.mark.usefixtures("asked")
def test_an_index_without_what_is_done_is_behind_until_it_has_it(context, ingest):  # noqa: F811
    assert not cluster._is_behind(context)
    ingest("one")
    assert cluster._is_behind(context)
    cluster.index.fn()
    assert not cluster._is_behind(context)
    ingest("two")
    assert cluster._is_behind(context)


def test_what_waits_is_read_as_far_as_it_is_asked_for_without_what_its_publisher_keeps_back(context):  # noqa: F811
    ledger, kept_back = context.ingest.ledger, Episode("quota", "no", "Not for you", opted_out="tdm-reservation")
    run(context, match="nothing of this name")
    ledger.upsert_episodes([kept_back])
    begun = SimpleNamespace(queue=lambda: [kept_back.key, *(record.episode.key for record in ledger.records())])

    assert {"one", "two"} == {record.episode.guid for record in cluster._waiting(context, begun)}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_runs_the_flow_of_its_name_and_says_what_it_does(name):
    deployed = DEPLOYMENTS[name]
    module, _, function = deployed["entrypoint"].rpartition(".")

    assert name == getattr(import_module(module), function).name
    assert deployed["description"]
    assert deployed["tags"]
    assert (LIGHT if name == "ingest" else "control") == deployed["work_pool"]["work_queue_name"]


def test_what_must_be_alone_is_limited_and_the_names_are_those_that_the_code_asks_for():
    assert {"poll", "index", "maintain"} == {
        name for name, one in DEPLOYMENTS.items() if one.get("concurrency_limit", {}).get("limit") == 1
    }
    assert {POLL, INGEST, INDEX} == {f"{name}/{name}" for name in DEPLOYMENTS} - {"maintain/maintain"}
