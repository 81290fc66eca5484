"""Several transcriptions at a time in one process: how many, of what, and what ends one of them."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.context import RunContext, open_context
from flows.speech import threads
from flows.work import MAX_AUDIO
from ingest.audio.decode import RATE, Recording
from ingest.errors import UnreachableError
from ingest.settings import Settings
from tests.conftest import ROOT
from tests.fakes import BagOfWords
from tests.flac import write_flac
from tests.flows.test_children import wait_for
from tests.flows.test_run import NoModel, Parrot, documents, feed, run, statuses, subscribe
from tests.podcast_host import PodcastHost, document

GUIDS = [f"e{n:02}" for n in range(7)]
FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
DATES = {guid: f"{FIRST - timedelta(days=n):%a, %d %b %Y %H:%M:%S GMT}" for n, guid in enumerate(GUIDS)}
TITLES = [f"quota: Episode {guid}" for guid in GUIDS]
SAMPLE = ROOT / "tests" / "sample" / "audio" / "pipeline-review.mp3"
WORDS = " Ask for the next meeting before you hang up, and write down who wants to come and what it is about."
SAID = {"text": WORDS, "language": "english", "segments": [
    {"start": 0.2, "end": 4.8, "text": WORDS, "avg_logprob": -0.2, "no_speech_prob": 0.01}]}  # fmt: skip
KILLED = """
import sys
from pathlib import Path
from tests.flows.test_speech import opened_with_server, run
with opened_with_server(Path(sys.argv[1]), sys.argv[2], 3) as context:
    run(context)
"""


class SpeechServer:
    """A speech server that holds its answers until `ready` of them are asked for at once, each time that is possible.

    `most` is how many were; sound of `refused` bytes and more it calls broken.
    """

    def __init__(self, ready=1):
        self.ready, self.most, self.answered, self.refused = ready, 0, 0, 2**30
        self.waiting, self.changed = 0, threading.Condition()
        self.open = True

    def ask(self, sound):
        with self.changed:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.open and self.most >= self.ready, 60)
            self.changed.wait(0.2)  # for one too many
            self.waiting -= 1
            self.answered += 1
        return 400 if len(sound) >= self.refused else 200

    def go_on(self):
        with self.changed:
            self.open = True
            self.changed.notify_all()

    @contextmanager
    def serving(self):
        asked = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200)

            def do_POST(self):
                self.answer(asked.ask(self.rfile.read(int(self.headers["Content-Length"])).partition(b"RIFF")[2]))

            def answer(self, status):
                body = json.dumps(SAID).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_):
                """Of those that were killed."""

        server = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            self.go_on()
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two pieces of speech, of 5 and of 12 seconds."""
    with Recording(SAMPLE) as recording:
        sound = next(recording.blocks())
    folder = tmp_path_factory.mktemp("clips")
    return [write_flac(folder / f"{n}.flac", sound[: n * RATE]).read_bytes() for n in (5, 12)]


@pytest.fixture
def host(clips):
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed(*GUIDS, dates=DATES)))
        for guid in GUIDS:
            host.serve(f"/audio/{guid}.mp3", document(clips[0], "audio/mpeg"))
        yield host


@contextmanager
def opened_with_server(home, url, workers):
    settings = Settings(home=home, allow_hosts="127.0.0.1", whisper_url=url, whisper_model="any")
    with open_context(settings, workers=workers) as context:
        yield replace(context, embedder=BagOfWords())


@contextmanager
def opened_with(home, host, *models):
    """A context whose speech models are these stand-ins."""
    with open_context(Settings(home=home, allow_hosts="127.0.0.1")) as context:
        first, *spare = models
        ingest = replace(context.ingest, transcriber=first)
        subscribe(context, host.url("/feed.xml"))
        yield RunContext(context.home, ingest, context.store, BagOfWords(), tuple(spare))


@pytest.mark.parametrize(
    ("cores", "workers", "each"), [(16, 1, 0), (16, 3, 5), (2, 2, 1), (2, 8, 1), (64, 32, 2), (1, 2, 1)]
)
def test_transcriptions_share_the_cores_and_one_alone_takes_what_its_library_takes(cores, workers, each):
    assert each == threads(cores, workers)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_so_many_episodes_are_transcribed_at_a_time_and_never_one_more(host, tmp_path, workers):
    server = SpeechServer(ready=workers)
    with server.serving() as url, opened_with_server(tmp_path / "home", url, workers) as context:
        subscribe(context, host.url("/feed.xml"))
        report = run(context)

        assert (sorted(TITLES), []) == (sorted(report.new), report.failed)
        assert (workers, len(GUIDS)) == (server.most, server.answered)
        assert len(GUIDS) == len(documents(context)) == context.store.counts()["episodes"]


