"""Models come from a directory or by name; a name is fetched once, and only when asked. Segments find their windows."""

import os
import subprocess
import sys
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from pathlib import Path
from threading import Thread
from time import sleep
from types import SimpleNamespace

import numpy as np
import pytest

from ingest.errors import TranscriptionError
from ingest.speech.faster_whisper import MODEL_FILES, MODELS, Whisper, model_path, pull_model
from ingest.speech.recognizer import Options
from ingest.speech.windows import Span

MODEL = Path(__file__).parents[2] / "speech" / "model"
FILES = sorted(MODEL.iterdir())
REPOSITORY = "Systran/faster-whisper-tiny.en"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """As much of a model hub as fetching one model needs."""

    def do_HEAD(self):
        self.answer(send=False)

    def do_GET(self):
        self.answer(send=True)

    def answer(self, *, send):
        self.server.asked.append(self.path)
        name = self.path.rpartition("/")[2]
        if self.path.startswith(f"/api/models/{REPOSITORY}/tree/"):
            body = dumps(
                [{"type": "file", "path": path.name, "oid": "0", "size": path.stat().st_size} for path in FILES]
            )
            body = body.encode()
        elif self.path.startswith(f"/api/models/{REPOSITORY}/"):
            siblings = [{"rfilename": path.name} for path in FILES]
            body = dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings}).encode()
        elif self.path.startswith(f"/{REPOSITORY}/resolve/") and (MODEL / name).is_file():
            body = (MODEL / name).read_bytes()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{sha256(body).hexdigest()}"')
        self.end_headers()
        for start in range(0, len(body) if send else 0, 1_000_000):
            self.wfile.write(body[start : start + 1_000_000])
            sleep(0.3)

    def log_message(self, *_):
        pass


@contextmanager
def hub():
    """The hub's address, and what it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked = []
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        server.server_close()


CHILD = """
import sys
from pathlib import Path
from ingest.errors import TranscriptionError
from ingest.speech.faster_whisper import Whisper, model_path, pull_model
name, models = sys.argv[1], Path(sys.argv[2])
try:
    assert model_path(name, models) is None
    heard = []
    assert pull_model(name, models, heard.append) == model_path(name, models)
    print(Whisper(name, models).fingerprint, max(heard, default=0))
except TranscriptionError as error:
    print(error)
"""


def pull(name, models, endpoint):
    """Fetch a model in a process of its own: the hub's client reads its address when it is imported."""
    environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-W", "ignore", "-c", CHILD, name, str(models)]
    run = subprocess.run(command, env=environment, cwd=MODEL.parents[2], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_a_published_model_is_fetched_once_and_then_found_and_loaded(tmp_path):
    with hub() as (endpoint, asked):
        fingerprint, heard = pull("tiny.en", tmp_path / "models", endpoint).split()
    assert sha256((MODEL / "model.bin").read_bytes()).hexdigest() == fingerprint
    assert 0 < int(heard) <= 1.1 * sum(path.stat().st_size for path in FILES)
    assert sum(path.endswith("model.bin") for path in asked) <= 2


def test_a_hub_that_cannot_be_reached_is_one_clear_error(tmp_path):
    with pytest.raises(TranscriptionError, match=r"could not be fetched .*check the network") as error:
        pull_model("tiny.en", tmp_path)
    assert "\n" not in str(error.value)


def test_a_name_that_is_not_published_is_not_asked_for(tmp_path):
    with pytest.raises(TranscriptionError, match="no published model"):
        pull_model("no-such-size", tmp_path)


def test_a_directory_is_a_model_only_when_all_its_files_are_there(tmp_path):
    assert model_path(str(MODEL), tmp_path) == MODEL
    for name in MODEL_FILES[:-1]:
        (tmp_path / name).write_bytes(b"")
    assert model_path(str(tmp_path), tmp_path) is None


def test_a_model_that_was_copied_into_the_models_directory_is_found_by_its_name(tmp_path):
    (tmp_path / "mine").symlink_to(MODEL)
    assert tmp_path / "mine" == model_path("mine", tmp_path)


def test_every_model_in_the_table_is_published():
    from faster_whisper import available_models

    assert {model.name for model in MODELS} <= set(available_models())
    assert "small" in {model.name for model in MODELS}


class OtherPipeline:
    """A batched pipeline that names windows in its own way, and gives segments in its own order."""

    def __init__(self, _model):
        pass

    def transcribe(self, _samples, *, clip_timestamps, **_options):
        figures = {"start": 0.0, "end": 99.0, "tokens": [1], "avg_logprob": -0.2, "no_speech_prob": 0.0}
        segments = [
            SimpleNamespace(**figures, seek=-1 - number, text=f" w{number}", words=[
                SimpleNamespace(start=start, end=start + 0.9, word=f" w{number}", probability=1.0)])
            for number, clip in enumerate(clip_timestamps)
            for start in (round(clip["start"], 2), clip["end"] - 0.3)
        ]  # fmt: skip
        return reversed(segments), None


def test_a_segment_belongs_to_the_window_of_its_words_however_the_pipeline_names_windows(monkeypatch):
    monkeypatch.setattr("faster_whisper.BatchedInferencePipeline", OtherPipeline)
    whisper = Whisper.__new__(Whisper)  # not loaded: only the pipeline is asked
    whisper.name, whisper._model = "stand-in", None
    windows = [Span(0.0, 4.0043), Span(4.0043, 9.0), Span(30.0, 31.5)]
    found = whisper.decode(np.zeros(0, np.float32), windows, Options(batch_size=8))
    assert [{word.text for part in parts for word in part.words} for parts in found] == [{" w0"}, {" w1"}, {" w2"}]
    assert [len(parts) for parts in found] == [2, 2, 2]
