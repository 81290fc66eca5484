"""Thirty episodes, two workers, one of which is killed while it transcribes: each episode once, in time, and found."""

import json
import sys
import threading
import time
from collections import Counter
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from flows.children import answers
from flows.context import open_context
from flows.verify import differences
from ingest.models import Episode
from ingest.settings import read_settings
from ingest.times import now
from tests.cluster.machines import START, cluster, parent_of
from tests.conftest import ROOT, SOUNDBITE, Command
from tests.flows.test_run import HEAD, ITEM
from tests.podcast_host import PodcastHost, Reply, document
from tests.s3_server import free_port

TAKEN_OVER = 180  # seconds after the kill within which all is done
# Of them until the run is called crashed, at the latest. The rest is for a poll and the transcription: eight to ten times as
# long as a run that reads a publisher's transcript, on idle cores and beside other work.
FOUND_DEAD, RUNS = 120, 20
TOPICS = (
    "amber", "basalt", "cedar", "damask", "ebony", "flint", "garnet", "hazel", "indigo", "jasper", "kelp", "linen", "maple",
    "nickel", "onyx", "pewter", "quartz", "raffia", "slate", "topaz", "umber", "velvet", "walnut", "xylem", "yarrow", "zinc",
    "agate", "birch",
)  # fmt: skip
CALLS = ("pipeline-review", "first-calls")  # without a publisher's transcript, so that they are transcribed
LONG = CALLS[-1]  # twice over, so that there is time to kill whoever transcribes it
ALL = (*TOPICS, *CALLS)


def text_of(topic):
    said = f"We sell {topic} to joiners and jewellers, and {topic} is never cheap. "
    return f"1\n00:00:00,000 --> 00:02:00,000\n{said * 6}"


def item(number, guid):
    captioned = f'<podcast:transcript url="/{guid}.srt" type="application/x-subrip"/>' if guid in TOPICS else ""
    date = f"{30 - number:02} Jan 2026 08:00:00 GMT"
    return ITEM.format(guid=guid, title=f"All about {guid}", date=date, more=captioned, audio=f"/{guid}.mp3")


@pytest.fixture(scope="module")
def host():
    with PodcastHost() as host:
        items = "".join(item(number, guid) for number, guid in enumerate(ALL))
        host.serve("/feed.xml", document(f"{HEAD.format(title='Quota')}{items}</channel></rss>".encode()))
        for topic in TOPICS:
            host.serve(f"/{topic}.srt", document(text_of(topic).encode(), "application/x-subrip"))
        for call in CALLS:
            sound = (ROOT / "tests" / "sample" / "audio" / f"{call}.mp3").read_bytes()
            host.serve(f"/{call}.mp3", document(sound * (2 if call == LONG else 1), "audio/mpeg", etag=f'"{call}"'))
        yield host


@pytest.fixture(scope="module")
def machines(tmp_path_factory, encoder, s3_session):
    folder = tmp_path_factory.mktemp("cluster")
    stores = {"SOUNDBITE_LIBRARY": s3_session.place(), "SOUNDBITE_INDEX": s3_session.place()}
    environment = Command(folder).environment | s3_session.environment | stores
    with cluster(folder, environment, encoder) as machines:
        yield machines


@pytest.fixture
def context(machines, monkeypatch):
    """The stores, as the workers open them."""
    for name, value in machines.environment.items():
        if name.startswith(("SOUNDBITE_", "AWS_")):
            monkeypatch.setenv(name, value)
    with open_context(read_settings(), shared=True) as context:
        yield context