def test_an_episode_that_fails_ends_itself_and_not_those_beside_it(host, clips, tmp_path):
    """Wherever in the queue it stands."""
    host.serve("/audio/e01.mp3", document(clips[1], "audio/mpeg"))
    server = SpeechServer(ready=3)
    server.refused = 2 * 6 * RATE
    with server.serving() as url, opened_with_server(tmp_path / "home", url, 3) as context:
        subscribe(context, host.url("/feed.xml"))
        report = run(context)

        assert ["quota: Episode e01"] == [name for name, _ in report.failed]
        assert "HTTP status 400" in report.failed[0][1]
        assert {guid: "failed" if guid == "e01" else "done" for guid in GUIDS} == statuses(context)
        assert 3 == server.most


def test_a_server_that_goes_away_costs_none_of_those_that_it_was_sent_an_attempt(host, tmp_path):
    together = threading.Barrier(3)

    class Away(Parrot):
        def transcribe(self, *_, **_options):
            together.wait(60)
            raise UnreachableError("http://127.0.0.1:1", "cannot be reached", "127.0.0.1")

    with opened_with(tmp_path / "home", host, Away(), Away(), Away()) as context:
        report = run(context)

        assert {"pending"} == set(statuses(context).values())
        assert {0} == {record.attempts for record in context.ingest.ledger.records()}
        assert ["127.0.0.1"] == [name for name, _ in report.failed]


def test_the_newest_are_begun_first_and_audio_ahead_stays_bounded(host, tmp_path):
    begun, most = [], []

    class Noted(Parrot):
        def transcribe(self, audio, **options):
            begun.append(audio.name)
            wait_for(lambda: len(begun) > 1, 60)
            most.append(len(list(audio.parent.glob("*.mp3"))))
            return super().transcribe(audio, **options)

    with opened_with(tmp_path / "home", host, Noted(), Noted()) as context:
        keys = {record.episode.key: record.episode.guid for record in context.ingest.ledger.records()}
        run(context)

    order = [keys[name.partition(".")[0]] for name in begun]
    assert set(GUIDS[:2]) == set(order[:2])
    assert all(abs(order.index(guid) - place) <= 1 for place, guid in enumerate(GUIDS)), order
    assert max(most) <= MAX_AUDIO + 1


def test_further_models_are_loaded_only_where_audio_waits_for_one(host, tmp_path):
    host.serve("/feed.xml", document(feed("e00", dates=DATES)))
    loaded = []

    class Loaded(Parrot):
        def load(self):
            loaded.append(self)
            return self

    with opened_with(tmp_path / "home", host, Loaded(), Loaded(), Loaded()) as context:
        assert TITLES[:1] == run(context).new
    assert 1 == len(loaded)


def test_where_memory_is_short_for_a_further_model_the_first_does_the_work(host, tmp_path):
    with opened_with(tmp_path / "home", host, Parrot(), NoModel(), Parrot()) as context:
        context.ingest.transcriber.transcribe = slowly(context.ingest.transcriber.transcribe)
        report = run(context)

    assert (sorted(TITLES), []) == (sorted(report.new), report.failed)
    assert 1 == sum("fewer transcriptions at a time" in warning for warning in report.warnings)


def slowly(transcribe):
    def waiting(*arguments, **options):
        threading.Event().wait(0.1)
        return transcribe(*arguments, **options)

    return waiting


def test_without_a_first_model_nothing_is_downloaded(host, tmp_path):
    with opened_with(tmp_path / "home", host, NoModel(), Parrot()) as context:
        report = run(context)
    assert ["speech model"] == [name for name, _ in report.failed]
    assert not any(asked.path.startswith("/audio") for asked in host.requests)


def test_a_run_killed_with_three_transcriptions_at_work_is_completed_by_the_next(host, tmp_path):
    home, server = tmp_path / "home", SpeechServer(ready=3)
    server.open = False
    with server.serving() as url:
        with opened_with_server(home, url, 3) as context:
            subscribe(context, host.url("/feed.xml"))
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(home), url], cwd=ROOT)
        wait_for(lambda: server.waiting == 3, 60)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        server.go_on()

        with opened_with_server(home, url, 3) as context:
            report = run(context)
            names = [document.key for document in documents(context)]

            assert (sorted(TITLES), []) == (sorted(report.new), report.failed)
            assert len(GUIDS) == len(names) == len(set(names)) == context.store.counts()["episodes"]
            assert {"done"} == set(statuses(context).values())
            assert {1} == {record.attempts for record in context.ingest.ledger.records()}
            assert [] == list(context.ingest.audio_dir.iterdir())