class Searcher:
    """Asks the search server for each topic in turn; what was found once must be found from then on."""

    def __init__(self, port):
        self.port, self.found, self.wrong, self.over = port, set(), [], threading.Event()
        self.asked = 0
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def run(self):
        while not self.over.is_set():
            for topic in TOPICS:
                self.ask(topic)
                self.over.wait(0.2)

    def ask(self, topic):
        question = urlencode({"q": f"who buys {topic}", "limit": 50})
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/v1/search?{question}", timeout=60) as answer:
                hits = json.load(answer)["hits"]
        except HTTPError as error:
            if self.found or error.code != 503:  # nothing is indexed at first
                self.wrong.append((topic, error.code, error.read()))
            return
        except OSError as error:
            self.wrong.append((topic, str(error)))
            return
        self.asked += 1
        there = any(hit["episode_id"] == topic for hit in hits)
        if topic in self.found and not there:
            self.wrong.append((topic, "is gone"))
        if there:
            self.found.add(topic)
        if doubled := [key for key, count in Counter(hit["id"] for hit in hits).items() if count > 1]:
            self.wrong.append((topic, "doubled", doubled))


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_every_episode_is_there_once_though_a_worker_was_killed_in_a_transcription(machines, host, context):
    ledger, library = context.ingest.ledger, context.ingest.library
    began = time.monotonic()
    machines.soundbite("add", host.url("/feed.xml"))
    port = free_port()
    machines.start("search", SOUNDBITE, "serve", "--port", str(port))
    machines.wait_for(lambda: answers(port, "/livez"), START)
    queues = ("--work-queue", "control", "--work-queue", "default", "--work-queue", "speech", "--limit", "2")
    machines.work("first", *queues)
    machines.work("second", *queues)
    machines.prefect("deployment", "run", "poll/poll")
    key = next(record.episode.key for record in ledger.records() if record.episode.guid == LONG)

    with Searcher(port) as searcher:
        machines.wait_for(lambda: machines.step_is_running(f"transcribe quota: All about {LONG}"), 900)
        slowest = max(machines.run_seconds())
        held = {claim.key: parent_of(claim.owner) for claim in ledger.claimed(now())}
        name = next(name for name, process in machines.running.items() if process.pid == held[key])
        machines.kill(name)
        killed = time.monotonic()
        limit = max(TAKEN_OVER, FOUND_DEAD + RUNS * slowest)  # other work on these cores must not fail the test
        saved = len(library.documents())
        print(f"killed {name} after {killed - began:.0f} s, {saved} of {len(ALL)} saved, slowest run {slowest:.0f} s")
        machines.wait_for(lambda: {record.status for record in ledger.records()} == {"done"}, limit)
        print(f"all saved {time.monotonic() - killed:.0f} s after the kill")
        machines.wait_for(lambda: len(context.store.episodes()) == len(ALL), limit)
        print(f"all found {time.monotonic() - killed:.0f} s after the kill; {searcher.asked} questions answered")
        machines.wait_for(lambda: searcher.found == set(TOPICS), START)

    assert [] == searcher.wrong
    assert sorted(ALL) == sorted(document.guid for document in library.documents())
    assert sorted(ALL) == sorted(one.guid for one in context.store.episodes())
    assert [] == differences(library, ledger, context.store)
    machines.prefect("deployment", "run", "maintain/maintain", "--watch")
    again = {run["name"] for run in machines.runs() if run["run_count"] > 1}
    assert f"quota: All about {LONG}" in again
    assert again <= {
        f"quota: All about {record.episode.guid}" for record in ledger.records() if record.episode.key in held
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_episode_that_hangs_is_ended_by_the_engine_recorded_and_let_go(machines, host, context):
    episode = Episode("quota", "hung", "A silent host", audio_url=host.url("/hung.mp3"))
    host.serve("/hung.mp3", Reply(200, b"1", wait=900.0))
    context.ingest.ledger.upsert_episodes([episode])

    code = (
        "import sys; from flows.cluster import ingest;"
        "print(ingest.with_options(timeout_seconds=5)(sys.argv[1], return_state=True).name)"
    )
    told = machines.call(sys.executable, "-c", code, episode.key)

    record = context.ingest.ledger.find("hung")
    assert ("TimedOut", "failed", 1) == (told.split()[-1], record.status, record.attempts)
    assert record.next_try > now()
    assert episode.key not in {claim.key for claim in context.ingest.ledger.claimed(now())}
